"""`sensorrep inspect`: a recording's soundness on a terminal."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sensorrep.views.arrivals import Arrivals
from sensorrep.views.formats import duration, listed, number, plural, printable, when
from sensorrep.views.soundness import FootInspection, Inspection, concerns, inspect
from sensorrep.views.words import sensor_model

__all__ = ["Inspection", "concerns", "inspect", "show"]

MOST_LINES: Final = 20
"""Gaps and events that are listed, of each; the rest is a number."""


def show(inspection: Inspection, console: Console) -> None:
    """Verdict, one column a foot, gaps and events; made for 80 columns, and nothing hangs on colour."""
    wrong = concerns(inspection)
    verdict = "sound" if not wrong else f"{plural(len(wrong), 'thing')} to know"
    _say(console, Text(f"{printable(inspection.source)}: {verdict}", "bold"))
    _say(console, Text(_about(inspection)))
    _say(console, Padding(_grid([("-", one) for one in wrong]), (0, 0, 1, 0)))
    _say(console, _columns(inspection))
    ppm = inspection.right_slower_ppm
    if ppm is not None:
        apart = f"{abs(ppm):.0f} ppm {'slower' if ppm >= 0 else 'faster'} ({abs(ppm) * 3.6:.0f} ms in an hour)"
        _say(console, Text(f"\nBetween the sensors: the right clock is {apart}"))
    gaps = sorted((*gap, foot.word) for foot, one in inspection.feet.items() for gap in one.gaps)
    _list(
        console,
        "Gaps, from the first sample on",
        [(f"{start_s:.1f} s", f"{word} for {number(end_s - start_s)} s") for start_s, end_s, word in gaps],
    )
    _list(
        console,
        "Events, from the first packet on",
        [
            ("" if at_s is None else f"{at_s:.1f} s", f"{printable(kind)}: {printable(rest)}")
            for at_s, kind, rest in inspection.events
        ],
    )


def _about(inspection: Inspection) -> str:
    header = inspection.header
    parts = [
        duration(inspection.duration_s),
        when(header.started_at),
        header.movement,
        "simulated" if header.simulated else "",
        listed(f"{printable(name)} {printable(version)}" for name, version in header.software.items()),
        "closed cleanly" if inspection.closed_cleanly else "",
    ]
    return ", ".join(part for part in parts if part)


def _columns(inspection: Inspection) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="underline")
    table.add_column("", no_wrap=True)
    for foot in inspection.feet:
        table.add_column(foot.word, overflow="fold")
    rows = [list(_facts(one)) for one in inspection.feet.values()]
    for facts in zip(*rows, strict=True):
        if any(fact for _, fact in facts):
            table.add_row(facts[0][0], *(Text(fact or "–") for _, fact in facts))
    return table


def _facts(foot: FootInspection) -> Iterator[tuple[str, str]]:
    """Label and value; a row without values is left out."""
    link = foot.arrivals or Arrivals(0, None, None, None, None)
    yield "sensor", sensor_model(foot.device)
    yield "name", printable(foot.name)
    yield "packets", ", ".join(f"{count} {channel}" for channel, count in foot.packets.items()) or "none"
    yield "samples", str(foot.samples)
    yield "lost samples", f"{foot.lost} ({number(100 * foot.lost_share, 2)} %)" if foot.lost else "none"
    nominal = "" if foot.nominal_hz is None else f" (set to {number(foot.nominal_hz)})"
    yield "rate", f"{number(foot.rate_hz, 2)} Hz{nominal}"
    yield "rate by its own clock", _known(link.sensor_rate_hz, "Hz", 2)
    yield "its clock", "" if link.slow_ppm is None else _clock(link.slow_ppm)
    yield "delay of 95 % below", _known(link.delay_p95_s, "ms", 0, 1000)
    yield "longest delay", _known(link.delay_max_s, "ms", 0, 1000)
    gaps = f"{len(foot.gaps)}, the longest {number(foot.longest_gap_s)} s" if foot.gaps else "none"
    yield "gaps of 0.1 s and more", gaps
    yield "beyond its limit", _count(foot.saturated, "sample")
    yield "unreadable", _count(foot.malformed, "packet")
    yield "twice", _count(foot.duplicates, "sample")
    yield "too late", _count(foot.late, "sample")
    yield "restarts", str(link.restarts or "")
    yield "battery", " to ".join(dict.fromkeys(foot.battery))
    yield "clock answers", _answers(foot.round_trips_s)


def _answers(round_trips_s: Sequence[float]) -> str:
    if not round_trips_s:
        return ""
    usual, most = (number(1000 * took, 0) for took in (median(round_trips_s), max(round_trips_s)))
    return f"{len(round_trips_s)}, after {usual} ms (at most {most})"


def _known(value: float | None, unit: str, decimals: int, scale: float = 1.0) -> str:
    return "" if value is None else f"{number(value * scale, decimals)} {unit}"


def _count(count: int, noun: str) -> str:
    return plural(count, noun) if count else ""


def _clock(slow_ppm: float) -> str:
    return f"{abs(slow_ppm):.0f} ppm {'slow' if slow_ppm >= 0 else 'fast'}"


def _list(console: Console, title: str, lines: list[tuple[str, str]]) -> None:
    if not lines:
        return
    _say(console, Text(f"\n{title}", "bold"))
    more = len(lines) - MOST_LINES
    _say(console, _grid(lines[:MOST_LINES] + ([("", f"and {more} more")] if more > 0 else [])))


def _grid(lines: list[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(overflow="fold")
    for label, sentence in lines:
        grid.add_row(label, Text(sentence))
    return grid


def _say(console: Console, what: RenderableType) -> None:
    console.print(what, highlight=False, markup=False, soft_wrap=False)
