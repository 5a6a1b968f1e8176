"""Which posture the exercise was done in, from how the shanks turned and where gravity was."""

from sensorrep.kinematics.reps import Found
from sensorrep.model import HeelSignal, Posture


def posture(stretch: HeelSignal, found: Found) -> Posture | None:
    """Unknown so far."""
    return None
