"""A live session over a simulated radio on virtual time: recorded whole, equal to its replay, ended cleanly."""

import asyncio
import errno
import os
import signal
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from sensorrep import live as live_module
from sensorrep.errors import RadioError, RecordingError
from sensorrep.live import Plan, ended_by_signals, live
from sensorrep.model import Event, Foot, Message, Note, Packet, RepCounted, SessionEnded, SessionSummary
from sensorrep.pipeline import Pipeline
from sensorrep.session import View
from sensorrep.sources import virtual_time
from sensorrep.sources.ble import Radio
from sensorrep.sources.recording import RecordingWriter, open_recording
from sensorrep.sources.simulated.backend import backends
from sensorrep.sources.simulated.faults import parse_script
from sensorrep.sources.simulated.world import World
from sensorrep.sources.synthetic import typical
from sensorrep.views.scoreboard import Latest

SCENARIO = typical(sets=1, reps=4)


@dataclass
class Watching:
    """A view that keeps what it is shown."""

    latest: Callable[[], Latest] = Latest
    events: list[Event] = field(default_factory=list)
    unrest: list[Any] = field(default_factory=list)
    notes: list[tuple[Note, bool]] = field(default_factory=list)
    """And whether a packet had come before."""

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:
        self.events += events
        self.notes += [(one, bool(self.unrest)) for one in messages if isinstance(one, Note)]
        if any(isinstance(one, Packet) for one in messages) or events:
            self.unrest.append((self.latest().unrest_rad_s, any(isinstance(one, Packet) for one in messages)))


@dataclass
class Played:
    summary: SessionSummary | None
    view: Watching
    world: World


def play(
    out: Path, *faults: list[Any], stop_after_s: float | None = None, exchanged: bool = False, seed: int = 4
) -> Played:
    """A session from beginning to end, or until `stop_after_s`; perhaps with each sensor on the other foot."""
    world, view = World(SCENARIO, seed, parse_script(list(faults))), Watching()

    def watched(latest: Callable[[], Latest]) -> View:
        view.latest = latest
        return view

    async def main() -> SessionSummary | None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(stop_after_s or world.seconds, stop.set)
        wanted = world.wanted()
        if exchanged:
            wanted = {foot: replace(wanted[Foot(1 - foot)], foot=foot) for foot in Foot}
        radio = Radio(wanted, rate_hz=100.0, backends=backends(world), now_ns=virtual_time.now_ns)
        plan = Plan(out, "heels-apart", None, None, True, {"sensorrep": "test"})
        return await live(radio, plan, stop, watched)

    return Played(virtual_time.run(main()), view, world)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, Path]:
    out = tmp_path_factory.mktemp("live") / "new" / "session.jsonl"
    return play(out), out


def replayed(path: Path) -> tuple[SessionSummary, list[Event]]:
    """The recording's events, from one block."""
    with open_recording(path) as recording:
        pipeline = Pipeline(recording.header.feet)
        events = [event for block in recording.blocks(10**9) for event in pipeline.push(block)] + pipeline.finish()
    last = events[-1]
    assert isinstance(last, SessionEnded)
    return last.summary, events


def test_reps_are_counted_while_they_are_done(played: tuple[Played, Path]) -> None:
    session, _ = played
    assert session.summary is not None
    assert [len(one.reps) for one in session.summary.sets] == [4]
    assert [event.number for event in session.view.events if isinstance(event, RepCounted)] == [1, 2, 3, 4]


def test_the_live_numbers_are_those_of_the_replay(played: tuple[Played, Path]) -> None:
    session, out = played
    summary, events = replayed(out)
    assert session.summary == summary
    assert session.view.events == events


