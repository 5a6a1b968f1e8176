from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress, t

from sensorrep.kinematics import trends
from sensorrep.model import Foot, Rep, Spread, Tempo

QUICK = settings(deadline=None, derandomize=True, max_examples=60)


def rep(left_deg: float | None = 12.0, right_deg: float | None = 12.0, opens_s: float = 1.2) -> Rep:
    """A rep of these ranges that opens in this time."""
    legs_rad = tuple(None if one is None else float(np.radians(one)) for one in (left_deg, right_deg))
    speeds = tuple(None if one is None else float(np.radians(15.0)) for one in legs_rad)
    return Rep(
        start_s=0.0,
        open_s=opens_s,
        close_s=opens_s + 0.4,
        end_s=opens_s + 1.8,
        pause_s=0.6,
        range_rad=(legs_rad[0], legs_rad[1]),
        range_sd_rad=(0.002, 0.002),
        opening_rad=sum(one for one in legs_rad if one is not None),
        peak_speed_rad_s=(speeds[0], speeds[1]),
        return_speed_rad_s=(speeds[0], speeds[1]),
        smoothness=(-1.6, -1.6),
        tremor_rad_s=None,
        lag_s=0.0,
    )


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 9, 10, 11, 12, 15, 20, 30, 60, 200])
def test_students_quantile_agrees_with_scipy(freedom: int) -> None:
    assert trends.student_975(freedom) == pytest.approx(t.ppf(0.975, freedom), abs=2e-4)


# --- left against right -------------------------------------------------------------------------------------------


def test_the_interval_of_three_known_reps() -> None:
    """Left 10, right 12, 12, 13.5: middle 11.25, differences 2, 2, 3.5 of it, mean 22.2 %, sd 7.70 %.

    Standard error: 7.70 / sqrt 3 = 4.44 %, with 1.4 % for two scales 4.66 %; times t(2) = 4.303 it is 20.1 %.
    """
    found = trends.symmetry([rep(10.0, 12.0), rep(10.0, 12.0), rep(10.0, 13.5)])
    assert found is not None
    assert found.index_pct == pytest.approx(22.2, abs=0.05)
    assert found.interval_pct == pytest.approx((22.2 - 20.1, 22.2 + 20.1), abs=0.1)


def test_a_clear_difference_is_said_in_words() -> None:
    wobble = (0.3, -0.2, 0.1, -0.3, 0.2, 0.0, 0.1, -0.2)
    left_less = trends.symmetry([rep(9.0 + one, 13.0 - one) for one in wobble])
    right_less = trends.symmetry([rep(13.0 - one, 9.0 + one) for one in wobble])
    assert left_less is not None
    assert right_less is not None
    assert (left_less.verdict, right_less.verdict) == (trends.LEFT_LESS, trends.RIGHT_LESS)
    assert left_less.interval_pct[0] > 0.0


def test_a_difference_below_what_straps_and_gyroscopes_do_is_none_that_can_be_measured() -> None:
    found = trends.symmetry([rep(12.0, 13.8) for _ in range(20)])
    assert found is not None
    assert found.interval_pct[0] > 0.0
    assert found.verdict == trends.NO_DIFFERENCE


def test_a_difference_that_the_reps_do_not_agree_on_is_none_that_can_be_measured() -> None:
    found = trends.symmetry([rep(8.0, 16.0), rep(16.0, 9.0), rep(9.0, 15.0), rep(15.0, 9.0)])
    assert found is not None
    assert found.interval_pct[0] < 0.0 < found.interval_pct[1]
    assert found.verdict == trends.NO_DIFFERENCE


