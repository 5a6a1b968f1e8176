"""Movesense HR2, HR+, MD and Flash over GSP, their GATT SensorData protocol (firmware_notes/movesense.md).

A subscription to `/Meas/IMU6/<rate>` sends, about 13 times a second, a stamp in milliseconds and a batch of samples as
float32, all accelerations before all rates. A message too long for one notification goes on in a second one.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sensorrep.devices import Await, Script, Subscribe, Write
from sensorrep.devices.wire import (
    DPS_RAD_S,
    Clock,
    Renewed,
    blank,
    expect,
    heard,
    joined,
    nearest_rate,
    periods_ns,
)
from sensorrep.errors import RadioError, RadioReason
from sensorrep.model import GRAVITY_M_S2, BoolArray, IntArray, Packet, Samples

MODEL: Final = "movesense"
TITLE: Final = "Movesense"
CHANNELS: Final = {
    "command": "34800001-7185-4d5d-b431-630e7050e8f0",
    "responses": "34800002-7185-4d5d-b431-630e7050e8f0",
}
TIMES: Final = "clock"
MIN_MTU: Final = 161
"""What the sensor asks for; with less, a message would come in more than the two parts that have been described."""

RATES_HZ: Final = (52, 104)
"""Rates above 104 Hz are offered, but the maker's logger warns of lost samples."""
BATCHES_HZ: Final = 13
"""Messages a second, at any rate (captured at 13 and 52 Hz, inferred for 104)."""
REFERENCE: Final = 0x63
"""Our name for the subscription, which every answer and message repeats."""

COMMAND_SUBSCRIBE, COMMAND_UNSUBSCRIBE = b"\x01", b"\x02"
ANSWER, DATA, DATA_PART2 = 1, 2, 3
FULL_SCALE_ACC_M_S2: Final = 8 * GRAVITY_M_S2
FULL_SCALE_GYR_DPS: Final = 2000
LIMITS: Final = (17 * GRAVITY_M_S2, 2300.0)
"""m/s² and deg/s that no setting of the chip can exceed: what lies beyond is no measurement."""


def recognises(name: str | None, services: Sequence[str]) -> bool:  # noqa: ARG001
    """By the name alone: the service that matters is not advertised, and the others are common to sports sensors."""
    return (name or "").startswith("Movesense")


def start(rate_hz: float) -> Script:
    """Subscribe to both sensors in one stream; returns the rate."""
    rate = nearest_rate(RATES_HZ, rate_hz)
    yield Subscribe("responses")
    yield Write("command", COMMAND_SUBSCRIBE + bytes([REFERENCE]) + f"/Meas/IMU6/{rate}\0".encode())
    answer = yield Await("responses", bytes([ANSWER, REFERENCE]))
    status = parse_status(answer)
    if status == 429:
        raise RadioError(RadioReason.REFUSED, "the Movesense has no free request slot (status 429)")
    if status not in (200, 202):
        raise RadioError(RadioReason.WRONG_FIRMWARE, f"the Movesense does not stream IMU6 (status {status})")
    return rate.to_bytes(2, "little")


def stop() -> Script:
    """End the subscription."""
    yield Write("command", COMMAND_UNSUBSCRIBE + bytes([REFERENCE]))
    return b""


def nominal_hz(info: bytes) -> float:
    """The rate that the sensor was set to."""
    return float(int.from_bytes(info[:2], "little"))


def parse_status(answer: bytes) -> int:
    """Status of an answer to a command, in the manner of HTTP."""
    expect(len(answer) >= 4 and answer[0] == ANSWER, f"Movesense: {answer[:4].hex(' ')} is no answer to a command")
    return int.from_bytes(answer[2:4], "little")


class Imu6(NamedTuple):
    """One message: milliseconds since boot at its first sample, (n, 3) in m/s², (n, 3) in deg/s."""

    stamp_ms: int
    acc_m_s2: npt.NDArray[np.float32]
    gyr_dps: npt.NDArray[np.float32]


def parse_imu6(message: bytes) -> Imu6:
    """A whole message without its two bytes of header. Raises PayloadError where its length or numbers can't be."""
    expect(batch(message) > 0, f"Movesense: {len(message)} bytes are no whole number of six-axis samples")
    rows = table([message], batch(message))
    expect(bool(possible(rows)[0]), "Movesense: a number is outside what the sensor can measure")
    return Imu6(int(rows["ms"][0]), rows["acc"][0], rows["gyr"][0])


def batch(message: bytes) -> int:
    """How many samples a message holds; 0 where its length fits none."""
    samples, rest = divmod(len(message) - 4, 24)
    return samples if rest == 0 and samples > 0 else 0


def table(messages: Sequence[bytes], samples: int) -> npt.NDArray[np.void]:
    """Messages of `samples` samples each, (k,)."""
    return np.frombuffer(
        b"".join(messages), [("ms", "<u4"), ("acc", "<f4", (samples, 3)), ("gyr", "<f4", (samples, 3))]
    )


def possible(rows: npt.NDArray[np.void]) -> BoolArray:
    """Which messages hold nothing but numbers within LIMITS (neither infinity nor NaN is), shape (k,)."""
    within = (np.abs(rows["acc"]) < LIMITS[0]) & (np.abs(rows["gyr"]) < LIMITS[1])
    return np.asarray(within.all(axis=(1, 2)))


