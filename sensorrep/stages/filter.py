"""Frames -> smoother frames: a short low-pass without phase error, its delay taken out of the time stamps.

Latency: half the filter's length, 40 ms.
"""

from typing import Final

import numpy as np

from sensorrep import records
from sensorrep.model import FRAME, FRAME_RATE_HZ, BoolArray, FloatArray, Frames

CUTOFF_HZ: Final = 20.0
"""Half amplitude. Tremor (8 to 12 Hz) must pass, skin and strap rattle (above 25 Hz) need not."""
HALF_TAPS: Final = 4
"""Taps on either side of the middle. More: a steeper edge and 10 ms of latency each."""
KAISER_BETA: Final = 2.5
"""Larger: a wider edge and a quieter stop band; at 2.5 that is 1 % from 35 Hz on."""

_OFFSETS: Final = np.arange(-HALF_TAPS, HALF_TAPS + 1)
_SINC: Final = np.kaiser(2 * HALF_TAPS + 1, KAISER_BETA) * np.sinc(2 * CUTOFF_HZ / FRAME_RATE_HZ * _OFFSETS)
TAPS: Final = _SINC / _SINC.sum()
"""Gain 1.00 to 5 Hz, 0.99 at 8 Hz, 0.96 at 10 Hz, 0.91 at 12 Hz, 0.50 at 20 Hz, below 0.04 from 30 Hz on."""


class Filter:
    """Low-pass of acceleration and angular rate of each foot: a windowed-sinc FIR of nine taps, symmetric.

    A frame that is ok takes in a pair of neighbours (one before, one as long after) only if both are ok too, else
    itself twice in their place: so interpolated or held numbers never leak into measured ones, the phase stays exact,
    and what is smoothed near a hole is just smoothed less. A frame that is not ok takes in all. At both ends of the
    recording the edge frame is repeated: as many frames come out as went in, with their own times and `ok`.
    """

    def __init__(self) -> None:
        self._held = Frames(np.zeros(0, FRAME))
        """The frames before the next one to come out, it, and those after it."""

    def push(self, frames: Frames) -> list[Frames]:
        """At most one block: the frames that now have all their neighbours."""
        if not len(frames):
            return []
        lead = 0 if len(self._held) else HALF_TAPS
        return self._run(Frames(records.joined([self._held, *[frames[:1]] * lead, frames])))

    def finish(self) -> list[Frames]:
        """The last frames."""
        if not len(self._held):
            return []
        return self._run(Frames(records.joined([self._held, *[self._held[-1:]] * HALF_TAPS])))

    def _run(self, frames: Frames) -> list[Frames]:
        count = len(frames) - 2 * HALF_TAPS
        if count <= 0:
            self._held = frames
            return []
        self._held = Frames(frames[count:])
        values = np.empty((len(frames), 2, 6))
        values[:, :, :3], values[:, :, 3:] = frames["acc_m_s2"], frames["gyr_rad_s"]
        smooth = low_pass(values, frames["ok"])
        out = Frames(records.joined([frames[HALF_TAPS : HALF_TAPS + count]]))
        out["acc_m_s2"], out["gyr_rad_s"] = smooth[:, :, :3], smooth[:, :, 3:]
        return [out]


def low_pass(values: FloatArray, ok: BoolArray) -> FloatArray:
    """Filtered middles of (n, 2, channels) values with ok (n, 2): HALF_TAPS fewer at either end.

    Sums of shifted arrays, element by element, so that every frame's number is the same however frames were cut.
    """
    count = len(values) - 2 * HALF_TAPS
    middle = values[HALF_TAPS : HALF_TAPS + count]
    all_ok = bool(ok.all())
    out: FloatArray = TAPS[HALF_TAPS] * middle
    for k in range(1, HALF_TAPS + 1):
        before, after = slice(HALF_TAPS - k, HALF_TAPS - k + count), slice(HALF_TAPS + k, HALF_TAPS + k + count)
        pair = values[before] + values[after]
        if not all_ok:
            usable = ~ok[HALF_TAPS : HALF_TAPS + count] | (ok[before] & ok[after])
            pair = np.where(usable[:, :, None], pair, 2 * middle)
        pair *= TAPS[HALF_TAPS + k]
        out += pair
    return out
