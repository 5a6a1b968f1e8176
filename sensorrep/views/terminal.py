"""The session after it has ended, for a terminal of 80 columns; nothing hangs on colour."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sensorrep.model import Check, Foot, Rejected, Rep, SessionSummary, SetSummary
from sensorrep.views import formats, reasons, words

MOST_REJECTED: Final = 6
"""Movements not counted that are listed; the rest is a number (`explain` lists all)."""


def show(summary: SessionSummary, console: Console, *, source: str | None = None, simulated: bool = False) -> None:
    """Headline, a table a set with what it means, sets against each other, quality of the recording, safe wording."""
    if simulated:
        _say(console, Text(f" {words.SIMULATED} ", "reverse bold"))
    _say(console, Text(words.headline(summary), "bold"))
    about = [words.posture(summary), formats.duration(summary.duration_s), formats.printable(source or "")]
    _say(console, Text(", ".join(part for part in about if part)))
    for number, one in enumerate(summary.sets, 1):
        _say(console, Text(f"\n{words.set_title(number, one)}", "bold"))
        _say(console, _reps(one))
        _say(console, Padding(_lines(_meaning(one)), (0, 0, 0, 1)))
    _say(console, Text("\nSession", "bold"))
    _say(console, Padding(_lines(_session(summary)), (0, 0, 0, 1)))
    _say(console, Text(f"\n{words.disclaimer(summary)}", "italic"))


def explain(summary: SessionSummary, console: Console) -> None:
    """Every movement that was looked at, in order of time: the rules put to it, what was measured, and the limits."""
    movements = sorted(_movements(summary), key=lambda movement: movement[0])
    for start_s, end_s, title, checks in movements:
        _say(console, Text(f"{formats.number(start_s)} to {formats.number(end_s)} s  {title}", "bold"))
        _say(console, Padding(_checks(checks), (0, 0, 0, 2)))
    if not movements:
        _say(console, Text("No movement was large enough to look at."))


def _say(console: Console, what: RenderableType) -> None:
    console.print(what, highlight=False, markup=False, soft_wrap=False)


def _reps(one: SetSummary) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="underline")
    table.add_column("rep", justify="right")
    for title in ("left °", "right °", "tempo s", "speed °/s"):
        table.add_column(title, no_wrap=True)
    table.add_column("")
    for number, rep in enumerate(one.reps, 1):
        sides = [words.range_of(rep, foot) for foot in Foot]
        speeds = " / ".join(formats.degrees(speed) for speed in rep.peak_speed_rad_s)
        table.add_row(str(number), *sides, words.tempo(rep), speeds, words.flags(rep))
    return table


def _meaning(one: SetSummary) -> Iterator[tuple[str, str]]:
    """What the set's reps come to, as label and sentence."""
    yield "tempo", f"{words.tempo(one.tempo)} s (opening-hold-return-pause, medians)"
    for foot in Foot:
        yield foot.word, words.spread(one.range_rad[foot])
    yield "sides", words.symmetry(one)
    yield "fatigue", words.fatigue(one.fatigue)
    for evidence in one.fatigue.evidence:
        yield "", evidence


def _session(summary: SessionSummary) -> Iterator[tuple[str, str]]:
    for number, one in enumerate(summary.sets[1:], 2):
        yield f"set {number}", words.set_against_first(one, summary.sets[0])
    for foot in Foot:
        yield foot.word, words.quality(summary, foot)
    label = "left out"
    for rejected in summary.rejected[:MOST_REJECTED]:
        yield label, reasons.rejected(rejected)
        label = ""
    if len(summary.rejected) > MOST_REJECTED:
        yield "", f"and {len(summary.rejected) - MOST_REJECTED} more"
    if summary.sets:
        yield "±", words.PLUS_MINUS
    note = words.caveat(summary)
    if note:
        yield "note", note


def _lines(lines: Iterable[tuple[str, str]]) -> Table:
    """Labels on the left, sentences beside them."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, min_width=8, style="dim")
    grid.add_column()
    for label, sentence in lines:
        grid.add_row(label, Text(sentence))
    return grid


def _movements(summary: SessionSummary) -> Iterator[tuple[float, float, str, Sequence[Check]]]:
    for set_number, one in enumerate(summary.sets, 1):
        for number, rep in enumerate(one.reps, 1):
            yield rep.start_s, rep.end_s, _counted(set_number, number, rep), rep.checks
    for rejected in summary.rejected:
        yield rejected.start_s, rejected.end_s, _left_out(rejected), rejected.checks


def _counted(set_number: int, number: int, rep: Rep) -> str:
    return f"counted: set {set_number}, rep {number}" + (f" ({words.flags(rep)})" if rep.flags else "")


def _left_out(rejected: Rejected) -> str:
    return f"not counted: {reasons.reason(rejected)}"


def _checks(checks: Sequence[Check]) -> RenderableType:
    if not checks:
        return Text("no rule was put to it")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for check in map(reasons.in_degrees, checks):
        verdict = "passed" if check.passed else "FAILED"
        bound = "at least" if check.passed == (check.value >= check.limit) else "at most"
        values = (formats.number(check.value, 2), f"{bound} {formats.number(check.limit, 2)}")
        table.add_row(verdict, Text(check.rule), *values, style="" if check.passed else "bold")
    return table
