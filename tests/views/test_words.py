from dataclasses import replace

import pytest

from sensorrep.model import Fatigue, Foot, FootStats, SessionSummary, Tempo
from sensorrep.views import words
from tests.views.sessions import CASES, asymmetric, fatigued, moves, one_foot, session, typical, with_gap


@pytest.mark.parametrize(
    ("phases", "text"),
    [(Tempo(1.2, 0.4, 1.44, 0.46), "1.2-0.4-1.4-0.5"), (Tempo(0.96, 0.0, 2.0, None), "1.0-0.0-2.0")],
)
def test_tempo_is_written_in_four_parts_and_in_three_where_nothing_follows(phases: Tempo, text: str) -> None:
    assert words.tempo(phases) == text


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((), "No reps were counted"),
        ((1,), "1 set: 1 rep"),
        ((8,), "1 set: 8 reps"),
        ((8, 1), "2 sets: 8 and 1 reps"),
        ((8, 8, 7), "3 sets: 8, 8 and 7 reps"),
    ],
)
def test_headline_counts_sets_and_reps(counts: tuple[int, ...], text: str) -> None:
    assert words.headline(session([moves(count) for count in counts]).summary) == text


def test_headline_names_half_reps() -> None:
    assert words.headline(CASES["half_reps"]().summary) == "2 sets: 8 and 8 reps, 1 half rep among them"


def test_symmetry_says_verdict_direction_and_interval() -> None:
    one = asymmetric().summary.sets[0]
    said = words.symmetry(one)
    assert said.startswith("Right opened less (right minus left -3.4°, -29 %; 95 % interval -40 % to -19 %")


def test_degrees_and_per_cent_of_a_difference_agree_where_a_side_was_lost_in_some_reps() -> None:
    one = asymmetric().summary.sets[0]
    assert one.symmetry is not None
    left, right = one.range_rad
    assert right is not None
    said = words.symmetry(replace(one, range_rad=(left, replace(right, mean=2 * right.mean))))
    assert "right minus left -" in said
    assert "+0.0°, +0 %" in words.symmetry(replace(one, symmetry=replace(one.symmetry, index_pct=-0.3)))


def test_symmetry_of_a_lost_side_is_no_comparison() -> None:
    assert words.symmetry(one_foot().summary.sets[0]) == "No comparison: right not measured"


def test_fatigue_says_from_which_rep_and_how_much() -> None:
    found = fatigued().summary.sets[1].fatigue
    assert words.fatigue(found) == (
        "Fatigue showed from rep 6"
        " (at the end, against your own early reps: range 27 % less, opening speed 41 % less, time a rep 31 % longer)"
    )


def test_fatigue_of_a_short_set_claims_nothing() -> None:
    assert words.fatigue(Fatigue(False, None, None, None, None, ())) == "Too few reps to show a trend"


def test_a_gain_is_said_as_more_and_not_as_a_negative_loss() -> None:
    said = words.fatigue(Fatigue(False, None, -12.0, None, -8.0, ()))
    assert "range 12 % more" in said
    assert "time a rep 8 % shorter" in said


def test_sets_in_different_postures_are_not_compared() -> None:
    first, second, _ = typical().summary.sets
    assert "not compared" in words.set_against_first(replace(second, posture="seated"), first)


def test_one_set_without_a_posture_hides_not_that_of_the_others() -> None:
    summary = typical().summary
    blind = replace(summary, posture=None, sets=(replace(summary.sets[0], posture=None), *summary.sets[1:]))
    assert words.posture(blind) == words.posture(summary)
    assert "posture in set 1 was not recognised" in str(words.caveat(blind))
    assert "not recognised" in words.set_against_first(blind.sets[1], blind.sets[0])


def test_quality_counts_losses_and_places_gaps() -> None:
    summary = with_gap().summary
    assert words.quality(summary, Foot.LEFT).endswith("samples lost, no gaps")
    assert "570 of 8355 samples lost (6.8 %), 1 gap (at 99.0 s for 9.5 s)" in words.quality(summary, Foot.RIGHT)


def test_a_model_that_this_version_does_not_know_keeps_its_name() -> None:
    assert words.sensor_model("movella-dot\x1b") == "movella-dot\N{REPLACEMENT CHARACTER}"


def test_of_a_sensor_that_never_came_no_rate_is_told() -> None:
    never = FootStats("diy", 0, 0, 0.0, ((0.0, 90.0),))
    summary = typical().summary
    assert words.quality(replace(summary, feet={Foot.LEFT: never}), Foot.LEFT) == (
        "DIY board (ankle IMU profile v1), no samples came from it"
    )


def test_quality_names_what_could_not_be_read() -> None:
    stats = FootStats("diy", 100, 0, 50.0, ((1.0, 2.0),) * 5, malformed=1, saturated=3)
    said = words.quality(SessionSummary(10.0, "one-leg", None, {Foot.LEFT: stats}, (), ()), Foot.LEFT)
    assert "5 gaps (5.0 s in all), 1 unreadable packet, 3 samples beyond the sensor's limit" in said


@pytest.mark.parametrize("name", CASES)
def test_every_session_ends_with_the_safe_sentences(name: str) -> None:
    said = words.disclaimer(CASES[name]().summary)
    assert said.startswith("Not a medical device. Angles are estimates")
    assert said.endswith("Stop if pain is sharp or new.")


def test_disclaimer_gives_twice_the_standard_uncertainty() -> None:
    assert "one rep measured to ±1.1° in this posture" in words.disclaimer(typical().summary)


def test_table_top_says_that_gravity_does_not_see_the_turning() -> None:
    assert "gyroscope alone" in (words.caveat(CASES["three_reps"]().summary) or "")
    assert words.caveat(typical().summary) is None
