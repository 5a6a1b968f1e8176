"""A session's summary as the JSON object that scripts read, and its reps as CSV.

Radians become degrees here. Decimals are fixed (times 3, degrees 2, per cent 1), so the same session gives the same
bytes; whatever is unknown or not finite is null.
"""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sensorrep import __version__
from sensorrep.model import Check, Fatigue, Foot, FootStats, Rejected, Rep, SessionSummary, SetSummary, Spread
from sensorrep.views.comparison import against_first
from sensorrep.views.formats import printable
from sensorrep.views.reasons import in_degrees
from sensorrep.views.words import tempo

FORMAT: Final = "sensorrep-session/1"

Document = dict[str, Any]


def document(summary: SessionSummary, *, source: str, simulated: bool, started_at: str | None) -> Document:
    """Everything a reader can use of a session, in the units and under the keys of `sensorrep-session/1`."""
    return {
        "format": FORMAT,
        "source": printable(source),
        "simulated": simulated,
        "started_at": started_at,
        "duration_s": _fixed(summary.duration_s, 3),
        "movement": summary.movement,
        "posture": summary.posture,
        "software": {"sensorrep": __version__},
        "feet": {foot.word: _foot(summary.feet.get(foot)) for foot in Foot},
        "sets": [_set(one, summary.sets[0]) for one in summary.sets],
        "rejected": [_rejected(one) for one in summary.rejected],
    }


def json_bytes(document: Document) -> bytes:
    """The document as UTF-8 JSON, the same bytes for the same object. Raises ValueError for NaN or infinity."""
    return (json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n").encode()


def reps_csv(document: Document) -> str:
    """One line a rep, with the columns of REP_COLUMNS; an unknown value is an empty cell."""
    out = io.StringIO()
    table = csv.DictWriter(out, REP_COLUMNS, lineterminator="\n")
    table.writeheader()
    for set_number, one in enumerate(document["sets"], 1):
        for number, rep in enumerate(one["reps"], 1):
            cells = _flat(rep) | {"flags": " ".join(rep["flags"])}
            table.writerow({"set": set_number, "rep": number} | {k: cells[k] for k in REP_COLUMNS if k in cells})
    return out.getvalue()


REP_COLUMNS: Final = (
    *("set", "rep", "start_s", "open_s", "close_s", "end_s", "concentric_s", "hold_s", "eccentric_s", "pause_s"),
    *("range_deg_left", "range_deg_right", "range_sd_deg_left", "range_sd_deg_right", "opening_deg"),
    *("peak_speed_dps_left", "peak_speed_dps_right", "return_speed_dps_left", "return_speed_dps_right"),
    *("smoothness_left", "smoothness_right", "tremor_dps", "lag_s", "flags"),
)


def _flat(rep: Mapping[str, Any]) -> Document:
    cells: Document = {}
    for key, value in rep.items():
        cells |= {f"{key}_{side}": part for side, part in value.items()} if isinstance(value, dict) else {key: value}
    return cells


def _foot(stats: FootStats | None) -> Document | None:
    if stats is None:
        return None
    return {
        "device": printable(stats.device),
        "samples": stats.samples,
        "lost": stats.lost,
        "rate_hz": _fixed(stats.rate_hz, 2),
        "gaps": [[_fixed(start, 3), _fixed(end, 3)] for start, end in stats.gaps],
        "malformed": stats.malformed,
        "saturated": stats.saturated,
    }


def _set(one: SetSummary, first: SetSummary) -> Document:
    symmetry = one.symmetry
    return {
        "start_s": _fixed(one.start_s, 3),
        "end_s": _fixed(one.end_s, 3),
        "rest_before_s": _fixed(one.rest_before_s, 3),
        "posture": one.posture,
        "reps": [_rep(rep) for rep in one.reps],
        "tempo": {
            "concentric_s": _fixed(one.tempo.concentric_s, 3),
            "hold_s": _fixed(one.tempo.hold_s, 3),
            "eccentric_s": _fixed(one.tempo.eccentric_s, 3),
            "pause_s": _fixed(one.tempo.pause_s, 3),
            "text": tempo(one.tempo),
        },
        "range_deg": {foot.word: _spread(one.range_rad[foot]) for foot in Foot},
        "symmetry": None
        if symmetry is None
        else {
            "index_pct": _fixed(symmetry.index_pct, 1),
            "interval_pct": [_fixed(bound, 1) for bound in symmetry.interval_pct],
            "verdict": symmetry.verdict,
        },
        "fatigue": _fatigue(one.fatigue),
        "against_first": None
        if one is first
        else {f"{what}_pct": _fixed(change, 1) for what, change in against_first(one, first)._asdict().items()},
    }


def _fatigue(fatigue: Fatigue) -> Document:
    return {
        "detected": bool(fatigue.detected),
        "from_rep": fatigue.from_rep,
        "range_loss_pct": _fixed(fatigue.range_loss_pct, 1),
        "speed_loss_pct": _fixed(fatigue.speed_loss_pct, 1),
        "slowing_pct": _fixed(fatigue.slowing_pct, 1),
        "evidence": list(fatigue.evidence),
        "reference_range_deg": _degrees(fatigue.reference_range_rad),
    }


def _rep(rep: Rep) -> Document:
    return {
        "start_s": _fixed(rep.start_s, 3),
        "open_s": _fixed(rep.open_s, 3),
        "close_s": _fixed(rep.close_s, 3),
        "end_s": _fixed(rep.end_s, 3),
        "concentric_s": _fixed(rep.concentric_s, 3),
        "hold_s": _fixed(rep.hold_s, 3),
        "eccentric_s": _fixed(rep.eccentric_s, 3),
        "pause_s": _fixed(rep.pause_s, 3),
        "range_deg": _sides_deg(rep.range_rad),
        "range_sd_deg": _sides_deg(rep.range_sd_rad),
        "opening_deg": _degrees(rep.opening_rad),
        "peak_speed_dps": _sides_deg(rep.peak_speed_rad_s),
        "return_speed_dps": _sides_deg(rep.return_speed_rad_s),
        "smoothness": {foot.word: _fixed(rep.smoothness[foot], 3) for foot in Foot},
        "tremor_dps": _degrees(rep.tremor_rad_s),
        "lag_s": _fixed(rep.lag_s, 3),
        "flags": list(rep.flags),
        "checks": _checks(rep.checks),
    }


def _rejected(one: Rejected) -> Document:
    return {
        "start_s": _fixed(one.start_s, 3),
        "end_s": _fixed(one.end_s, 3),
        "why": one.why,
        "checks": _checks(one.checks),
    }


def _checks(checks: Sequence[Check]) -> list[Document]:
    return [
        {"rule": one.rule, "value": _fixed(one.value, 3), "limit": _fixed(one.limit, 3), "passed": bool(one.passed)}
        for one in map(in_degrees, checks)
    ]


def _spread(spread: Spread | None) -> Document | None:
    if spread is None:
        return None
    return {"mean": _degrees(spread.mean), "sd": _degrees(spread.sd), "uncertainty": _degrees(spread.uncertainty)}


def _sides_deg(values: Sequence[float | None]) -> Document:
    return {foot.word: _degrees(values[foot]) for foot in Foot}


def _degrees(angle_rad: float | None, decimals: int = 2) -> float | None:
    return None if angle_rad is None else _fixed(math.degrees(angle_rad), decimals)


def _fixed(value: float | None, decimals: int) -> float | None:
    """Rounded; None for what is unknown or not finite; never minus zero."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), decimals) + 0.0