@QUICK
@given(st.lists(st.tuples(st.floats(3.0, 25.0), st.floats(3.0, 25.0)), min_size=3, max_size=12))
def test_swapping_the_legs_turns_the_symmetry_round(ranges_deg: list[tuple[float, float]]) -> None:
    found = trends.symmetry([rep(left, right) for left, right in ranges_deg])
    turned = trends.symmetry([rep(right, left) for left, right in ranges_deg])
    assert found is not None
    assert turned is not None
    assert turned.index_pct == pytest.approx(-found.index_pct, abs=1e-9)
    assert turned.interval_pct == pytest.approx((-found.interval_pct[1], -found.interval_pct[0]), abs=1e-9)
    other = {trends.LEFT_LESS: trends.RIGHT_LESS, trends.RIGHT_LESS: trends.LEFT_LESS}
    assert turned.verdict == other.get(found.verdict, trends.NO_DIFFERENCE)


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        scales = 1.0 + 0.01 * rng.normal(size=2)
        pairs = rng.normal([11.0, 13.0], 0.8, size=(8, 2)) * scales
        found = trends.symmetry([rep(left, right) for left, right in pairs.tolist()])
        assert found is not None
        covered += found.interval_pct[0] <= 100.0 * 2.0 / 12.0 <= found.interval_pct[1]
    assert 0.93 <= covered / 400 <= 0.99


def test_two_reps_or_one_leg_show_no_symmetry() -> None:
    assert trends.symmetry([rep(), rep()]) is None
    assert trends.symmetry([rep(right_deg=None)] * 6) is None


# --- change over a set ----------------------------------------------------------------------------------------------


def tiring(loss: float, count: int = 9, noise: float = 0.04, seed: int = 0) -> list[Rep]:
    """Reps whose range falls evenly by `loss` from the fourth on, and scatters by `noise`."""
    rng = np.random.default_rng(seed)
    share = 1.0 - loss * np.clip((np.arange(count) - 2) / (count - 3), 0.0, 1.0)
    shares = share * (1.0 + noise * rng.normal(size=count))
    return [rep(12.0 * one, 12.0 * one, 15.0 * one) for one in shares.tolist()]


@pytest.mark.parametrize("seed", range(20))
def test_a_loss_of_a_third_is_fatigue(seed: int) -> None:
    found = trends.fatigue(tiring(0.35, seed=seed))
    assert found.detected
    assert found.from_rep is not None
    assert 5 <= found.from_rep <= 8
    assert found.range_loss_pct == pytest.approx(33, abs=8)
    assert any("range" in one for one in found.evidence)


def test_reps_that_scatter_about_a_constant_are_hardly_ever_fatigue() -> None:
    detected = [trends.fatigue(tiring(0.0, noise=0.08, seed=seed)).detected for seed in range(300)]
    assert sum(detected) <= 6


def drawn(rng: np.random.Generator, count: int, uneven: float, loss: float = 0.0) -> list[Rep]:
    """Reps whose size and time vary each on its own, and that lose so much of their range from the fourth on."""
    tired = np.clip((np.arange(count) - 2) / (count - 3), 0.0, 1.0)
    sizes_deg = 12.0 * np.exp(uneven * rng.normal(size=count)) * (1.0 - loss * tired)
    opens_s = 1.2 * np.exp(uneven * rng.normal(size=count)) * (1.0 + 0.6 * loss * tired)
    return [rep(size, size, opens) for size, opens in zip(sizes_deg.tolist(), opens_s.tolist(), strict=True)]


@pytest.mark.parametrize(("count", "least"), [(6, 0.8), (8, 0.95), (10, 0.97)])
def test_a_quarter_lost_is_told_in_short_sets_too(count: int, least: float) -> None:
    rng = np.random.default_rng(count)
    detected = [trends.fatigue(drawn(rng, count, 0.06, 0.25)).detected for _ in range(300)]
    assert np.mean(detected) >= least


@pytest.mark.parametrize("uneven", [0.06, 0.1, 0.15])
@pytest.mark.parametrize("count", [6, 8, 10])
def test_reps_that_only_vary_are_fatigue_in_one_set_of_twenty_at_most(count: int, uneven: float) -> None:
    rng = np.random.default_rng(count)
    detected = [trends.fatigue(drawn(rng, count, uneven)).detected for _ in range(1000)]
    assert np.mean(detected) <= 0.05


def test_a_last_rep_that_fails_is_seldom_fatigue() -> None:
    rng = np.random.default_rng(1)
    sets = [[*drawn(rng, 8, 0.05), rep(5.0, 5.0)] for _ in range(300)]
    assert np.mean([trends.fatigue(reps).detected for reps in sets]) <= 0.1


