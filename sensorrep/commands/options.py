"""What several commands take from the command line, and how they speak."""

import math
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sensorrep.targets import PHASE_S

if TYPE_CHECKING:
    from rich.console import Console


class Movement(StrEnum):
    """What is counted."""

    HEELS_APART = "heels-apart"
    ONE_LEG = "one-leg"


class Side(StrEnum):
    """A foot, as people type it."""

    LEFT = "left"
    RIGHT = "right"


class Posture(StrEnum):
    """How a simulated wearer lies or sits."""

    PRONE = "prone"
    HOOK_LYING = "hook-lying"
    TABLE_TOP = "table-top"
    SEATED = "seated"


MovementOption = Annotated[Movement, typer.Option(help="What to count.")]
FootOption = Annotated[Side | None, typer.Option(help="The foot that moves, with --movement one-leg.")]


def check_foot(movement: Movement, foot: Side | None) -> None:
    """Raises typer.BadParameter unless the foot is given with one-leg, and only there."""
    if (movement is Movement.ONE_LEG) != (foot is not None):
        raise typer.BadParameter(
            "--movement one-leg needs --foot left or --foot right, and only that movement takes it"
        )


TABLES: Final = (".csv", ".tsv", ".txt")
"""Endings of files that are read as tables."""


def check_recording_name(out: Path | None) -> None:
    """Raises typer.BadParameter for a name under which a recording could not be read back."""
    if out is not None and (out.suffix.lower() in TABLES or out.name.endswith(".truth.json")):
        raise typer.BadParameter(f"--out is a recording, whose name ends in .jsonl or .jsonl.gz: not {out.name}")


def parse_tempo(text: str) -> tuple[float, float, float, float]:
    """`1.2-0.4-1.4-0.6` -> seconds of the four phases. Raises typer.BadParameter."""
    parts = numbers(text, "-")
    least, most = PHASE_S
    if len(parts) != 4 or not all(least <= part <= most for part in parts):
        limits = f"from {least:g} to {most:g}"
        raise typer.BadParameter(f"--tempo takes four numbers {limits}, such as 1.2-0.4-1.4-0.6: not {text!r}")
    return parts[0], parts[1], parts[2], parts[3]


def numbers(text: str, between: str) -> list[float]:
    """The numbers of a list; empty where one is none."""
    try:
        found = [float(part) for part in text.split(between)]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []


def console() -> "Console":
    """The terminal, or whatever stands in for it."""
    from rich.console import Console

    # a pipe has no width: lines of 80 columns are broken for nobody
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(width=100 if piped else None)
