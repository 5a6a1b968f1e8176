"""The one loop of live use, paced replay and batch: write, then process, then show. Only the source differs."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

from sensorrep.model import Event, Message, Packet, SessionEnded, SessionSummary
from sensorrep.packets import Alike
from sensorrep.pipeline import Pipeline


class Recorder(Protocol):
    """Where messages are kept; it may raise RecordingError, which ends the session at once."""

    def write(self, packets: Iterable[Packet]) -> None:
        """Keep packets."""
        ...

    def event(self, kind: str, at_ns: int | None = None, **fields: object) -> None:
        """Keep what happened between packets."""
        ...


class View(Protocol):
    """Something that shows what happens."""

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:
        """Take in what came and what it decided."""
        ...


async def run(
    source: AsyncIterator[Sequence[Message]], pipeline: Pipeline, recorder: Recorder | None, views: Iterable[View]
) -> SessionSummary:
    """Run a session to its end and return its summary. Raises RecordingError when it can't be recorded."""
    views = list(views)
    async for messages in source:
        if recorder is not None:
            keep(recorder, messages)
        packets = messages if isinstance(messages, Alike) else [one for one in messages if isinstance(one, Packet)]
        _show(views, messages, pipeline.push(packets))
    events = pipeline.finish()
    _show(views, (), events)
    last = events[-1]
    if not isinstance(last, SessionEnded):
        raise TypeError("the pipeline's last event is the session's end")
    return last.summary


def keep(recorder: Recorder, messages: Sequence[Message]) -> None:
    """Record messages in the order in which they came."""
    for message in messages:
        if isinstance(message, Packet):
            recorder.write([message])
        else:
            recorder.event(message.kind, message.at_ns, **message.fields)


def _show(views: list[View], messages: Sequence[Message], events: Sequence[Event]) -> None:
    """Show it; a view that raises is dropped, with a line on what happened: the session matters more."""
    for view in tuple(views):
        try:
            view.show(messages, events)
        except Exception as error:
            views.remove(view)
            import warnings

            warnings.warn(f"{type(view).__name__} failed and was dropped: {error}", RuntimeWarning, stacklevel=2)
