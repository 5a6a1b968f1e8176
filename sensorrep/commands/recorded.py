"""`sensorrep replay`, `report`, `inspect`: what is done with a session that is in a file."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sensorrep.commands.options import TABLES, FootOption, Movement, Side, check_foot, console

if TYPE_CHECKING:
    from sensorrep.model import Foot, SessionSummary, Trace
    from sensorrep.sources.recording import Recording
    from sensorrep.sources.tables import Table
    from sensorrep.views.plain import Plain

Files = Annotated[
    list[Path],
    # whether it can be read is told by who reads it, in one line, like all else that is wrong with a file
    typer.Argument(help="A recording, a table with both feet, or two tables, one a foot.", readable=False),
]
RecordedMovement = Annotated[
    Movement | None, typer.Option(help="What to count. Default: what the recording was made for.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no summary.")]


def replay(
    files: Files,
    movement: RecordedMovement = None,
    foot: FootOption = None,
    json: Annotated[str | None, typer.Option(metavar="OUT|-", help="Write the summary as JSON; - prints it.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a report with plots.")] = None,
    speed: Annotated[
        float | None, typer.Option(min=0.01, help="Replay at so many times the recorded pace, a line an event.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say which rule decided on each movement.")] = False,
    quiet: Quiet = False,
) -> None:
    """Count and measure a recorded session."""
    if speed is not None and math.isnan(speed):
        raise typer.BadParameter("--speed takes a number, such as 1 or 20")
    if explain and json == "-":
        raise typer.BadParameter("--explain would print into the JSON: give --json a file")
    quiet = quiet or json == "-"
    summary, trace, source = replayed(files, movement, foot, speed=speed, trace=report is not None, quiet=quiet)
    hand_out(summary, trace, source, json, report, quiet=quiet, explain=explain)


def report(
    files: Files,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the report.")],
    movement: RecordedMovement = None,
    foot: FootOption = None,
    quiet: Quiet = False,
) -> None:
    """Write a session's report: page, plots, CSV and JSON."""
    summary, trace, source = replayed(files, movement, foot, speed=None, trace=True, quiet=quiet)
    hand_out(summary, trace, source, None, out, quiet=quiet, explain=False)


def inspect(files: Files) -> None:
    """Say what is in a recording, and whether it is whole.

    Sensors, rates, gaps, loss, clocks, battery.
    """
    from sensorrep.views.inspection import inspect as inspected
    from sensorrep.views.inspection import show

    with _opened(files) as recording:
        show(inspected(recording, _with_progress(recording, quiet=False)), console())


def replayed(
    files: list[Path], movement: Movement | None, foot: Side | None, *, speed: float | None, trace: bool, quiet: bool
) -> "tuple[SessionSummary, Trace | None, Recording | Table]":
    """A recorded session run through the pipeline."""
    import asyncio

    from sensorrep import session
    from sensorrep.kinematics import openings
    from sensorrep.pipeline import Pipeline
    from sensorrep.sources import replay as sources

    with _opened(files) as recording:
        counted, which = _what_to_count(recording, movement, foot)
        aloud = speed is not None and not quiet
        pipeline = Pipeline(recording.header.feet, counted.value, which, trace=trace, aloud=aloud)
        blocks = _with_progress(recording, quiet=quiet or speed is not None)
        if speed is None:
            summary = asyncio.run(session.run(sources.at_once(blocks), pipeline, None, ()))
        else:
            views = (_lines(recording, which),) if aloud else ()
            summary = asyncio.run(session.run(sources.paced(blocks, speed), pipeline, None, views))
        return summary, openings.trace(pipeline.signal(), summary) if trace else None, recording


def _what_to_count(
    recording: "Recording | Table", movement: Movement | None, side: Side | None
) -> "tuple[Movement, Foot | None]":
    """The movement, and the foot that makes it alone: what was asked for, else what the recording was made for.

    Raises RecordingError where that foot has no sensor.
    """
    from sensorrep.errors import RecordingError
    from sensorrep.model import Foot

    feet = recording.header.feet
    if movement is None:
        movement = Movement(recording.header.movement)
        if movement is Movement.ONE_LEG and side is None and len(feet) == 1:
            return movement, next(iter(feet))
    check_foot(movement, side)
    if side is None:
        return movement, None
    foot = Foot[side.name]
    if foot not in feet:
        raise RecordingError(
            recording.path, None, f"it has no {foot.word} sensor: --foot {Foot(1 - foot).word} is the one it has"
        )
    return movement, foot


def hand_out(
    summary: "SessionSummary",
    trace: "Trace | None",
    recording: "Recording | Table",
    json: str | None,
    report: Path | None,
    *,
    quiet: bool,
    explain: bool,
) -> None:
    """Give the summary to those who asked for it."""
    origin: dict[str, Any] = {
        "source": recording.path.name,
        "simulated": recording.header.simulated,
        "started_at": recording.header.started_at,
    }
    for loss in recording.damage:
        print(f"sensorrep: {recording.path}: {loss}", file=sys.stderr)
    if json is not None:
        from sensorrep.views.document import document, json_bytes

        _write_json(json, json_bytes(document(summary, **origin)))
    if not quiet:
        from sensorrep.views import terminal

        terminal.show(summary, console(), source=origin["source"], simulated=origin["simulated"])
    if explain:
        from sensorrep.views import terminal

        terminal.explain(summary, console())
    if report is not None and trace is not None:
        from sensorrep.views.report import write_report

        page = write_report(report, summary, trace, **origin)
        if not quiet:
            print(f"The report is {page}")


def _write_json(out: str, content: bytes) -> None:
    from sensorrep.sources.files import told, write_private

    if out == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    with told(Path(out), "cannot be written"):
        write_private(Path(out), content)


def _opened(files: list[Path]) -> "Recording | Table":
    """The recording or table(s) that these files are, told apart by their names' endings, else by content."""
    from sensorrep.errors import RecordingError
    from sensorrep.sources.recording import open_recording
    from sensorrep.sources.tables import open_table

    if len(files) > 2:
        raise typer.BadParameter("give one file, or one table a foot")
    if len(files) == 2 and any(".jsonl" in file.suffixes for file in files):
        raise typer.BadParameter("a recording holds both feet: give it alone")
    if len(files) == 2 or files[0].suffix.lower() in TABLES:
        return open_table(files)
    if files[0].suffix.lower() == ".json" and files[0].name.endswith(".truth.json"):
        raise RecordingError(files[0], None, "this is the truth of a simulated session, not its recording")
    return open_recording(files[0])


def _lines(recording: "Recording | Table", foot: "Foot | None") -> "Plain":
    """What `live --plain` says, at the time that the recording's packets tell."""
    from sensorrep.views.plain import Plain
    from sensorrep.views.scoreboard import Scoreboard

    header = recording.header
    board = Scoreboard(simulated=header.simulated, feet=tuple(header.feet) if foot is None else (foot,))
    return Plain(board, sys.stdout)


def _with_progress(recording: "Recording | Table", *, quiet: bool) -> Any:
    """The recording's blocks, with a progress bar on a terminal."""
    if quiet or not sys.stderr.isatty():
        return recording.blocks()
    from sensorrep.views.progress import with_progress

    return with_progress(recording)
