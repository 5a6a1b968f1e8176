"""What a session says in plain sentences: shared by the terminal, the figures and the report.

Describes and compares with the person's own reps; never diagnoses. Each ``±`` is about 95 % (two standard
uncertainties) unless the text says otherwise. Pure.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

from sensorrep.devices import MODELS, device
from sensorrep.model import (
    Fatigue,
    Foot,
    Posture,
    Rep,
    SessionSummary,
    SetSummary,
    Spread,
    Symmetry,
    Tempo,
)
from sensorrep.views.comparison import against_first
from sensorrep.views.formats import UNKNOWN, degrees, duration, listed, number, plural, printable, signed_pct

POSTURES: Final[dict[Posture, str]] = {
    "prone": "prone (face down)",
    "hook-lying": "hook-lying (on the back, feet near the floor)",
    "table-top": "table-top (on the back, shanks raised)",
    "seated": "seated",
}
FLAGS: Final = {
    "partial": "half rep",
    "one_sided": "one side only",
    "gap": "signal gap",
}

PLUS_MINUS: Final = (
    "the true value is within this in about 95 of 100 cases; of a rep, how well it was measured; of a set's mean, how"
    " much the reps differ as well, so that it can be the larger one"
)
SIMULATED: Final = "SIMULATED: no person did this session"


def tempo(phases: Tempo | Rep) -> str:
    """Seconds of concentric, hold, eccentric and pause as ``1.2-0.4-1.4-0.5``; three parts where no pause follows, a
    dash where nothing was measured."""
    if phases.concentric_s is None:
        return UNKNOWN
    parts = [phases.concentric_s, phases.hold_s, phases.eccentric_s]
    if phases.pause_s is not None:
        parts.append(phases.pause_s)
    return "-".join(number(part) for part in parts)


def headline(summary: SessionSummary) -> str:
    """Sets and reps in one line: ``3 sets: 8, 8 and 7 reps``."""
    if not summary.sets:
        return "No reps were counted"
    counts = [len(one.reps) for one in summary.sets]
    words = f"{plural(len(counts), 'set')}: {listed(map(str, counts))} {'rep' if counts == [1] else 'reps'}"
    partial = sum("partial" in rep.flags for one in summary.sets for rep in one.reps)
    return words if not partial else f"{words}, {plural(partial, 'half rep')} among them"


def posture(summary: SessionSummary) -> str:
    """The session's posture, and whether sets differ from it."""
    each = dict.fromkeys([summary.posture, *(one.posture for one in summary.sets)])
    known = [one for one in each if one is not None]
    if not known:
        return "posture not known"
    return POSTURES[known[0]] + (", changed between sets" if len(known) > 1 else "")


def set_title(number: int, one: SetSummary) -> str:
    """``Set 2: 8 reps in 34 s, after 46 s of rest``."""
    rest = "" if one.rest_before_s is None else f", after {duration(one.rest_before_s)} of rest"
    return f"Set {number}: {plural(len(one.reps), 'rep')} in {duration(one.end_s - one.start_s)}{rest}"


def flags(rep: Rep) -> str:
    """A rep's flags in words; empty for an ordinary rep."""
    found = [FLAGS.get(flag, flag.replace("_", " ")) for flag in rep.flags]
    return ", ".join(found if rep.is_measured else [*found, "not measured"])


def range_of(rep: Rep, foot: Foot) -> str:
    """One side's range with its uncertainty: ``12.3 ±1.0``."""
    angle_rad, sd_rad = rep.range_rad[foot], rep.range_sd_rad[foot]
    if angle_rad is None:
        return UNKNOWN
    return degrees(angle_rad) + ("" if sd_rad is None else f" ±{degrees(2 * sd_rad)}")


def spread(one: Spread | None) -> str:
    """A mean range with the uncertainty of the mean and the spread from rep to rep."""
    if one is None:
        return "not measured"
    return f"mean {degrees(one.mean)}° ±{degrees(2 * one.uncertainty)}°, from rep to rep SD {degrees(one.sd)}°"


def verdict(one: SetSummary) -> str:
    """Left and right of a set in a few words."""
    if one.symmetry is not None:
        return one.symmetry.verdict[:1].upper() + one.symmetry.verdict[1:]
    missing = [foot.word for foot in Foot if one.range_rad[foot] is None]
    return f"No comparison: {' and '.join(missing)} not measured" if missing else "No comparison: too few reps"


def difference(one: SetSummary) -> tuple[str, str]:
    """Right minus left of a set, in degrees and per cent, and its 95 % interval."""
    if one.symmetry is None:
        return UNKNOWN, UNKNOWN
    low, high = one.symmetry.interval_pct
    return _difference(one.range_rad, one.symmetry), f"{signed_pct(low)} to {signed_pct(high)}"


def symmetry(one: SetSummary) -> str:
    """The verdict, and the figures behind it; the difference is right minus left."""
    if one.symmetry is None:
        return verdict(one)
    found, interval = difference(one)
    return f"{verdict(one)} (right minus left {found}; 95 % interval {interval})"


