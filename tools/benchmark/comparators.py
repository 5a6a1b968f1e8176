"""Two methods that one would pick instead, on the same gyroscope signals, helped where they need help.

Both get the whole recording at once. Their one free setting is chosen in hindsight, as the value that gives the best
F1 over the very run that is reported. Subsequence DTW is also shown one true rep of each recording (of the same person
and straps, where the recording has none); peaks are told
which way is open, and from when to when there are sets, as their main turning would be that of lying down otherwise.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final, NamedTuple

import numpy as np
from scipy.signal import butter, find_peaks, peak_widths, sosfiltfilt

from benchmark.scoring import Mark
from sensorrep.model import FloatArray

RATE_HZ: Final = 25.0
SMOOTH_HZ: Final = 5.0
DTW_SETTINGS: Final = tuple(product((0.2, 0.5), (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)))
"""Least length of a match, as a part of the lesson's; and its largest distance, where standing still is at 1."""
LONGEST: Final = 2.5
"""Longest match, as a part of the lesson's length."""
MARGIN: Final = 0.1
"""How much of its length is added to the lesson on either side, and taken off the matches: with some rest around it, a
lesson finds the ends of reps better."""
PEAK_SETTINGS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
"""Least prominence of a peak, as a part of the signal's own height."""


class Gyro(NamedTuple):
    """Angular rates at RATE_HZ."""

    time_s: FloatArray
    rate_rad_s: FloatArray
    """(n, channels): three of a foot."""


def smooth(time_s: FloatArray, rate_rad_s: FloatArray, rate_hz: float) -> Gyro:
    """Low-pass without lag, then an even RATE_HZ."""
    if rate_hz > 2.2 * SMOOTH_HZ:
        rate_rad_s = sosfiltfilt(butter(2, SMOOTH_HZ, fs=rate_hz, output="sos"), rate_rad_s, axis=0)
    grid_s = np.arange(time_s[0], time_s[-1], 1 / RATE_HZ)
    columns = [np.interp(grid_s, time_s, column) for column in rate_rad_s.T]
    return Gyro(grid_s, np.stack(columns, axis=1))


def lesson(gyro: Gyro, rep_s: tuple[float, float]) -> FloatArray:
    """The rates of a true rep and of a little rest around it: what `taught_dtw` is taught."""
    margin_s = MARGIN * (rep_s[1] - rep_s[0])
    start, end = np.searchsorted(gyro.time_s, (rep_s[0] - margin_s, rep_s[1] + margin_s))
    return gyro.rate_rad_s[start:end]


def taught_dtw(gyro: Gyro, taught: FloatArray) -> list[list[Mark]]:
    """Reps by subsequence DTW with a `lesson` as the template.

    The matching function is dtaidistance's; its minima are taken best first, without overlap (Müller 2015, Fundamentals
    of Music Processing, section 7.2), one list for each of DTW_SETTINGS.
    """
    from dtaidistance.subsequence.dtw import subsequence_alignment

    scale = np.sqrt(np.mean(np.sum(taught**2, axis=1)))  # so that the distance to standing still is the lesson's length
    query, series = (np.ascontiguousarray(rates / scale) for rates in (taught, gyro.rate_rad_s))
    found = subsequence_alignment(query, series, use_c=True)
    distance = np.asarray(found.matching_function()) * np.sqrt(len(query))
    ends, _ = find_peaks(-distance)
    ends = ends[np.argsort(distance[ends])]
    matches = [
        (float(distance[end]), _trimmed(gyro.time_s, *found.matching_function_segment(int(end))))
        for end in ends[distance[ends] <= DTW_SETTINGS[-1][1]]
    ]
    rep_s = len(query) / RATE_HZ / (1 + 2 * MARGIN)
    return [_apart(matches, rep_s, *setting) for setting in DTW_SETTINGS]


def _trimmed(time_s: FloatArray, first: int, last: int) -> Mark:
    """A match without its margins."""
    start_s, end_s = float(time_s[first]), float(time_s[last])
    margin_s = (end_s - start_s) * MARGIN / (1 + 2 * MARGIN)
    return Mark(start_s + margin_s, end_s - margin_s)


def _apart(matches: Sequence[tuple[float, Mark]], rep_s: float, shortest: float, furthest: float) -> list[Mark]:
    """Those of the matches (distance and rep, best first) that fit and don't overlap a better one, in order."""
    taken: list[Mark] = []
    for distance, rep in matches:
        fits = distance <= furthest and shortest <= (rep.end_s - rep.start_s) / rep_s <= LONGEST
        if fits and not any(rep.start_s < one.end_s and one.start_s < rep.end_s for one in taken):
            taken.append(rep)
    return sorted(taken)


def peaks(whole: Gyro, rep_s: tuple[float, float], exercise_s: tuple[float, float]) -> list[list[Mark]]:
    """Reps as peaks of the main turning, at least 0.6 autocorrelation periods apart: one list for each setting.

    The main turning is the first principal component of the rates, integrated, without slow drift. From the true rep
    `rep_s` it learns its sign alone. Nothing is looked for outside `exercise_s`.
    """
    first, last = np.searchsorted(whole.time_s, exercise_s)
    gyro = Gyro(whole.time_s[first:last], whole.rate_rad_s[first:last])
    rates = gyro.rate_rad_s - gyro.rate_rad_s.mean(axis=0)
    main = rates @ np.linalg.svd(rates, full_matrices=False)[2][0]
    high_pass = butter(2, 0.05, "highpass", fs=RATE_HZ, output="sos")
    angle = sosfiltfilt(high_pass, np.cumsum(main) / RATE_HZ)
    start, end = np.searchsorted(gyro.time_s, rep_s)
    middle = slice(start + (end - start) // 3, end - (end - start) // 3)
    if angle[middle].mean() < 0.5 * (angle[start] + angle[end - 1]):
        angle = -angle
    height = float(np.subtract(*np.quantile(angle, [0.98, 0.02])))
    apart = max(round(0.6 * period_s(angle) * RATE_HZ), 1)
    lists = []
    for setting in PEAK_SETTINGS:
        tops, _ = find_peaks(angle, prominence=setting * height, distance=apart)
        _, _, left, right = peak_widths(angle, tops, rel_height=0.9)
        indices = np.arange(len(angle))
        edges_s = np.interp([left, right], indices, gyro.time_s)
        lists.append([Mark(float(start_s), float(end_s)) for start_s, end_s in edges_s.T])
    return lists


def period_s(angle: FloatArray) -> float:
    """Lag of the highest local maximum of the autocorrelation between 0.6 and 15 s; 0.6 s where there is none."""
    spectrum = np.fft.rfft(angle, 2 * len(angle))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: len(angle)]
    least, most = round(0.6 * RATE_HZ), round(15 * RATE_HZ)
    lags, _ = find_peaks(correlation[: most + 1])
    lags = lags[lags >= least]
    return float(lags[np.argmax(correlation[lags])] / RATE_HZ) if len(lags) else 0.6