class Message(NamedTuple):
    """A message and the arrival of the packet that made it whole."""

    received_ns: int
    content: bytes


class Reader:
    """Messages -> samples under one info. Sample i of a message is at its stamp + i x period.

    The period is that between this stamp and the one before it, so no message waits for the next (a stamp is good to
    1 ms, and so are the sample times). State: a message of which a part may be missing; the last stamp, its count,
    the period.
    """

    def __init__(self, info: bytes) -> None:
        rate = int.from_bytes(info, "little")
        expect(len(info) == 2 and rate in RATES_HZ, f"Movesense: info must be a rate in Hz, not {info.hex()!r}")
        self.malformed = 0
        self._batch = rate // BATCHES_HZ
        self._nominal_ns = self._period_ns = 1e9 / rate
        self._held: Message | None = None
        self._splits = False
        self._clock = Clock(bits=32, tick_ns=1_000_000)
        self._stamp_ns: int | None = None
        self._epoch = self._last_batch = self._counter = 0

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples of the messages that these packets complete."""
        responses, foreign = heard(packets, "responses", CHANNELS)
        self.malformed += foreign
        whole = [message for packet in responses for message in self._completed(packet)]
        return joined([self._decode(list(same)) for _, same in groupby(whole, lambda message: len(message.content))])

    def _completed(self, packet: Packet) -> Iterator[Message]:
        """Messages that are whole now. One shorter than usual waits for a second part or the next message."""
        kind, content = packet.payload[:2], packet.payload[2:]
        if kind[:1] == bytes([ANSWER]) and len(kind) == 2:
            return
        if kind == bytes([DATA, REFERENCE]):
            yield from self._released(packet.received_ns)
            self._held = Message(packet.received_ns, content)
        elif kind == bytes([DATA_PART2, REFERENCE]) and self._held:
            self._splits = True
            self._held = Message(packet.received_ns, self._held.content + content)
        else:
            self.malformed += 1
            return
        if batch(self._held.content) >= self._batch:
            yield self._held
            self._held = None

    def _released(self, received_ns: int) -> Iterator[Message]:
        """What was held though no second part came: a short message, or one that lost its second part."""
        if self._held and batch(self._held.content) and not self._splits:
            yield self._held._replace(received_ns=received_ns)
        else:
            self.malformed += self._held is not None
        self._held = None

    def _decode(self, messages: Sequence[Message]) -> Samples:
        """Samples of messages of one length."""
        size = batch(messages[0].content)
        rows = table([message.content for message in messages], size)
        sound = possible(rows)
        self.malformed += len(rows) - int(sound.sum())
        rows = rows[sound]
        if not len(rows):
            return blank(0)
        received_ns = np.array([message.received_ns for message in messages], np.int64)[sound]
        epochs, stamps_ms = self._clock.push(rows["ms"], received_ns)
        counters, periods = self._place(epochs, stamps_ms * 1_000_000, size)
        samples = blank(len(rows) * size)
        within = np.arange(size)
        samples["epoch"] = np.repeat(epochs, size)
        samples["counter"] = (counters[:, None] + within).ravel()
        offsets_ns = np.rint(periods[:, None] * within).astype(np.int64)
        samples["device_ns"] = (stamps_ms[:, None] * 1_000_000 + offsets_ns).ravel()
        samples["received_ns"] = np.repeat(received_ns, size)
        acc, gyr = rows["acc"].reshape(-1, 3).astype(float), rows["gyr"].reshape(-1, 3).astype(float)
        samples["acc_m_s2"] = acc
        samples["gyr_rad_s"] = gyr * DPS_RAD_S
        samples["saturated"] = (np.abs(acc) > 0.99 * FULL_SCALE_ACC_M_S2).any(axis=1)
        samples["saturated"] |= (np.abs(gyr) > FULL_SCALE_GYR_DPS).any(axis=1)
        return samples

    def _place(self, epochs: IntArray, stamps_ns: IntArray, size: int) -> tuple[IntArray, npt.NDArray[np.float64]]:
        """Count at the first sample of each message and period in it; loss is a whole number of messages."""
        first_ns = int(stamps_ns[0]) if self._stamp_ns is None else self._stamp_ns
        steps_ns = np.diff(stamps_ns, prepend=first_ns)
        before = np.full(len(stamps_ns), size)
        before[0] = self._last_batch or size
        steps = before * np.rint(steps_ns / (before * self._nominal_ns)).astype(np.int64)
        anew = np.diff(epochs, prepend=self._epoch) > 0
        steps[anew] = before[anew]
        counters = self._counter + np.cumsum(steps)
        periods = periods_ns(steps_ns, steps, ~anew, self._nominal_ns, self._period_ns)
        self._epoch, self._stamp_ns, self._last_batch = int(epochs[-1]), int(stamps_ns[-1]), size
        self._counter, self._period_ns = int(counters[-1]), float(periods[-1])
        return counters, periods


Decoder: Final = partial(Renewed, Reader)
"""What the decode stage runs: `Decoder(info)`."""
