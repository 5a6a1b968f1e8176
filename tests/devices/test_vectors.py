"""Every known vector, where the list of them is: it decodes to what it should, or the sensor's note says why not.

Those of the exercise's streams are quoted in each sensor's own tests as well, which run everywhere.
"""

import json
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensorrep.devices import Decoder, Write, diy, dot, metamotion, movesense, polar, thingy, witmotion
from sensorrep.model import GRAVITY_M_S2, Samples
from tests.devices.driving import decoded, drive, packets

HERE = Path(__file__).resolve()
VECTORS = HERE.parents[3] / "shared" / "vectors.json"
NOTES = HERE.parents[2] / "firmware_notes"
KNOWN: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8")) if VECTORS.exists() else []
present = pytest.mark.skipif(not KNOWN, reason="the list of vectors is not here: ../shared/vectors.json")
DIY_INFO = "01010100 19b89200 e7d09c3b 295c8f3d 1000d007 0400f400 00000100 0f000000"

Read = Callable[[bytes], Any]


def samples(decoder: Decoder, channel: str, payload: bytes) -> Samples:
    found, malformed = decoded(decoder, packets(channel, [payload]))
    assert not malformed
    return found


def in_g(found: Samples) -> dict[str, Any]:
    return {"acc_g": found["acc_m_s2"] / GRAVITY_M_S2, "gyro_dps": np.degrees(found["gyr_rad_s"])}


def of_witmotion(payload: bytes) -> list[dict[str, Any]]:
    # a lone frame's length is known by the one behind it
    size = 28 if len(payload) == 28 else 20
    found = in_g(samples(witmotion.Decoder(struct.pack("<H", 100)), "frames", payload + payload[:size]))
    raw = witmotion.raw_values(np.frombuffer(payload, np.uint8).reshape(-1, size))
    return [{"raw": raw[i], **{key: rows[i] for key, rows in found.items()}} for i in range(len(raw))]


def of_registers(payload: bytes) -> dict[str, Any]:
    start, values = witmotion.parse_registers(payload)
    return {"start_reg": start, "values": list(values)}


def of_imu6(payload: bytes) -> dict[str, Any]:
    stamp_ms, *rows = movesense.parse_imu6(payload)
    named = [[dict(zip("xyz", row, strict=True)) for row in part.tolist()] for part in rows]
    return {"Timestamp": stamp_ms, "ArrayAcc": named[0], "ArrayGyro": named[1]}


def of_dot(payload: bytes, mode: int) -> dict[str, Any]:
    stamp_us, acc, gyr = dot.parse_sample(payload, mode)
    return {"ts_us": stamp_us, "acc_ms2": acc, "gyr_dps": gyr}


def of_fused(payload: bytes) -> dict[str, Any]:
    number, acc, gyr = metamotion.parse_fused(payload)
    (one,) = samples(metamotion.Decoder(struct.pack("<HBH", 100, 2, 2000)), "notifications", payload)
    g = {key: rows[0] for key, rows in in_g(Samples(np.array([one]))).items()}
    return {"counter": number, "acc_raw": acc, "gyro_raw": gyr, **g}


def of_thingy(payload: bytes) -> dict[str, Any]:
    raw = thingy.parse_raw(payload)  # as it stands: the note has why samples have the other sign
    return {"acc_g": raw.acc / 1024, "gyro_dps": raw.gyr / 32}


def of_polar(payload: bytes, unit: str, scale: float = 1.0) -> dict[str, Any]:
    frame = polar.parse_frame(payload, {polar.ACC: 1e-3, polar.GYR: 1.0})
    return {unit: frame.values * scale, "ts_ns": frame.stamp_ns}


def of_polar_raw(payload: bytes) -> dict[str, Any]:
    frame = of_polar(payload, "mG", 1e3)
    rows = frame["mG"]
    return {"ts_ns": frame["ts_ns"], "n": len(rows), "first": rows[0], "second": rows[1], "last": rows[-1]}


def of_polar_compressed(payload: bytes) -> dict[str, Any]:
    rows = polar.decompressed(payload[10:], "<i2")
    frame = polar.parse_frame(payload, {polar.ACC: 2.44e-4})
    first, second = np.trunc(frame.values[:2] * 1e3)  # the maker's program cuts to whole mg
    mg = {"mG_first": first, "mG_second": second}
    return {"ts_ns": frame.stamp_ns, "n": len(rows), "raw": rows[:3], "raw_last": rows[-1], **mg}


