"""What is on the screen during a session, as plain data: from messages, events and the latest signal. Pure.

Time is the host's clock, given by whoever asks; session time is counted from the first packet.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from sensorrep.kinematics.unrest import Unrest, still
from sensorrep.model import (
    LOW_BATTERY_PCT,
    Event,
    Foot,
    FootBack,
    FootLost,
    Message,
    Note,
    Packet,
    Rep,
    RepCounted,
    RepsCorrected,
    SessionEnded,
    SetEnded,
)
from sensorrep.targets import Targets
from sensorrep.views import announcements, formats, words
from sensorrep.views.link_quality import LinkMeter, LinkQuality, LinkWord

Phase = Literal["connect", "position", "still", "begin", "going", "set", "rest", "ending", "end"]

LIES_S: Final = 1.0
"""Who has been still for so long is taken to be in position: shorter would be every pause on the way."""
HOLD_STILL_S: Final = 3.0
"""Still for so long in all: gyroscopes find their zero meanwhile."""
STOPPED_S: Final = 8.0
"""Who has not moved on for so long has stopped: holds and pauses are shorter."""
UP_RAD_S: Final = 1.0
"""Who moves more than this has got up again, or lies down only now; reps stay below half of it."""
NOTICE_S: Final = 8.0
MOST_DEG: Final = 60.0
"""No hip turns as far: who shows more has left the position that the openings are measured in."""
LEAST_SCALE_DEG: Final = 15.0
FASTER, SLOWER = 0.8, 1.25
"""A phase is called faster or slower beyond these shares of its target."""


class Latest(NamedTuple):
    """The signal just now."""

    opening_rad: tuple[float, float] | None = None
    unrest_rad_s: Unrest = (None, None)
    swapped: bool | None = None
    """Whether the first set that could tell showed left and right exchanged; None while none could."""
    moves: bool = False
    """Whether the legs move on and on, as in reps."""


NOTHING: Final = Latest()


@dataclass(frozen=True, slots=True)
class SetLine:
    """A set that is over, for the list of them."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Screen:
    """All that is to be seen at one instant."""

    phase: Phase
    prompt: str
    """What the person may do now."""
    notice: str
    """What happened just now, for a while; else what to keep in mind."""
    simulated: bool
    session_s: float
    set_number: int
    """The running set's, or during a rest that of the set before it; 0 before the first."""
    count: int
    targets: Targets | None
    """None where nothing was agreed."""
    opening_deg: tuple[float | None, float | None]
    scale_deg: float
    """Opening at which a bar is full."""
    tempo: str | None
    """Of the last rep; None where there is none, or it was not measured."""
    pace: str
    """The last rep against the target tempo, in words."""
    rest_s: float | None
    links: tuple[LinkQuality, LinkQuality]
    feet: tuple[Foot, ...]
    """Those that wear a sensor."""
    sets: tuple[SetLine, ...]


