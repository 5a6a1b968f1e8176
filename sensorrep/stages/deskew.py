"""Samples of two sensors with clocks of their own -> frames: both feet on one even grid.

Latency: a frame waits for the next sample of both feet after its end (one sample interval, plus what the radio
delays one foot more than the other; a silent foot delays it by up to 2 s, once). The first two seconds of a
sensor, and of one that rebooted, wait for the first fit of its clock.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import FRAME, FRAME_RATE_HZ, BoolArray, FloatArray, Foot, Frames, IntArray, Samples, SensorInfo
from sensorrep.stages.clock import BIN_NS, FIRST_FIT_BINS, Clock

FRAME_NS: Final = round(1e9 / FRAME_RATE_HZ)
HOLD_NS: Final = FIRST_FIT_BINS * BIN_NS
"""How much of a sensor's time is gathered before its clock is fitted for the first time."""
WAIT_NS: Final = 2_000_000_000
"""How long frames wait for a foot that is silent. Larger: a lost sensor stops the counting for longer. Smaller: a
radio stall (1.5 s measured) loses samples that come in a burst after it."""
BRIDGE_NS: Final = 250_000_000
"""Holes up to this are interpolated; beyond, a straight line says nothing about a leg that moves at 1 Hz."""
LEAST_HOLE_NS: Final = 60_000_000
"""No interval up to this is a hole, however high the rate: time stamps made from arrivals jitter by a connection
interval (50 ms)."""
GAP_FRAMES: Final = 10
"""Runs of bad frames shorter than this (0.1 s) are no gap worth telling."""
REJOIN_NS: Final = (-20_000_000, 1_000_000_000)
"""A new epoch whose first sample arrives this much after its time on the old epoch's clock goes on with that clock: the
sensor was stopped and started, not rebooted, and needs no new fit. A reboot cannot pass for that: it takes longer."""
NEVER_NS: Final = -(2**62)
"""Earlier than any sample."""


