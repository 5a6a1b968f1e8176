"""`sensorrep live`: two sensors, or a simulated wearer, counted as it happens, recorded, and reported at the end."""

import shlex
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from sensorrep import __version__
from sensorrep.commands.options import (
    FootOption,
    Movement,
    MovementOption,
    Posture,
    check_foot,
    check_recording_name,
    console,
    parse_tempo,
)
from sensorrep.errors import RecordingError, SensorRepError
from sensorrep.targets import REPS, REST_S, SETS

if TYPE_CHECKING:
    from sensorrep import session
    from sensorrep.live import Plan, Radio
    from sensorrep.model import Foot, SessionSummary
    from sensorrep.sources.settings import KnownSensor
    from sensorrep.targets import Targets
    from sensorrep.views.scoreboard import Latest, Scoreboard

RATE_HZ: Final = 100.0
"""What the sensors are asked for: that of the frames behind them."""


class Means(NamedTuple):
    """What a session runs on: how it is run, by which clock, with which radio, and after how long it ends by itself."""

    run: Callable[[Coroutine[Any, Any, "SessionSummary | None"]], "SessionSummary | None"]
    now_ns: Callable[[], int]
    radio: Callable[[], "Radio"]
    seconds: float | None


def live(
    simulate: Annotated[
        bool, typer.Option("--simulate", help="A simulated wearer, through the same radio code.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The recording. Default: a new file in your data folder.")
    ] = None,
    movement: MovementOption = Movement.HEELS_APART,
    foot: FootOption = None,
    sets: Annotated[int | None, typer.Option(min=SETS[0], max=SETS[1], help="Sets you mean to do.")] = None,
    reps: Annotated[int | None, typer.Option(min=REPS[0], max=REPS[1], help="Reps a set you mean to do.")] = None,
    rest: Annotated[
        float | None, typer.Option(min=REST_S[0], max=REST_S[1], help="Seconds of rest you mean to take.")
    ] = None,
    tempo: Annotated[
        str | None, typer.Option(metavar="S-S-S-S", help="Seconds of opening, hold, return and pause you mean to keep.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="A line an event, for screen readers, pipes and logs.")
    ] = False,
    report: Annotated[bool, typer.Option(help="Write the report beside the recording at the end.")] = True,
    fast: Annotated[bool, typer.Option("--fast", help="With --simulate: on a clock that jumps.")] = False,
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --simulate: faults of the radio to play, as JSON.")
    ] = None,
    posture: Annotated[
        Posture | None, typer.Option(help="With --simulate: how the wearer lies or sits. Default: prone.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="With --simulate: another seed is another session. Default: 0.")
    ] = None,
) -> None:
    """Count a session as it happens, and record it. Ctrl-C ends it; a second Ctrl-C at once.

    Recordings and reports go to sensorrep/sessions in your data folder ($XDG_DATA_HOME, else ~/.local/share; on macOS
    ~/Library/Application Support), simulated ones to sensorrep/simulated. What you mean to do comes from the targets
    in settings.toml, which sensorrep setup writes. Only you may read any of these.
    """
    check_foot(movement, foot)
    check_recording_name(out)
    if not simulate and (fast or any(one is not None for one in (script, posture, seed))):
        raise typer.BadParameter("--fast, --script, --posture and --seed need --simulate")
    from sensorrep.live import Plan
    from sensorrep.model import Foot
    from sensorrep.sources.files import check_new
    from sensorrep.sources.settings import read_settings, settings_path

    settings = read_settings(settings_path())
    targets = _targets(settings.targets, sets, reps, rest, tempo)
    which = None if foot is None else Foot[foot.name]
    started = datetime.now().astimezone()
    plan = Plan(
        out=out or _default_path(started, simulated=simulate),
        movement=movement.value,
        foot=which,
        # a simulated session has no date: the same seed gives the same file
        started_at=None if simulate else started.isoformat(timespec="seconds"),
        simulated=simulate,
        software={"sensorrep": __version__},
    )
    check_new(plan.out)  # before anybody straps sensors on and lies down
    means = (
        _simulated(targets, posture or Posture.PRONE, seed or 0, script, which, fast=fast)
        if simulate
        else _real(settings.feet, which)
    )
    summary = _run(plan, means, targets, plain=plain or fast)
    if summary is None:
        print("Ended before a sensor was connected: nothing was recorded.")
        return
    _hand_out(plan, summary, report=report)


def _targets(
    agreed: "Targets", sets: int | None, reps: int | None, rest_s: float | None, tempo: str | None
) -> "Targets":
    """What was agreed, unless told otherwise for today."""
    from dataclasses import replace

    today = {"sets": sets, "reps": reps, "rest_s": rest_s, "tempo_s": None if tempo is None else parse_tempo(tempo)}
    return replace(agreed, **{name: value for name, value in today.items() if value is not None})  # type: ignore[arg-type]


def _default_path(started: datetime, *, simulated: bool) -> Path:
    """A new file in the person's folder, named by when it began; simulated sessions are kept apart."""
    from sensorrep.sources.settings import sessions_folder

    folder = sessions_folder()
    return (folder.with_name("simulated") if simulated else folder) / f"{started:%Y-%m-%d-%H%M%S}.jsonl"


def _real(feet: "Mapping[Foot, KnownSensor]", which: "Foot | None") -> Means:
    """The platform's radio, and the sensors that setup stored."""
    import asyncio

    from sensorrep.sources.ble import Radio, Wanted

    wanted = {
        foot: Wanted(foot, worn.model, worn.address, worn.name) for foot, worn in feet.items() if which in (None, foot)
    }
    if feet and not wanted:
        raise SensorRepError("the sensor of that foot is not known: run sensorrep setup, or name the other foot")
    if not wanted:
        raise SensorRepError(
            "no sensor is known yet: run sensorrep setup (or try sensorrep live --simulate, which needs none)"
        )
    return Means(asyncio.run, time.perf_counter_ns, lambda: Radio(wanted, rate_hz=RATE_HZ), None)


def _simulated(
    targets: "Targets", posture: Posture, seed: int, script: Path | None, which: "Foot | None", *, fast: bool
) -> Means:
    """A wearer who does what was agreed, behind a simulated radio."""
    import asyncio

    from sensorrep.sources import virtual_time
    from sensorrep.sources.ble import Radio
    from sensorrep.sources.simulated.backend import backends
    from sensorrep.sources.simulated.faults import read_script
    from sensorrep.sources.simulated.world import World
    from sensorrep.sources.synthetic import typical

    faults = () if script is None else read_script(script)
    scenario = typical(
        posture.value, sets=targets.sets, reps=targets.reps, rest_s=targets.rest_s, tempo_s=targets.tempo_s
    )
    world = World(scenario, seed, faults)
    wanted = {foot: one for foot, one in world.wanted().items() if which in (None, foot)}
    now_ns = virtual_time.now_ns if fast else time.perf_counter_ns
    return Means(
        virtual_time.run if fast else asyncio.run,
        now_ns,
        lambda: Radio(wanted, rate_hz=RATE_HZ, backends=backends(world), now_ns=now_ns),
        world.seconds,
    )


def _run(plan: "Plan", means: Means, targets: "Targets", *, plain: bool) -> "SessionSummary | None":
    """The session, shown while it runs; None where it was ended before it began."""
    import asyncio

    from sensorrep.live import ended_by_signals
    from sensorrep.live import live as run
    from sensorrep.model import Foot
    from sensorrep.views import announcements
    from sensorrep.views.scoreboard import Scoreboard

    feet = tuple(Foot) if plan.foot is None else (plan.foot,)
    board = Scoreboard(targets, simulated=plan.simulated, feet=feet)
    screen = console()
    plain = plain or not screen.is_terminal or screen.is_dumb_terminal

    async def main() -> "SessionSummary | None":
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            board.ending()
            loop.call_soon_threadsafe(stop.set)

        def leave() -> None:
            screen.show_cursor(True)
            screen.set_alt_screen(False)

        if means.seconds is not None:
            loop.call_later(means.seconds, stop.set)
        with ended_by_signals(end, leave), _view(board, means.now_ns, plain=plain) as view:
            return await run(means.radio(), plan, stop, view)

    try:
        summary = means.run(main())
        if board.swapped and not plain:  # who lay on the floor saw nothing of it
            print(announcements.SWAPPED)
        return summary
    except RecordingError:
        # who lies on the floor does not read: ring, and say what was done so far
        if sys.stderr.isatty():
            print("\a", end="", file=sys.stderr)
        with suppress(OSError):
            print(f"Counted until then: {board.counted()}", flush=True)
        raise


@contextmanager
def _view(
    board: "Scoreboard", now_ns: Callable[[], int], *, plain: bool
) -> "Iterator[Callable[[Callable[[], Latest]], session.View]]":
    """What makes the view, once the signal to show is known; both show at once that sensors are looked for."""
    if plain:
        from sensorrep.views.plain import Plain

        lines = Plain(board, sys.stdout, now_ns)
        yield lines.following
        return
    from sensorrep.views.live_terminal import LiveTerminal

    with LiveTerminal(board, console(), now_ns) as terminal:
        yield terminal.following


def _hand_out(plan: "Plan", summary: "SessionSummary", *, report: bool) -> None:
    """Sum up on the terminal, and write the report: from the recording, so that it is what a later one will be."""
    from sensorrep.views import terminal

    try:
        terminal.show(summary, console(), source=plan.out.name, simulated=plan.simulated)
        print(f"The recording is {plan.out}", flush=True)
    finally:  # also for somebody who reads no more
        if report:
            folder = plan.out.with_name(plan.out.name.removesuffix(".gz").removesuffix(".jsonl") + "-report")
            try:
                _report(plan, folder)
            except KeyboardInterrupt:
                command = shlex.join(["sensorrep", "report", str(plan.out), "--out", str(folder)])
                print(f"\nThe report was not finished. This writes it: {command}", flush=True)
                raise


def _report(plan: "Plan", folder: Path) -> None:
    from sensorrep.commands.options import Side
    from sensorrep.commands.recorded import hand_out, replayed

    foot = None if plan.foot is None else Side[plan.foot.name]
    again, trace, recording = replayed([plan.out], Movement(plan.movement), foot, speed=None, trace=True, quiet=False)
    hand_out(again, trace, recording, None, folder, quiet=True, explain=False)
    print(f"The report is {folder / 'index.html'}")
