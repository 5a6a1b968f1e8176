"""A sensor's clock -> the host's clock, from nothing but arrival times. Part of `deskew`."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import FloatArray, IntArray

BIN_NS: Final = 500_000_000
"""The fastest packet of each such span of sensor time is a point of the fit."""
COUNT_BIN_NS: Final = 100_000_000
"""The same for counted samples: their slope is unknown, and over a longer span it would choose the point."""
FIT_NS: Final = 1_000_000_000
"""A new fit after so much sensor time."""
COUNT_FIT_NS: Final = 500_000_000
"""The same for counted samples, whose line swings more at first."""
HOLD_NS: Final = 2_000_000_000
"""The first fit after so much sensor time: longer than a radio stall, so that a stall at the start does not decide."""
COUNT_HOLD_NS: Final = 4_000_000_000
"""The first fit of counted samples after so long: two unknowns, of which the slope needs time. Their left and right
agree half as well after 2 s (48.75 ms connection intervals, rates off by 1 %)."""
RESUME_NS: Final = 500_000_000
"""After a pause in counted samples so long a time tells what was lost: the fastest packet of it is hardly late."""
KEEP_S: Final = 60.0
"""Points up to half as old again stay in the fit; beyond, a clock's own drift would bend the line."""
SURE_S: Final = 15.0
"""After so long a slope is known to some 100 ppm, whatever the sensor."""
SLEW: Final = 0.05
"""Fastest correction, s/s. An hour of it never happens: corrections are milliseconds but after a stall at the start."""
CLOCK_SLOPE: Final = 1e-3
"""Largest error of a sensor's clock (RC oscillators reach 500 ppm)."""
COUNT_SLOPE: Final = 0.05
"""Largest error of counted samples times nominal period: motion sensors' oscillators are off by a few per cent."""
CLOCK_WEIGHT: Final = 25.0
"""Evidence that a slope needs, in bins x seconds: spread of bins' least delays (2 ms) over that of clocks (80 ppm)."""
COUNT_WEIGHT: Final = 1.0
"""The same for counted samples: those oscillators spread by about 1 %, and to believe one too late costs more."""


class _Map(NamedTuple):
    """Lag over sensor time from a knot on: a line that is steered towards the fitted one for a while."""

    knot_s: float = 0.0
    lag_s: float = 0.0
    """At the knot."""
    slope: float = 0.0
    steer: float = 0.0
    """What is added to the slope meanwhile."""
    steered_s: float = 0.0
    """How long that is."""


