"""Events and messages of a made-up live session, shared by the tests of its views."""

from sensorrep.model import Foot, Note, Packet, Rejected, RepCounted, SetEnded, SetSummary
from tests.views.sessions import Move, moves, rep, session

S = 1_000_000_000
BEGIN_NS = 7_000 * S
"""The host's clock at the first packet."""


def packets(foot: Foot, from_s: float, to_s: float, rate_hz: float = 25.0) -> list[Packet]:
    """Arrivals at this rate, in session time."""
    count = round((to_s - from_s) * rate_hz)
    return [Packet(at_ns(from_s + i / rate_hz), foot, "data", b"") for i in range(count)]


def both(from_s: float, to_s: float) -> list[Packet]:
    """Arrivals of both feet."""
    return packets(Foot.LEFT, from_s, to_s) + packets(Foot.RIGHT, from_s, to_s)


def at_ns(session_s: float) -> int:
    """The host's clock at a session time."""
    return BEGIN_NS + round(session_s * S)


def counted(set_number: int, number: int, move: Move = Move(), blind: Foot | None = None) -> RepCounted:  # noqa: B008
    """A rep."""
    begin_s = 10.0 + 5.0 * number
    return RepCounted(set_number, number, begin_s + 4.5, rep(move, begin_s, last=True, blind=blind))


def ended(set_number: int = 1, reps: int = 8, decided_s: float = 60.0) -> SetEnded:
    """A set that is over."""
    return SetEnded(set_number, decided_s, made_set(reps))


def made_set(reps: int = 8) -> SetSummary:
    """A set as the pipeline would sum it up."""
    return session([moves(reps)]).summary.sets[0]


def link(foot: Foot, state: str, session_s: float, **fields: object) -> Note:
    """What the radio notes of a link."""
    return Note(at_ns(session_s), "link", {"foot": foot.word, "state": state, **fields})


def battery(foot: Foot, percent: int, session_s: float = 0.0) -> Note:
    """What the radio notes of a battery."""
    return Note(at_ns(session_s), "battery", {"foot": foot.word, "percent": percent})


REJECTED = Rejected(3.1, 3.6, "too small")
