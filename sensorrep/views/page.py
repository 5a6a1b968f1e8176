"""The report's one page: a session as HTML that needs nothing but itself, on a screen, a phone or A4 paper. Pure."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sensorrep import __version__
from sensorrep.model import Foot, Rep, SessionSummary, SetSummary
from sensorrep.views import formats, reasons, words
from sensorrep.views.markup import bullets, escaped, section, table
from sensorrep.views.page_style import STYLE
from sensorrep.views.page_text import BY_HAND, PICTURES, READING

GENERATOR: Final = '<meta name="generator" content="sensorrep'
"""By this a page is known as ours."""
WORDS_A_LINE: Final = 18
"""Letters that fit beside each other into a cell of the table of sets, on paper."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a page tells of: the summary and where it is from."""

    summary: SessionSummary
    source: str
    simulated: bool
    started_at: str | None


def page(session: Session, pictures: Mapping[str, bytes]) -> str:
    """The whole document; `pictures` are SVG by the names of PICTURES, those that are missing are left out."""
    summary = session.summary
    shown = {name: _figure(name, svg, summary) for name, svg in pictures.items()}
    parts = [
        _header(session),
        _first_page(session, shown.get("session", "")),
        section("Range, left and right", _ranges_table(summary), shown.get("range", ""), shown.get("reps", "")),
        section("Tempo", _tempo_table(summary), shown.get("tempo", "")),
        section("Fatigue", _fatigue(summary)),
        section("Set against set", _across(summary), shown.get("sets", "")),
        section("Speed and smoothness", shown.get("speed", "")),
        section("Quality of the recording", bullets(words.sensors(summary))),
        section("Every rep", _reps_table(summary)),
        section("Movements not counted", bullets((reasons.rejected(one) for one in summary.rejected), "two")),
        section("To fill in by hand", BY_HAND),
        section("How to read this", _reading(summary)),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{GENERATOR} {__version__}">\n'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(_title(session))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n</main>\n<footer><p>{escaped(words.disclaimer(summary))}</p>"
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
    return section("Summary", _sets_table(session.summary), figure, classes=classes)


def _title(session: Session) -> str:
    mark = "SIMULATED, " if session.simulated else ""
    return f"{mark}{words.headline(session.summary)}, {formats.when(session.started_at)}"


def _header(session: Session) -> str:
    summary = session.summary
    about = [formats.when(session.started_at), formats.duration(summary.duration_s), words.posture(summary)]
    if summary.movement == "one-leg":
        about.append("one leg")
    return (
        "<header>"
        + (f'<p class="simulated">{words.SIMULATED}</p>' if session.simulated else "")
        + f"<h1>{escaped(words.headline(summary))}</h1>"
        + f"<p>{escaped(' · '.join(about))}</p>"
        + f'<p class="quiet">Recording: {escaped(formats.printable(session.source))}</p></header>'
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
            "" if one.rest_before_s is None else formats.duration(one.rest_before_s),
        )
        for number, one in enumerate(summary.sets, 1)
    ]
    head = ("Set", "Reps", "Mean left", "Mean right", "Left and right", "Tempo (s)", "Fatigue", "Rest before")
    return table("Sets", head, rows)


def _mean(one: SetSummary, foot: Foot) -> str:
    found = one.range_rad[foot]
    return (
        formats.UNKNOWN
        if found is None
        else f"{formats.degrees(found.mean)}° ±{formats.degrees(2 * found.uncertainty)}°"
    )


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
    return table("Range of each side", head, rows)


def _ranges(one: SetSummary, foot: Foot) -> Sequence[str]:
    """Mean, spread and largest of one side's ranges in a set."""
    found = one.range_rad[foot]
    if found is None:
        return (formats.UNKNOWN,) * 3
    largest = max(value for rep in one.reps if (value := rep.range_rad[foot]) is not None)
    return _mean(one, foot), f"{formats.degrees(found.sd)}°", f"{formats.degrees(largest)}°"


def _tempo_table(summary: SessionSummary) -> str:
    rows = [
        (
            f"{number}",
            *(formats.number(phase, 2) for phase in (t.concentric_s, t.hold_s, t.eccentric_s, t.pause_s)),
        )
        for number, t in enumerate((one.tempo for one in summary.sets), 1)
    ]
    return table("Median times", ("Set", "Opening (s)", "Hold (s)", "Return (s)", "Pause (s)"), rows)


def _fatigue(summary: SessionSummary) -> str:
    return "".join(
        f"<p><b>Set {number}.</b> {escaped(words.fatigue(one.fatigue))}.</p>{bullets(one.fatigue.evidence)}"
        for number, one in enumerate(summary.sets, 1)
    )


def _across(summary: SessionSummary) -> str:
    return "".join(
        f"<p><b>Set {number}</b> {escaped(words.set_against_first(one, summary.sets[0]))}.</p>"
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
    return table("Every rep", head, rows, classes="long")


def _rep_row(name: str, rep: Rep) -> Sequence[str]:
    return (
        name,
        formats.number(rep.start_s),
        *(words.range_of(rep, foot) for foot in Foot),
        words.tempo(rep),
        " / ".join(formats.degrees(speed) for speed in rep.peak_speed_rad_s),
        " / ".join(formats.number(one, 2) for one in rep.smoothness),
        formats.number(rep.lag_s, 2),
        words.flags(rep),
    )


def _reading(summary: SessionSummary) -> str:
    caveat = words.caveat(summary)
    return bullets([*(READING if summary.sets else ()), *([caveat] if caveat else [])], "two")


def _figure(name: str, svg: bytes, summary: SessionSummary) -> str:
    shows, caption = PICTURES[name]
    return (
        f'<figure><div class="wide" role="region" aria-label="{escaped(caption.partition(".")[0])}" tabindex="0">'
        f'<img src="data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"'
        f' alt="{escaped(f"{shows}. {words.headline(summary)}.")}"></div>'
        f"<figcaption>{escaped(caption)}</figcaption></figure>"
    )