@QUICK
@given(st.floats(0.0, 0.15), st.integers(5, 12))
def test_a_steady_loss_below_the_threshold_is_not_fatigue(loss: float, count: int) -> None:
    found = trends.fatigue(tiring(loss, count, noise=0.0))
    assert not found.detected
    assert found.from_rep is None
    assert found.evidence == ()


def test_losses_are_against_the_mean_of_the_best_two_of_the_first_three_reps() -> None:
    """20 and 24 of 18, 20, 24 make 22; the last two, 11 and 13.2, lost 50 and 40 %."""
    openings_deg = (18.0, 20.0, 24.0, 16.0, 15.0, 11.0, 13.2)
    found = trends.fatigue([rep(0.5 * one, 0.5 * one) for one in openings_deg])
    assert found.range_loss_pct == pytest.approx(45.0)
    assert found.speed_loss_pct == pytest.approx(45.0)
    assert found.reference_range_rad == pytest.approx(np.radians(22.0))
    assert (found.detected, found.from_rep) == (True, 4)


def test_one_weak_rep_alone_is_not_fatigue() -> None:
    reps = [rep() for _ in range(9)]
    reps[6] = rep(7.0, 7.0)
    assert not trends.fatigue(reps).detected


def test_a_loss_of_speed_alone_is_fatigue_and_says_so_though_the_highest_speed_stays() -> None:
    shares = (1.0, 1.0, 1.0, 0.93, 0.87, 0.77, 0.73, 0.7)
    found = trends.fatigue([rep(opens_s=1.2 / share) for share in shares])
    assert found.detected
    assert found.range_loss_pct == pytest.approx(0.0, abs=1e-9)
    assert len(found.evidence) == 1
    assert "speed" in found.evidence[0]


def test_slower_reps_slow() -> None:
    slow = replace(rep(), open_s=1.8, close_s=2.2, end_s=4.3)
    assert trends.fatigue([*[rep()] * 6, slow, slow]).slowing_pct == pytest.approx(50.0)


def test_tempo_is_of_what_was_measured() -> None:
    unseen = replace(rep(), close_s=9.0, end_s=9.5, pause_s=None, range_rad=(None, None))
    assert trends.tempo([rep(), unseen, rep()]).hold_s == trends.tempo([rep()]).hold_s
    assert trends.tempo([unseen]) == Tempo(None, None, None, None)


def hurried(share: float) -> Rep:
    """A rep like the others whose return takes so much less time."""
    return replace(rep(), end_s=rep().close_s + (rep().end_s - rep().close_s) * (1.0 - share))


@pytest.mark.parametrize(
    ("worse", "says"),
    [
        (lambda share: hurried(share), "come back 1.7 times as fast"),
        (lambda share: replace(rep(), smoothness=(-1.6 / (1.0 - share),) * 2), "1.7 times as jerky"),
        (lambda share: replace(rep(), tremor_rad_s=0.05 / (1.0 - share)), "tremble 1.7 times as much"),
    ],
)
def test_less_control_is_told_and_is_no_fatigue_by_itself(worse: Callable[[float], Rep], says: str) -> None:
    shares = (0.0, 0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.4)
    found = trends.fatigue([worse(share) for share in shares])
    (evidence,) = found.evidence
    assert says in evidence
    assert not found.detected
    assert trends.fatigue([worse(share) for share in shares[::-1]]).evidence == ()
    assert trends.fatigue([worse(0.4 * (number == 6)) for number in range(8)]).evidence == ()


def test_reps_in_which_the_only_leg_seems_not_to_have_moved_are_summed_up() -> None:
    assert not trends.fatigue([rep(one, None) for one in (0.2, 0.1, 0.3, 0.0, -0.1, 0.2, 0.1)]).detected


def test_four_reps_show_no_trend() -> None:
    found = trends.fatigue([rep(one, one) for one in (14.0, 10.0, 7.0, 5.0)])
    assert not found.detected
    assert found.range_loss_pct is None


def without(foot: Foot, one: Rep) -> Rep:
    """The same rep, had this foot been lost."""
    ranges, speeds = list(one.range_rad), list(one.peak_speed_rad_s)
    ranges[foot] = speeds[foot] = None
    opening_rad = one.range_rad[1 - foot]
    assert opening_rad is not None
    return replace(
        one, range_rad=(ranges[0], ranges[1]), peak_speed_rad_s=(speeds[0], speeds[1]), opening_rad=opening_rad
    )


