"""Movella (Xsens) DOT (firmware_notes/dot.md).

One sample a notification at 60 Hz, float32, with the sensor's clock in microseconds. What the bytes mean follows from
the measurement mode that was asked for and not from their number: notifications are padded to the characteristic's
size. Two DOTs can put themselves on one clock; the messages for that are here too.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sensorrep.devices import Pause, Read, Script, Subscribe, Write
from sensorrep.devices.wire import DPS_RAD_S, Clock, Renewed, blank, expect, heard, received
from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import GRAVITY_M_S2, BoolArray, IntArray, Packet, Samples

MODEL: Final = "dot"
TITLE: Final = "Movella DOT"
CHANNELS: Final = {
    word: f"1517{number}-4947-11e9-8646-d663bd873d93"
    for word, number in {
        "device": "1001", "control": "1002", "measurement": "2001", "long": "2002", "medium": "2003",
        "battery": "3001", "messages": "7001", "acks": "7002",
    }.items()
}  # fmt: skip
TIMES: Final = "clock"
MIN_MTU: Final = 66
"""Three bytes of ATT and the 63 of the long payload."""

RATE_HZ: Final = 60
"""The highest that it streams; 120 Hz is for recording inside the sensor."""
RATE_VISIT: Final = 0x10
"""Bit of the control's first byte that says which field a write means: the output rate."""
CUSTOM_MODE_5: Final = 26
RATE_QUANTITIES: Final = 21


class Layout(NamedTuple):
    """Where a measurement mode puts its numbers."""

    channel: str
    padded: int
    fields: np.dtype[np.void]


def fields(acc: int, gyr: int, quat: int | None = None) -> np.dtype[np.void]:
    """Clock at 0, and vectors of float32 at these offsets."""
    offsets = {"us": 0, "acc": acc, "gyr": gyr} | ({} if quat is None else {"quat": quat})
    formats = {"us": "<u4", "acc": "(3,)<f4", "gyr": "(3,)<f4", "quat": "(4,)<f4"}
    return np.dtype(
        {"names": [*offsets], "formats": [formats[name] for name in offsets], "offsets": [*offsets.values()]}
    )


LAYOUTS: Final = {
    CUSTOM_MODE_5: Layout("long", 63, fields(acc=20, gyr=32, quat=4)),
    RATE_QUANTITIES: Layout("medium", 40, fields(acc=4, gyr=16)),
}

FULL_SCALE: Final = (16 * GRAVITY_M_S2, 2000.0)
"""m/s² and deg/s; both are fixed."""
LIMIT: Final = 1.2
"""Times full scale: calibration may push a number past it a little, and what lies beyond is no measurement."""


def recognises(name: str | None, services: Sequence[str]) -> bool:  # noqa: ARG001
    """By the name, which older firmware gives as Xsens and newer as Movella."""
    return (name or "").startswith(("Xsens DOT", "Movella DOT"))


def start(rate_hz: float) -> Script:  # noqa: ARG001
    """Set 60 Hz, whatever is asked, and start custom mode 5; returns mode and rate.

    The rate can only be set while no measurement runs, and is read back: a public client sets it with other bits.
    """
    yield Subscribe(LAYOUTS[CUSTOM_MODE_5].channel)
    yield Write("measurement", measurement(running=False))
    yield Pause(0.5)
    control = yield Read("control")
    yield Write("control", with_rate(control, RATE_HZ))
    control = yield Read("control")
    if parse_rate(control) != RATE_HZ:
        raise RadioError(
            RadioReason.WRONG_FIRMWARE, f"the DOT stays at {parse_rate(control)} Hz when {RATE_HZ} are set"
        )
    yield Write("measurement", measurement(running=True))
    return bytes([CUSTOM_MODE_5, RATE_HZ])


def stop() -> Script:
    """End the measurement."""
    yield Write("measurement", measurement(running=False))
    return b""


def nominal_hz(info: bytes) -> float:
    """The rate that the sensor was set to."""
    return float(info[1])


