"""Which of two sensors is on which foot: the person is asked to lift one foot, then the other."""

import asyncio
from collections.abc import Callable
from typing import Final, Literal

from sensorrep.errors import SensorRepError
from sensorrep.kinematics.unrest import Unrest, UnrestMeter, lifted, still
from sensorrep.model import Foot, Note, Packet
from sensorrep.sources.ble import Radio
from sensorrep.stages.decode import Decode
from sensorrep.views import announcements

CONNECT_S: Final = 30.0
ANSWER_S: Final = 120.0
"""How long the whole question may take."""
STILL_NS: Final = 1_000_000_000
ASKED: Final = {
    "settle": "Sit or lie so that you can lift each foot. Hold both feet still.",
    "left": "Lift your LEFT foot, and put it down again.",
    "between": "Good. Hold both feet still.",
    "right": "Now lift your RIGHT foot, and put it down again.",
    "again": "That was the same sensor twice. Once more: hold both feet still.",
}

Step = Literal["settle", "left", "between", "right", "again", "done"]


class SideQuestion:
    """Asks, and decides from how much each sensor moves. Pure: time is what it is told.

    The feet it is told of are provisional; `swapped` says at the end whether they have to change places.
    """

    def __init__(self) -> None:
        self.step: Step = "settle"
        self.swapped: bool | None = None
        self._still_since_ns: int | None = None
        self._first: Foot | None = None

    def take(self, unrest: Unrest, now_ns: int) -> bool:
        """Take in how much the sensors move; whether there is something new to be asked."""
        before = self.step
        if self.step in ("settle", "between", "again"):
            self._wait_for_rest(unrest, now_ns)
        elif (moved := lifted(unrest)) is not None:
            self._still_since_ns = None
            self._answer(moved)
        return self.step != before

    def _wait_for_rest(self, unrest: Unrest, now_ns: int) -> None:
        if None in unrest or not still(unrest):
            self._still_since_ns = None
        elif self._still_since_ns is None:
            self._still_since_ns = now_ns
        elif now_ns - self._still_since_ns >= STILL_NS:
            self.step = "right" if self.step == "between" else "left"

    def _answer(self, moved: Foot) -> None:
        if self.step == "left":
            self._first, self.step = moved, "between"
        elif moved is self._first:
            self.step = "again"
        else:
            self.swapped, self.step = self._first is Foot.RIGHT, "done"


async def ask_sides(radio: Radio, say: Callable[[str], None]) -> bool:
    """Whether the radio's two sensors have to change feet.

    Raises SensorRepError where they don't both come, or no clear answer does.
    """
    feet = await radio.connect(CONNECT_S)
    try:
        for foot, state in radio.state.items():
            if not state.connected:
                # the link's reason says what to do by itself
                raise SensorRepError(state.reason or f"the {foot.word} sensor did not come: run sensorrep setup again")
        decode, meter, question = Decode(feet), UnrestMeter(), SideQuestion()
        say(ASKED[question.step])
        begun = False  # the first messages are of connecting
        async with asyncio.timeout(ANSWER_S):
            async for messages in radio.messages():
                for note in messages:
                    if isinstance(note, Note) and begun:
                        _say_link(note, say)
                begun = True
                packets = [message for message in messages if isinstance(message, Packet)]
                meter.push(decode.push(packets))
                if packets and question.take(meter.unrest(packets[-1].received_ns), packets[-1].received_ns):
                    if question.swapped is not None:
                        return question.swapped
                    say(ASKED[question.step])
    except TimeoutError:
        for state in radio.state.values():
            if not state.connected and state.reason:
                raise SensorRepError(state.reason) from None
    finally:
        await radio.stop()
    raise SensorRepError("no foot was seen moving alone: strap a sensor to each ankle and run sensorrep setup again")


def _say_link(note: Note, say: Callable[[str], None]) -> None:
    """A sensor that is lost is not seen moving: say so at once, and when it is back."""
    if note.kind != "link":
        return
    # nobody counts here, so that a loss is told in the radio's words
    line = announcements.trouble(note) if note.fields["state"] == "lost" else announcements.of_note(note)
    if line:
        say(line)
