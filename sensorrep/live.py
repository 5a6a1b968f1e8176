"""A live session from its start to a clean end: radio -> recording -> pipeline -> views, and what ends it."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol

from sensorrep import session
from sensorrep.kinematics.unrest import Unrest, UnrestMeter
from sensorrep.model import (
    Event,
    Foot,
    Message,
    Movement,
    Note,
    Packet,
    RecordingHeader,
    RepCounted,
    SensorInfo,
    SessionSummary,
)
from sensorrep.pipeline import Pipeline
from sensorrep.sources.recording import RecordingWriter
from sensorrep.stages.decode import Decode
from sensorrep.views.scoreboard import Latest

CONNECT_S: Final = 30.0
"""How long both sensors are waited for before the session begins with one. Larger: who has one sensor waits longer."""


class Radio(Protocol):
    """Where messages come from (`sources.ble.Radio`)."""

    async def connect(self, timeout_s: float, tell: Callable[[Note], None]) -> dict[Foot, SensorInfo]: ...  # noqa: D102
    def messages(self) -> AsyncIterator[Sequence[Message]]: ...  # noqa: D102
    async def stop(self) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Plan:
    """What is recorded where, and what is counted."""

    out: Path
    movement: Movement
    foot: Foot | None
    """The one that moves, in `one-leg`."""
    started_at: str | None
    simulated: bool
    software: Mapping[str, str]


async def live(
    radio: Radio, plan: Plan, stop: asyncio.Event, view: Callable[[Callable[[], Latest]], session.View]
) -> SessionSummary | None:
    """Run a session until `stop` is set or the radio ends; None where it was stopped before any sensor came.

    `view` is called with a function that returns the latest signal, and returns a view: once for the notes that come
    while the sensors connect, and once for the session. Raises RadioError if no sensor connects, RecordingError as soon
    as the session can't be recorded.
    """
    told: list[Note] = []
    waiting = view(Latest)

    def tell(note: Note) -> None:
        told.append(note)
        waiting.show([note], ())

    feet = await _unless(stop, radio.connect(CONNECT_S, tell))
    if feet is None:
        return None
    try:
        header = RecordingHeader(feet, plan.started_at, plan.simulated, plan.movement, plan.software)
        pipeline = Pipeline(feet, plan.movement, plan.foot)
        settling = Settling(feet)
        shown = Untold(view(lambda: latest(pipeline, settling.unrest)), told)
        with RecordingWriter(plan.out, header) as recording:
            async with aclosing(_until(stop, radio)) as messages:
                return await session.run(messages, pipeline, recording, [settling, shown])
    finally:
        await radio.stop()


def latest(pipeline: Pipeline, unrest: Unrest) -> Latest:
    """The signal just now."""
    return Latest(pipeline.now(), unrest, pipeline.swapped(), pipeline.moves())


class Untold:
    """A view, without the notes that have been shown."""

    def __init__(self, view: session.View, told: Sequence[Note]) -> None:
        self._view, self._told = view, told

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:
        """Show what is new."""
        new = [message for message in messages if not any(message is one for one in self._told)]
        self._view.show(new, events)


class Settling:
    """How much the feet move, until the first rep is counted: for 'lie down, hold still, begin'."""

    def __init__(self, feet: Mapping[Foot, SensorInfo]) -> None:
        self.unrest: Unrest = (None, None)
        self._decode: Decode | None = Decode(feet)
        self._meter = UnrestMeter()

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:
        """Take in what came."""
        packets = [message for message in messages if isinstance(message, Packet)]
        if any(isinstance(event, RepCounted) for event in events):
            self._decode = None
        if self._decode is None or not packets:
            return
        self._meter.push(self._decode.push(packets))
        self.unrest = self._meter.unrest(packets[-1].received_ns)


async def _unless(
    stop: asyncio.Event, connecting: Coroutine[Any, Any, dict[Foot, SensorInfo]]
) -> dict[Foot, SensorInfo] | None:
    """The sensors, or None if `stop` is set before they came."""
    task = asyncio.create_task(connecting)
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopped.cancel()
        task.cancel()
        await asyncio.wait([task, stopped])


async def _until(stop: asyncio.Event, radio: Radio) -> AsyncGenerator[Sequence[Message], None]:
    """The radio's messages. Once `stop` is set the sensors are stopped, and what still came is handed over."""

    async def end() -> None:
        await stop.wait()
        await radio.stop()

    ending = asyncio.create_task(end())
    try:
        async for batch in radio.messages():
            yield batch
    finally:
        ending.cancel()
        await asyncio.wait([ending])


@contextmanager
def ended_by_signals(stop: Callable[[], None], leave: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal call `stop`; a second Ctrl-C or SIGTERM leaves the program at once.

    Leaving at once calls `leave` (the terminal as it was) and runs nothing else: what was recorded is with the system.
    """
    asked = False

    def ask(number: int, _: FrameType | None) -> None:
        nonlocal asked
        if asked:
            leave()
            os._exit(128 + number)
        asked = True
        stop()

    def hang_up(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # it may come again while the report is written
        _write_to_nowhere()
        stop()

    handlers: dict[int, Callable[[int, FrameType | None], None]] = {signal.SIGINT: ask, signal.SIGTERM: ask}
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = hang_up
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, handler)


def _write_to_nowhere() -> None:
    """The terminal is gone: whatever is printed from now on would fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
