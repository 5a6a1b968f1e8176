"""The report's one page: a session as HTML that needs nothing but itself, on a screen, a phone or A4 paper. Pure."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, NamedTuple

from sensorrep import __version__
from sensorrep.model import Foot, Rep, SessionSummary, SetSummary
from sensorrep.views import words
from sensorrep.views.page_style import STYLE

GENERATOR: Final = '<meta name="generator" content="sensorrep'
"""By this a page is known as ours."""


class Picture(NamedTuple):
    """What is said of a figure: to who can't see it, and under it."""

    shows: str
    caption: str


PICTURES: Final = {
    "session": Picture(
        "Line chart of the heel opening over the whole session, and over each set with its reps numbered",
        "Heel opening over time: above the whole session, below each set with its reps numbered."
        " Hatched: a sensor was lost. Brackets: a rep with a note in the table of reps.",
    ),
    "range": Picture(
        "Line charts of the range of each rep, of both legs together and of each side: the numbers are under Every rep",
        "Range of each rep. The dashed line is what the set's best early reps reached; the dotted ground begins where"
        " fatigue showed. Bars: about 95 % uncertainty of each rep.",
    ),
    "reps": Picture(
        "Curves of all reps of each set and side, laid over each other, with their mean",
        "Reps of each set laid over each other from their starts. Dotted: the mean of the other side.",
    ),
    "tempo": Picture(
        "Stacked bars of the time that each phase of each rep took: the numbers are under Every rep",
        "How long opening, hold, return and pause took in each rep.",
    ),
    "speed": Picture(
        "Line charts of each rep's highest opening and return speed and smoothness, left and right:"
        " the numbers are under Every rep",
        "Highest speeds of opening and return, and smoothness of the movement, of each rep.",
    ),
    "sets": Picture(
        "Charts of each set's mean range, difference between the sides, opening speed and tempo:"
        " the numbers are in the tables of sets",
        "Each set beside the others: means of range, medians of mean opening speed and tempo. Bars: about 95 %"
        " uncertainty of the mean and of the difference.",
    ),
}
"""The figures by their file names."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a page tells of: the summary and where it is from."""

    summary: SessionSummary
    source: str
    simulated: bool
    started_at: str | None


BY_HAND: Final = (
    '<table class="by-hand"><tbody>'
    + "".join(
        f'<tr><th scope="row">{question}</th><td></td></tr>'
        for question in (
            "Pain before, worst, after (0 to 10)",
            "Effort (0 to 10)",
            "Why the last set ended (target, tired, pain, other)",
            "Band: colour and length",
            "Pillow, ball, other aids",
            "Note",
        )
    )
    + "</tbody></table>"
)
READING: Final = (
    "Opening: how far a leg turned outward at the foot from its rest. Heel opening: both legs together.",
    "Range of a rep: its highest opening minus the rest level before and after it. SD: how much the ranges of a set"
    " differ from rep to rep (standard deviation).",
    "Tempo: seconds of opening, hold, return and pause, between 10 % and 90 % of the range; a set's is the median.",
    f"±: {words.PLUS_MINUS}. Clinical measurements of hip rotation differ by 5° to 9° between tests.",
    "Left and right: 'no difference we can measure' means that a difference, if there is one, is too small to be seen"
    " over the spread of the reps. The band couples the legs: a side that moves less need not be weaker.",
    "Fatigue: two or more reps in a row that lost range or mean opening speed against the set's own best early reps.",
    "Smoothness (SPARC) has no unit: nearer to zero is smoother. Lag: how much later the right leg opened.",
)

WORDS_A_LINE: Final = 18
"""Letters that fit beside each other into a cell of the table of sets, on paper."""
BROAD: Final = 6
"""A table of so many columns does not fit on a phone."""
FIGURES_ONLY: Final = re.compile(r"[-\d.±°/ –s]*")
"""Cells that stay on one line."""