def of_polar_settings(payload: bytes) -> dict[str, Any]:
    words = {0: "rate", 1: "resolution", 2: "range", 4: "channels"}
    found = polar.parse_settings(payload)
    return {words[what]: [int.from_bytes(one, "little") for one in values] for what, values in found.items()}


def of_diy(payload: bytes) -> dict[str, Any]:
    found = samples(diy.Decoder(bytes.fromhex(DIY_INFO)), "data", payload)
    message = diy.parse_data(payload)
    si = {"acc_ms2": found["acc_m_s2"], "gyro_dps": np.degrees(found["gyr_rad_s"])}
    return {"flags": message.flags, "counter": message.counter, "t_us": message.t_us, "raw": message.raw, **si}


def of_diy_info(payload: bytes) -> dict[str, Any]:
    words = (
        *("imu", "side", "cfg", "period_ns", "acc_lsb_ms2", "gyro_lsb_dps", "acc_range_g", "gyro_range_dps"),
        *("n", "max_payload", "fw", "caps"),
    )
    return {"version": 1, **dict(zip(words, diy.parse_info(payload), strict=True))}


def said(meaning: str, understood: Callable[[bytes], bool]) -> Read:
    """What a message means, if it is understood."""
    return lambda payload: meaning if understood(payload) else "not understood"


def is_message(payload: bytes, kind: int, content: str) -> bool:
    return dot.parse_message(payload) == (kind, bytes.fromhex(content))


def is_subscription(payload: bytes) -> bool:
    actions, _ = drive(movesense.start(52), b"\x01\x63\xc8\0")
    return Write("command", payload) in actions


ROOT = bytes.fromhex("d422cdaabbcc")[::-1]
READ: dict[str, Read] = {
    **dict.fromkeys(("wit-notify-0", "wit-notify-1", "wit-notify-71"), of_witmotion),
    **dict.fromkeys(("wit-28byte-a", "wit-28byte-b"), lambda payload: of_witmotion(payload)[0]),
    "wit-reg-mag": of_registers,
    "wit-reg-batt": lambda payload: {**of_registers(payload), "battery_pct": witmotion.parse_battery(payload)},
    "mvs-Meas-IMU6-52": of_imu6,
    "mvs-cmd-sub-imu6-52": said("write to 34800001", is_subscription),
    "dot-control-read": lambda payload: {"output_rate": dot.parse_rate(payload)},
    "dot-msg-getstate": said("GetState", partial(is_message, kind=1, content="02")),
    "dot-msg-getstate-ack": said("ack", partial(is_message, kind=1, content="010602")),
    "dot-sync-status": said("GetSyncStatus", lambda payload: payload == dot.ask_sync()),
    "dot-sync-unsynced": lambda payload: "synced" if dot.parse_synchronised(payload) else "not synced",
    "dot-sync-synced": lambda payload: "synced" if dot.parse_synchronised(payload) else "not synced",
    "dot-sync-start": said("StartSync root D4:22:CD:AA:BB:CC", lambda payload: payload == dot.start_sync(ROOT)),
    "dot-sync-ack": said("sync ok", lambda payload: dot.parse_sync_result(payload) == "synchronised"),
    "dot-sync-stop": said("StopSync", lambda payload: payload == dot.stop_sync()),
    "dot-sync-stop-ack": said("stopped ok", partial(is_message, kind=2, content="5000")),
    "dot-cfg-factory": said("revert factory", partial(is_message, kind=3, content="04")),
    "dot-rec-stop": said("StopRecording", partial(is_message, kind=1, content="41")),
    "dot-synth-custom5": partial(of_dot, mode=26),
    "dot-synth-rate": partial(of_dot, mode=21),
    "mw-fuser": of_fused,
    "mw-battery": lambda payload: {"percent": metamotion.parse_battery(payload)},
    "thingy-raw": of_thingy,
    "thingy-config-default": lambda payload: {"motion_hz": thingy.parse_rate(payload)},
    "thingy-config-100hz": lambda payload: {"motion_hz": thingy.parse_rate(payload)},
    "polar-acc-raw1": of_polar_raw,
    "polar-acc-comp0": of_polar_compressed,
    "polar-acc-comp1": lambda payload: {"mG": of_polar(payload, "mG", 1e3)["mG"]},
    "polar-gyro-comp0": lambda payload: {"raw": polar.decompressed(payload[10:], "<i2")},
    "polar-gyro-comp1": lambda payload: {"dps": of_polar(payload, "dps")["dps"]},
    "polar-mag-comp": lambda payload: {"raw": polar.decompressed(payload, "<i2")},
    "polar-settings": of_polar_settings,
    "polar-real-443-block1": partial(of_polar, unit="mG", scale=1e3),
    **dict.fromkeys(("diy-1", "diy-3-wrap", "diy-after-wrap"), of_diy),
    "diy-info": of_diy_info,
}