def test_the_recording_is_marked_complete_and_the_owners(played: tuple[Played, Path]) -> None:
    _, out = played
    with open_recording(out) as recording:
        packets = sum(map(len, recording.blocks()))
        assert recording.header.simulated
        assert recording.header.software == {"sensorrep": "test"}
        assert recording.closed_cleanly
        assert not recording.damage
        connected = [event["link"]["foot"] for event in recording.events if "link" in event]
    assert sorted(connected) == ["left", "right"]
    assert packets > 2000
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert stat.S_IMODE(out.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("exchanged", [False, True])
def test_exchanged_sensors_are_seen_after_the_first_set(tmp_path: Path, exchanged: bool) -> None:
    assert play(tmp_path / "x.jsonl", exchanged=exchanged, seed=0).view.latest().swapped is exchanged


def test_how_much_the_feet_move_is_known_until_the_first_rep(played: tuple[Played, Path]) -> None:
    session, _ = played
    known = [unrest for unrest, packets in session.view.unrest if packets and None not in unrest]
    assert max(max(one) for one in known) > 1.0  # walking
    assert min(max(one) for one in known) < 0.05  # lying still
    assert len({unrest for unrest, _ in session.view.unrest[-100:]}) == 1  # no more looked at


def test_a_session_that_is_stopped_is_closed_and_its_sensors_too(tmp_path: Path) -> None:
    session = play(tmp_path / "x.jsonl", stop_after_s=12.0)
    assert session.summary is not None
    assert 10.0 < session.summary.duration_s < 12.5
    assert session.summary == replayed(tmp_path / "x.jsonl")[0]
    assert not any(one.client for one in session.world.peripherals.values())


def test_who_waits_for_a_sensor_hears_of_the_other_and_nothing_twice(tmp_path: Path) -> None:
    view = play(tmp_path / "x.jsonl", [0, "right", "dead", 1e6], stop_after_s=35.0).view
    states = [(note.fields["foot"], note.fields["state"], had) for note, had in view.notes if note.kind == "link"]
    assert states == [("left", "connected", False), ("right", "missing", False)]


def test_stopped_before_any_sensor_came_there_is_no_recording(tmp_path: Path) -> None:
    session = play(tmp_path / "x.jsonl", [0, "both", "dead", 1e6], stop_after_s=4.0)
    assert session.summary is None
    assert not list(tmp_path.iterdir())


def test_without_any_sensor_the_radio_says_why(tmp_path: Path) -> None:
    with pytest.raises(RadioError, match="wake the sensor"):
        play(tmp_path / "x.jsonl", [0, "both", "dead", 1e6])
    assert not list(tmp_path.iterdir())


def test_one_sensor_that_comes_late_is_picked_up(tmp_path: Path) -> None:
    session = play(tmp_path / "x.jsonl", [0, "right", "dead", 38])
    assert session.summary is not None
    assert session.summary.feet[Foot.RIGHT].samples > 500
    assert session.summary.feet[Foot.RIGHT].samples < session.summary.feet[Foot.LEFT].samples
    assert session.summary == replayed(tmp_path / "x.jsonl")[0]


def test_a_place_that_cannot_be_written_ends_it_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be written"):
        play(tmp_path / "file" / "x.jsonl")


def test_a_full_disk_ends_it_at_once_and_keeps_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = RecordingWriter._write_whole, [40]

    def full(self: RecordingWriter, written: bytes) -> None:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, written)

    monkeypatch.setattr(RecordingWriter, "_write_whole", full)
    with pytest.raises(RecordingError, match="cannot be written any more"):
        play(tmp_path / "x.jsonl")
    with open_recording(tmp_path / "x.jsonl") as recording:
        assert sum(map(len, recording.blocks())) > 20
        assert not recording.closed_cleanly


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_for_the_end_and_the_second_leaves(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(os, "_exit", lambda status: done.append(f"exit {status}"))
    before = signal.getsignal(number)
    with ended_by_signals(lambda: done.append("stop"), lambda: done.append("leave")):
        os.kill(os.getpid(), number)
        assert done == ["stop"]
        os.kill(os.getpid(), number)
        assert done[:3] == ["stop", "leave", f"exit {128 + number}"]
    assert signal.getsignal(number) is before


@pytest.mark.skipif("not hasattr(__import__('signal'), 'SIGHUP')", reason="this system has no SIGHUP")
def test_a_closed_terminal_asks_for_the_end_however_often_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(live_module, "_write_to_nowhere", lambda: done.append("nowhere"))
    before = signal.getsignal(signal.SIGHUP)
    try:
        with ended_by_signals(lambda: done.append("stop"), lambda: done.append("leave")):
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGHUP)
            assert done == ["nowhere", "stop"]
        os.kill(os.getpid(), signal.SIGHUP)  # the report is still to be written
    finally:
        signal.signal(signal.SIGHUP, before)