def page(session: Session, pictures: Mapping[str, bytes]) -> str:
    """The whole document; `pictures` are SVG by the names of PICTURES, those that are missing are left out."""
    summary = session.summary
    shown = {name: _figure(name, svg, summary) for name, svg in pictures.items()}
    parts = [
        _header(session),
        _first_page(session, shown.get("session", "")),
        _section("Range, left and right", _ranges_table(summary), shown.get("range", ""), shown.get("reps", "")),
        _section("Tempo", _tempo_table(summary), shown.get("tempo", "")),
        _section("Fatigue", _fatigue(summary)),
        _section("Set against set", _across(summary), shown.get("sets", "")),
        _section("Speed and smoothness", shown.get("speed", "")),
        _section("Quality of the recording", _list(words.sensors(summary))),
        _section("Every rep", _reps_table(summary)),
        _section("Movements not counted", _list((words.rejected(one) for one in summary.rejected), "two")),
        _section("To fill in by hand", BY_HAND),
        _section("How to read this", _reading(summary)),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{GENERATOR} {__version__}">\n'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(_title(session))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n</main>\n<footer><p>{_text(words.disclaimer(summary))}</p>"
        f"<p>Made by sensorrep {__version__}. It records and describes movement, and compares it with your own."
        " Share it with your physiotherapist.</p></footer>\n</body>\n</html>\n"
    )


def _first_page(session: Session, figure: str) -> str:
    """What is on the first sheet of paper: the figure gets what height the rest leaves (in mm, of an A4 page)."""
    sets = session.summary.sets
    said = [(words.verdict(one), words.fatigue_verdict(one.fatigue)) for one in sets]
    table = sum(10 if max(map(len, each)) > WORDS_A_LINE else 6 for each in said)
    left = 204 - table - 14 * session.simulated
    tall = left if left >= 100 else 235  # too little: a sheet of its own
    classes = f'first" style="--tall: {tall}mm' if sets else ""
    return _section("Summary", _sets_table(session.summary), figure, classes=classes)


def _title(session: Session) -> str:
    mark = "SIMULATED, " if session.simulated else ""
    return f"{mark}{words.headline(session.summary)}, {words.when(session.started_at)}"


def _header(session: Session) -> str:
    summary = session.summary
    about = [words.when(session.started_at), words.duration(summary.duration_s), words.posture(summary)]
    if summary.movement == "one-leg":
        about.append("one leg")
    return (
        "<header>"
        + (f'<p class="simulated">{words.SIMULATED}</p>' if session.simulated else "")
        + f"<h1>{_text(words.headline(summary))}</h1>"
        + f"<p>{_text(' · '.join(about))}</p>"
        + f'<p class="quiet">Recording: {_text(words.printable(session.source))}</p></header>'
    )


def _sets_table(summary: SessionSummary) -> str:
    rows = [
        (
            f"{number}",
            f"{len(one.reps)}",
            *(_mean(one, foot) for foot in Foot),
            words.verdict(one),
            words.tempo(one.tempo),
            words.fatigue_verdict(one.fatigue),
            "" if one.rest_before_s is None else words.duration(one.rest_before_s),
        )
        for number, one in enumerate(summary.sets, 1)
    ]
    head = ("Set", "Reps", "Mean left", "Mean right", "Left and right", "Tempo (s)", "Fatigue", "Rest before")
    return _table("Sets", head, rows)


def _mean(one: SetSummary, foot: Foot) -> str:
    found = one.range_rad[foot]
    return words.UNKNOWN if found is None else f"{words.degrees(found.mean)}° ±{words.degrees(2 * found.uncertainty)}°"


def _ranges_table(summary: SessionSummary) -> str:
    feet = [foot for foot in Foot if any(one.range_rad[foot] is not None for one in summary.sets)]
    head = ["Set", *(f"{what} {foot.word}" for foot in feet for what in ("Mean", "SD", "Largest"))]
    rows = [
        (f"{number}", *(cell for foot in feet for cell in _ranges(one, foot)))
        for number, one in enumerate(summary.sets, 1)
    ]
    if len(feet) == 2:
        head += ["Right minus left", "95 % interval"]
        rows = [(*row, *words.difference(one)) for row, one in zip(rows, summary.sets, strict=True)]
    return _table("Range of each side", head, rows)


def _ranges(one: SetSummary, foot: Foot) -> Sequence[str]:
    """Mean, spread and largest of one side's ranges in a set."""
    found = one.range_rad[foot]
    if found is None:
        return (words.UNKNOWN,) * 3
    largest = max(value for rep in one.reps if (value := rep.range_rad[foot]) is not None)
    return _mean(one, foot), f"{words.degrees(found.sd)}°", f"{words.degrees(largest)}°"