class Deskew:
    """Puts each foot's clock on the host's, and both feet on frames from the first sample on.

    A frame is the mean over its 10 ms of the straight lines between the samples, so that adding up frames' angular
    rates gives the same rotation as adding up the samples', at any rate of 25 to 300 Hz; above 100 Hz the mean is the
    anti-alias filter. `ok` is false in a frame that touches a span between two samples where some were lost (a jump
    of the counter, an interval above 2.5 usual ones and above 60 ms) or where the foot was away. Its numbers there are
    the straight line up to 0.25 s, beyond that the last acceleration and no rotation; zero before the first sample.

    Frames are made up to where both feet have samples. A foot more than 2 s behind the other is away and not waited
    for (4 s for its very first sample); what it sends later for frames already made is dropped and counted `late`.
    All this depends on the order of the samples alone: push what `Decode` gives, cut anywhere.
    """

    def __init__(self, feet: Mapping[Foot, SensorInfo]) -> None:
        self.late = dict.fromkeys(Foot, 0)
        """Samples that came after their frames had been made, or not after an earlier sample of the same foot."""
        self._feeds = {foot: _Feed(own_clock=sensor.device != "table") for foot, sensor in feet.items()}
        self._tracks = {foot: _Track() for foot in feet}
        self._gaps = {foot: _Gaps() for foot in Foot}
        self._newest_ns = dict.fromkeys(feet, NEVER_NS)
        self._oldest_ns = dict.fromkeys(feet, NEVER_NS)
        self._horizon_ns = NEVER_NS
        """Frames that end up to here may be made."""
        self._zero_ns: int | None = None
        """Host time of session time zero."""
        self._frame = 0
        """Number of the next frame."""

    @property
    def gaps(self) -> dict[Foot, list[tuple[float, float]]]:
        """Spans of session time, 0.1 s and longer, in which a foot was not ok."""
        return {foot: gaps.until(self._frame) for foot, gaps in self._gaps.items()}

    @property
    def rate_hz(self) -> dict[Foot, float]:
        """Measured samples per second of session time, holes left out; 0 where there were too few."""
        return {foot: self._tracks[foot].rate_hz if foot in self._tracks else 0.0 for foot in Foot}

    @property
    def drift_ppm(self) -> dict[Foot, float]:
        """How much slower than the host's each foot's clock runs, as of its last fit."""
        return {foot: self._feeds[foot].slope * 1e6 if foot in self._feeds else 0.0 for foot in Foot}

    def push(self, samples: Samples) -> list[Frames]:
        """At most one block: the frames that these samples complete."""
        if not len(samples):
            return []
        timed = {}
        for foot, feed in self._feeds.items():
            (at,) = np.nonzero(samples["foot"] == foot)
            timed[foot] = feed.push(at, Samples(samples[at])) if len(at) else []
        self._take(timed, len(samples))
        return self._frames()

    def finish(self) -> list[Frames]:
        """The frames up to the last sample of either foot."""
        self._take({foot: feed.release(0) for foot, feed in self._feeds.items()}, 1)
        heard = [ns for ns in self._oldest_ns.values() if ns > NEVER_NS]
        if self._zero_ns is None and heard:
            self._zero_ns = min(heard)
        self._horizon_ns = max([self._horizon_ns, *self._newest_ns.values()])
        return self._frames()

    def _take(self, timed: Mapping[Foot, list["_Timed"]], rows: int) -> None:
        """Hand a block's samples to the tracks, and move the horizon past its rows."""
        newest = {foot: _newest(self._newest_ns[foot], chunks, rows) for foot, chunks in timed.items()}
        for foot, chunks in timed.items():
            if chunks and self._oldest_ns[foot] == NEVER_NS:
                self._oldest_ns[foot] = int(chunks[0].time_ns[0])
        horizon_ns = np.append(self._horizon_ns, _horizon(newest, self._oldest_ns))
        if self._zero_ns is None:
            begun, self._zero_ns = _zero(newest, self._oldest_ns, horizon_ns[1:])
            horizon_ns[1 : 1 + begun] = NEVER_NS
        np.maximum.accumulate(horizon_ns, out=horizon_ns)
        for foot, chunks in timed.items():
            for chunk in chunks:
                self.late[foot] += self._tracks[foot].push(chunk, horizon_ns[chunk.at])
            self._newest_ns[foot] = int(newest[foot][-1])
        self._horizon_ns = int(horizon_ns[-1])

    def _frames(self) -> list[Frames]:
        if self._zero_ns is None:
            return []
        count = (self._horizon_ns - self._zero_ns) // FRAME_NS - self._frame
        if count <= 0:
            return []
        number = np.arange(self._frame, self._frame + count + 1)
        edges_ns = self._zero_ns + number * FRAME_NS
        frames = np.zeros(count, FRAME)
        frames["time_s"] = (number[:-1] + 0.5) / FRAME_RATE_HZ
        for foot, track in self._tracks.items():
            if not self._frame:
                track.begin(self._zero_ns)
            mean, ok = track.means(edges_ns)
            frames["acc_m_s2"][:, foot] = mean[:, :3]
            frames["gyr_rad_s"][:, foot] = mean[:, 3:]
            frames["ok"][:, foot] = ok
        for foot, gaps in self._gaps.items():
            gaps.push(frames["ok"][:, foot], self._frame)
        self._frame += count
        return [Frames(frames)]


class _Timed(NamedTuple):
    """Samples of one foot and epoch on the host's clock; `at` is the row of the block at which each is known."""

    at: IntArray
    time_ns: IntArray
    samples: Samples
    longest_ns: float
    """Longest interval between neighbours that is no hole."""