@pytest.mark.parametrize("foot", Foot)
@pytest.mark.parametrize("lost", [range(1), range(4, 6), range(4, 8), range(8)])
def test_a_foot_that_is_lost_is_no_loss_of_range(foot: Foot, lost: range) -> None:
    """And a fall that the feet that were measured show is found all the same, at the rep where it is."""
    steady = [rep(11.0 + one % 2, 13.0) for one in range(8)]
    found = trends.fatigue([without(foot, one) if number in lost else one for number, one in enumerate(steady)])
    assert not found.detected
    assert found.range_loss_pct == pytest.approx(0.0, abs=8.0)
    falling = [rep(share * 12.0, share * 12.0) for share in (1.0, 1.0, 0.98, 0.95, 0.9, 0.75, 0.7, 0.6)]
    found = trends.fatigue([without(foot, one) if number in lost else one for number, one in enumerate(falling)])
    assert found.detected
    assert found.from_rep == (7 if lost == range(4, 6) else 6)  # rep 6 is not compared with both legs' best


def test_a_rep_of_one_leg_is_partial_against_the_same_legs_others() -> None:
    whole, half = rep(12.0, 8.0), rep(5.0, 3.5)
    lost = without(Foot.RIGHT, whole)
    marked = trends.mark_partial([whole, lost, whole, lost, without(Foot.LEFT, half), half, whole, whole], 0.6)
    assert ["partial" in one.flags for one in marked] == [False] * 4 + [True] * 2 + [False] * 2


@pytest.mark.parametrize("count", [4, 5, 6, 7, 12, 25])
def test_the_chance_of_a_fall_agrees_with_scipy(count: int) -> None:
    rng = np.random.default_rng(count)
    for fall in rng.uniform(-0.1, 0.6, 20).tolist():
        values = rng.normal(size=count) - fall * np.arange(count)
        line = linregress(np.arange(count), values, alternative="less")
        assert trends.falling_by_chance(values) == pytest.approx(line.pvalue if line.slope < 0 else 1.0, rel=1e-9)


def test_what_does_not_scatter_falls_by_no_chance_or_not_at_all() -> None:
    assert trends.falling_by_chance(np.linspace(2.0, 1.0, 6)) == pytest.approx(0.0, abs=1e-9)
    assert trends.falling_by_chance(np.ones(6)) == 1.0


# --- means ------------------------------------------------------------------------------------------------------------


def test_the_uncertainty_of_a_mean_holds_spread_and_the_reps_own() -> None:
    """1, 2, 3, 4, 5: sd sqrt 2.5, of the mean sqrt 0.5; with 1 for each rep's own it is sqrt 1.5."""
    found = trends.spread([1.0, 2.0, 3.0, 4.0, 5.0], [1.0] * 5)
    assert (found.mean, found.sd) == pytest.approx((3.0, np.sqrt(2.5)))
    assert found.uncertainty == pytest.approx(np.sqrt(1.5))


def test_one_rep_has_no_spread_but_an_uncertainty() -> None:
    assert trends.spread([0.2], [0.01]) == Spread(0.2, 0.0, 0.01)


def test_the_tempo_is_the_median_of_each_phase() -> None:
    last = replace(rep(), open_s=2.0, close_s=2.1, end_s=5.0, pause_s=None)
    found = trends.tempo([rep(), rep(), last])
    assert (found.concentric_s, found.hold_s, found.eccentric_s) == pytest.approx((1.2, 0.4, 1.4))
    assert found.pause_s == pytest.approx(0.6)
    assert trends.tempo([last]).pause_s is None


def test_reps_far_below_the_median_are_partial() -> None:
    reps = [rep(12.0, 12.0), rep(13.0, 13.0), rep(5.0, 5.0), replace(rep(12.0, 12.0), flags=("gap",))]
    flags = [one.flags for one in trends.mark_partial(reps, 0.6)]
    assert flags == [(), (), ("partial",), ("gap",)]