def _tempo_table(summary: SessionSummary) -> str:
    rows = [
        (
            f"{number}",
            *(words.number(phase, 2) for phase in (t.concentric_s, t.hold_s, t.eccentric_s, t.pause_s)),
        )
        for number, t in enumerate((one.tempo for one in summary.sets), 1)
    ]
    return _table("Median times", ("Set", "Opening (s)", "Hold (s)", "Return (s)", "Pause (s)"), rows)


def _fatigue(summary: SessionSummary) -> str:
    return "".join(
        f"<p><b>Set {number}.</b> {_text(words.fatigue(one.fatigue))}.</p>{_list(one.fatigue.evidence)}"
        for number, one in enumerate(summary.sets, 1)
    )


def _across(summary: SessionSummary) -> str:
    return "".join(
        f"<p><b>Set {number}</b> {_text(words.set_against_first(one, summary.sets[0]))}.</p>"
        for number, one in enumerate(summary.sets[1:], 2)
    )


def _reps_table(summary: SessionSummary) -> str:
    head = (
        "Set.rep",
        "At (s)",
        "Left (°)",
        "Right (°)",
        "Tempo (s)",
        "Speed L / R (°/s)",
        "SPARC L / R",
        "Lag (s)",
        "Note",
    )
    rows = [
        _rep_row(f"{set_number}.{number}", rep)
        for set_number, one in enumerate(summary.sets, 1)
        for number, rep in enumerate(one.reps, 1)
    ]
    return _table("Every rep", head, rows, classes="long")


def _rep_row(name: str, rep: Rep) -> Sequence[str]:
    return (
        name,
        words.number(rep.start_s),
        *(words.range_of(rep, foot) for foot in Foot),
        words.tempo(rep),
        " / ".join(words.degrees(speed) for speed in rep.peak_speed_rad_s),
        " / ".join(words.number(one, 2) for one in rep.smoothness),
        words.number(rep.lag_s, 2),
        words.flags(rep),
    )


def _reading(summary: SessionSummary) -> str:
    caveat = words.caveat(summary)
    return _list([*(READING if summary.sets else ()), *([caveat] if caveat else [])], "two")


def _figure(name: str, svg: bytes, summary: SessionSummary) -> str:
    shows, caption = PICTURES[name]
    return (
        f'<figure><div class="wide" role="region" aria-label="{_text(caption.partition(".")[0])}" tabindex="0">'
        f'<img src="data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"'
        f' alt="{_text(f"{shows}. {words.headline(summary)}.")}"></div>'
        f"<figcaption>{_text(caption)}</figcaption></figure>"
    )


def _section(title: str, *parts: str, classes: str = "") -> str:
    """A titled section; nothing where all parts are empty."""
    inside = "".join(parts)
    return f'<section class="{classes}"><h2>{title}</h2>{inside}</section>' if inside else ""


def _table(name: str, head: Sequence[str], rows: Iterable[Sequence[str]], classes: str = "") -> str:
    """Rows whose first cell is their header; nothing without rows."""
    body = "".join(
        f'<tr><th scope="row">{_text(first)}</th>{"".join(map(_cell, cells))}</tr>' for first, *cells in rows
    )
    if not body:
        return ""
    broad = " broad" if len(head) >= BROAD else ""
    titles = "".join(f'<th scope="col">{_text(title)}</th>' for title in head)
    return (
        f'<div class="wide{broad}" role="region" aria-label="{_text(name)}" tabindex="0">'
        f'<table class="{classes}"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(text: str) -> str:
    kind = "figures" if FIGURES_ONLY.fullmatch(text) else "words"
    return f'<td class="{kind}">{_text(text)}</td>'


def _list(sentences: Iterable[str], classes: str = "") -> str:
    items = "".join(f"<li>{_text(sentence)}</li>" for sentence in sentences)
    return f'<ul class="{classes}">{items}</ul>' if items else ""


def _text(text: str) -> str:
    """Escaped, with numbers kept together with what follows them."""
    return escape(text, quote=True).replace(" %", "\N{NO-BREAK SPACE}%").replace(" ±", "\N{NO-BREAK SPACE}±")