def _difference(means: Sequence[Spread | None], found: Symmetry) -> str:
    left, right = means
    if left is None or right is None:
        return signed_pct(found.index_pct)
    # of the reps that were compared: the means may be of others as well, where a sensor was lost
    difference_deg = found.index_pct / 100 * math.degrees(left.mean + right.mean) / 2
    return f"{round(difference_deg, 1) + 0.0:+.1f}°, {signed_pct(found.index_pct)}"


def fatigue_verdict(found: Fatigue) -> str:
    """Whether a set showed fatigue, in a few words."""
    if found.detected:
        return "Fatigue showed" if found.from_rep is None else f"Fatigue showed from rep {found.from_rep}"
    measured = found.range_loss_pct is not None or found.speed_loss_pct is not None
    return "No lasting loss" if measured else "Too few reps to show a trend"


def fatigue(found: Fatigue) -> str:
    """The verdict, and what changed against the set's own best early reps; why is in `Fatigue.evidence`."""
    changes = [
        f"{what} {abs(round(loss))} % {less if loss > 0 else more}" if round(loss) else f"{what} unchanged"
        for what, loss, less, more in (
            ("range", found.range_loss_pct, "less", "more"),
            ("opening speed", found.speed_loss_pct, "less", "more"),
            ("time a rep", found.slowing_pct, "longer", "shorter"),
        )
        if loss is not None
    ]
    if not changes:
        return fatigue_verdict(found)
    return f"{fatigue_verdict(found)} (at the end, against your own early reps: {', '.join(changes)})"


def set_against_first(one: SetSummary, first: SetSummary) -> str:
    """How a set compares with set 1."""
    change = against_first(one, first)
    if one.posture != first.posture:
        unknown = None in (one.posture, first.posture)
        return f"not compared with set 1: {'a posture that was not recognised' if unknown else 'another posture'}"
    if change == (None, None, None):
        return "not compared with set 1: no side was measured in both"
    return (
        f"against set 1: range {signed_pct(change.range)}, opening speed {signed_pct(change.speed)},"
        f" return time {signed_pct(change.eccentric)}"
    )


def sensor_model(model: str) -> str:
    """What people call a sensor of this model: the title that its module in `devices/` gives it."""
    return device(model).TITLE if model in MODELS else printable(model)


def sensors(summary: SessionSummary) -> list[str]:
    """A sentence a foot on what came from its sensor."""
    return [f"Sensor {foot.word}: {quality(summary, foot)}." for foot in Foot]


def quality(summary: SessionSummary, foot: Foot) -> str:
    """What came from one foot: sensor, rate, loss, gaps."""
    stats = summary.feet.get(foot)
    if stats is None:
        return "no sensor"
    if not stats.samples:
        return f"{sensor_model(stats.device)}, no samples came from it"
    expected = stats.samples + stats.lost
    lost = f"{stats.lost} of {expected} samples lost"
    if stats.lost and expected:
        lost += f" ({number(100 * stats.lost / expected)} %)"
    parts = [f"{sensor_model(stats.device)} at {number(stats.rate_hz)} Hz", lost, gaps(stats.gaps)]
    if stats.malformed:
        parts.append(plural(stats.malformed, "unreadable packet"))
    if stats.saturated:
        parts.append(f"{plural(stats.saturated, 'sample')} beyond the sensor's limit")
    return ", ".join(parts)


def gaps(spans: Sequence[tuple[float, float]]) -> str:
    """``2 gaps (at 92.0 s for 3.5 s, …)``; more than three are summed up."""
    if not spans:
        return "no gaps"
    if len(spans) > 3:
        return f"{len(spans)} gaps ({number(sum(end - start for start, end in spans))} s in all)"
    each = ", ".join(f"at {number(start)} s for {number(end - start)} s" for start, end in spans)
    return f"{plural(len(spans), 'gap')} ({each})"


def angle_uncertainty_deg(summary: SessionSummary) -> float | None:
    """About 95 %: twice the median standard uncertainty of a rep's range. None without a measured rep."""
    found = [sd for one in summary.sets for rep in one.reps for sd in rep.range_sd_rad if sd is not None]
    return 2 * math.degrees(median(found)) if found else None


def disclaimer(summary: SessionSummary) -> str:
    """The sentences that end every report."""
    within = angle_uncertainty_deg(summary)
    angles = "Angles are estimates"
    if within is not None and math.isfinite(within):
        angles += f", one rep measured to ±{number(within)}°"
        angles += " in this posture" if summary.posture else ""
    return f"Not a medical device. {angles}. Stop if pain is sharp or new."


def caveat(summary: SessionSummary) -> str | None:
    """What the posture takes from the angles, if anything."""
    if "table-top" in {summary.posture, *(one.posture for one in summary.sets)}:
        return (
            "In table-top gravity does not see the turning: the angles come from the gyroscope alone and are set to"
            " zero at each return to rest. Compare them within the session."
        )
    unknown = [number for number, one in enumerate(summary.sets, 1) if one.posture is None]
    if not unknown:
        return None
    if len(unknown) == len(summary.sets):
        return "The posture was not recognised: compare the angles within the session only."
    which = f"{'set' if len(unknown) == 1 else 'sets'} {listed(map(str, unknown))}"
    return f"The posture in {which} was not recognised: compare those angles within the set only."
