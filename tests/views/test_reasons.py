import math

import numpy as np

from sensorrep.model import Check, Rejected
from sensorrep.views import reasons
from tests.motion import course, findings, poses, reps


def test_too_few_movements_are_told_with_how_many_a_set_needs() -> None:
    motion = poses(np.repeat(10 * reps(course(12.0), (3.0, 6.4))[:, None], 2, axis=1))
    (*_, last) = (one for one in findings(motion) if isinstance(one, Rejected))
    assert reasons.reason(last) == "only 2 such movements, where a set needs 3"


def test_a_rejection_is_said_without_the_unit_of_its_rule() -> None:
    assert reasons.rejected(Rejected(2.0, 2.5, "not of one kind (share)")) == "at 2.0 s (0.5 s long): not of one kind"
    assert reasons.reason(Rejected(2.0, 2.5, "sway (both feet) together")) == "sway (both feet) together"


def test_rules_whose_names_would_puzzle_are_put_into_plain_words() -> None:
    assert reasons.reason(Rejected(2.0, 30.0, "not soon enough (s)")) == "took too long for a rep"
    assert reasons.reason(Rejected(2.0, 3.0, "not comes back (share)")) == "did not come back"


def test_checks_in_radians_are_shown_in_degrees() -> None:
    shown = reasons.in_degrees(Check("large enough (rad)", math.radians(3), math.radians(4), False))
    assert (shown.rule, round(shown.value, 6), round(shown.limit, 6)) == ("large enough (°)", 3.0, 4.0)
    other = Check("comes back (share)", 0.4, 0.5, False)
    assert reasons.in_degrees(other) is other
