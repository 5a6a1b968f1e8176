"""What goes wrong in a simulated session, and when: scripts of faults, from a JSON file or drawn from a seed.

A script is a list of `[seconds since the radio was first used, "left" | "right" | "both", action, number]`:

===========  ==========================================================================================
cut          the link is lost; the sensor can't be reached for so many seconds (0: at once again)
stall        nothing arrives for so many seconds, then all of it
silent       nothing arrives for so many seconds and is lost, though the link seems to stand
loss         from now on this fraction of packets never arrives
duplicate    from now on this fraction of packets arrives twice
reorder      from now on this fraction of packets is overtaken by the next
interval     from now on packets leave the sensor every so many seconds
mtu          from the next connection on the link carries so many bytes
reboot       the sensor is dead for so many seconds, then starts with new clock and counter
dead         the sensor is dead for so many seconds
battery      its battery has so many per cent left
refuse       the next so many connections fail
firmware     from the next connection on its characteristics are not those of its model
adapter      the host's Bluetooth is off for so many seconds (for both feet, whatever the foot)
forbidden    the host's Bluetooth may not be used for so many seconds (for both feet, whatever the foot)
===========  ==========================================================================================
"""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from sensorrep.errors import RecordingError
from sensorrep.model import Foot
from sensorrep.sources.files import told

LIMITS: Final[dict[str, tuple[float, float]]] = {
    "cut": (0.0, 1e6),
    "stall": (0.0, 1e6),
    "silent": (0.0, 1e6),
    "loss": (0.0, 1.0),
    "duplicate": (0.0, 1.0),
    "reorder": (0.0, 1.0),
    "interval": (0.0, 4.0),
    "mtu": (23.0, 517.0),
    "reboot": (0.0, 1e6),
    "dead": (0.0, 1e6),
    "battery": (0.0, 100.0),
    "refuse": (0.0, 1e6),
    "firmware": (0.0, 1.0),
    "adapter": (0.0, 1e6),
    "forbidden": (0.0, 1e6),
}
"""Least and largest number of each action."""
_DRAWN: Final[dict[str, tuple[float, float]]] = {
    "cut": (0.0, 15.0),
    "stall": (0.1, 4.0),
    "silent": (0.5, 12.0),
    "loss": (0.0, 0.1),
    "duplicate": (0.0, 0.1),
    "reorder": (0.0, 0.1),
    "interval": (0.0075, 0.1),
    "mtu": (23.0, 247.0),
    "reboot": (0.2, 10.0),
    "dead": (1.0, 20.0),
    "battery": (0.0, 100.0),
    "refuse": (1.0, 4.0),
    "adapter": (1.0, 10.0),
}
_FEET: Final = {"left": (Foot.LEFT,), "right": (Foot.RIGHT,), "both": tuple(Foot)}


class Fault(NamedTuple):
    """One thing that goes wrong: `at_s` after the radio was first used."""

    at_s: float
    feet: tuple[Foot, ...]
    action: str
    number: float


def read_script(path: Path) -> tuple[Fault, ...]:
    """The faults in a JSON file. Raises RecordingError where it is no such script."""
    with told(path, "cannot be read"):
        text = path.read_bytes()
    try:
        return parse_script(json.loads(text))
    except ValueError as error:
        raise RecordingError(path, None, f"this is no script of faults: {error}") from None


def parse_script(found: Any) -> tuple[Fault, ...]:
    """Faults in order of time. Raises ValueError, which says what is wrong with which entry."""
    if type(found) is not list:
        raise ValueError('it must be a list of entries such as [12.5, "left", "cut", 2]')
    return tuple(sorted((_parse(number, entry) for number, entry in enumerate(found, 1)), key=lambda one: one.at_s))


def draw_script(seed: int, seconds: float, faults: int) -> tuple[Fault, ...]:
    """Faults at random times, most of which pass; no radio is worse for long."""
    rng = np.random.default_rng(seed)
    drawn = []
    for at_s in np.sort(rng.uniform(0.0, seconds, faults)).tolist():
        action = str(rng.choice(list(_DRAWN)))
        feet = _FEET[str(rng.choice(list(_FEET)))]
        number = float(rng.uniform(*_DRAWN[action]))
        drawn.append(Fault(at_s, feet, action, round(number) if action in ("mtu", "battery", "refuse") else number))
    return tuple(drawn)


def _parse(number: int, entry: Any) -> Fault:
    if type(entry) is not list or not 3 <= len(entry) <= 4:
        raise ValueError(f'entry {number} is not of the form [seconds, "left", "action", number]')
    at_s, feet, action, amount = [*entry, 0.0][:4]
    if type(feet) is not str or feet not in _FEET:
        raise ValueError(f'entry {number} must name "left", "right" or "both"')
    if type(action) is not str or action not in LIMITS:
        raise ValueError(f"entry {number} has no known action ({', '.join(LIMITS)})")
    if not _is_between(at_s, 0.0, 1e6):
        raise ValueError(f"entry {number} does not begin with seconds")
    if not _is_between(amount, *LIMITS[action]):
        low, high = LIMITS[action]
        raise ValueError(f"entry {number} needs a number from {low:g} to {high:g} after {action!r}")
    return Fault(float(at_s), _FEET[feet], action, float(amount))


def _is_between(number: Any, low: float, high: float) -> bool:
    return type(number) in (int, float) and low <= number <= high