class Clock:
    """Maps one run (epoch) of a sensor's clock to host time by the lower hull of arrival minus sensor time.

    A packet is late by its wait for the radio: never negative, often near zero, sometimes 1.5 s. So the truth lies on
    the line under all points that is nearest to them; least squares would be off by the mean delay, which differs
    between two links. That line is an edge of the lower convex hull. With few points its slope is noise, hence an L1
    prior: zero, or what the same sensor showed before. It is refitted each second, at instants that the samples
    define, and the map follows it forward and without jumps. The smallest delay itself cannot be seen in one-way
    traffic.

    Simulated (48.75 ms connection interval, stalls of 1.5 s, 100 ppm): left against right within 5 ms from the start,
    within 8 ms where a stall spoils the first two seconds; for counted samples off by 1 % within 5 ms in nine sessions
    of ten and 7 ms in all. Packets whose interval has a large common divisor with the connection interval beat slowly
    with it, which hides the truth for as long as one beat takes, by up to that divisor: every wait from none to all of
    it gives the same arrivals. At 48 ms, 100 ppm and 20, 40, 60, 75, 80 or 100 packets a second left and right are
    within 5 ms; at 50 within 7 ms, at 33 within 12 ms, at 25 within 15 ms and at 62.5 within 23 ms, with a clock or
    without; at 13 and 26, with a clock, within 7 ms in the first three seconds and 5 ms from then on. When a packet
    could have been sent earlier is not known, as hosts hand packets on late, one by one; nor would it help, since both
    sensors' bounds would move by the same.
    """

    def __init__(self, device_ns: int, received_ns: int, counted: bool, slope: float | None = None) -> None:
        """Begin with the first sample.

        `counted`: whether the sensor time is only a count of samples times their nominal period. `slope`: what an
        earlier run of the same sensor has shown, if anything.
        """
        self.slope = slope or 0.0
        """Host seconds per sensor second, less one."""
        self._counted = counted
        self._prior = self.slope
        self._limit = COUNT_SLOPE if counted else CLOCK_SLOPE
        self._weight = COUNT_WEIGHT if counted and slope is None else CLOCK_WEIGHT
        self._bin_ns, self._fit_ns = (COUNT_BIN_NS, COUNT_FIT_NS) if counted else (BIN_NS, FIT_NS)
        self._base_ns = device_ns
        self._base_lag_ns = received_ns - device_ns
        self._points: list[tuple[float, float]] = []
        self._hull: list[tuple[float, float]] = []
        self._newest: tuple[int, int] | None = None  # (sensor time, lag) of a sample that may be one of a burst
        self._bin = 0
        self._bin_point: tuple[int, int] | None = None  # (sensor time, lag) of the open bin's fastest packet
        self._next_fit = 0
        self._settled = False
        self._packet_s = np.inf
        self._map = _Map()
        self._line_s = 0.0
        """The fitted line's lag at sensor time zero."""

    @property
    def is_sure(self) -> bool:
        """Whether the slope rests on enough time to be of use after a restart."""
        return self._fitted_s >= SURE_S

    @property
    def is_fitted(self) -> bool:
        """Whether the line rests on enough time to go on with it after a pause."""
        return self._fitted_s * 1e9 >= HOLD_NS

    @property
    def _fitted_s(self) -> float:
        return self._points[-1][0] - self._points[0][0] if self._points else 0.0

    def push(self, device_ns: IntArray, received_ns: IntArray) -> IntArray:
        """Host time of samples, ns. The first call is fitted as a whole: it must hold what HOLD_NS asks for."""
        x_ns = device_ns - self._base_ns
        lag_ns = received_ns - device_ns - self._base_lag_ns
        begins, maps = [0], [self._map]
        if not self._settled:
            self._packet_s = _packet_s(device_ns, received_ns)
        for row, first_ns, fastest_ns, least_ns in self._fastest(x_ns, lag_ns):
            now = first_ns // self._bin_ns
            if now != self._bin:
                self._close_bin()
                self._bin = now
                if self._settled and now >= self._next_fit:
                    self._fit(first_ns * 1e-9)
                    begins.append(row)
                    maps.append(self._map)
            if self._bin_point is None or least_ns < self._bin_point[1]:
                self._bin_point = fastest_ns, least_ns
        x_s = np.asarray(x_ns * 1e-9, np.float64)
        if not self._settled:
            self._settle(float(x_s[-1]))
            maps = [self._map]
        out_s = _along_s(x_s, begins, maps)
        return device_ns + self._base_lag_ns + np.rint(out_s * 1e9).astype(np.int64)

    def lateness_ns(self, device_ns: int, received_ns: int) -> float:
        """How much later than the map says a sample arrived: by its delay if the sensor's clock still runs on."""
        return float((received_ns - device_ns - self._lag_ns(np.array([device_ns])))[0])

    def goes_on(self, device_ns: IntArray, received_ns: IntArray) -> bool:
        """Whether samples after a pause, counted on as if none had been lost, are on time: then none has been."""
        late_ns = received_ns - device_ns - self._lag_ns(device_ns)
        return bool(abs(late_ns.min()) < 0.5e9 * self._packet_s)

    def _lag_ns(self, device_ns: IntArray) -> FloatArray:
        """What the fitted line adds to sensor times, continued beyond the newest sample."""
        x_s = (device_ns - self._base_ns) * 1e-9
        return np.asarray(self._base_lag_ns + 1e9 * (self._line_s + self.slope * x_s), np.float64)

    def _fastest(self, x_ns: IntArray, lag_ns: IntArray) -> Iterable[tuple[int, int, int, int]]:
        """Of each bin: row from which it counts, time of its first sample, time and lag of its fastest (see _bins).

        Of counted samples only those that end a burst, which takes the next sample to know. What came in less than
        half the time that it took to measure had waited for the radio together, the earlier ones the longer. Such
        samples say nothing of the slope, though the first of a backlog lies on the hull.
        """
        if not self._counted:
            return _bins(x_ns, lag_ns, np.arange(len(x_ns)), self._bin_ns)
        carried = self._newest is not None
        if self._newest is not None:
            x_ns, lag_ns = np.append(self._newest[0], x_ns), np.append(self._newest[1], lag_ns)
        self._newest = int(x_ns[-1]), int(lag_ns[-1])
        (ends,) = (2 * np.diff(lag_ns) >= -np.diff(x_ns)).nonzero()
        return _bins(x_ns[ends], lag_ns[ends], ends + (not carried), self._bin_ns)

    def _close_bin(self) -> None:
        if self._bin_point is None:
            return
        x_s = self._bin_point[0] * 1e-9
        point = x_s, self._bin_point[1] * 1e-9 - self._prior * x_s
        self._bin_point = None
        self._points.append(point)
        if point[0] - self._points[0][0] > 1.5 * KEEP_S:
            self._points = [p for p in self._points if p[0] >= point[0] - KEEP_S]
            self._hull = []
            for p in self._points:
                extend(self._hull, p)
        else:
            extend(self._hull, point)

    def _settle(self, now_s: float) -> None:
        """The first fit, which holds for all samples so far."""
        if not self._points and self._bin_point is None:
            self._bin_point = self._newest  # all was one burst
        self._close_bin()
        self._settled = True
        self._next_fit = self._bin + 1
        line_s = self._lag_s(now_s)
        self._map = _Map(now_s, line_s, self.slope)

    def _fit(self, now_s: float) -> None:
        """Fit the line anew and steer the map towards it, from where the map is now."""
        at_s = float(_lag_s(np.array(now_s), np.array(self._map)))
        off_s, period_s = self._lag_s(now_s) - at_s, self._fit_ns * 1e-9
        self._map = _Map(now_s, at_s, self.slope, min(max(off_s / period_s, -SLEW), SLEW), period_s)
        fit_bins = self._fit_ns // self._bin_ns
        self._next_fit = self._bin // fit_bins * fit_bins + fit_bins

    def _lag_s(self, now_s: float) -> float:
        """Lag of the line that fits all points so far."""
        self._line_s, more = support(self._hull, len(self._points), self._weight, self._limit)
        self.slope = self._prior + more
        return self._line_s + self.slope * now_s


