"""What really happened in a simulated session, measured on the noise-free motion at high resolution."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sensorrep.model import FloatArray

REST_S = 0.3
"""Length of the rest, before and after a rep, over which the rest level is taken."""


@dataclass(frozen=True, slots=True)
class TrueRep:
    """A rep as it was. Ten and 90 % are taken from the rest level before it on the way out, after it on the way back.

    Times are in seconds from the recording's first sample, also where they lie outside the recording (`truncated`).
    """

    start_s: float
    open_s: float
    close_s: float
    end_s: float
    range_deg: tuple[float, float]
    opening_deg: float
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrueSet:
    """Reps with no long rest between them. `fatigued`: at least two in a row were meant to lose 20 % or more."""

    start_s: float
    end_s: float
    posture: str
    reps: tuple[TrueRep, ...]
    fatigued: bool


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The whole session as it was: sets, all other movements, and each leg's opening at 100 Hz."""

    seed: int
    posture: str
    sets: tuple[TrueSet, ...]
    movements: tuple[tuple[str, float, float], ...]
    """(kind, start_s, end_s) of all that is no rep."""
    time_s: FloatArray
    """(n,)"""
    opening_deg: FloatArray
    """(n, 2), positive for heels apart, zero at the first rest in the exercise position."""

    def write_json(self, path: Path) -> None:
        """Write all but the arrays."""
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")

    def as_json(self) -> dict[str, Any]:
        """All but the arrays, as JSON objects."""
        return {
            "format": "sensorrep-truth/1",
            "seed": self.seed,
            "posture": self.posture,
            "sets": [
                {
                    "start_s": round(one.start_s, 4),
                    "end_s": round(one.end_s, 4),
                    "posture": one.posture,
                    "fatigued": one.fatigued,
                    "reps": [_rep_as_json(rep) for rep in one.reps],
                }
                for one in self.sets
            ],
            "movements": [
                {"kind": kind, "start_s": round(start_s, 4), "end_s": round(end_s, 4)}
                for kind, start_s, end_s in self.movements
            ],
        }


def _rep_as_json(rep: TrueRep) -> dict[str, Any]:
    return {
        "start_s": round(rep.start_s, 4),
        "open_s": round(rep.open_s, 4),
        "close_s": round(rep.close_s, 4),
        "end_s": round(rep.end_s, 4),
        "range_deg": {"left": round(rep.range_deg[0], 3), "right": round(rep.range_deg[1], 3)},
        "opening_deg": round(rep.opening_deg, 3),
        "flags": list(rep.flags),
    }


class Bounds(NamedTuple):
    """When the wearer began a rep, was back, and how long the rest before and after it lasted."""

    onset_s: float
    back_s: float
    rest_before_s: float
    rest_after_s: float


def measure_rep(
    time_s: FloatArray, opening_deg: FloatArray, worn: FloatArray, bounds: Bounds, flags: tuple[str, ...]
) -> TrueRep:
    """One rep from the true openings (n, 2) on an even time grid; `worn` (2,) weighs the feet of the heel opening."""
    heel = opening_deg @ worn
    before = _stretch(time_s, bounds.onset_s - min(REST_S, bounds.rest_before_s), bounds.onset_s)
    after = _stretch(time_s, bounds.back_s, bounds.back_s + min(REST_S, bounds.rest_after_s))
    first, last = before.stop - 1, after.start
    way = heel[first : last + 1]
    top = way.max()
    out = (way - heel[before].mean()) / (top - heel[before].mean())
    back = (way - heel[after].mean()) / (top - heel[after].mean())
    open_at = int(np.argmax(out >= 0.9))
    start_at = _last(out[: open_at + 1] < 0.1)
    close_at = _last(back >= 0.9)
    end_at = close_at + int(np.argmax(back[close_at:] < 0.1))
    rest_deg = 0.5 * (opening_deg[before].mean(axis=0) + opening_deg[after].mean(axis=0))
    range_deg = opening_deg[first : last + 1].max(axis=0) - rest_deg
    return TrueRep(
        start_s=_crossing(time_s[first:], out, start_at, 0.1),
        open_s=_crossing(time_s[first:], out, open_at - 1, 0.9),
        close_s=_crossing(time_s[first:], back, close_at, 0.9),
        end_s=_crossing(time_s[first:], back, end_at - 1, 0.1),
        range_deg=(float(range_deg[0]), float(range_deg[1])),
        opening_deg=float(top - rest_deg @ worn),
        flags=flags,
    )


def _stretch(time_s: FloatArray, from_s: float, to_s: float) -> slice:
    """At least one grid point, within the grid."""
    start, stop = np.searchsorted(time_s, [from_s, to_s])
    start = min(int(start), len(time_s) - 1)
    return slice(start, max(int(stop), start + 1))


def _last(condition: "np.ndarray[Any, np.dtype[np.bool_]]") -> int:
    return len(condition) - 1 - int(np.argmax(condition[::-1]))


def _crossing(time_s: FloatArray, level: FloatArray, at: int, limit: float) -> float:
    """Time between grid points `at` and `at + 1` at which `level` passes `limit`."""
    share = (limit - level[at]) / (level[at + 1] - level[at])
    return float(time_s[at] + share * (time_s[at + 1] - time_s[at]))
