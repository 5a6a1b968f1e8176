"""The report's one page: a session as HTML that needs nothing but itself, on a screen, a phone or A4 paper. Pure."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from sensorrep import __version__
from sensorrep.model import Foot, Rep, SessionSummary, SetSummary
from sensorrep.views import words
from sensorrep.views.page_style import STYLE

GENERATOR: Final = '<meta name="generator" content="sensorrep'
"""By this a page is known as ours."""

CAPTIONS: Final = {
    "session": (
        "Heel opening over time: above the whole session, below each set with its reps numbered."
        " Hatched: a sensor was lost. Brackets: a rep with a note in the table of reps."
    ),
    "range": (
        "Range of each rep. The dashed line is what the set's best early reps reached; the dotted ground begins where"
        " fatigue showed. Bars: about 95 % uncertainty."
    ),
    "reps": "Reps of each set laid over each other from their starts. Dotted: the mean of the other side.",
    "tempo": "How long opening, hold, return and pause took in each rep.",
    "speed": "Highest speeds of opening and return, and smoothness of the movement, of each rep.",
    "sets": "Each set beside the others. Bars: about 95 % uncertainty.",
}
"""What each figure shows, by its file name."""


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
    "Range of a rep: its highest opening minus the rest level before and after it.",
    "Tempo: seconds of opening, hold, return and pause, between 10 % and 90 % of the range; a set's is the median.",
    f"±: {words.PLUS_MINUS}. Clinical measurements of hip rotation differ by 5° to 9° between tests.",
    "Left and right: 'no difference we can measure' means that a difference, if there is one, is too small to be seen"
    " over the spread of the reps. The band couples the legs: a side that moves less need not be weaker.",
    "Fatigue: two or more reps in a row that lost range or opening speed against the set's own best early reps.",
    "Smoothness (SPARC) has no unit: nearer to zero is smoother. Lag: how much later the right leg opened.",
)

FIGURES_ONLY: Final = re.compile(r"[-\d.±°/ –s]*")
"""Cells that stay on one line."""


def page(session: Session, pictures: Mapping[str, bytes]) -> str:
    """The whole document; `pictures` are SVG by the names of CAPTIONS, those that are missing are left out."""
    summary = session.summary
    shown = {name: _figure(name, svg, summary) for name, svg in pictures.items()}
    parts = [
        _header(session),
        _first_page(session, shown.get("session", "")),
        _section("Range of each side", _ranges_table(summary), shown.get("range", ""), shown.get("reps", "")),
        _section("Left and right", _each_set(summary, words.symmetry)),
        _section("Tempo", _tempo_table(summary), shown.get("tempo", "")),
        _section("Fatigue", _fatigue(summary), shown.get("speed", "")),
        _section("Set against set", _across(summary), shown.get("sets", "")),
        _section("Quality of the recording", _quality(summary)),
        _section("Every rep", _reps_table(summary)),
        _section("Movements not counted", _list(words.rejected(one) for one in summary.rejected)),
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
    tall = max(100, 190 - 11 * len(sets) - 14 * session.simulated)
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
    head = ("Set", "Reps", "Left", "Right", "Left and right", "Tempo (s)", "Fatigue", "Rest before")
    return _table("Sets", head, rows)


def _mean(one: SetSummary, foot: Foot) -> str:
    found = one.range_rad[foot]
    return words.UNKNOWN if found is None else f"{words.degrees(found.mean)}° ±{words.degrees(2 * found.uncertainty)}°"


def _ranges_table(summary: SessionSummary) -> str:
    rows = []
    for number, one in enumerate(summary.sets, 1):
        for foot in Foot:
            found = one.range_rad[foot]
            if found is not None:
                ranges = [rep.range_rad[foot] for rep in one.reps]
                best = max(value for value in ranges if value is not None)
                numbers = (found.mean, 2 * found.uncertainty, found.sd, best)
                rows.append((f"{number}, {foot.word}", *(f"{words.degrees(value)}°" for value in numbers)))
    return _table("Range of each side", ("Set, side", "Mean", "Mean known to ±", "Sd from rep to rep", "Largest"), rows)


def _tempo_table(summary: SessionSummary) -> str:
    rows = [
        (
            f"{number}",
            *(words.number(phase, 2) for phase in (t.concentric_s, t.hold_s, t.eccentric_s, t.pause_s)),
            words.tempo(t),
        )
        for number, t in enumerate((one.tempo for one in summary.sets), 1)
    ]
    return _table("Median times", ("Set", "Opening (s)", "Hold (s)", "Return (s)", "Pause (s)", "Tempo"), rows)


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


def _each_set(summary: SessionSummary, say: Callable[[SetSummary], str]) -> str:
    return "".join(f"<p><b>Set {number}.</b> {_text(say(one))}.</p>" for number, one in enumerate(summary.sets, 1))


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


def _quality(summary: SessionSummary) -> str:
    lines = words.sensors(summary)
    within = words.angle_uncertainty_deg(summary)
    if within is not None:
        lines.append(f"The range of one rep is known to about ±{words.number(within)}°.")
    return _list(lines)


def _reading(summary: SessionSummary) -> str:
    caveat = words.caveat(summary)
    return _list([*READING, *([caveat] if caveat else [])])


def _figure(name: str, svg: bytes, summary: SessionSummary) -> str:
    alt = f"Chart ({name}). {words.headline(summary)}. Its numbers are in the tables."
    return (
        f'<figure><div class="wide"><img src="data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"'
        f' alt="{_text(alt)}"></div><figcaption>{_text(CAPTIONS[name])}</figcaption></figure>'
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
    titles = "".join(f'<th scope="col">{_text(title)}</th>' for title in head)
    return (
        f'<div class="wide" role="region" aria-label="{_text(name)}" tabindex="0">'
        f'<table class="{classes}"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(text: str) -> str:
    kind = "figures" if FIGURES_ONLY.fullmatch(text) else "words"
    return f'<td class="{kind}">{_text(text)}</td>'


def _list(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def _text(text: str) -> str:
    """Escaped, with numbers kept together with what follows them."""
    return escape(text, quote=True).replace(" %", "\N{NO-BREAK SPACE}%").replace(" ±", "\N{NO-BREAK SPACE}±")