class Scoreboard:
    """Takes in what comes; `screen` says what is to be seen at an instant, and may be asked from another thread."""

    def __init__(
        self, targets: Targets | None = None, *, simulated: bool = False, feet: Iterable[Foot] = tuple(Foot)
    ) -> None:
        self._targets = targets
        self._feet = tuple(feet)
        self.simulated = simulated
        self.swapped = False
        """Whether left and right were found to be exchanged; told once."""
        self._links = (LinkMeter(), LinkMeter())
        self._phase: Phase = "connect"
        self._began_ns: int | None = None
        self._now_ns = 0
        self._still_since_ns: int | None = None
        self._moved_ns = 0
        self._notice = ("", 0)
        self._told: str | None = None
        self._caution = ""
        """What holds for the whole session."""
        self._set_number = 0
        self._count = 0
        self._rep: Rep | None = None
        self._rest_from_s: float | None = None
        self._sets: tuple[SetLine, ...] = ()
        self._opening_rad: tuple[float, float] | None = None
        self._widest_deg = LEAST_SCALE_DEG

    def take(self, messages: Iterable[Message], events: Sequence[Event], latest: Latest = NOTHING) -> list[str]:
        """Take in what came, what was decided, and the signal just now; returns what the notes say to a person."""
        told = []
        for message in messages:
            if isinstance(message, Packet):
                self._take_packet(message)
            elif (line := self._take_note(message)) not in (None, self._told):
                self._told = line  # both feet may have the same to tell, such as that Bluetooth is off
                told.append(line)
        for event in events:
            self._take_event(event)
        self._opening_rad = latest.opening_rad
        if latest.opening_rad is not None and self._phase == "set":
            shown = [deg for deg in map(math.degrees, latest.opening_rad) if deg <= MOST_DEG]
            self._widest_deg = max(self._widest_deg, *shown, 0.0)
        self._settle(latest.unrest_rad_s, latest.moves)
        if latest.swapped and not self.swapped:
            self.swapped = True
            self._caution = announcements.SWAPPED
        return told

    def counted(self) -> str:
        """What was counted so far, in words."""
        over = [f"set {one.number}: {one.text}" for one in self._sets]
        if self._set_number and self._set_number not in [one.number for one in self._sets]:
            over.append(f"set {self._set_number}: {formats.plural(self._count, 'rep')}")
        return "; ".join(over) or "nothing"

    def ending(self) -> None:
        """Somebody asked for the end."""
        self._phase = "ending"

    def screen(self, now_ns: int) -> Screen:
        """What is to be seen at `now_ns` on the host's clock."""
        session_s = self._session_s(now_ns)
        rest_s = None if self._rest_from_s is None else max(session_s - self._rest_from_s, 0.0)
        notice, noticed_ns = self._notice
        left, right = (link.quality(now_ns) for link in self._links)
        opening = self._opening_rad or (None, None)
        return Screen(
            phase=self._phase,
            prompt=self._prompt(rest_s),
            notice=notice if now_ns - noticed_ns < NOTICE_S * 1e9 else self._alone(left, right) or self._caution,
            simulated=self.simulated,
            session_s=session_s,
            set_number=self._set_number,
            count=self._count,
            targets=self._targets,
            opening_deg=(_degrees(opening[0], left), _degrees(opening[1], right)),
            scale_deg=self._widest_deg,
            tempo=words.tempo(self._rep) if self._rep is not None and self._rep.is_measured else None,
            pace="" if self._rep is None else pace(self._rep, self._targets),
            rest_s=rest_s,
            links=(left, right),
            feet=self._feet,
            sets=self._sets,
        )

    def _take_packet(self, packet: Packet) -> None:
        self._now_ns = max(self._now_ns, packet.received_ns)
        if self._began_ns is None:
            self._began_ns = packet.received_ns
            self._enter("position")
        self._links[packet.foot].take(packet.received_ns)

    def _take_note(self, note: Note) -> str | None:
        """What it says to a person."""
        self._now_ns = max(self._now_ns, note.at_ns)
        foot = announcements.FEET.get(str(note.fields.get("foot")))
        if foot is not None and note.kind == "link":
            match note.fields.get("state"):
                case "lost":
                    self._links[foot].lost = True
                case "connected" | "back":
                    self._links[foot].begin()
        if note.kind == "note":
            self._caution = announcements.of_note(note) or ""
        line = announcements.of_note(note, "good" if foot is None else self._other(foot))
        percent = note.fields.get("percent")
        if foot is not None and note.kind == "battery" and isinstance(percent, int):
            self._links[foot].battery_pct = percent
        if note.kind != "battery" or (isinstance(percent, int) and percent <= LOW_BATTERY_PCT):
            self._notify(line)
        return line

    def _other(self, foot: Foot) -> LinkWord:
        """How the other foot's link is."""
        return self._links[1 - foot].quality(self._now_ns).word

    def _take_event(self, event: Event) -> None:
        match event:
            case RepCounted():
                self._enter("set")
                self._rest_from_s = None
                self._set_number, self._count, self._rep = event.set_number, event.number, event.rep
                both = [math.degrees(one) for one in event.rep.range_rad if one is not None]
                self._widest_deg = max(self._widest_deg, *both, 0.0)
            case RepsCorrected():
                self._count = event.count
                if not event.count:  # it was no set
                    self._enter("rest" if self._sets else "begin")
                self._notify(announcements.of_event(event))
            case SetEnded():
                self._enter("rest")
                self._rest_from_s = event.summary.end_s
                self._set_number, self._count = event.set_number, len(event.summary.reps)
                self._sets = (*self._sets, SetLine(event.set_number, announcements.of_set(event)))
            case FootLost():
                self._notify(announcements.lost(event.foot, self._other(event.foot)))
            case FootBack():
                self._notify(announcements.of_event(event))
            case SessionEnded():
                self._phase = "end"

    def _enter(self, phase: Phase) -> None:
        """Go on to this phase, unless the end was asked for."""
        if self._phase != "ending":
            self._phase = phase

    def _settle(self, unrest: Unrest, moves: bool) -> None:
        """The calm start: lie down, hold still, begin, and go on until reps are counted."""
        if self._phase not in ("position", "still", "begin", "going"):
            return
        if max((one for one in unrest if one is not None), default=0.0) > UP_RAD_S:
            self._phase, self._still_since_ns = "position", None
        elif self._phase in ("begin", "going") or (self._phase == "still" and moves):
            self._go_on(moves)
        elif not still(unrest):
            self._still_since_ns = None
        elif self._still_since_ns is None:
            self._still_since_ns = self._now_ns
        elif self._now_ns - self._still_since_ns >= HOLD_STILL_S * 1e9:
            self._phase = "begin"
        elif self._phase == "position" and self._now_ns - self._still_since_ns >= LIES_S * 1e9:
            self._phase = "still"

    def _go_on(self, moves: bool) -> None:
        """The first reps are told only with the third: meanwhile it is seen that somebody is at it."""
        if moves:
            self._phase, self._moved_ns = "going", self._now_ns
        elif self._now_ns - self._moved_ns >= STOPPED_S * 1e9:
            self._phase = "begin"

    def _prompt(self, rest_s: float | None) -> str:
        match self._phase:
            case "connect":
                return "Looking for the sensors. Switch them on and strap one to each ankle."
            case "position":
                lie = "Lie down as you will exercise: knees bent, ball between them, band round the ankles."
                return lie + self._who_came()
            case "still":
                return "Good. Hold still for a moment."
            case "begin":
                return "Begin when you like: pull the heels apart, and let them come back."
            case "going":
                return f"Go on: the count begins with the {self._first()} rep, and takes in those before it."
            case "rest":
                return self._rest_prompt(rest_s or 0.0)
            case "ending":
                return "Ending the session. Ctrl-C again leaves at once."
            case "end":
                return "The session is over."
        return ""

    def _who_came(self) -> str:
        """That one sensor did not; it is waited for no longer."""
        came = [foot for foot in self._feet if self._links[foot].quality(self._now_ns).word != "looking"]
        if not came or len(came) == len(self._feet):
            return ""
        return f" Only the {came[0].word} sensor has come, and counts alone until the other does: {announcements.LATE}."

    def _first(self) -> str:
        """The first rep that is told (`kinematics.sets`)."""
        return "fifth" if self._is_one() else "third"

    def _is_one(self) -> bool:
        """Whether one sensor of two is left."""
        away = [self._links[foot].quality(self._now_ns).word in ("looking", "lost") for foot in self._feet]
        return any(away) and not all(away)

    def _alone(self, *links: LinkQuality) -> str:
        """That nothing is counted, as long as no sensor is left."""
        away = [foot for foot in self._feet if links[foot].word == "lost"]
        if not away or any(links[foot].word not in ("lost", "looking") for foot in self._feet):
            return ""
        return announcements.lost(away[0], "lost" if len(away) > 1 else "looking")

    def _rest_prompt(self, rest_s: float) -> str:
        targets = self._targets
        if targets is not None and self._set_number >= targets.sets:
            return f"That was set {self._set_number} of {targets.sets}. Press Ctrl-C when you are up, or do another."
        if targets is not None and rest_s >= targets.rest_s:
            return "You have rested: begin the next set when you like."
        return "Rest. Breathe."

    def _notify(self, text: str | None) -> None:
        if text:
            self._notice = (text, self._now_ns)

    def _session_s(self, now_ns: int) -> float:
        return 0.0 if self._began_ns is None else max(now_ns - self._began_ns, 0) * 1e-9


def _degrees(angle_rad: float | None, link: LinkQuality) -> float | None:
    """In degrees, 0 for further in than at rest; None where nothing comes from that foot, or it shows no opening."""
    if angle_rad is None or link.bars == 0 or abs(math.degrees(angle_rad)) > MOST_DEG:
        return None
    return max(math.degrees(angle_rad), 0.0)


def pace(rep: Rep, targets: Targets | None) -> str:
    """How the rep's phases were against the targets, in words; empty without any."""
    if targets is None or not rep.is_measured:
        return ""
    took_s = {
        "opening": rep.open_s - rep.start_s,
        "hold": rep.close_s - rep.open_s,
        "return": rep.end_s - rep.close_s,
    }
    wanted_s = dict(zip(took_s, targets.tempo_s, strict=False))
    shorter = [name for name in took_s if took_s[name] < FASTER * wanted_s[name]]
    longer = [name for name in took_s if took_s[name] > SLOWER * wanted_s[name]]
    found = [f"{formats.listed(names)} {how}" for names, how in ((shorter, "shorter"), (longer, "longer")) if names]
    return ", ".join(found) or "as the target"
