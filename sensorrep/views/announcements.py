"""What is said of an event or a note during a session: one line each. Pure."""

from typing import Final

from sensorrep.model import (
    LOW_BATTERY_PCT,
    Event,
    Foot,
    FootBack,
    FootLost,
    Note,
    Rejected,
    RepCounted,
    RepsCorrected,
    SessionEnded,
    SetEnded,
)
from sensorrep.views import formats, reasons, words
from sensorrep.views.link_quality import LinkWord

FEET: Final = {foot.word: foot for foot in Foot}
LATE: Final = "a new set from its fifth rep on"
"""What one sensor alone is slower in (`kinematics.sets`)."""
SWAPPED: Final = (
    "Left and right look swapped: carry on, the count is right. Before the next session put each sensor on its own"
    " foot, or run sensorrep setup."
)


def of_event(event: Event) -> str:
    """One line on what was decided."""
    match event:
        case RepCounted():
            return f"Set {event.set_number}, rep {event.number}: {_of_rep(event)}"
        case RepsCorrected():
            return f"Set {event.set_number}: {formats.plural(event.count, 'rep')}, not {event.announced}: {event.why}"
        case SetEnded():
            return f"Set {event.set_number} is over: {of_set(event)}"
        case Rejected():
            return f"Not counted: {reasons.a_movement(event)}: {reasons.reason(event)}"
        case FootLost():
            return lost(event.foot)
        case FootBack():
            away = formats.number(event.to_s - event.from_s)
            return f"The {event.foot.word} sensor is back after {away} s; that gap is marked"
        case SessionEnded():
            return words.headline(event.summary)


def of_note(note: Note, other: LinkWord = "good") -> str | None:
    """One line on what a person should know of a note; None for what only the file needs.

    `other` is how the other foot's link is.
    """
    foot = FEET.get(str(note.fields.get("foot")))
    if note.kind == "note":
        return formats.printable(str(note.fields.get("text", "")))
    if foot is None:
        return None
    if note.kind == "battery":
        return _battery(foot, note.fields.get("percent"))
    if note.kind != "link":
        return None
    match note.fields.get("state"):
        case "connected":
            return f"The {foot.word} sensor is connected"
        case "back":
            return f"The {foot.word} sensor is back"
        case "lost":
            return lost(foot, other)
        case "missing" | "failed":
            return trouble(note)
    return None


def trouble(note: Note) -> str:
    """What the radio says of a link, and what to do about it."""
    text = formats.printable(str(note.fields.get("text", "")))
    return text[:1].upper() + text[1:]


def lost(foot: Foot, other: LinkWord = "good") -> str:
    """A sensor is gone, and perhaps with it the last one."""
    if other == "looking":  # it never came
        return f"The {foot.word} sensor is lost: nothing is counted until it is back"
    if other in ("lost", "silent"):
        return "Both sensors are lost now: rest if you like, nothing is counted until one of them is back"
    return f"The {foot.word} sensor is lost: keep going, the {Foot(1 - foot).word} one goes on counting, {LATE}"


def of_set(event: SetEnded) -> str:
    """Reps, means and tempo of a set, short."""
    summary = event.summary
    sides = [
        f"{foot.word} {formats.degrees(found.mean, 0)}°"
        for foot in Foot
        if (found := summary.range_rad[foot]) is not None
    ]
    parts = [formats.plural(len(summary.reps), "rep"), *sides, f"tempo {words.tempo(summary.tempo)}"]
    return ", ".join(parts)


def _of_rep(event: RepCounted) -> str:
    rep = event.rep
    sides = [f"{foot.word} {formats.degrees(one, 0)}°" for foot in Foot if (one := rep.range_rad[foot]) is not None]
    parts = [*sides, f"tempo {words.tempo(rep)}" if rep.is_measured else "", words.flags(rep)]
    return ", ".join(part for part in parts if part)


def _battery(foot: Foot, percent: object) -> str | None:
    if not isinstance(percent, int | float):
        return None
    low = percent <= LOW_BATTERY_PCT
    return f"Battery of the {foot.word} sensor: {percent:.0f} %" + (
        ", low: charge it after this session" if low else ""
    )
