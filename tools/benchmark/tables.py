"""Results as text tables for people, and as plain objects for JSON."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from benchmark.accuracy import ALL, GRAVITY, LARGE, NONE, TABLE_TOP, Accuracy
from benchmark.real import Counted, Tilt, best_setting
from benchmark.scoring import Figures
from benchmark.targets import Target


class Column(NamedTuple):
    """Heading, key among the figures, and how to write it."""

    heading: str
    key: str
    text: Callable[[float], str]


def _count(value: float) -> str:
    return f"{value:.0f}"


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _tenths(value: float) -> str:
    return f"{value:.1f}"


def _signed(value: float) -> str:
    return f"{value:+.2f}"


def _hundredths(value: float) -> str:
    return f"{value:.2f}"


OVERALL: Final = (ALL, LARGE, GRAVITY, TABLE_TOP, NONE)
ROW_ORDER: Final = (*OVERALL, "posture", "range", "tempo", "rate")
COUNTING: Final = (
    Column("sessions", "sessions", _count),
    Column("reps", "reps", _count),
    Column("missed", "missed", _count),
    Column("extra", "extra", _count),
    Column("prec %", "precision", _percent),
    Column("rec %", "recall", _percent),
    Column("F1 %", "f1", _percent),
    Column("F1mid %", "f1_by_middle", _percent),
    Column("sets", "sets", _count),
    Column("exact %", "sets_exact", _percent),
    Column("false/min", "false_per_min", _hundredths),
)
MEASURING: Final = (
    Column("edge med ms", "edge_median_ms", _tenths),
    Column("95 % ms", "edge_p95_ms", _tenths),
    Column("conc ms", "concentric_median_ms", _tenths),
    Column("hold ms", "hold_median_ms", _tenths),
    Column("ecc ms", "eccentric_median_ms", _tenths),
    Column("range RMSE", "range_rmse_deg", _hundredths),
    Column("bias L", "range_bias_left_deg", _signed),
    Column("bias R", "range_bias_right_deg", _signed),
    Column("in 95 %", "range_covered", _percent),
    Column("half right", "partial_right", _count),
    Column("missed", "partial_missed", _count),
    Column("false", "partial_false", _count),
    Column("fatigue %", "fatigue_right", _percent),
    Column("missed", "fatigue_missed", _count),
    Column("false", "fatigue_false", _count),
)


def table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Aligned columns, the first to the left and all others to the right."""
    lines = [list(headings), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headings))]
    text = [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join([title, text[0], "-" * len(text[0]), *text[1:], ""])


def accuracy_text(found: Accuracy) -> str:
    """The matrix, the weak conditions and the targets."""
    order = sorted(found.rows, key=_place)
    counting = [[name, *_cells(found.rows[name].ours, COUNTING)] for name in order]
    measuring = [[name, *_cells(found.rows[name].ours, MEASURING)] for name in order if found.rows[name].ours["reps"]]
    weak = [f"  {name}: {fault}" for name, fault in found.weak.items()]
    parts = [
        table("Counting, simulated sessions", ["", *(one.heading for one in COUNTING)], counting),
        table("Measuring, simulated sessions", ["", *(one.heading for one in MEASURING)], measuring),
        "\n".join([f"{len(found.weak)} conditions of 6 degrees and more below 0.99 in precision or recall", *weak, ""]),
    ]
    if found.settings:
        parts.append(_comparison(found, order))
    return "\n".join(parts)


def _comparison(found: Accuracy, order: Sequence[str]) -> str:
    """Sensorrep beside the comparators, row by row."""
    columns = [one for one in COUNTING if one.key in {"f1", "f1_by_middle", "false_per_min"}]
    rows = [
        [
            name,
            *_cells(found.rows[name].ours, columns),
            *(cell for other in found.settings for cell in _cells(found.rows[name].others[other], columns)),
        ]
        for name in order
    ]
    whose = ["ours", *found.settings]
    return table("Beside other methods", ["", *(f"{who} {one.heading}" for who in whose for one in columns)], rows)


def _place(name: str) -> int:
    """Where a row belongs: sums first, then the grid by what varies in it, then the rest in its own order."""
    kind = name if name in OVERALL else name.split()[0]
    return ROW_ORDER.index(kind) if kind in ROW_ORDER else len(ROW_ORDER)


def pted_text(found: Sequence[Counted]) -> str:
    """Blocks of real leg exercises, found of true."""
    rows = [
        [
            one.name,
            *(f"{got} of {true}" for got, true in one.moving.blocks),
            *map(str, (one.moving.missed, one.moving.extra, one.still_foot, one.heels_apart)),
        ]
        for one in found
    ]
    true = sum(reps for one in found for _, reps in one.moving.blocks)
    exact = sum(got == reps for one in found for got, reps in one.moving.blocks)
    totals = {"sensorrep": [one.moving for one in found]}
    for name in found[0].others:
        setting = best_setting([one.others[name] for one in found])
        totals[name] = [one.others[name][setting] for one in found]
    summary = [
        [name, *(f"{100 * sum(getattr(one, what) for one in counts) / true:.2f}" for what in ("missed", "extra"))]
        for name, counts in totals.items()
    ]
    headings = ["", "block 1", "block 2", "block 3", "missed", "extra", "still foot", "heels-apart"]
    return "\n".join(
        [
            table("Real leg exercises (one-leg; the last two columns must be 0)", headings, rows),
            table(f"{exact} of {3 * len(found)} blocks exact", ["", "missed %", "extra %"], summary),
        ]
    )


def tilt_text(found: Sequence[Tilt]) -> str:
    """Tilt errors beside VQF's defaults."""
    rows = [[one.name, f"{one.ours_deg:.3f}", f"{one.default_deg:.3f}"] for one in found]
    return table("Tilt against optics, RMSE in degrees", ["", "fuse stage", "VQF default"], rows)


def targets_text(found: Sequence[Target]) -> str:
    """Bounds beside figures."""
    rows = [[one.figure, one.bound, one.measured, "yes" if one.met else "NO"] for one in found]
    return table("Targets", ["", "at least", "measured", "met"], rows)


def accuracy_object(found: Accuracy, pted: Sequence[Counted], tilt: Sequence[Tilt]) -> dict[str, Any]:
    """Everything as JSON objects."""
    return {
        "format": "sensorrep-accuracy/1",
        "rows": {name: {"sensorrep": row.ours, **row.others} for name, row in found.rows.items()},
        "conditions": found.conditions,
        "weak": found.weak,
        "pted": [
            {
                "name": one.name,
                "blocks": one.moving.blocks,
                "missed": one.moving.missed,
                "extra": one.moving.extra,
                "still_foot": one.still_foot,
                "heels_apart": one.heels_apart,
            }
            for one in pted
        ],
        "broad": [one._asdict() for one in tilt],
    }


def _cells(got: Figures, columns: Iterable[Column]) -> list[str]:
    return [_cell(got, one.key, one.text) for one in columns]


def _cell(got: Mapping[str, float | None], key: str, text: Callable[[float], str]) -> str:
    value = got[key]
    return "–" if value is None else text(value)