NOT_DECODED = {
    "mvs-Meas-Ecg-200-mV": "`/Meas/ECG`",
    "mvs-Meas-Acc-52": "`/Meas/Acc`",
    "mvs-Meas-Gyro-52": "`/Meas/Gyro`",
    "mvs-Meas-Magn-13": "`/Meas/Magn`",
    **dict.fromkeys(("mvs-Meas-IMU9-52", "mvs-cap-imu9"), "`/Meas/IMU9`"),
    **dict.fromkeys(("mvs-Meas-Temp", "mvs-cap-temp"), "`/Meas/Temp`"),
    "mvs-Meas-HR": "`/Meas/HR`",
    **dict.fromkeys(("mvs-cap-accInfo", "mvs-cap-gyroInfo", "mvs-cap-imuInfo"), "the `Info` resources"),
    "mvs-cap-timeDetailed": "`/Time/Detailed`",
    **dict.fromkeys(("dot-freeacc-a", "dot-freeacc-b"), "free acceleration"),
    **dict.fromkeys(("mw-acc-4g", "mw-gyro-500"), "plain and packed streams"),
    **dict.fromkeys(("mw-acc-packed-bmi160-8g", "mw-acc-packed-bmi270-8g"), "plain and packed streams"),
    "mw-gyro-packed-1000": "plain and packed streams",
    **dict.fromkeys([f"mw-accounter-{one}" for one in (*range(6), "count")], "the accounter over acceleration alone"),
    "mw-logtime": "log time",
    "mw-mac": "address",
    **dict.fromkeys(
        [f"mw-fusion-{one}" for one in ("acc", "gyro", "quat", "euler", "gravity", "linacc")],
        "the outputs of the board's own sensor fusion",
    ),
}
"""Vectors of what the exercise does not need, and the words with which the sensor's note says so."""
FILES = {"metawear": "metamotion", "thingy52": "thingy"}
UNREAD = {
    "witmotion": {"angle_deg", "chip_time", "battery_v"},
    "dot": {"quat_wxyz", "visit", "timeoutX", "timeoutY", "tag_len", "tag", "filter"},
    "metawear": {"millivolt"},
    "thingy52": {"mag_uT", "step_ms", "temp_comp_ms", "mag_comp_ms", "wake"},
}
"""What else stands in a message, of no use here."""


def compare(found: Any, expected: Any, tolerance: float, unread: set[str]) -> None:
    if isinstance(expected, dict):
        assert set(found) >= set(expected) - unread
        for key in set(expected) & set(found):
            compare(found[key], expected[key], tolerance, unread)
    elif isinstance(expected, list):
        assert len(found) >= len(expected)  # a list of registers may end where only zeros follow
        for one, other in zip(found, expected, strict=False):
            compare(one, other, tolerance, unread)
    elif isinstance(expected, str):
        assert found == expected
    else:
        assert found == pytest.approx(expected, abs=tolerance)


@present
@pytest.mark.parametrize("vector", KNOWN, ids=[one["id"] for one in KNOWN])
def test_it_decodes_to_what_it_should_or_the_note_says_why_not(vector: dict[str, Any]) -> None:
    name, tolerance = vector["device"], vector["tolerance"]
    if vector["id"] in NOT_DECODED:
        note = " ".join((NOTES / f"{FILES.get(name, name)}.md").read_text(encoding="utf-8").split())
        assert NOT_DECODED[vector["id"]] in note
        return
    payload = bytes.fromhex(vector["hex"])
    tolerance = 1e-6 if tolerance is None else float(tolerance)
    compare(READ[vector["id"]](payload), vector["expected"], tolerance, UNREAD.get(name, set()))
