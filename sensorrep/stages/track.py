"""One foot's samples as a line through time, and its exact mean over any interval. Part of `deskew`."""

from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import BoolArray, FloatArray, IntArray

BRIDGE_NS: Final = 250_000_000
"""Holes up to this are interpolated; beyond, a straight line says nothing about a leg that moves at 1 Hz."""
NEVER_NS: Final = -(2**62)
"""Earlier than any sample."""

INTEGRAL: Final = slice(0, 7)  # columns of a node
VALUE: Final = slice(7, 14)
SLOPE: Final = slice(14, 21)
VALUE_ACC: Final = slice(7, 10)
VALUE_HOLE: Final = 13


class Timed(NamedTuple):
    """Samples of one foot and epoch on the host's clock, in order of their counter."""

    at: IntArray
    """Row of the block at which each sample is known."""
    time_ns: IntArray
    epoch: int
    counter: IntArray
    values: FloatArray
    """(n, 6): acceleration, angular rate."""
    longest_ns: float
    """Longest interval between neighbours that is no hole."""


class Track:
    """Straight lines between samples; in long holes the last acceleration and no rotation.

    A node is a sample and the span after it. Of seven channels (acceleration, angular rate, and 1 in every span that
    is not ok) it holds the integral up to it, the value at its begin and the slope. Sums of whole spans, carried from
    block to block in one order, make the integral the same however samples were cut. The span after the newest
    sample is a hole until the next sample says otherwise.
    """

    def __init__(self) -> None:
        self.newest_ns = NEVER_NS
        self.spans = 0
        """Spans without a hole."""
        self.spans_ns = 0
        """How long they are together."""
        self._times_ns = np.zeros(0, np.int64)
        self._nodes = np.zeros((0, 21))
        self._first = self._last = np.zeros(6)
        self._counter = 0
        self._epoch = -1

    def begin(self, zero_ns: int) -> None:
        """Let the track begin at zero: before the first sample its value over a short wait, otherwise nothing."""
        node = np.zeros((1, 21))
        node[0, VALUE_HOLE] = 1.0
        if len(self._times_ns):
            wait_ns = int(self._times_ns[0]) - zero_ns
            if wait_ns <= 0:
                return
            if wait_ns <= BRIDGE_NS:
                node[0, VALUE][:6] = self._first
            node[0, INTEGRAL] = self._nodes[0, INTEGRAL] - node[0, VALUE] * (wait_ns * 1e-9)
        self._times_ns = np.concatenate([[zero_ns], self._times_ns])
        self._nodes = np.concatenate([node, self._nodes])

    def push(self, timed: Timed, made_ns: IntArray) -> int:
        """Add samples; returns how many were dropped, being not after `made_ns` (n,) or an earlier sample."""
        before_ns = _shifted(timed.time_ns, self.newest_ns)
        np.maximum.accumulate(before_ns, out=before_ns)
        fresh = timed.time_ns > np.maximum(before_ns, made_ns)
        dropped = len(fresh) - int(np.count_nonzero(fresh))
        if dropped:
            time_ns, counter, values = timed.time_ns[fresh], timed.counter[fresh], timed.values[fresh]
            timed = timed._replace(time_ns=time_ns, counter=counter, values=values)
        if len(timed.time_ns) and not len(self._times_ns):
            timed = self._start(timed)
        if len(timed.time_ns):
            self._extend(timed)
        return dropped

    def _start(self, timed: Timed) -> Timed:
        """Begin with the first sample; returns the others."""
        self._times_ns = timed.time_ns[:1]
        self._nodes = np.zeros((1, 21))
        self._nodes[0, VALUE_ACC] = timed.values[0, :3]
        self._nodes[0, VALUE_HOLE] = 1.0
        self._first = self._last = timed.values[0]
        self._counter, self._epoch, self.newest_ns = int(timed.counter[0]), timed.epoch, int(timed.time_ns[0])
        time_ns, counter, values = timed.time_ns[1:], timed.counter[1:], timed.values[1:]
        return timed._replace(time_ns=time_ns, counter=counter, values=values)

    def _extend(self, timed: Timed) -> None:
        step_ns = timed.time_ns - _shifted(timed.time_ns, int(self._times_ns[-1]))
        hole = timed.counter - _shifted(timed.counter, self._counter) != 1
        hole |= step_ns > min(timed.longest_ns, BRIDGE_NS)
        hole[0] |= timed.epoch != self._epoch
        any_hole = bool(hole.any())
        sound_ns = step_ns[~hole] if any_hole else step_ns
        self.spans += len(sound_ns)
        self.spans_ns += int(sound_ns.sum())

        step_s = (step_ns * 1e-9)[:, None]
        nodes = np.zeros((len(step_ns) + 1, 21))
        value, slope, integral = nodes[:, VALUE], nodes[:-1, SLOPE], nodes[:, INTEGRAL]
        value[0, :6], value[1:, :6] = self._last, timed.values
        np.divide(value[1:, :6] - value[:-1, :6], step_s, out=slope[:, :6])
        value[-1, 3:6], value[-1, 6] = 0.0, 1.0
        if any_hole:
            value[:-1, 6] = hole
            far = step_ns > BRIDGE_NS
            value[:-1, 3:6][far], slope[far] = 0.0, 0.0
        integral[0] = self._nodes[-1, INTEGRAL]
        np.multiply(value[:-1] + slope * (step_s / 2), step_s, out=integral[1:])
        np.add.accumulate(integral, axis=0, out=integral)

        self._times_ns = np.concatenate([self._times_ns, timed.time_ns])
        self._nodes = np.concatenate([self._nodes[:-1], nodes])
        self._last, self._counter, self._epoch = timed.values[-1], int(timed.counter[-1]), timed.epoch
        self.newest_ns = int(timed.time_ns[-1])

    def means(self, edges_ns: IntArray) -> tuple[FloatArray, BoolArray]:
        """Mean of the six channels between neighbouring edges, (n, 6), and whether no hole is there, (n,).

        Nothing before the last edge may be asked for again: it is forgotten.
        """
        at = self._times_ns.searchsorted(edges_ns, side="right") - 1
        node = self._nodes[at]
        since_s = ((edges_ns - self._times_ns[at]) * 1e-9)[:, None]
        integral = node[:, INTEGRAL] + (node[:, VALUE] + node[:, SLOPE] * (since_s / 2)) * since_s
        keep = int(at[-1])
        self._times_ns, self._nodes = self._times_ns[keep:], self._nodes[keep:]
        grown = integral[1:] - integral[:-1]
        mean: FloatArray = grown[:, :6] / ((edges_ns[1:] - edges_ns[:-1]) * 1e-9)[:, None]
        return mean, grown[:, 6] == 0


def _shifted(values: IntArray, before: int) -> IntArray:
    """Each value's predecessor; `before` for the first."""
    out = np.empty_like(values)
    out[0] = before
    out[1:] = values[:-1]
    return out
