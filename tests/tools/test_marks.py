"""True sessions in the form in which they are compared."""

from dataclasses import replace

import numpy as np

from benchmark.marks import of_truth
from sensorrep.model import Foot
from sensorrep.sources.synthetic import Outage, TrueRep, TrueSet, Truth


def truth(*flags: tuple[str, ...]) -> Truth:
    """One set of reps of 3 s every 4 s, with these flags."""
    reps = tuple(
        TrueRep(4.0 * i, 4.0 * i + 1, 4.0 * i + 2, 4.0 * i + 3, (10.0, 11.0), 21.0, one) for i, one in enumerate(flags)
    )
    return Truth(
        0, "prone", (TrueSet(0.0, 11.0, "prone", reps, fatigued=True),), (), np.arange(61.0), np.zeros((61, 2))
    )


def test_what_the_wearer_did_is_kept() -> None:
    got = of_truth(truth((), ("partial",)))
    assert got.duration_s == 60
    assert got.fatigued == (True,)
    assert got.reps[0][:5] == (0.0, 3.0, 1.0, 2.0, (10.0, 11.0))
    assert [one.partial for one in got.reps] == [False, True]


def test_a_rep_cut_off_by_the_recording_is_optional_and_its_set_says_nothing_of_fatigue() -> None:
    got = of_truth(truth((), ("truncated",)))
    assert [one.optional for one in got.reps] == [False, True]
    assert got.fatigued == (None,)


def test_a_moment_between_sets_does_not_part_them() -> None:
    def two_sets(rest_s: float) -> Truth:
        one = truth((), ()).sets[0]
        later_s = 7.0 + rest_s
        reps = tuple(replace(rep, start_s=rep.start_s + later_s, end_s=rep.end_s + later_s) for rep in one.reps)
        later = replace(one, start_s=later_s, end_s=later_s + 7.0, reps=reps)
        return replace(truth(()), sets=(replace(one, end_s=7.0), later))

    assert [one.set_number for one in of_truth(two_sets(6.0)).reps] == [0, 0, 0, 0]
    assert of_truth(two_sets(6.0)).fatigued == (None,)
    assert [one.set_number for one in of_truth(two_sets(12.0)).reps] == [0, 0, 1, 1]


def test_a_rep_is_optional_when_both_feet_were_away_but_not_when_one_was() -> None:
    left, right = Outage(Foot.LEFT, 4.0, 3.0), Outage(Foot.RIGHT, 5.0, 3.0)
    assert [one.optional for one in of_truth(truth((), (), ()), (left,)).reps] == [False, False, False]
    assert [one.optional for one in of_truth(truth((), (), ()), (left, right)).reps] == [False, True, False]
