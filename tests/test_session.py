"""The one loop: order of writing, processing and showing, and who may fail."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import pytest

from sensorrep.errors import RecordingError
from sensorrep.model import Event, Foot, Message, Note, Packet, SensorInfo, SessionEnded
from sensorrep.pipeline import Pipeline
from sensorrep.session import run

FEET = {Foot.LEFT: SensorInfo("diy")}
PACKETS = [Packet(10**9 + 10**7 * number, Foot.LEFT, "data", bytes([number])) for number in range(5)]
NOTE = Note(10**9 + 15 * 10**6, "battery", {"foot": "left", "percent": 80})
BLOCKS: list[list[Message]] = [[PACKETS[0], NOTE, PACKETS[1]], [], [PACKETS[2], PACKETS[3]], [PACKETS[4]]]


async def come(blocks: Iterable[Sequence[Message]]) -> AsyncIterator[Sequence[Message]]:
    for block in blocks:
        yield block


class Log(Pipeline):
    """A pipeline, a recorder and a view that write down who was asked in which order."""

    def __init__(self) -> None:
        super().__init__(FEET)
        self.calls: list[tuple[str, object]] = []

    def push(self, packets: Sequence[Packet]) -> list[Event]:
        self.calls.append(("process", list(packets)))
        return super().push(packets)

    def write(self, packets: Iterable[Packet]) -> None:
        self.calls += [("write", packet) for packet in packets]

    def event(self, kind: str, at_ns: int | None = None, **fields: object) -> None:
        self.calls.append(("note", Note(at_ns or 0, kind, fields)))

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:
        self.calls.append(("show", list(messages)))
        self.last: Sequence[Event] = events


def test_each_block_is_written_then_processed_then_shown() -> None:
    log = Log()
    summary = asyncio.run(run(come(BLOCKS), log, log, [log]))
    assert log.calls == [
        *(("write", PACKETS[0]), ("note", NOTE), ("write", PACKETS[1])),
        *(("process", PACKETS[:2]), ("show", BLOCKS[0])),
        *(("process", []), ("show", [])),
        *(("write", PACKETS[2]), ("write", PACKETS[3])),
        *(("process", PACKETS[2:4]), ("show", BLOCKS[2])),
        *(("write", PACKETS[4]), ("process", PACKETS[4:]), ("show", BLOCKS[3])),
        ("show", []),
    ]
    last = log.last[-1]
    assert isinstance(last, SessionEnded)
    assert last.summary is summary


def test_without_a_recorder_nothing_is_written() -> None:
    log = Log()
    asyncio.run(run(come(BLOCKS), log, None, []))
    assert {kind for kind, _ in log.calls} == {"process"}


class Broken:
    """A view or a recorder that fails at its second call."""

    def __init__(self, error: Exception) -> None:
        self.calls = 0
        self._error = error

    def _call(self) -> None:
        self.calls += 1
        if self.calls == 2:
            raise self._error

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:  # noqa: ARG002
        self._call()

    def write(self, packets: Iterable[Packet]) -> None:  # noqa: ARG002
        self._call()

    def event(self, kind: str, at_ns: int | None = None, **fields: object) -> None:
        """It keeps notes without fail."""


def test_a_view_that_raises_is_dropped_with_a_warning_and_the_others_go_on() -> None:
    broken, log = Broken(ValueError("no terminal")), Log()
    with pytest.warns(RuntimeWarning, match="Broken failed and was dropped: no terminal") as warned:
        summary = asyncio.run(run(come(BLOCKS), log, log, [broken, log]))
    assert len(warned) == 1
    assert broken.calls == 2
    assert len([kind for kind, _ in log.calls if kind == "show"]) == len(BLOCKS) + 1
    assert summary.feet[Foot.LEFT].malformed == len(PACKETS)


def test_a_recorder_that_raises_ends_the_session_before_anything_more_is_processed() -> None:
    log = Log()
    broken = Broken(RecordingError("session.jsonl", None, "the disk is full"))
    with pytest.raises(RecordingError, match="the disk is full"):
        asyncio.run(run(come(BLOCKS), log, broken, [log]))
    assert broken.calls == 2
    assert log.calls == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, asyncio.CancelledError])
def test_a_view_may_not_swallow_the_end_of_the_program(stop: Callable[[], BaseException]) -> None:
    class Interrupted:
        def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:  # noqa: ARG002
            raise stop()

    async def ended() -> None:
        with pytest.raises(type(stop())):
            await run(come(BLOCKS), Log(), None, [Interrupted()])

    asyncio.run(ended())


def test_a_source_that_fails_says_so() -> None:
    async def torn() -> AsyncIterator[Sequence[Message]]:
        yield BLOCKS[0]
        raise RecordingError("session.jsonl", 7, "no packet")

    with pytest.raises(RecordingError, match="line 7"):
        asyncio.run(run(torn(), Log(), None, []))
