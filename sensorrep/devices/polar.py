"""Polar Verity Sense over PMD, Polar's measurement data service (firmware_notes/polar.md).

Acceleration and angular rate are two streams of compressed frames of some 30 to 70 samples, each with the time of its
last sample. They are joined at the rate's times. All of it comes late: see LIVE_CUES.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from sensorrep.devices import Await, Pause, Script, Subscribe, Write
from sensorrep.devices.wire import DPS_RAD_S, LATE_NS, Renewed, blank, expect, heard, joined, nearest_rate
from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import GRAVITY_M_S2, FloatArray, IntArray, Packet, Samples

MODEL: Final = "polar"
TITLE: Final = "Polar Verity Sense"
CHANNELS: Final = {
    "control": "fb005c81-02e7-f387-1cad-8acd2d8df0c8",
    "data": "fb005c82-02e7-f387-1cad-8acd2d8df0c8",
}
TIMES: Final = "clock"
MIN_MTU: Final = 232
LIVE_CUES: Final = False
"""A frame of 71 samples is 1.4 s long at 52 Hz, 0.7 s at 104 Hz, and a rate waits for the acceleration beside it: a
cue would speak of the rep before. Good for recording."""

RATES_HZ: Final = (52, 104)
"""52 as it comes; 104 in the maker's SDK mode, which halves the delay."""
ACC, GYR, SDK_MODE = 2, 5, 9
START, STOP, ANSWER = 2, 3, 0xF0
ACC_RANGE_G: Final = 8
GYR_RANGE_DPS: Final = 2000
RANGES: Final = {ACC: ACC_RANGE_G, GYR: GYR_RANGE_DPS}
SETTING_BYTES: Final = {0: 2, 1: 2, 2: 2, 3: 4, 4: 1, 5: 4}
"""Bytes of a value of each setting: rate, resolution, range, range in milli, channels, factor."""
FACTOR: Final = 5
IN_CHARGER: Final = 13

LOSS: Final = 1.25
"""A frame that comes this many times its own length after the one before it has lost one in between; oscillators are
off by far less, and frames differ in length by far more."""
HOLE: Final = 2.5
"""Sample intervals of acceleration over which no rate is given one: a longer hole is a loss."""
KEEP_NS: Final = 10_000_000_000
"""How long either stream waits for the other."""


def recognises(name: str | None, services: Sequence[str]) -> bool:  # noqa: ARG001
    """By the name: the maker's other sensors share the service and have no gyroscope."""
    return (name or "").startswith("Polar Sense")


def setup(kind: int, rate_hz: int) -> bytes:
    """Message that starts a measurement: rate, 16 bits, range, three channels."""
    settings = ((0, rate_hz), (1, 16), (2, RANGES[kind]))
    return (
        bytes([START, kind]) + b"".join(struct.pack("<BBH", what, 1, value) for what, value in settings) + b"\x04\1\3"
    )


def start(rate_hz: float) -> Script:
    """End what runs, choose the mode, start both streams; returns the rate and the factors of both."""
    rate = nearest_rate(RATES_HZ, rate_hz)
    yield Subscribe("control")
    yield Subscribe("data")
    yield from stop()
    if rate > RATES_HZ[0]:
        yield Write("control", bytes([START, SDK_MODE]))
        answer = yield Await("control", bytes([ANSWER, START, SDK_MODE]))
        rate = rate if answer[3:4] == b"\0" else RATES_HZ[0]
        yield Pause(0.2)
    factors = []
    for kind in (ACC, GYR):
        yield Write("control", setup(kind, rate))
        factors.append(parse_started((yield Await("control", bytes([ANSWER, START, kind])))))
    return struct.pack("<Hff", rate, *factors)


def stop() -> Script:
    """End both streams and the SDK mode. Not waited for: where nothing runs the answer is an error."""
    for kind in (ACC, GYR, SDK_MODE):
        yield Write("control", bytes([STOP, kind]))
        yield Pause(0.2)
    return b""


def nominal_hz(info: bytes) -> float:
    """The rate that the sensor was set to."""
    return float(int.from_bytes(info[:2], "little"))


def parse_started(answer: bytes) -> float:
    """Factor of the frames from the answer to a start; 1 where it names none. Raises RadioError for a refusal."""
    expect(len(answer) >= 4 and answer[:2] == bytes([ANSWER, START]), f"Polar: {answer[:4].hex(' ')} answers no start")
    if answer[3]:
        why = "in its charger" if answer[3] == IN_CHARGER else f"status {answer[3]}"
        raise RadioError(RadioReason.REFUSED, f"the Verity Sense does not start measurement {answer[2]} ({why})")
    factor = parse_settings(answer[5:]).get(FACTOR)
    return struct.unpack("<f", factor[0])[0] if factor else 1.0