def battery() -> Script:
    """Read the battery; returns one byte, per cent."""
    return bytes([parse_battery((yield Read("battery")))])


def measurement(running: bool) -> bytes:
    """Content of the measurement control that starts or stops custom mode 5."""
    return bytes([1, running, CUSTOM_MODE_5])


def parse_rate(control: bytes) -> int:
    """Output rate in Hz as the device control says it."""
    expect(len(control) == 32, f"DOT: the device control has {len(control)} bytes, not 32")
    return int.from_bytes(control[24:26], "little")


def with_rate(control: bytes, rate_hz: int) -> bytes:
    """The device control as read, to be written back: the rate and nothing else changes."""
    parse_rate(control)
    return bytes([RATE_VISIT]) + control[1:24] + rate_hz.to_bytes(2, "little") + control[26:]


def parse_battery(payload: bytes) -> int:
    """Per cent (the second byte says whether it is charging)."""
    expect(len(payload) == 2 and payload[0] <= 100, f"DOT: {payload[:4].hex(' ')} is no battery level")
    return payload[0]


class Sample(NamedTuple):
    """One notification: the sensor's clock, (3,) in m/s², (3,) in deg/s."""

    stamp_us: int
    acc_m_s2: npt.NDArray[np.float32]
    gyr_dps: npt.NDArray[np.float32]


def parse_sample(payload: bytes, mode: int) -> Sample:
    """A notification of a mode in LAYOUTS. Raises PayloadError where its length or numbers can't be that mode's."""
    expect(fits(payload, LAYOUTS[mode]), f"DOT: {len(payload)} bytes are no payload of mode {mode}")
    rows = table([payload], LAYOUTS[mode])
    expect(bool(possible(rows)[0]), f"DOT: the numbers are none of mode {mode}")
    return Sample(int(rows["us"][0]), rows["acc"][0], rows["gyr"][0])


def fits(payload: bytes, layout: Layout) -> bool:
    """Whether a payload is the mode's numbers, with or without the padding."""
    return len(payload) in (layout.fields.itemsize, layout.padded)


def table(payloads: Sequence[bytes], layout: Layout) -> npt.NDArray[np.void]:
    """Payloads that fit as rows, (n,)."""
    return np.frombuffer(b"".join(payload[: layout.fields.itemsize] for payload in payloads), layout.fields)


def possible(rows: npt.NDArray[np.void]) -> BoolArray:
    """Which rows a DOT could have measured, (n,): in range, no NaN, and a quaternion, if any, that is a rotation.

    The last tells another mode's numbers, which early firmware was seen to send.
    """
    acc, gyr = np.abs(rows["acc"]).max(axis=1), np.abs(rows["gyr"]).max(axis=1)
    good: BoolArray = (acc < LIMIT * FULL_SCALE[0]) & (gyr < LIMIT * FULL_SCALE[1])
    if rows.dtype.names and "quat" in rows.dtype.names:
        with np.errstate(over="ignore"):
            good &= np.abs(np.square(rows["quat"]).sum(axis=1) - 1) < 0.05
    return good


