"""Simulated sessions over a bad radio, from bleak's facade to the recording: what the tests play a few of, many of.

python tools/endurance.py scripts --count 500     random faults: nothing lost that arrived, no hang, same file again
python tools/endurance.py kills --count 50        kill -9 of a process that records: all but the last second is there
python tools/endurance.py hours --count 2         memory and speed of a long session
"""

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensorrep import session
from sensorrep.devices import device
from sensorrep.errors import RadioError
from sensorrep.model import Event, Foot, Message, RecordingHeader, SessionEnded, SessionSummary
from sensorrep.pipeline import Pipeline
from sensorrep.sources import virtual_time
from sensorrep.sources.ble import Radio
from sensorrep.sources.recorder import RecordingWriter
from sensorrep.sources.recording import open_recording
from sensorrep.sources.simulated.backend import backends
from sensorrep.sources.simulated.faults import draw_script
from sensorrep.sources.simulated.world import World
from sensorrep.sources.synthetic import Rest, Scenario, Set, Stand
from sensorrep.views.document import document

Heard = tuple[Foot, str, bytes]
"""A notification: foot, characteristic, bytes."""


@dataclass(frozen=True, slots=True)
class Played:
    """A session that was played live and recorded, and what its sensors were heard to say."""

    world: World
    path: Path
    summary: SessionSummary
    heard: list[Heard]

    @property
    def document(self) -> dict[str, Any]:
        """The live session as JSON has it."""
        return document(self.summary, source=self.path.name, simulated=True, started_at=None)


def listen(world: World) -> list[Heard]:
    """A list that each notification in a world is entered in, just before the library's callback."""
    heard: list[Heard] = []
    world.heard = lambda foot, characteristic, payload, _: heard.append((foot, characteristic, payload))
    return heard


async def live(
    world: World, path: Path, seconds: float, views: Sequence[session.View] = (), batch_s: float = 0.5
) -> SessionSummary:
    """Run a session over a world's radio as `sensorrep live` does. Raises what that raises."""
    radio = Radio(world.wanted(), rate_hz=100.0, backends=backends(world), now_ns=virtual_time.now_ns, batch_s=batch_s)
    feet = await radio.connect(30.0)
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Task[None]] = []
    begun_s = world.begun_s or 0.0
    loop.call_at(begun_s + seconds, lambda: ends.append(asyncio.ensure_future(radio.stop())))
    try:
        with RecordingWriter(path, RecordingHeader(feet, simulated=True)) as recording:
            return await session.run(radio.messages(), Pipeline(feet), recording, views)
    finally:
        await radio.stop()


def play(world: World, path: Path, seconds: float | None = None) -> Played:
    """Play a world's session on virtual time."""
    heard = listen(world)
    summary = virtual_time.run(live(world, path, world.seconds if seconds is None else seconds))
    return Played(world, path, summary, heard)


def replayed(path: Path) -> dict[str, Any]:
    """A recording's session as JSON has it."""
    recording = open_recording(path)
    pipeline = Pipeline(recording.header.feet)
    events: list[Event] = []
    for block in recording.blocks():
        events += pipeline.push(block)
    events += pipeline.finish()
    if recording.damage or not recording.closed_cleanly:
        raise AssertionError(f"{path} is damaged: {recording.damage}")
    ended = events[-1]
    if not isinstance(ended, SessionEnded):
        raise AssertionError("the last event is not the end")
    return document(ended.summary, source=path.name, simulated=True, started_at=None)


def recorded(path: Path) -> list[Heard]:
    """What a recording has of its sensors' notifications; what was read is left out."""
    recording = open_recording(path)
    feet = recording.header.feet
    notifying = {foot: {"diy": ("data", "control"), "witmotion": ("frames",)}[one.device] for foot, one in feet.items()}
    uuids = {foot: device(one.device).CHANNELS for foot, one in feet.items()}
    return [
        (packet.foot, uuids[packet.foot][packet.channel], packet.payload)
        for block in recording.blocks()
        for packet in block
        if packet.channel in notifying[packet.foot]
    ]


def short(sets: int = 1, reps: int = 5) -> Scenario:
    """A session that begins on the way into the exercise position and rests little: some 20 s a set of five."""
    work = [activity for _ in range(sets) for activity in (Rest(4.0, "still"), Set(reps), Rest(6.0, "still"))]
    return Scenario("prone", tuple(work))


def random_world(seed: int) -> World:
    """A short session, and faults at random."""
    rng = random.Random(seed)
    scenario = short(rng.randint(1, 2), rng.randint(3, 6))
    world = World(scenario, seed, (), model=rng.choice(("diy", "diy", "witmotion")))
    world.script = draw_script(seed, world.seconds, rng.randint(1, 12))
    return world


