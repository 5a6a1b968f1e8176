"""One foot's samples as a line through time, and its exact mean over any interval. Part of `deskew`."""

from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import BoolArray, FloatArray, IntArray

BRIDGE_NS: Final = 250_000_000
"""Holes up to this are interpolated; beyond, a straight line says nothing about a leg that moves at 1 Hz."""
NEVER_NS: Final = -(2**62)
"""Earlier than any sample."""


class Timed(NamedTuple):
    """Samples of one foot and epoch on the host's clock, in order of their counter."""

    at: IntArray
    """Row of the block at which each sample is known."""
    time_ns: IntArray
    epoch: int
    counter: IntArray
    values: FloatArray
    """(6, n): acceleration, angular rate."""
    longest_ns: float
    """Longest interval between neighbours that is no hole."""


class Track:
    """Straight lines between samples; in long holes the last acceleration and no rotation.

    A node is a sample and the span after it: of each channel the integral up to it, the value at its begin and the
    slope; and whether the span is a hole, and how long all holes before it are together. Sums of whole spans, carried
    from block to block in one order, make the integral the same however samples were cut. The span after the newest
    sample is a hole until the next sample says otherwise.
    """

    def __init__(self) -> None:
        self.newest_ns = NEVER_NS
        self.spans = 0
        """Spans without a hole."""
        self.spans_ns = 0
        """How long they are together."""
        self._times_ns = np.zeros(0, np.int64)
        self._holes_ns = np.zeros(0, np.int64)
        self._hole = np.zeros(0, np.bool_)
        self._integral, self._value, self._slope = np.zeros((3, 6, 0))
        self._first = self._last = np.zeros((6, 1))
        self._counter = 0
        self._epoch = -1

    def begin(self, zero_ns: int) -> None:
        """Let the track begin at zero: before the first sample its value over a short wait, otherwise nothing."""
        value, integral, holes_ns = np.zeros((6, 1)), np.zeros((6, 1)), 0
        if len(self._times_ns):
            wait_ns = int(self._times_ns[0]) - zero_ns
            if wait_ns <= 0:
                return
            if wait_ns <= BRIDGE_NS:
                value = self._first
            integral = self._integral[:, :1] - value * (wait_ns * 1e-9)
            holes_ns = int(self._holes_ns[0]) - wait_ns
        self._times_ns = np.append(zero_ns, self._times_ns)
        self._holes_ns = np.append(holes_ns, self._holes_ns)
        self._hole = np.append(True, self._hole)
        self._integral = np.concatenate([integral, self._integral], axis=1)
        self._value = np.concatenate([value, self._value], axis=1)
        self._slope = np.concatenate([np.zeros((6, 1)), self._slope], axis=1)

    def push(self, timed: Timed, made_ns: IntArray) -> int:
        """Add samples; returns how many were dropped, being not after `made_ns` (n,) or an earlier sample."""
        before_ns = _shifted(timed.time_ns, self.newest_ns)
        np.maximum.accumulate(before_ns, out=before_ns)
        fresh = timed.time_ns > np.maximum(before_ns, made_ns)
        dropped = len(fresh) - int(np.count_nonzero(fresh))
        if dropped:
            time_ns, counter, values = timed.time_ns[fresh], timed.counter[fresh], timed.values[:, fresh]
            timed = timed._replace(time_ns=time_ns, counter=counter, values=values)
        if len(timed.time_ns) and not len(self._times_ns):
            timed = self._start(timed)
        if len(timed.time_ns):
            self._extend(timed)
        return dropped

    def _start(self, timed: Timed) -> Timed:
        """Begin with the first sample; returns the others."""
        self._times_ns, self._holes_ns, self._hole = timed.time_ns[:1], np.zeros(1, np.int64), np.ones(1, np.bool_)
        self._first = self._last = timed.values[:, :1]
        self._integral, self._value, self._slope = np.zeros((6, 1)), _resting(self._first), np.zeros((6, 1))
        self._counter, self._epoch, self.newest_ns = int(timed.counter[0]), timed.epoch, int(timed.time_ns[0])
        time_ns, counter, values = timed.time_ns[1:], timed.counter[1:], timed.values[:, 1:]
        return timed._replace(time_ns=time_ns, counter=counter, values=values)

    def _extend(self, timed: Timed) -> None:
        step_ns = timed.time_ns - _shifted(timed.time_ns, int(self._times_ns[-1]))
        hole = timed.counter - _shifted(timed.counter, self._counter) != 1
        hole |= step_ns > min(timed.longest_ns, BRIDGE_NS)
        hole[0] |= timed.epoch != self._epoch
        holes_ns = self._holes_ns[-1:].repeat(len(hole))
        any_hole = bool(hole.any())
        sound_ns = step_ns[~hole] if any_hole else step_ns
        self.spans += len(sound_ns)
        self.spans_ns += int(sound_ns.sum())

        step_s = step_ns * 1e-9
        values = np.concatenate([self._last, timed.values], axis=1)
        slope = (values[:, 1:] - values[:, :-1]) / step_s
        self._last = timed.values[:, -1:]
        values[:, -1:] = _resting(self._last)
        if any_hole:
            holes_ns += np.add.accumulate(step_ns * hole)
            far = step_ns > BRIDGE_NS
            values[3:, :-1][:, far], slope[:, far] = 0.0, 0.0
        integral = np.empty_like(values)
        integral[:, 0] = self._integral[:, -1]
        np.multiply(values[:, :-1] + slope * (step_s / 2), step_s, out=integral[:, 1:])
        np.add.accumulate(integral, axis=1, out=integral)

        self._times_ns = np.concatenate([self._times_ns, timed.time_ns])
        self._holes_ns = np.concatenate([self._holes_ns, holes_ns])
        self._hole = np.concatenate([self._hole[:-1], hole, [True]])
        self._integral = np.concatenate([self._integral[:, :-1], integral], axis=1)
        self._value = np.concatenate([self._value[:, :-1], values], axis=1)
        self._slope = np.concatenate([self._slope[:, :-1], slope, np.zeros((6, 1))], axis=1)
        self._counter, self._epoch = int(timed.counter[-1]), timed.epoch
        self.newest_ns = int(timed.time_ns[-1])

    def means(self, edges_ns: IntArray) -> tuple[FloatArray, BoolArray]:
        """Mean of the six channels between neighbouring edges, (6, n), and whether no hole is there, (n,).

        Nothing before the last edge may be asked for again: it is forgotten.
        """
        at = self._times_ns.searchsorted(edges_ns, side="right") - 1
        since_ns = edges_ns - self._times_ns[at]
        since_s = since_ns * 1e-9
        first, last = int(at[0]), int(at[-1])
        ok = np.ones(len(edges_ns) - 1, np.bool_)
        if self._hole[first : last + 1].any():
            away_ns = self._holes_ns[at] + since_ns * self._hole[at]
            ok = away_ns[1:] == away_ns[:-1]
        mean = self._slope.take(at, axis=1)
        mean *= since_s / 2
        mean += self._value.take(at, axis=1)
        mean *= since_s
        mean += self._integral.take(at, axis=1)
        mean = (mean[:, 1:] - mean[:, :-1]) / ((edges_ns[1:] - edges_ns[:-1]) * 1e-9)
        self._times_ns, self._holes_ns, self._hole = self._times_ns[last:], self._holes_ns[last:], self._hole[last:]
        self._integral, self._value = self._integral[:, last:], self._value[:, last:]
        self._slope = self._slope[:, last:]
        return mean, ok


def _resting(values: FloatArray) -> FloatArray:
    """The acceleration of (6, n), and no rotation."""
    out = values.copy()
    out[3:] = 0.0
    return out


def _shifted(values: IntArray, before: int) -> IntArray:
    """Each value's predecessor; `before` for the first."""
    out = np.empty_like(values)
    out[0] = before
    out[1:] = values[:-1]
    return out