def _packet_s(device_ns: IntArray, received_ns: IntArray) -> float:
    """Sensor time from one notification to the next, as it usually is; without end where there is but one."""
    (first,) = np.diff(received_ns).nonzero()
    return float(np.median(np.diff(device_ns[first]))) * 1e-9 if len(first) > 1 else np.inf


def _bins(x_ns: IntArray, lag_ns: IntArray, rows: IntArray, bin_ns: int) -> Iterable[tuple[int, int, int, int]]:
    """Of each bin of sensor time (n, rising): first row, time there, time and lag of the first with least lag."""
    if not len(x_ns):
        return []
    first_ns = int(x_ns[0])
    if first_ns // bin_ns == int(x_ns[-1]) // bin_ns:
        fastest = int(lag_ns.argmin())
        return [(int(rows[0]), first_ns, int(x_ns[fastest]), int(lag_ns[fastest]))]
    bins = x_ns // bin_ns
    starts = np.append(0, np.flatnonzero(bins[1:] != bins[:-1]) + 1)
    least_ns = np.minimum.reduceat(lag_ns, starts)
    (low,) = (lag_ns == least_ns.repeat(np.diff(starts, append=len(bins)))).nonzero()
    fastest_ns = x_ns[low[low.searchsorted(starts)]]
    columns = rows[starts], x_ns[starts], fastest_ns, least_ns
    return zip(*(column.tolist() for column in columns), strict=True)


def _along_s(x_s: FloatArray, begins: list[int], maps: list[_Map]) -> FloatArray:
    """(n,) lag at each of x (n), by the maps that hold from each of `begins` on."""
    if len(maps) == 1:
        return _lag_s(x_s, np.array(maps[0]))
    return _lag_s(x_s, np.array(maps).T.repeat(np.diff(begins, append=len(x_s)), axis=1))


def _lag_s(x_s: FloatArray, maps: FloatArray) -> FloatArray:
    """Lag at each of x (n) by one map (5,), or by one for each (5, n): their fields are the rows."""
    knot_s, lag_s, slope, steer, steered_s = maps
    since_s = x_s - knot_s
    lags_s: FloatArray = lag_s + slope * since_s + steer * np.minimum(since_s, steered_s)
    return lags_s


def extend(hull: list[tuple[float, float]], point: tuple[float, float]) -> None:
    """Add a point that is right of all others to a lower convex hull (Andrew's monotone chain)."""
    x, y = point
    while len(hull) > 1:
        (x0, y0), (x1, y1) = hull[-2], hull[-1]
        if (y1 - y0) * (x - x0) < (y - y0) * (x1 - x0):
            break
        hull.pop()
    hull.append(point)


def support(hull: list[tuple[float, float]], points: int, weight: float, limit: float) -> tuple[float, float]:
    """(intercept, slope) of the line under a lower hull that is nearest to its points, slope zero preferred.

    Least sum of the points' heights above the line plus weight x |slope|: a linear programme whose solution is the
    hull edge over the points' middle, moved by weight / points towards the side that makes the slope smaller; where
    that leaves nothing, zero. `limit` bounds the slope.
    """
    (first_s, _), (last_s, _) = hull[0], hull[-1]
    middle_s, shift_s = (first_s + last_s) / 2, weight / points
    slope = 0.0
    if middle_s - shift_s > first_s:
        slope = max(_slope(hull, middle_s - shift_s), 0.0) + min(_slope(hull, middle_s + shift_s), 0.0)
    slope = min(max(slope, -limit), limit)
    return min(y - slope * x for x, y in hull), slope


def _slope(hull: list[tuple[float, float]], x: float) -> float:
    """Slope of the hull edge over x."""
    for (x0, y0), (x1, y1) in pairwise(hull):
        if x <= x1:
            return (y1 - y0) / (x1 - x0)
    return 0.0
