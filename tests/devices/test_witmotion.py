"""WitMotion frames: real captures, the stream in any portions, garbage, pauses, and the start-up bytes."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices import Action, Await, Pause, Subscribe, Write, witmotion
from sensorrep.devices.witmotion import CHANNELS, Decoder, parse_battery, parse_registers, recognises
from sensorrep.errors import PayloadError
from sensorrep.model import Foot, Packet, Samples
from tests.devices.driving import (
    CUTS,
    decoded,
    drive,
    packets,
    plausible,
    refused,
    same_however_cut,
    streams,
)

# RGu0/WT901@9ccb834 tests/data/recordings/wt901-100hz.jsonl: notifications 0, 1 and 71, a WT901BLE67 at 100 Hz
NOTIFICATIONS = [
    bytes.fromhex(text)
    for text in (
        "55612706bc0179065500e7fec4fa3e00eaff0000 55613806c7016b0698ff79fe74fb3e00eaff0000"
        "55618006cc017f06b2feb8fe0dfc3e00eaff0000 55618206ad018c0696fe58ff65fc3e00eaff0000",
        "5561240690014606b3fe37ff1ffc3e00eaff0000 5561aa057701e20588fe39fefffb3e00eaff0000"
        "556160054c01f50585fe01feabfb3e00eaff0000 5561fc042801150694fe0ffe6afb3e00eaff0000",
        "556114055601de0516fd22009501da01e9f8b1c1 5561fe044e01cf058dfd66ff4d018201e1f8ddc1"
        "556138056101bf05e7fd11fe1101830188f7acc1 5561ae0525015d0636ff3fff6a005a0160f7c0c1",
    )
]
STREAM = b"".join(NOTIFICATIONS)
# zhuyetuo/witmotion_imu@fab6159 data/test/WIT18.TXT: two consecutive frames of a WT901SDCL-BT50 at 20 Hz
LONG_FRAMES = [
    bytes.fromhex("5561d8fd3905de05bb01ff00fbffab0fb1ed808a1a06160e29011903"),
    bytes.fromhex("55615afd26052506860 01fffcd003910e1ed8c8a1a06160e29014b03".replace(" ", "")),
]
# RGu0/WT901 docs/protocol.md section 4 (captured register values, tail zero), and the maker's example of a 0x3A read
BATTERY = bytes.fromhex("557164008d01000047111a900000000000000000")
REGISTERS = bytes.fromhex("55713a0068016900 7a00".replace(" ", "")) + bytes(10)

INFO = (100).to_bytes(2, "little")
new = partial(Decoder, INFO)


def chunked(stream: bytes, size: int) -> list[bytes]:
    return [stream[i : i + size] for i in range(0, len(stream), size)]


def acc_g(samples: Samples) -> np.ndarray:
    return np.asarray(samples["acc_m_s2"] / 9.80665)


def gyr_dps(samples: Samples) -> np.ndarray:
    return np.asarray(np.degrees(samples["gyr_rad_s"]))


def test_real_notifications_say_what_their_source_says() -> None:
    samples, malformed = decoded(new(), packets("frames", NOTIFICATIONS, 40_000_000))
    assert (len(samples), malformed) == (12, 0)
    expected = {
        0: ((0.769043, 0.216797, 0.809082), (5.18799, -17.15088, -81.78711)),
        1: ((0.777344, 0.222168, 0.802246), (-6.34766, -23.86475, -71.04492)),
        3: ((0.813477, 0.209473, 0.818359), (-22.09473, -10.25391, -56.33545)),
        7: ((0.623047, 0.144531, 0.760254), (-22.2168, -30.33447, -71.65527)),
        8: ((0.634766, 0.166992, 0.733398), (-45.53223, 2.0752, 24.71924)),
        11: ((0.709961, 0.143066, 0.79541), (-12.3291, -11.77979, 6.46973)),
    }
    for i, (acc, gyr) in expected.items():
        assert acc_g(samples)[i] == pytest.approx(acc, abs=1e-6)
        assert gyr_dps(samples)[i] == pytest.approx(gyr, abs=1e-5)
    assert np.allclose(acc_g(samples)[[0, 11]] * 2048, [[1575, 444, 1657], [1454, 293, 1629]], rtol=1e-12)


def test_samples_are_counted_at_the_nominal_period_and_received_with_their_notification() -> None:
    samples, _ = decoded(new(), packets("frames", NOTIFICATIONS, 40_000_000, begin_ns=7))
    assert samples["counter"].tolist() == list(range(12))
    assert samples["device_ns"].tolist() == [10_000_000 * i for i in range(12)]
    assert samples["received_ns"].tolist() == [7] * 4 + [40_000_007] * 4 + [80_000_007] * 4
    assert not samples["epoch"].any()
    assert not samples["saturated"].any()


@pytest.mark.parametrize("size", [1, 7, 20, 33, 240])
def test_the_same_bytes_in_other_portions_hold_the_same_frames(size: int) -> None:
    whole, _ = decoded(new(), packets("frames", [STREAM]))
    samples, malformed = decoded(new(), packets("frames", chunked(STREAM, size), 1000))
    assert malformed == 0
    assert np.array_equal(samples["acc_m_s2"], whole["acc_m_s2"])
    assert np.array_equal(samples["gyr_rad_s"], whole["gyr_rad_s"])
    last_bytes = 20 * np.arange(1, 13) - 1
    last_bytes[0] += 2  # the header behind it, without which the first frame isn't sure
    assert np.array_equal(samples["received_ns"], last_bytes // size * 1000)


def test_real_28_byte_frames_are_found_by_the_header_behind_them() -> None:
    samples, malformed = decoded(new(), packets("frames", LONG_FRAMES, 50_000_000))
    assert (len(samples), malformed) == (2, 0)
    assert acc_g(samples)[0] == pytest.approx((-0.269531, 0.652832, 0.733398), abs=1e-6)
    assert gyr_dps(samples)[0] == pytest.approx((27.03857, 15.56396, -0.30518), abs=1e-5)
    assert acc_g(samples)[1] == pytest.approx((-0.331055, 0.643555, 0.768066), abs=1e-6)
    assert gyr_dps(samples)[1] == pytest.approx((8.17871, -13.73291, 12.51221), abs=1e-5)


@pytest.mark.parametrize("garbage", ["00555561", "55", "5561", "556155", "55715561", "00" * 40, "5561" + "00" * 17])
def test_garbage_before_the_stream_costs_at_most_one_frame(garbage: str) -> None:
    truth, _ = decoded(new(), packets("frames", [STREAM]))
    samples, malformed = decoded(new(), packets("frames", [bytes.fromhex(garbage), STREAM]))
    assert malformed == 1
    assert len(samples) in (11, 12)
    assert np.array_equal(samples["acc_m_s2"], truth["acc_m_s2"][-len(samples) :])


def test_bytes_lost_inside_a_frame_cost_that_frame_and_the_next() -> None:
    broken = STREAM[:50] + STREAM[60:]
    truth, _ = decoded(new(), packets("frames", [STREAM]))
    samples, malformed = decoded(new(), packets("frames", [broken]))
    assert malformed == 1
    kept = [0, 1, *range(4, 12)]
    assert np.array_equal(samples["acc_m_s2"][np.r_[0:2, 3:11]], truth["acc_m_s2"][kept])


def test_answers_to_register_reads_are_no_samples() -> None:
    stream = NOTIFICATIONS[0] + BATTERY + NOTIFICATIONS[1]
    samples, malformed = decoded(new(), packets("frames", [stream]))
    assert (len(samples), malformed) == (8, 0)
    assert samples["counter"].tolist() == list(range(8))


def test_a_pause_starts_a_new_epoch_and_drops_the_half_frame_before_it() -> None:
    stream = packets("frames", [NOTIFICATIONS[0] + STREAM[:9]], 0) + packets(
        "frames", NOTIFICATIONS, 40_000_000, begin_ns=500_000_001
    )
    samples, malformed = decoded(new(), stream)
    assert malformed == 1
    assert samples["epoch"].tolist() == [0] * 4 + [1] * 12
    assert samples["counter"].tolist() == [0, 1, 2, 3, *range(12)]
    on_time, _ = decoded(new(), packets("frames", NOTIFICATIONS, 500_000_000))
    assert not on_time["epoch"].any()


@pytest.mark.parametrize("late_ns", [0, 30_000_000])
def test_a_notification_that_comes_twice_is_taken_once(late_ns: int) -> None:
    """As a host with two handlers does, or a link that repeats: then the second may come after the next one."""
    once = packets("frames", NOTIFICATIONS, 20_000_000)
    second = once[0]._replace(received_ns=once[0].received_ns + late_ns)
    decoder = new()
    samples = decoder.push(sorted([*once, second], key=lambda packet: packet.received_ns))
    np.testing.assert_array_equal(samples, new().push(once))
    assert decoder.malformed == 1


def test_frames_that_repeat_at_their_own_pace_or_one_by_one_are_samples() -> None:
    """One frame of a sensor at rest may repeat; four that come as slowly as they were measured were measured."""
    payload = NOTIFICATIONS[0]
    slow = [Packet(at * 40_000_000, Foot.LEFT, "frames", payload) for at in range(4)]
    single = [Packet(at, Foot.LEFT, "frames", payload[:20]) for at in range(4)]
    assert len(new().push(slow)) == 16
    assert len(new().push(single)) == 4


def test_full_scale_is_flagged() -> None:
    frame = bytes.fromhex("5561ff7f0000000000000000000000000000 0000".replace(" ", ""))
    low = bytes.fromhex("556100000000000000000000008000000000 0000".replace(" ", ""))
    samples, _ = decoded(new(), packets("frames", [frame + low + NOTIFICATIONS[0]]))
    assert samples["saturated"].tolist() == [True, True, False, False, False, False]
    assert acc_g(samples)[0, 0] == pytest.approx(16, abs=1e-3)
    assert gyr_dps(samples)[1, 2] == pytest.approx(-2000)


@pytest.mark.parametrize("notification", NOTIFICATIONS)
def test_every_truncation_of_a_notification_gives_the_whole_frames_that_are_left(notification: bytes) -> None:
    """The first frame is sure when the header behind it has come, the later ones when they are whole."""
    truth, _ = decoded(new(), packets("frames", [notification]))
    for length in range(len(notification)):
        samples, malformed = decoded(new(), packets("frames", [notification[:length]]))
        assert malformed == 0
        assert np.array_equal(samples, truth[: length // 20 if length >= 22 else 0])


def test_every_truncation_of_28_byte_frames_gives_the_whole_frames_that_are_left() -> None:
    stream = b"".join(LONG_FRAMES)
    truth, _ = decoded(new(), packets("frames", [stream]))
    for length in range(len(stream)):
        samples, malformed = decoded(new(), packets("frames", [stream[:length]]))
        assert malformed == 0
        assert np.array_equal(samples, truth[: 1 if length >= 30 else 0])


@pytest.mark.parametrize("parse", [parse_registers, parse_battery])
def test_every_truncation_of_a_register_answer_is_refused(parse: Callable[[bytes], object]) -> None:
    assert not refused(parse, BATTERY)
    assert all(refused(parse, BATTERY[:length]) for length in range(len(BATTERY)))


def test_registers_and_battery() -> None:
    assert parse_registers(REGISTERS) == (0x3A, (360, 105, 122, 0, 0, 0, 0, 0))
    assert parse_registers(BATTERY)[1][:4] == (397, 0, 4423, 36890)
    assert parse_battery(BATTERY) == 100
    percents = [parse_battery(BATTERY[:4] + v.to_bytes(2, "little") + BATTERY[6:]) for v in (395, 377, 350, 300)]
    assert percents == [90, 40, 10, 0]


@pytest.mark.parametrize("frame", [BATTERY[:4] + bytes(16), REGISTERS, NOTIFICATIONS[0][:20], BATTERY[:-1], b""])
def test_a_battery_of_zero_volts_or_no_battery_at_all_is_refused(frame: bytes) -> None:
    assert refused(parse_battery, frame)


def commands(actions: list[Action]) -> list[str]:
    """Hex of the writes, after a check that each is without response (the characteristic offers no other) and waits."""
    writes = [action for action in actions if isinstance(action, Write)]
    assert all(write.channel == "command" and not write.response for write in writes)
    for i, action in enumerate(actions):
        assert not isinstance(action, Write) or actions[i + 1] == Pause(0.1)
    return [write.payload.hex() for write in writes]


@pytest.mark.parametrize(
    ("rate_hz", "code", "rate"), [(50, "08", 50), (100, "09", 100), (104, "0b", 200), (1000, "0b", 200)]
)
def test_start_writes_the_documented_bytes_and_subscribes_last(rate_hz: float, code: str, rate: int) -> None:
    actions, info = drive(witmotion.start(rate_hz))
    assert commands(actions) == ["ffaa6988b5", f"ffaa03{code}00", "ffaa1f0300", "ffaa960000"]
    assert actions[-1] == Subscribe("frames")
    assert int.from_bytes(info, "little") == rate
    Decoder(info)


def test_stop_goes_back_to_10_hz() -> None:
    actions, _ = drive(witmotion.stop())
    assert commands(actions) == ["ffaa6988b5", "ffaa030600"]


def test_battery_is_asked_for_and_told_in_per_cent() -> None:
    actions, percent = drive(witmotion.battery(), BATTERY)
    assert actions == [
        Subscribe("frames"), Write("command", bytes.fromhex("ffaa276400"), False), Await("frames", b"")
    ]  # fmt: skip
    assert percent == bytes([100])


def test_the_battery_s_answer_is_found_among_streaming_frames() -> None:
    among = NOTIFICATIONS[0][:40] + BATTERY + NOTIFICATIONS[0][40:]
    _, percent = drive(witmotion.battery(), NOTIFICATIONS[1], among[:50], among[50:])
    assert percent == bytes([100])
    with pytest.raises(PayloadError, match="no answer"):
        drive(witmotion.battery(), *[NOTIFICATIONS[1]] * 50)


@pytest.mark.parametrize("info", [b"\x64", b"\0\0", b"\x7d\0", b"\x64\0\0"])
def test_an_unknown_rate_is_refused(info: bytes) -> None:
    with pytest.raises(PayloadError, match="rate"):
        Decoder(info)


def test_recognises_its_own_names_and_service_and_no_others() -> None:
    for name in ("WT901BLE67", "WT901BLE68", "WT901SDCL-BT50", "BWT901BLE5.0"):
        assert recognises(name, ())
    assert recognises(None, ["0000FFE5-0000-1000-8000-00805F9A34FB"])
    others = ["Movesense 174630000192", "Xsens DOT", "MetaWear", "Polar Sense 12345678", "Thingy", "REP-L-0001", "WTF"]
    assert not any(recognises(name, ["0000ffe5-0000-1000-8000-00805f9b34fb"]) for name in [*others, None])


def test_a_foreign_channel_is_counted() -> None:
    samples, malformed = decoded(new(), packets("data", NOTIFICATIONS))
    assert (len(samples), malformed) == (0, 3)


FRAGMENTS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([STREAM, *NOTIFICATIONS, *LONG_FRAMES, BATTERY, b"\x55", b"\x55\x61", STREAM[:30], STREAM[30:]]),
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(streams(list(CHANNELS), FRAGMENTS), CUTS)
def test_any_bytes_give_samples_in_order_however_cut(stream: list[Packet], sizes: list[int]) -> None:
    samples, _ = decoded(new(), stream)
    assert plausible(samples)
    assert (np.diff(samples["epoch"]) >= 0).all()
    assert (np.diff(samples["counter"])[np.diff(samples["epoch"]) == 0] == 1).all()
    assert same_however_cut(new, stream, sizes)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.binary(max_size=64))
def test_any_bytes_are_parsed_or_refused(payload: bytes) -> None:
    for parse in (parse_registers, parse_battery):
        refused(parse, payload)