def random_session(seed: int, path: Path) -> Played | None:
    """A session with random faults; None where no sensor could be connected, which is said and no fault.

    Raises AssertionError where a packet that arrived is not in the recording, or where live and replay disagree.
    """
    try:
        played = play(random_world(seed), path)
    except RadioError:
        return None
    if recorded(path) != played.heard:
        raise AssertionError(f"seed {seed}: what arrived is not what was recorded")
    if replayed(path) != played.document:
        raise AssertionError(f"seed {seed}: live and replay disagree")
    return played


# --- kill -9 ----------------------------------------------------------------------------------------------------


class Teller:
    """Says on stdout when each batch arrived; it comes after the recording."""

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:
        """Tell the arrival of the last packet."""
        del events
        for message in messages[-1:]:
            print(message[0], flush=True)


def killed(path: Path, after_s: float) -> float:
    """Kill a process that records a simulated session in real time `after_s` after its first packet; returns how many
    seconds of what it had received are not in the recording. Raises AssertionError where the file is no recording."""
    command = [sys.executable, __file__, "record", "--out", str(path)]
    # sensorrep is imported from where this process has it
    paths = os.pathsep.join(entry for entry in sys.path if entry)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths})
    assert child.stdout is not None
    told = [child.stdout.readline()]
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    told += child.stdout.read().splitlines()
    child.stdout.close()
    child.wait()
    last_told_ns = int([line for line in told if line.strip()][-1])
    recording = open_recording(path)
    last_ns = max(packet.received_ns for block in recording.blocks() for packet in block)
    if recording.closed_cleanly or any("torn" not in loss for loss in recording.damage):
        raise AssertionError(f"{path}: {recording.damage}")
    return (last_told_ns - last_ns) * 1e-9


# --- command line -----------------------------------------------------------------------------------------------


def main() -> None:
    """Run what the command line asks for; an AssertionError is a failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("scripts", "kills", "hours", "record"))
    parser.add_argument("--count", type=float, default=1)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--out", type=Path, help="where `record` records")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        match options.what:
            case "scripts":
                _scripts(Path(folder), range(options.first, options.first + int(options.count)))
            case "kills":
                _kills(Path(folder), int(options.count))
            case "hours":
                _hours(Path(folder), options.count)
            case "record":
                asyncio.run(live(World(short(), 1), options.out, 3600.0, [Teller()], batch_s=0.02))


def _scripts(folder: Path, seeds: range) -> None:
    began_s, none, packets = time.perf_counter(), 0, 0
    for seed in seeds:
        path, again = folder / f"{seed}.jsonl", folder / f"{seed}-again.jsonl"
        played = random_session(seed, path)
        if played is None:
            none += 1
            path.unlink(missing_ok=True)
            continue
        packets += len(played.heard)
        play(random_world(seed), again)
        assert path.read_bytes() == again.read_bytes(), f"seed {seed}: not the same file"
        again.unlink()
        path.unlink()
    print(f"{len(seeds)} scripts, {none} without any sensor, {packets} packets, {time.perf_counter() - began_s:.0f} s")


def _kills(folder: Path, count: int) -> None:
    rng = random.Random(0)
    lost = [killed(folder / f"{number}.jsonl", rng.uniform(0.05, 3.0)) for number in range(count)]
    assert max(lost) <= 1.0, lost
    print(f"{count} kills, at most {max(lost):.3f} s lost")


def _hours(folder: Path, hours: float) -> None:
    repeats = max(round(hours * 3600 / 230), 1)
    work: list[Any] = []
    for _ in range(repeats):
        work += [Set(8), Rest(35.0, "still"), Set(8), Rest(35.0, "mixed"), Set(8), Rest(95.0, "mixed")]
    world = World(Scenario("prone", (Stand(1.0), Rest(3.0, "still"), *work), lies_ready=True), 1)
    print(f"{world.seconds / 3600:.2f} h; {_resident_mb():.0f} MB before")
    memory = Memory()
    world.heard = None
    began_s = time.perf_counter()
    summary = virtual_time.run(live(world, folder / "long.jsonl", world.seconds, [memory]))
    took_s = time.perf_counter() - began_s
    print(f"{took_s:.0f} s; MB each ten minutes: {[round(mb) for mb in memory.resident_mb]}")
    live_document = document(summary, source="long.jsonl", simulated=True, started_at=None)
    print(f"{sum(len(one['reps']) for one in live_document['sets'])} reps of {24 * repeats}")
    assert live_document == replayed(folder / "long.jsonl"), "live and replay disagree"


class Memory:
    """What the process holds, each ten minutes of the session."""

    def __init__(self) -> None:
        self.resident_mb: list[float] = []
        self._next_ns = 0

    def show(self, messages: Sequence[Message], events: Sequence[Event]) -> None:
        """Look at it when it is time."""
        del events
        if messages and messages[-1][0] >= self._next_ns:
            self._next_ns = messages[-1][0] + 600_000_000_000
            self.resident_mb.append(_resident_mb())


def _resident_mb() -> float:
    """Resident memory; 0 where the system does not say it in this way."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
