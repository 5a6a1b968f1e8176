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
    slope. Sums of whole spans, carried from block to block in one order, make the integral the same however samples
    were cut. What is after the newest sample is a hole until the next sample says otherwise.
    """

    def __init__(self) -> None:
        self.newest_ns = NEVER_NS
        self.spans = 0
        """Spans without a hole."""
        self.spans_ns = 0
        """How long they are together."""
        self._times_ns = np.zeros(0, np.int64)
        self._nodes = np.zeros((3, 6, 0))  # integral, value and slope of each channel
        self._holes_ns = np.zeros((2, 0), np.int64)
        """Begin and end of each hole that may still be asked for."""
        self._first = self._last = np.zeros((6, 1))
        self._counter = 0
        self._epoch = -1

    def begin(self, zero_ns: int) -> None:
        """Let the track begin at zero: before the first sample its value over a short wait, otherwise nothing."""
        node = np.zeros((3, 6, 1))
        if len(self._times_ns):
            wait_ns = int(self._times_ns[0]) - zero_ns
            if wait_ns <= 0:
                return
            if wait_ns <= BRIDGE_NS:
                node[1] = self._first
            node[0] = self._nodes[0, :, :1] - node[1] * (wait_ns * 1e-9)
            hole_ns = np.array([[zero_ns], self._times_ns[:1]])
            self._holes_ns = np.concatenate([hole_ns, self._holes_ns], axis=1)
        self._times_ns = np.append(zero_ns, self._times_ns)
        self._nodes = np.concatenate([node, self._nodes], axis=2)

    def push(self, timed: Timed, made_ns: IntArray | int) -> int:
        """Add samples; returns how many were dropped, being not after `made_ns` (of each) or an earlier sample."""
        fresh = (_steps(timed.time_ns, self.newest_ns) > 0) & (timed.time_ns > made_ns)
        dropped = 0
        if not fresh.all():
            fresh[1:] &= timed.time_ns[1:] > np.maximum.accumulate(np.maximum(timed.time_ns[:-1], self.newest_ns))
            dropped = len(fresh) - int(np.count_nonzero(fresh))
            time_ns, counter, values = timed.time_ns[fresh], timed.counter[fresh], timed.values[:, fresh]
            timed = timed._replace(time_ns=time_ns, counter=counter, values=values)
        if len(timed.time_ns) and not len(self._times_ns):
            timed = self._start(timed)
        if len(timed.time_ns):
            self._extend(timed)
        return dropped

    def _start(self, timed: Timed) -> Timed:
        """Begin with the first sample; returns the others."""
        self._times_ns = timed.time_ns[:1]
        self._first = self._last = timed.values[:, :1]
        self._nodes = np.zeros((3, 6, 1))
        self._nodes[1, :3] = self._first[:3]
        self._counter, self._epoch, self.newest_ns = int(timed.counter[0]), timed.epoch, int(timed.time_ns[0])
        time_ns, counter, values = timed.time_ns[1:], timed.counter[1:], timed.values[:, 1:]
        return timed._replace(time_ns=time_ns, counter=counter, values=values)

    def _extend(self, timed: Timed) -> None:
        step_ns = _steps(timed.time_ns, self.newest_ns)
        step_s = step_ns * 1e-9
        kept = len(self._times_ns) - 1  # the newest node is made anew
        nodes = np.empty((3, 6, kept + len(step_ns) + 1))
        nodes[:, :, :kept] = self._nodes[:, :, :-1]
        integral, value, slope = nodes[:, :, kept:]
        value[:, :1], value[:, 1:] = self._last, timed.values
        np.divide(value[:, 1:] - value[:, :-1], step_s, out=slope[:, :-1])
        value[3:, -1], slope[:, -1] = 0.0, 0.0
        self._note_holes(timed, step_ns)
        if int(step_ns.max()) > BRIDGE_NS:
            far = step_ns > BRIDGE_NS
            value[3:, :-1][:, far], slope[:, :-1][:, far] = 0.0, 0.0
        integral[:, 0] = self._nodes[0, :, -1]
        np.multiply(value[:, :-1] + slope[:, :-1] * (step_s / 2), step_s, out=integral[:, 1:])
        np.add.accumulate(integral, axis=1, out=integral)

        self._times_ns = np.concatenate([self._times_ns, timed.time_ns])
        self._nodes = nodes
        self._last, self._counter, self._epoch = timed.values[:, -1:], int(timed.counter[-1]), timed.epoch
        self.newest_ns = int(timed.time_ns[-1])

    def _note_holes(self, timed: Timed, step_ns: IntArray) -> None:
        """Tell the spans that end at these samples apart: those over which some were lost, and the others."""
        longest_ns, goes_on = min(timed.longest_ns, BRIDGE_NS), timed.epoch == self._epoch
        if goes_on and int(timed.counter[-1]) - self._counter == len(step_ns) and int(step_ns.max()) <= longest_ns:
            self.spans += len(step_ns)
            self.spans_ns += int(timed.time_ns[-1]) - self.newest_ns
            return
        hole = (_steps(timed.counter, self._counter) != 1) | (step_ns > longest_ns)
        hole[0] |= not goes_on
        self.spans += len(hole) - int(np.count_nonzero(hole))
        self.spans_ns += int(step_ns[~hole].sum())
        ends_ns = timed.time_ns[hole]
        self._holes_ns = np.concatenate([self._holes_ns, [ends_ns - step_ns[hole], ends_ns]], axis=1)

    def means(self, edges_ns: IntArray) -> tuple[FloatArray, BoolArray]:
        """Mean of the six channels between neighbouring edges, (6, n), and whether no hole is there, (n,).

        Nothing before the last edge may be asked for again: it is forgotten.
        """
        at = self._times_ns.searchsorted(edges_ns, side="right") - 1
        since_s = (edges_ns - self._times_ns[at]) * 1e-9
        integral, value, slope = self._nodes.take(at, axis=2)
        slope *= since_s / 2
        slope += value
        slope *= since_s
        integral += slope
        mean: FloatArray = integral[:, 1:] - integral[:, :-1]
        mean /= (edges_ns[1:] - edges_ns[:-1]) * 1e-9
        ok = edges_ns[1:] <= self.newest_ns
        if self._holes_ns.size:
            ok &= ~_touched(edges_ns, *self._holes_ns)
            self._holes_ns = self._holes_ns[:, self._holes_ns[1] > edges_ns[-1]]
        last = int(at[-1])
        self._times_ns, self._nodes = self._times_ns[last:], self._nodes[:, :, last:]
        return mean, ok


def _touched(edges_ns: IntArray, begins_ns: IntArray, ends_ns: IntArray) -> BoolArray:
    """Which spans (n) between edges (n + 1) some part of a hole lies in."""
    spans = len(edges_ns) - 1
    first = (edges_ns.searchsorted(begins_ns, side="right") - 1).clip(0)
    stop = edges_ns.searchsorted(ends_ns).clip(0, spans)
    begun, over = (np.bincount(at, minlength=spans + 1) for at in (first, stop))
    touched: BoolArray = (begun - over).cumsum()[:spans] > 0
    return touched


def _steps(values: IntArray, before: int) -> IntArray:
    """How much each value is more than the one before it, which is `before` for the first."""
    steps = np.empty_like(values)
    steps[0] = values[0] - before
    np.subtract(values[1:], values[:-1], out=steps[1:])
    return steps
