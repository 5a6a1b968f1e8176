"""Knocks: the floor strikes walking feet in turn, and nothing does so in the exercise.

Legs that walk with short steps turn against each other, evenly and by as much as in reps. But the shank of a lying or
seated person turns about a knee at rest, so all that its sensor feels besides gravity is what it takes to swing it on
an arm no longer than a shank. Heels that meet on their return are knocked too, but both at once.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep.kinematics.arms import LONGEST_ARM_M
from sensorrep.kinematics.spans import Span
from sensorrep.model import FRAME_RATE_HZ, GRAVITY_M_S2, Check, HeelSignal

KNOCK_M_S2: Final = 3.0
"""What acceleration exceeds in a knock beyond gravity and the arm's part: ten times a cheap sensor's errors; a soft
step is twice as hard. Larger: shuffling is counted. Smaller: feet that brush over the floor spoil a set."""
IN_TURN_FRAMES: Final = round(0.15 * FRAME_RATE_HZ)
"""Feet that are knocked by so much one after the other walk: a hurried step takes 0.4 s."""


def steps(stretch: HeelSignal, run: Sequence[Span]) -> Check | None:
    """The rule that the feet are not knocked one after the other, where most excursions of a run break it."""
    first = run[0].low
    part = stretch[first : run[-1].next_low + 1]
    turning = np.gradient(part["rate_rad_s"], axis=0) * FRAME_RATE_HZ
    swing = np.sqrt((turning**2).sum(axis=2)) + (part["rate_rad_s"] ** 2).sum(axis=2)
    felt = np.abs(np.sqrt((part["acc_m_s2"] ** 2).sum(axis=2)) - GRAVITY_M_S2)
    beyond = np.where(part["ok"], felt - LONGEST_ARM_M * swing, 0.0)
    each = [beyond[span.low - first : span.next_low - first] for span in run]
    knock_m_s2 = float(np.median([one.max(axis=0) for one in each], axis=0).min())
    apart = np.median([abs(int(np.subtract(*one.argmax(axis=0)))) for one in each])
    if knock_m_s2 <= KNOCK_M_S2 or apart <= IN_TURN_FRAMES:
        return None
    return Check("feet that nothing knocks in turn (m/s2)", knock_m_s2, KNOCK_M_S2, passed=False)