class Reader:
    """Notifications -> samples under one info, counted by their clock. State: the last sample's clock and count."""

    def __init__(self, info: bytes) -> None:
        expect(
            len(info) == 2 and info[0] in LAYOUTS and 0 < info[1] <= 120,
            f"DOT: info must be a measurement mode and a rate, not {info.hex()!r}",
        )
        self.malformed = 0
        self._layout = LAYOUTS[info[0]]
        self._period_us = 1_000_000 / info[1]
        self._clock = Clock(bits=32, tick_ns=1000)
        self._last: tuple[int, int] | None = None  # epoch, microseconds
        self._counter = 0

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples of these packets, one each."""
        mine, foreign = heard(packets, self._layout.channel, CHANNELS)
        good = [packet for packet in mine if fits(packet.payload, self._layout)]
        rows = table([packet.payload for packet in good], self._layout)
        sound = possible(rows) if len(rows) else np.zeros(0, bool)
        self.malformed += foreign + len(mine) - int(sound.sum())
        rows, received_ns = rows[sound], received(good)[sound]
        samples = blank(len(rows))
        if not len(rows):
            return samples
        epochs, stamps_us = self._clock.push(rows["us"], received_ns)
        samples["epoch"] = epochs
        samples["counter"] = self._count(epochs, stamps_us)
        samples["device_ns"] = stamps_us * 1000
        samples["received_ns"] = received_ns
        acc, gyr = rows["acc"].astype(float), rows["gyr"].astype(float)
        samples["acc_m_s2"] = acc
        samples["gyr_rad_s"] = gyr * DPS_RAD_S
        samples["saturated"] = (np.abs(acc) > 0.99 * FULL_SCALE[0]).any(axis=1)
        samples["saturated"] |= (np.abs(gyr) > 0.99 * FULL_SCALE[1]).any(axis=1)
        return samples

    def _count(self, epochs: IntArray, stamps_us: IntArray) -> IntArray:
        """Number of each sample: whole periods since the one before; a new epoch goes on with the next number."""
        epoch, stamp_us = self._last or (int(epochs[0]), int(stamps_us[0]))
        steps = np.rint(np.diff(stamps_us, prepend=stamp_us) / self._period_us).astype(np.int64)
        steps[np.diff(epochs, prepend=epoch) > 0] = 1
        counters: IntArray = self._counter + np.cumsum(steps)
        self._last, self._counter = (int(epochs[-1]), int(stamps_us[-1])), int(counters[-1])
        return counters


Decoder: Final = partial(Renewed, Reader)
"""What the decode stage runs: `Decoder(info)`."""


# --- synchronisation: messages on `messages`, answers read from `acks` -------------------------------------------

SYNC: Final = 2
"""Kind of the messages about synchronisation."""
SYNC_RESULTS: Final = {0: "synchronised", 5: "too few samples", 7: "skew too large", 8: "start time", 9: "not started"}


def message(kind: int, content: bytes) -> bytes:
    """Frame of a message: kind, length, content, and the byte that makes the sum of all 0 modulo 256."""
    frame = bytes([kind, len(content)]) + content
    return frame + bytes([-sum(frame) % 256])


def parse_message(payload: bytes) -> tuple[int, bytes]:
    """Kind and content of a message, which may be padded with zeros. Raises PayloadError."""
    end = payload[1] + 3 if len(payload) > 1 else 3
    expect(len(payload) >= end and not any(payload[end:]), f"DOT: a message of {len(payload)} bytes is cut or too long")
    expect(sum(payload[:end]) % 256 == 0, f"DOT: the checksum of message {payload[:end].hex(' ')} is wrong")
    return payload[0], payload[2 : end - 1]


def start_sync(root: bytes) -> bytes:
    """Message to every sensor, the root included; `root` is the root's address as `device` gives it, last byte first.

    Then disconnect all, wait 14 s, connect again and read the result from `acks`.
    """
    if len(root) != 6:
        raise ValueError(f"an address has 6 bytes, not {len(root)}")
    return message(SYNC, b"\x01" + root)


def stop_sync() -> bytes:
    """Message that ends synchronisation."""
    return message(SYNC, b"\x02")


def ask_sync() -> bytes:
    """Message that asks whether a sensor is synchronised."""
    return message(SYNC, b"\x08")


def parse_sync_result(payload: bytes) -> str:
    """Result of `start_sync` in words; `synchronised` is the good one."""
    kind, content = parse_message(payload)
    expect(kind == SYNC and len(content) == 2 and content[0] == 3, "DOT: no result of a synchronisation")
    return SYNC_RESULTS.get(content[1], f"result {content[1]}")


def parse_synchronised(payload: bytes) -> bool:
    """Answer to `ask_sync`."""
    kind, content = parse_message(payload)
    if kind != SYNC or content not in (b"\x51\x04", b"\x51\x09"):
        raise PayloadError("DOT: no answer about synchronisation")
    return content[1] == 4