def _newest(carried_ns: int, chunks: Sequence[_Timed], rows: int) -> IntArray:
    """A foot's newest time as of each row of a block."""
    newest = np.full(rows, NEVER_NS)
    newest[0] = carried_ns
    for chunk in chunks:
        newest[chunk.at] = np.maximum(chunk.time_ns, newest[chunk.at])
    return np.maximum.accumulate(newest)


def _horizon(newest: Mapping[Foot, IntArray], oldest_ns: Mapping[Foot, int]) -> IntArray:
    """Up to when frames may be made as of each row: both feet's newest, or the one's when the other is away."""
    if len(newest) < 2:
        return next(iter(newest.values()))
    left, right = newest[Foot.LEFT], newest[Foot.RIGHT]
    wait_ns: int | IntArray = WAIT_NS
    if left[0] == NEVER_NS or right[0] == NEVER_NS:  # one that has not been heard yet counts as at the other's start
        wait_ns = np.where((left == NEVER_NS) | (right == NEVER_NS), WAIT_NS + HOLD_NS, WAIT_NS)
        left, right = (
            np.where(left == NEVER_NS, np.minimum(right, oldest_ns[Foot.RIGHT]), left),
            np.where(right == NEVER_NS, np.minimum(left, oldest_ns[Foot.LEFT]), right),
        )
    return np.where(np.abs(left - right) <= wait_ns, np.minimum(left, right), np.maximum(left, right))


def _zero(
    newest: Mapping[Foot, IntArray], oldest_ns: Mapping[Foot, int], horizon_ns: IntArray
) -> tuple[int, int | None]:
    """First row at which a frame may begin, and the first sample of the feet that have been heard by then."""
    first_ns = np.minimum.reduce([np.where(newest[foot] > NEVER_NS, oldest_ns[foot], -NEVER_NS) for foot in newest])
    (begun,) = np.nonzero(horizon_ns > first_ns)
    return (int(begun[0]), int(first_ns[begun[0]])) if len(begun) else (len(horizon_ns), None)


class _Feed:
    """One foot's samples onto the host's clock; a clock that is new waits for its first fit."""

    def __init__(self, own_clock: bool) -> None:
        self._own_clock = own_clock
        """False where the sensor's time is the session's, as in a table."""
        self._epoch = -1
        self._clock: Clock | None = None
        self._held: list[Samples] = []
        self._first_ns = 0
        self._device_ns = NEVER_NS
        self._longest_ns = 0.0

    @property
    def slope(self) -> float:
        return self._clock.slope if self._clock else 0.0

    def push(self, at: IntArray, samples: Samples) -> list[_Timed]:
        """Samples that are timed now; `at` is their row in the block."""
        epoch = samples["epoch"]
        if epoch[0] == epoch[-1]:
            return self._push_epoch(at, samples)
        timed = []
        bounds = np.flatnonzero(epoch[1:] != epoch[:-1]) + 1
        for begin, end in pairwise([0, *bounds.tolist(), len(epoch)]):
            timed += self._push_epoch(at[begin:end], Samples(samples[begin:end]))
        return timed

    def release(self, at: int) -> list[_Timed]:
        """What was held, timed with what there is."""
        if not self._held:
            return []
        samples = Samples(np.concatenate(self._held))
        self._held = []
        device_ns = np.maximum.accumulate(samples["device_ns"])
        interval_ns, counted = _interval(device_ns, samples["counter"])
        self._longest_ns = max(2.5 * interval_ns, LEAST_HOLE_NS)
        self._clock = Clock(int(device_ns[0]), int(samples["received_ns"][0]), counted)
        return [self._time(np.full(len(samples), at), device_ns, samples)]

    def _push_epoch(self, at: IntArray, samples: Samples) -> list[_Timed]:
        timed = []
        if samples["epoch"][0] != self._epoch:
            timed = self.release(int(at[0]))
            self._epoch = int(samples["epoch"][0])
            first_ns, received_ns = int(samples["device_ns"][0]), int(samples["received_ns"][0])
            if not (self._clock and REJOIN_NS[0] <= self._clock.lateness_ns(first_ns, received_ns) <= REJOIN_NS[1]):
                self._clock, self._first_ns, self._device_ns = None, first_ns, first_ns
        device_ns = np.maximum.accumulate(np.maximum(samples["device_ns"], self._device_ns))
        self._device_ns = int(device_ns[-1])
        if self._clock:
            return [*timed, self._time(at, device_ns, samples)]
        ready = int(np.searchsorted(device_ns, self._first_ns + HOLD_NS))
        self._held.append(Samples(samples[:ready]))
        if ready < len(samples):
            timed += self.release(int(at[ready]))
            timed.append(self._time(at[ready:], device_ns[ready:], Samples(samples[ready:])))
        return timed

    def _time(self, at: IntArray, device_ns: IntArray, samples: Samples) -> _Timed:
        time_ns = device_ns
        if self._clock and self._own_clock:
            time_ns = self._clock.push(device_ns, samples["received_ns"])
        return _Timed(at, time_ns, samples, self._longest_ns)


