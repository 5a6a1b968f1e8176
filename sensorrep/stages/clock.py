"""A sensor's clock -> the host's clock, from nothing but arrival times. Part of `deskew`."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import numpy as np

from sensorrep.model import FloatArray, IntArray

BIN_NS: Final = 500_000_000
"""The fastest packet of each such span of sensor time is a point of the fit."""
FIT_BINS: Final = 2
"""A new fit every so many bins (1 s)."""
FIRST_FIT_BINS: Final = 4
"""The first fit after so many (2 s): longer than a radio stall, so that a stall at the very start does not decide."""
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


class Clock:
    """Maps one run (epoch) of a sensor's clock to host time by the lower hull of arrival minus sensor time.

    A packet is late by its wait for the radio: never negative, often near zero, sometimes 1.5 s. So the truth lies on
    the line under all points that is nearest to them; least squares would be off by the mean delay, which differs
    between two links. That line is an edge of the lower convex hull. With few points its slope is noise, hence an L1
    prior: zero, or what the same sensor showed before. It is refitted each second, at instants that the samples
    define, and the map follows it forward and without jumps. The smallest delay itself cannot be seen in one-way
    traffic.

    Simulated (48.75 ms connection interval, stalls of 1.5 s, 100 ppm): left against right within 5 ms from the start,
    within 15 ms for 5 s where a stall spoils the first two seconds; for counted samples off by 3 % within 20 ms at
    first (170 ms after such a stall), 5 ms after 16 s. A packet rate that beats slowly with the connection interval
    hides the truth for as long as one beat takes.
    """

    def __init__(self, device_ns: int, received_ns: int, counted: bool, slope: float | None = None) -> None:
        """Begin with the first sample.

        `counted`: whether the sensor time is only a count of samples times their nominal period. `slope`: what an
        earlier run of the same sensor has shown, if anything.
        """
        self.slope = slope or 0.0
        """Host seconds per sensor second, less one."""
        self._prior = self.slope
        self._limit = COUNT_SLOPE if counted else CLOCK_SLOPE
        self._weight = COUNT_WEIGHT if counted and slope is None else CLOCK_WEIGHT
        self._base_ns = device_ns
        self._base_lag_ns = received_ns - device_ns
        self._points: list[tuple[float, float]] = []
        self._hull: list[tuple[float, float]] = []
        self._bin = 0
        self._bin_point: tuple[int, int] | None = None  # (sensor time, lag) of the open bin's fastest packet
        self._next_fit = FIRST_FIT_BINS
        self._settled = False
        self._knot_s = 0.0
        self._knot_lag_s = 0.0
        self._rate = 0.0  # of the map's lag, s/s, from the knot on

    @property
    def is_sure(self) -> bool:
        """Whether the slope rests on enough time to be of use after a restart."""
        return len(self._points) > 1 and self._points[-1][0] - self._points[0][0] >= SURE_S

    def push(self, device_ns: IntArray, received_ns: IntArray) -> IntArray:
        """Host time of samples, ns. The first call must hold the first FIRST_FIT_BINS bins (or all there is)."""
        x_ns = device_ns - self._base_ns
        lag_ns = received_ns - device_ns - self._base_lag_ns
        x_s = np.asarray(x_ns * 1e-9, np.float64)
        begins, maps = [0], [(self._knot_s, self._knot_lag_s, self._rate)]
        for start, first_ns, fastest_ns, least_ns in _bins(x_ns, lag_ns):
            now = first_ns // BIN_NS
            if now != self._bin:
                self._close_bin()
                self._bin = now
            if now >= self._next_fit:
                if self._settled:
                    begins.append(start)
                else:
                    maps.clear()
                self._fit(first_ns * 1e-9)
                self._next_fit = now // FIT_BINS * FIT_BINS + FIT_BINS
                maps.append((self._knot_s, self._knot_lag_s, self._rate))
            if self._bin_point is None or least_ns < self._bin_point[1]:
                self._bin_point = fastest_ns, least_ns
        if not self._settled:
            self._close_bin()
            self._fit(float(x_s[-1]))
            maps = [(self._knot_s, self._knot_lag_s, self._rate)]
        out_s = _along(x_s, begins, maps)
        return device_ns + self._base_lag_ns + np.rint(out_s * 1e9).astype(np.int64)

    def lateness_ns(self, device_ns: int, received_ns: int) -> float:
        """How much later than the map says a sample arrived: by its delay if the sensor's clock still runs on."""
        x_s = (device_ns - self._base_ns) * 1e-9
        lag_s = self._knot_lag_s + self._rate * (x_s - self._knot_s)
        return received_ns - device_ns - self._base_lag_ns - lag_s * 1e9

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

    def _fit(self, now_s: float) -> None:
        """Fit the line anew and steer the map towards it, from where the map is now."""
        lag_s, more = support(self._hull, len(self._points), self._weight, self._limit)
        self.slope = self._prior + more
        line_s = lag_s + self.slope * now_s
        if self._settled:
            at_s = self._knot_lag_s + self._rate * (now_s - self._knot_s)
            period_s = FIT_BINS * BIN_NS * 1e-9
            self._rate = self.slope + min(max((line_s - at_s) / period_s, -SLEW), SLEW)
            self._knot_s, self._knot_lag_s = now_s, at_s
        else:
            self._settled = True
            self._rate = self.slope
            self._knot_s, self._knot_lag_s = now_s, line_s


def _bins(x_ns: IntArray, lag_ns: IntArray) -> Iterable[tuple[int, int, int, int]]:
    """Of each bin of sensor time (n, rising): first row, its time, time and lag of the first row with the least lag."""
    first_ns = int(x_ns[0])
    if first_ns // BIN_NS == int(x_ns[-1]) // BIN_NS:
        fastest = int(lag_ns.argmin())
        return [(0, first_ns, int(x_ns[fastest]), int(lag_ns[fastest]))]
    bins = x_ns // BIN_NS
    starts = np.append(0, np.flatnonzero(bins[1:] != bins[:-1]) + 1)
    least_ns = np.minimum.reduceat(lag_ns, starts)
    (low,) = (lag_ns == least_ns.repeat(np.diff(starts, append=len(bins)))).nonzero()
    fastest_ns = x_ns[low[low.searchsorted(starts)]]
    return zip(starts.tolist(), x_ns[starts].tolist(), fastest_ns.tolist(), least_ns.tolist(), strict=True)


def _along(x_s: FloatArray, begins: list[int], maps: list[tuple[float, float, float]]) -> FloatArray:
    """Lag at each of x (n), by the lines (knot, lag at it, rate) that hold from each of `begins` on."""
    if len(maps) == 1:
        ((knot_s, lag_s, rate),) = maps
        return lag_s + rate * (x_s - knot_s)
    knots_s, lags_s, rates = np.array(maps).T.repeat(np.diff(begins, append=len(x_s)), axis=1)
    lag: FloatArray = lags_s + rates * (x_s - knots_s)
    return lag


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
