"""What the makers' modules share: units, exact unwrapping of clocks and counters, and finding where they restarted.

All of it is integer arithmetic on consecutive messages, so any cutting of the packets gives the same numbers.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from sensorrep import records
from sensorrep.devices import Decoder
from sensorrep.errors import PayloadError
from sensorrep.model import SAMPLE, BoolArray, FloatArray, IntArray, Packet, Samples

DPS_RAD_S: Final = math.pi / 180
"""One degree per second."""

LATE_NS: Final = 5_000_000_000
"""How far a clock's step may be from the time between two arrivals (a stalled link, then a burst) before the clock
counts as restarted. Larger: a restart after a short break goes unseen. Smaller: a stall would start the clock fit
anew in the middle of its own backlog. Links give up after some 6 s of silence."""
BACKWARD_NS: Final = 1_000_000_000
"""The same for a step back, which packets out of order explain only within some tens of milliseconds."""

PAUSE_NS: Final = 500_000_000
"""For sensors without clock and counter: no arrival for longer than this starts a new epoch, since what was lost can't
be counted. Longer: lost samples shift the time of all later ones unseen. Shorter: a stalled link (0.1 to 0.3 s is
common) would restart the clock fit."""


def nearest(difference: IntArray, expected: IntArray, modulus: int) -> IntArray:
    """The values congruent to `difference` that lie nearest to `expected`."""
    return (difference - expected + modulus // 2) % modulus - modulus // 2 + expected


def restarted(device_steps_ns: IntArray, received_steps_ns: IntArray) -> BoolArray:
    """Where the step of a sensor's clock cannot be the time that passed between the arrivals, shape (n,)."""
    late_ns = received_steps_ns - device_steps_ns
    anew: BoolArray = (np.abs(late_ns) > LATE_NS) | ((device_steps_ns < 0) & (late_ns > BACKWARD_NS))
    return anew


@dataclass(slots=True)
class Clock:
    """A wrapping clock or counter of a sensor that may restart at any time; state: the last message.

    Each step is the one nearest to the time between the arrivals: a message out of order gives a step back and not a
    whole turn, and silence may last for many turns.
    """

    bits: int
    tick_ns: int
    epoch: int = 0
    ticks: int | None = None
    received_ns: int = 0

    def push(self, raw: npt.NDArray[np.unsignedinteger], received_ns: IntArray) -> tuple[IntArray, IntArray]:
        """(epoch, unwrapped ticks) of each message in order of arrival, both (n,); a restart adds an epoch."""
        if not len(raw):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        values = raw.astype(np.int64)
        if self.ticks is None:
            self.ticks, self.received_ns = int(values[0]), int(received_ns[0])
        received_steps_ns = np.diff(received_ns, prepend=self.received_ns)
        turn = 1 << self.bits
        steps = nearest(np.diff(values, prepend=self.ticks % turn), received_steps_ns // self.tick_ns, turn)
        epochs = self.epoch + np.cumsum(restarted(steps * self.tick_ns, received_steps_ns))
        ticks = self.ticks + np.cumsum(steps)
        self.epoch, self.ticks, self.received_ns = int(epochs[-1]), int(ticks[-1]), int(received_ns[-1])
        return epochs, ticks


def heard(packets: Sequence[Packet], channel: str, channels: Mapping[str, str]) -> tuple[list[Packet], int]:
    """The packets on one channel, and how many came on a channel that the sensor does not have."""
    wanted = [packet for packet in packets if packet.channel == channel]
    return wanted, sum(packet.channel not in channels for packet in packets) if len(wanted) < len(packets) else 0


def received(packets: Sequence[Packet]) -> IntArray:
    """Arrival of each packet, (n,) ns."""
    return np.array([packet.received_ns for packet in packets], np.int64)


class Renewed:
    """A sensor's decoder that may get its info late, or another one in mid-stream: as packets on channel `info`.

    `read(info)` makes the decoder for one info. Other info than before starts a new epoch with a new one; packets
    before any info are malformed, for nobody knows what their numbers mean.
    """

    def __init__(self, read: Callable[[bytes], Decoder], info: bytes) -> None:
        self.holds_back: bool = getattr(read, "holds_back", False)
        self._read = read
        self._info = info
        self._reader = read(info) if info else None
        self.malformed = 0
        self._epochs = 0  # of earlier readers
        self._next_epoch = 0

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples of these packets in order of arrival; `foot` is left 0."""
        packets = list(packets)  # as objects, which columns would make anew at each look
        renewals = [i for i, packet in enumerate(packets) if packet.channel == "info"]
        blocks = []
        for begin, end in pairwise([-1, *renewals, len(packets)]):
            blocks.append(self._decode(packets[begin + 1 : end]))
            if end < len(packets):
                self._renew(packets[end].payload)
        return joined(blocks)

    def _renew(self, info: bytes) -> None:
        if info == self._info and self._reader:
            return
        try:
            self._info, self._reader = info, self._read(info)
        except PayloadError:
            self.malformed += 1
        else:
            self._epochs = self._next_epoch

    def _decode(self, packets: Sequence[Packet]) -> Samples:
        if self._reader is None:
            self.malformed += len(packets)
            return blank(0)
        before = self._reader.malformed
        samples = self._reader.push(packets)
        self.malformed += self._reader.malformed - before
        samples["epoch"] += self._epochs
        if len(samples):
            self._next_epoch = int(samples["epoch"][-1]) + 1
        return samples


def blank(rows: int) -> Samples:
    """Rows of SAMPLE, all zero, for a decoder to fill."""
    return Samples(np.zeros(rows, SAMPLE))


def joined(blocks: Sequence[Samples]) -> Samples:
    """Blocks of samples one after the other."""
    return Samples(records.joined(blocks)) if blocks else blank(0)


def nearest_rate(rates_hz: Sequence[int], rate_hz: float) -> int:
    """The lowest rate that a sensor offers which is at least `rate_hz`, or else its highest."""
    return min((rate for rate in rates_hz if rate >= rate_hz), default=max(rates_hz))


def expect(holds: bool, what: str) -> None:
    """Raise PayloadError with the text `what` unless `holds`."""
    if not holds:
        raise PayloadError(what)


def periods_ns(steps_ns: IntArray, steps: IntArray, good: BoolArray, nominal_ns: float, last_ns: float) -> FloatArray:
    """Sample period as of each message, from its step in time and in count since the message before it, shape (n,).

    Oscillators of motion sensors are off by a few per cent. A step that is not `good` or gives a period more than a
    tenth from nominal (an uncounted hole) leaves the period as it was, `last_ns` before the first.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        measured_ns = steps_ns / steps
    sensible = good & (np.abs(measured_ns - nominal_ns) <= 0.1 * nominal_ns)
    latest = np.maximum.accumulate(np.where(sensible, np.arange(len(steps)), -1))
    return np.where(latest >= 0, measured_ns[latest], last_ns)