def parse_settings(content: bytes) -> dict[int, list[bytes]]:
    """Values of each setting, as bytes, from its list of type, number of values, values."""
    settings: dict[int, list[bytes]] = {}
    at = 0
    while at < len(content):
        size = SETTING_BYTES.get(content[at])
        if size is None or len(content) < at + 2 or len(content) < (end := at + 2 + size * content[at + 1]):
            raise PayloadError(f"Polar: settings {content.hex(' ')} are cut or of an unknown kind")
        settings[content[at]] = [content[i : i + size] for i in range(at + 2, end, size)]
        at = end
    return settings


class Frame(NamedTuple):
    """One notification: which measurement, the time of its last sample (ns since 2000), (n, 3) in g or deg/s."""

    kind: int
    stamp_ns: int
    values: FloatArray


def parse_frame(payload: bytes, factors: Mapping[int, float]) -> Frame:
    """A frame of ACC or GYR. Raises PayloadError where it is of another kind, cut, or says what can't be measured."""
    expect(len(payload) > 10, f"Polar: a frame of {len(payload)} bytes has no samples")
    kind, stamp_ns, form = payload[0] & 0x3F, int.from_bytes(payload[1:9], "little"), payload[9]
    expect(stamp_ns < 2**63, "Polar: a time beyond the year 2292")
    content = payload[10:]
    values: FloatArray
    match kind, form:
        case (2, 0x80) | (5, 0x80):  # int16, times the factor
            values = decompressed(content, "<i2").astype(float) * factors[kind]
        case (2, 0x81):  # int16, mg
            values = decompressed(content, "<i2").astype(float) * 1e-3
        case (5, 0x81):  # the bits of float32
            bits = decompressed(content, "<i4").astype(np.uint32)  # modulo 2**32
            with np.errstate(invalid="ignore"):
                values = bits.view(np.float32).astype(float)
        case (2, 0x01):  # int16, mg, not compressed
            expect(len(content) % 6 == 0, "Polar: a frame is cut")
            values = np.frombuffer(content, "<i2").reshape(-1, 3).astype(float) * 1e-3
        case _:
            raise PayloadError(f"Polar: measurement {kind} in form {form:#04x} is not known")
    expect(bool((np.abs(values) < 1.05 * RANGES[kind]).all()), "Polar: a number is outside what the sensor can measure")
    return Frame(kind, stamp_ns, values)


def decompressed(content: bytes, reference: str) -> IntArray:
    """Samples from a reference sample and blocks of differences, (n, 3).

    A block is the bits of a difference, the number of samples, and the differences, least significant bit first.
    """
    at = 3 * np.dtype(reference).itemsize
    expect(len(content) >= at, "Polar: a frame is cut inside its reference sample")
    rows = [np.frombuffer(content[:at], reference).astype(np.int64)[None]]
    while at < len(content):
        bits, count = content[at], content[at + 1] if at + 1 < len(content) else 0
        end = at + 2 + (3 * bits * count + 7) // 8
        expect(bits <= 32 and count > 0 and len(content) >= end, "Polar: a frame is cut inside a block, or not valid")
        flags = np.unpackbits(np.frombuffer(content[at + 2 : end], np.uint8), count=3 * bits * count, bitorder="little")
        weights = 1 << np.arange(bits, dtype=np.int64)
        weights[-1:] *= -1  # two's complement
        rows.append((flags.reshape(3 * count, bits) @ weights).reshape(count, 3))
        at = end
    return np.cumsum(np.concatenate(rows), axis=0)


@dataclass(slots=True)
class Stream:
    """Times and numbers of one stream's samples. State: the last frame's time, its last number, the period."""

    period_ns: float
    stamp_ns: int | None = None
    number: int = -1

    def place(self, stamp_ns: int, samples: int) -> tuple[IntArray, IntArray]:
        """(number, time) of a frame's samples, spread since the frame before it; the first goes back from its last.

        Times are whole microseconds: what is finer would be made up by the spreading.
        """
        if self.stamp_ns is None:
            steps = samples
        else:
            step_ns = stamp_ns - self.stamp_ns
            steps = round(step_ns / self.period_ns)
            if samples / LOSS < steps < samples * LOSS:
                steps, self.period_ns = samples, step_ns / samples
        self.stamp_ns, self.number = stamp_ns, self.number + steps
        back = np.arange(1 - samples, 1)
        return self.number + back, (stamp_ns + np.rint(back * self.period_ns).astype(np.int64)) // 1000 * 1000


