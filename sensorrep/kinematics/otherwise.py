"""What a set may be in place of heels apart, and which rule says so: movements as even as reps, but not of the hips."""

from collections.abc import Sequence
from typing import NamedTuple

from sensorrep.kinematics import knocks, worn
from sensorrep.kinematics.arms import SURE, arm, not_from_knees
from sensorrep.kinematics.reps import Found
from sensorrep.kinematics.spans import Span
from sensorrep.model import Check, HeelSignal


class Other(NamedTuple):
    """Another movement than the exercise."""

    what: str
    """In words."""
    check: Check
    """The rule that it broke."""
    are_steps: bool = False


def otherwise(
    stretch: HeelSignal, found: Found, run: Sequence[Span], seen: worn.Worn, doubt: float = SURE
) -> Other | None:
    """What a run of excursions of a stretch is in place of heels apart; None where it may be that.

    So many standard uncertainties of `doubt` speak for heels apart.
    """
    check = knocks.steps(stretch, run)
    if check is not None:
        return Other("steps: the floor knocked the feet in turn", check, are_steps=True)
    from_elsewhere = not_from_knees(found, [arm(stretch, found, run, foot) for foot in (0, 1)], doubt)
    if from_elsewhere is not None:
        return Other(*from_elsewhere)
    if not found.axes.any(axis=1).all():
        return None
    check = worn.knees_bent(seen, found)
    if check is not None:
        return Other("knees that bent, or feet that twisted", check)
    check = worn.same_way(seen, found)
    return None if check is None else Other("both legs turning the same way", check)
