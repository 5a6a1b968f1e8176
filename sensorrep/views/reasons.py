"""Why a movement was not counted, in plain words. Pure."""

import math
import re
from typing import Final

from sensorrep.model import Check, Rejected
from sensorrep.views.formats import number, plural

ENOUGH: Final = "enough alike for a set"
"""How the rule on a set's least reps begins (`kinematics.sets`)."""
WHY: Final = {
    "not large enough": "too small",
    "not small enough for this exercise": "too large for this exercise",
    "not about the same axes as the others": "turned about another axis than the reps",
    "not long enough": "too short for a rep",
    "not soon enough": "took too long for a rep",
    "not comes back": "did not come back",
    "not like the others": "much larger than the others",
    "not large enough beside the others": "much smaller than the others",
    "not long enough for a set": "too short for a set",
    "not the leg that leads": "only taken along by the other leg",
}
"""Why a movement was not counted, by the rule that it failed, where the rule's own words would puzzle."""


def rejected(one: Rejected) -> str:
    """When a movement was, and why it was not counted."""
    return f"at {number(one.start_s)} s ({number(one.end_s - one.start_s)} s long): {reason(one)}"


def a_movement(one: Rejected) -> str:
    """``a movement of 4 s at 1:08``: when, as clocks during a session say it."""
    minutes, seconds = divmod(int(one.start_s), 60)
    return f"a movement of {max(round(one.end_s - one.start_s), 1)} s at {minutes}:{seconds:02d}"


def reason(one: Rejected) -> str:
    """Why a movement was not counted: the rule that it failed in plain words, or by its name without the unit."""
    for check in one.checks:
        if not check.passed and one.why == f"not {check.rule}" and check.rule.startswith(ENOUGH):
            return f"only {plural(round(check.value), 'such movement')}, where a set needs {check.limit:.0f}"
    rule = re.sub(r" \([^()]*\)$", "", one.why)
    return WHY.get(rule, rule)


def in_degrees(one: Check) -> Check:
    """The same check with degrees where its rule names radians."""
    for radians, unit in (("(rad/s)", "(°/s)"), ("(rad)", "(°)")):
        if radians in one.rule:
            value, limit = math.degrees(one.value), math.degrees(one.limit)
            return Check(one.rule.replace(radians, unit), value, limit, one.passed)
    return one