class Reader:
    """Frames -> samples under one info: each rate gets the acceleration on the line between the two beside it.

    A rate waits until an acceleration at its time or later has come, at most KEEP_NS; one beside a hole of the
    acceleration is dropped, which the counter shows. `received_ns` is the arrival of the rate's own frame. State: both
    streams' times, rates that wait, the accelerations of the last KEEP_NS.
    """

    holds_back: Final = True
    """Samples may come out with a later packet than the one whose arrival they bear."""

    def __init__(self, info: bytes) -> None:
        rate, *factors = struct.unpack("<Hff", info) if len(info) == 10 else (0, 0.0, 0.0)
        usable = rate in RATES_HZ and all(0 < factor < 1e6 for factor in factors)
        expect(usable, f"Polar: info must be a rate and two factors, not {info.hex()!r}")
        self.malformed = 0
        self._factors = {ACC: factors[0], GYR: factors[1]}
        self._nominal_ns = 1e9 / rate
        self._epoch = -1
        self._last: tuple[int, int] | None = None  # stamp and arrival of the last frame of either stream
        self._begin_epoch()

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples that these packets complete, in order of the rates."""
        mine, foreign = heard(packets, "data", CHANNELS)
        self.malformed += foreign
        blocks = []
        for packet in mine:
            try:
                frame = parse_frame(packet.payload, self._factors)
            except PayloadError:
                self.malformed += 1
                continue
            self._take(frame, packet.received_ns)
            blocks.append(self._released())
        return joined(blocks)

    def _begin_epoch(self) -> None:
        self._epoch += 1
        self._streams = {kind: Stream(self._nominal_ns) for kind in (ACC, GYR)}
        self._waiting = blank(0)
        self._acc_ns = np.zeros(0, np.int64)
        self._acc_g = np.zeros((0, 3))

    def _take(self, frame: Frame, received_ns: int) -> None:
        """Put a frame's samples on the clock, and by its kind among the rates or the accelerations."""
        stamp_ns, at_ns = self._last or (frame.stamp_ns, received_ns)
        if abs((frame.stamp_ns - stamp_ns) - (received_ns - at_ns)) > LATE_NS:
            self._begin_epoch()
        self._last = frame.stamp_ns, received_ns
        numbers, times_ns = self._streams[frame.kind].place(frame.stamp_ns, len(frame.values))
        if frame.kind == GYR:
            rates = blank(len(numbers))
            rates["epoch"], rates["counter"], rates["device_ns"] = self._epoch, numbers, times_ns
            rates["received_ns"] = received_ns
            rates["gyr_rad_s"] = frame.values * DPS_RAD_S
            rates["saturated"] = (np.abs(frame.values) > 0.99 * GYR_RANGE_DPS).any(axis=1)
            waiting = joined([self._waiting, rates])
            self._waiting = Samples(waiting[waiting["device_ns"] > times_ns[-1] - KEEP_NS])
        else:
            later = times_ns > self._acc_ns[-1] if len(self._acc_ns) else np.ones(len(times_ns), bool)
            acc_ns = np.concatenate([self._acc_ns, times_ns[later]])
            kept = acc_ns > acc_ns[-1] - KEEP_NS
            self._acc_ns, self._acc_g = acc_ns[kept], np.concatenate([self._acc_g, frame.values[later]])[kept]

    def _released(self) -> Samples:
        """The rates that wait no longer, with their accelerations; those without any are gone."""
        if not len(self._acc_ns) or not len(self._waiting):
            return blank(0)
        ready = self._waiting["device_ns"] <= self._acc_ns[-1]
        samples, self._waiting = Samples(self._waiting[ready]), Samples(self._waiting[~ready])
        after = np.searchsorted(self._acc_ns, samples["device_ns"])
        before = np.maximum(after - (self._acc_ns[after] > samples["device_ns"]), 0)
        span_ns = self._acc_ns[after] - self._acc_ns[before]
        known = (self._acc_ns[before] <= samples["device_ns"]) & (span_ns <= HOLE * self._nominal_ns)
        samples, before, after, span_ns = Samples(samples[known]), before[known], after[known], span_ns[known]
        share = (samples["device_ns"] - self._acc_ns[before]) / np.maximum(span_ns, 1)
        acc_g = self._acc_g[before] + share[:, None] * (self._acc_g[after] - self._acc_g[before])
        samples["acc_m_s2"] = acc_g * GRAVITY_M_S2
        clipped = np.asarray((np.abs(self._acc_g) > 0.99 * ACC_RANGE_G).any(axis=1))
        samples["saturated"] |= clipped[before] | clipped[after]
        return samples


Decoder: Final = partial(Renewed, Reader)
"""What the decode stage runs: `Decoder(info)`."""
