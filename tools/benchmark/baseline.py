"""The figures of the small, fast subset as they were accepted, so that accuracy can't fall without anyone noticing."""

import json
from pathlib import Path
from typing import Final

from benchmark.accuracy import Accuracy
from benchmark.scoring import Figures

PATH: Final = Path(__file__).with_name("baseline.json")
NOT_LESS: Final = {"sets_exact": 1e-3, "fatigue_right": 1e-3, "partial_right": 0.0, "range_covered": 0.05}
"""Figure -> by how much it may fall (kept figures are rounded)."""
NOT_MORE: Final = {
    # figure -> by which factor it may grow, and by how much more: another machine's arithmetic differs in the last bits
    "missed": (1.0, 0.0),
    "extra": (1.0, 0.0),
    "partial_false": (1.0, 0.0),
    "edge_median_ms": (1.1, 1.0),
    "edge_p95_ms": (1.1, 5.0),
    "range_rmse_deg": (1.1, 0.05),
}


def accept(found: Accuracy) -> None:
    """Make these figures the baseline."""
    kept = [*NOT_LESS, *NOT_MORE]
    rows = {
        name: {key: None if (value := row.ours[key]) is None else round(value, 4) for key in kept}
        for name, row in sorted(found.rows.items())
    }
    PATH.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def accepted() -> dict[str, Figures]:
    """The baseline, row by row."""
    rows: dict[str, Figures] = json.loads(PATH.read_text(encoding="utf-8"))
    return rows


def worse(was: Figures, now: Figures) -> list[str]:
    """What fell, in words; a figure that can't be measured any more fell too."""
    out = []
    for key, old in was.items():
        new = now[key]
        if old is None:
            continue
        factor, more = NOT_MORE.get(key, (1.0, 0.0))
        fell = new is None or (new < old - NOT_LESS[key] if key in NOT_LESS else new > factor * old + more)
        if fell:
            out.append(f"{key} was {old}, is {new}")
    return out
