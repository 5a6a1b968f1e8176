"""What a person means to do in a session."""

from dataclasses import dataclass
from typing import Final

SETS: Final = (1, 20)
REPS: Final = (1, 60)
REST_S: Final = (10.0, 600.0)
PHASE_S: Final = (0.1, 10.0)
"""Least and most that can be meant; the phases are those of `Targets.tempo_s`."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the person means to do in a session. The defaults are usual for this exercise, and only a start."""

    sets: int = 3
    reps: int = 8
    rest_s: float = 45.0
    tempo_s: tuple[float, float, float, float] = (2.0, 1.0, 2.0, 1.0)
    """Opening, hold, return, pause."""