def _interval(device_ns: IntArray, counter: IntArray) -> tuple[float, bool]:
    """Usual time between samples (0 if unknown), and whether the sensor's time only counts them."""
    if len(counter) < 2:
        return 0.0, False
    step_ns, step = np.diff(device_ns), np.diff(counter)
    interval_ns = float(np.median(step_ns / step))
    return interval_ns, bool((np.abs(step_ns - step * interval_ns) <= 2).all())


class _Track:
    """One foot's signal as straight lines between samples, and its exact integral.

    Seven columns: acceleration, angular rate, and a 1 in every span that is not ok. A node is a sample and the span
    after it: the integral up to it, the value at its begin, the slope. The span after the newest sample is a hole
    until the next sample says otherwise.
    """

    def __init__(self) -> None:
        self._times_ns = np.zeros(0, np.int64)
        self._integral = np.zeros((0, 7))
        self._value = np.zeros((0, 7))
        self._slope = np.zeros((0, 7))
        self._last = np.zeros(6)
        self._counter = 0
        self._epoch = -1
        self._spans = 0
        self._spans_ns = 0

    @property
    def rate_hz(self) -> float:
        return self._spans / (self._spans_ns * 1e-9) if self._spans_ns else 0.0

    def begin(self, zero_ns: int) -> None:
        """Let the track begin at zero: before the first sample, its value over a short wait, or else nothing."""
        value = np.zeros((1, 7))
        value[0, 6] = 1.0
        if not len(self._times_ns):
            self._times_ns = np.array([zero_ns])
            self._integral, self._value, self._slope = np.zeros((1, 7)), value, np.zeros((1, 7))
            return
        wait_ns = int(self._times_ns[0]) - zero_ns
        if wait_ns <= 0:
            return
        if wait_ns <= BRIDGE_NS:
            value[0, :6] = self._value[0, :6]
        self._times_ns = np.concatenate([[zero_ns], self._times_ns])
        self._integral = np.concatenate([self._integral[:1] - value * (wait_ns * 1e-9), self._integral])
        self._value = np.concatenate([value, self._value])
        self._slope = np.concatenate([np.zeros((1, 7)), self._slope])

    def push(self, chunk: _Timed, made_ns: IntArray) -> int:
        """Add samples; returns how many were dropped since frames were made up to `made_ns` when each came."""
        time_ns, samples = chunk.time_ns, chunk.samples
        floor_ns = np.append(self._times_ns[-1] if len(self._times_ns) else NEVER_NS, time_ns[:-1])
        fresh = time_ns > np.maximum(np.maximum.accumulate(floor_ns), made_ns)
        if not fresh.all():
            time_ns, samples = time_ns[fresh], Samples(samples[fresh])
        if len(time_ns):
            self._extend(time_ns, samples, chunk.longest_ns)
        return len(fresh) - len(time_ns)

    def _extend(self, time_ns: IntArray, samples: Samples, longest_ns: float) -> None:
        values = np.concatenate([samples["acc_m_s2"], samples["gyr_rad_s"]], axis=1)
        if not len(self._times_ns):
            self._times_ns = time_ns[:1]
            self._integral = np.zeros((1, 7))
            self._value = self._slope = np.zeros((1, 7))
            self._last, self._counter, self._epoch = values[0], int(samples["counter"][0]), int(samples["epoch"][0])
            time_ns, values, samples = time_ns[1:], values[1:], Samples(samples[1:])
        step_ns = np.diff(time_ns, prepend=self._times_ns[-1])
        far = step_ns > BRIDGE_NS
        lost = np.diff(samples["counter"], prepend=self._counter) != 1
        anew = np.diff(samples["epoch"], prepend=self._epoch) != 0
        hole = far | lost | anew | (step_ns > longest_ns)
        self._spans += int(np.count_nonzero(~hole))
        self._spans_ns += int(step_ns[~hole].sum())

        n = len(time_ns)
        step_s = (step_ns * 1e-9)[:, None]
        value, slope = np.empty((n + 1, 7)), np.zeros((n + 1, 7))
        value[0, :6], value[1:, :6] = self._last, values
        slope[:n, :6] = np.diff(value[:, :6], axis=0) / step_s
        value[:n, 6], value[n, 6] = hole, 1.0
        value[:n][far, 3:6], slope[:n][far] = 0.0, 0.0
        grown = (value[:n] + slope[:n] * (step_s / 2)) * step_s
        integral = np.cumsum(np.concatenate([self._integral[-1:], grown]), axis=0)
        value[n, 3:6] = 0.0

        self._times_ns = np.concatenate([self._times_ns, time_ns])
        self._integral = np.concatenate([self._integral[:-1], integral])
        self._value = np.concatenate([self._value[:-1], value])
        self._slope = np.concatenate([self._slope[:-1], slope])
        if n:
            self._last, self._counter, self._epoch = values[-1], int(samples["counter"][-1]), int(samples["epoch"][-1])

    def means(self, edges_ns: IntArray) -> tuple[FloatArray, BoolArray]:
        """Mean of the six channels between neighbouring edges, (n, 6), and whether no hole is there, (n,).

        Nothing before the last edge is asked for again, and is forgotten.
        """
        node = np.searchsorted(self._times_ns, edges_ns, side="right") - 1
        since_s = ((edges_ns - self._times_ns[node]) * 1e-9)[:, None]
        integral = self._integral[node] + (self._value[node] + self._slope[node] * (since_s / 2)) * since_s
        keep = int(node[-1])
        self._times_ns, self._integral = self._times_ns[keep:], self._integral[keep:]
        self._value, self._slope = self._value[keep:], self._slope[keep:]
        grown = integral[1:] - integral[:-1]
        return grown[:, :6] * FRAME_RATE_HZ, grown[:, 6] == 0


class _Gaps:
    """Runs of frames that are not ok."""

    def __init__(self) -> None:
        self._closed: list[tuple[float, float]] = []
        self._since: int | None = None

    def push(self, ok: BoolArray, first: int) -> None:
        """Frames from number `first` on."""
        changes = np.flatnonzero(np.append(self._since is None, ok[:-1]) != ok)
        for frame in (changes + first).tolist():
            self._closed += self._run(frame)
            self._since = None if self._since is not None else frame

    def until(self, frame: int) -> list[tuple[float, float]]:
        """All gaps, an open one up to this frame."""
        return self._closed + self._run(frame)

    def _run(self, end: int) -> list[tuple[float, float]]:
        if self._since is None or end - self._since < GAP_FRAMES:
            return []
        return [(self._since / FRAME_RATE_HZ, end / FRAME_RATE_HZ)]
