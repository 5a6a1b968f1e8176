"""`sensorrep simulate`: a session that nobody did, as a recording with its truth beside it."""

import json
import os
from dataclasses import replace
from enum import StrEnum
from io import BufferedWriter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sensorrep import __version__
from sensorrep.commands.options import Posture, check_recording_name, numbers, parse_tempo

if TYPE_CHECKING:
    from sensorrep.sources.synthetic import Scenario, Simulated

PACKET_S: Final = 0.04
"""What a simulated sensor gathers into one packet: as long as the open profile asks of a real one."""


class Sensors(StrEnum):
    """Which feet wear a sensor."""

    BOTH = "both"
    LEFT = "left"
    RIGHT = "right"


def simulate(
    out: Annotated[Path, typer.Option(metavar="FILE", help="The recording: .jsonl, or .jsonl.gz for a small one.")],
    posture: Annotated[Posture, typer.Option(help="How the wearer lies or sits.")] = Posture.PRONE,
    sets: Annotated[int, typer.Option(min=1, max=20, help="Sets.")] = 3,
    reps: Annotated[int, typer.Option(min=1, max=60, help="Reps a set.")] = 8,
    opening: Annotated[str, typer.Option("--range", metavar="DEG[,DEG]", help="Range a leg; or left,right.")] = "12",
    tempo: Annotated[
        str, typer.Option(metavar="S-S-S-S", help="Seconds of opening, hold, return and pause.")
    ] = "1.2-0.4-1.4-0.6",
    rest: Annotated[float, typer.Option(min=10, max=600, help="Seconds of rest between sets.")] = 35.0,
    fatigue: Annotated[bool, typer.Option("--fatigue", help="Every set gets harder from its fourth rep on.")] = False,
    sensors: Annotated[Sensors, typer.Option(help="Which feet wear a sensor.")] = Sensors.BOTH,
    rate: Annotated[float, typer.Option(min=25, max=400, help="Samples a second.")] = 100.0,
    loss: Annotated[float, typer.Option(min=0, max=50, help="Per cent of packets that never arrive.")] = 0.0,
    stalls: Annotated[float, typer.Option(min=0, max=20, help="Radio stalls of 1.5 s, a minute.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another session.")] = 0,
) -> None:
    """Simulate a session: a recording, and the truth beside it.

    The recording is marked as simulated; the truth is in the .truth.json.
    """
    check_recording_name(out)
    from sensorrep.sources.synthetic import Fatigue, Link, Sensor, typical
    from sensorrep.views.formats import plural

    sensor = Sensor(rate_hz=rate, samples_per_packet=max(1, min(4, round(rate * PACKET_S))))
    scenario = typical(
        posture.value,
        sets=sets,
        reps=reps,
        range_deg=parse_range(opening),
        tempo_s=parse_tempo(tempo),
        rest_s=rest,
        fatigue=Fatigue() if fatigue else None,
        left=None if sensors is Sensors.RIGHT else sensor,
        right=None if sensors is Sensors.LEFT else sensor,
        link=Link(loss=0.01 * loss, stalls_per_min=stalls),
    )
    simulated = _write(scenario, seed, out, truth_path(out))
    counts = f"{plural(len(simulated.truth.sets), 'set')} of {plural(reps, 'rep')}"
    what = f"{counts}, {posture.value}, seed {seed}"
    print(f"SIMULATED: {what}\n{out}\n{truth_path(out)}")


def truth_path(recording: Path) -> Path:
    """Where the truth of a recording stands: beside it, under its name."""
    return recording.with_name(recording.name.removesuffix(".gz").removesuffix(".jsonl") + ".truth.json")


def parse_range(text: str) -> tuple[float, float]:
    """`12` or `12,9` -> degrees, left and right. Raises typer.BadParameter."""
    parts = numbers(text, ",")
    if len(parts) not in (1, 2) or not all(1.0 <= part <= 45.0 for part in parts):
        raise typer.BadParameter(f"--range takes one or two numbers from 1 to 45, such as 12 or 12,9: not {text!r}")
    return parts[0], parts[-1]


def _write(scenario: "Scenario", seed: int, out: Path, truth: Path) -> "Simulated":
    """Simulate into two new files. Raises RecordingError where one exists or can't be written."""
    from rich.console import Console

    from sensorrep.errors import RecordingError
    from sensorrep.sources.files import create_private, told
    from sensorrep.sources.recording import RecordingWriter
    from sensorrep.sources.synthetic import simulate as play

    for path in (out, truth):
        if os.path.lexists(path):
            raise RecordingError(path, None, "it exists already, and recordings are never overwritten: name another")
    with Console(stderr=True).status("Simulating"):
        simulated = play(scenario, seed)
        header = replace(simulated.header, software={"sensorrep": __version__})
        with RecordingWriter(out, header) as recording:
            recording.write(simulated.packets)
        with told(truth, "cannot be written"), BufferedWriter(create_private(truth)) as file:
            file.write(json.dumps(simulated.truth.as_json(), indent=1).encode() + b"\n")
    return simulated
