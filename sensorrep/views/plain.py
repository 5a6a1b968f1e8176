"""The session as lines, for screen readers, pipes and logs: one line an event, what is new first, the time last."""

from collections.abc import Callable, Sequence
from typing import Final, Self, TextIO

from sensorrep.model import Event, FootBack, FootLost, Message, Packet, SessionEnded
from sensorrep.views import announcements, words
from sensorrep.views.scoreboard import Latest, Scoreboard

LINK: Final = (FootLost, FootBack)


class Plain:
    """Prints what happens as it happens. Once nobody reads any more it is silent: the session goes on.

    `now_ns` is the time on the clock that stamps packets; without it, the newest packet's arrival is.
    """

    def __init__(self, scoreboard: Scoreboard, out: TextIO, now_ns: Callable[[], int] | None = None) -> None:
        self._scoreboard = scoreboard
        self._out: TextIO | None = out
        self._newest_ns = 0
        self._now_ns = now_ns or (lambda: self._newest_ns)
        self._latest: Callable[[], Latest] = Latest
        self._prompt = ""
        if scoreboard.simulated:
            self._print(words.SIMULATED)
        self._prompted()

    def following(self, latest: Callable[[], Latest]) -> Self:
        """This view, which from now on takes the latest signal from there."""
        self._latest = latest
        return self

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:
        """Print a line for each event, for each note that matters, and when something else is to be done."""
        known = self._scoreboard.swapped
        if messages:
            last = messages[-1]
            self._newest_ns = last.received_ns if isinstance(last, Packet) else last.at_ns
        for line in self._scoreboard.take(messages, events, self._latest()):
            self.say(line)
        for event in events:
            # links are told by their notes, at once; what the samples say of them comes later
            if not isinstance(event, (*LINK, SessionEnded)):
                self.say(announcements.of_event(event))
        if self._scoreboard.swapped and not known:
            self.say(announcements.SWAPPED)
        self._prompted()

    def say(self, line: str | None) -> None:
        """Print a line."""
        if line:
            minutes, seconds = divmod(int(self._scoreboard.screen(self._now_ns()).session_s), 60)
            self._print(f"{line} [{minutes}:{seconds:02d}]")

    def _prompted(self) -> None:
        prompt = self._scoreboard.screen(self._now_ns()).prompt
        if prompt != self._prompt:
            self._prompt = prompt
            self.say(prompt)

    def _print(self, line: str) -> None:
        if self._out is not None:
            try:
                print(line, file=self._out, flush=True)
            except OSError:
                self._out = None
