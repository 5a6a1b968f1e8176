"""Samples of two sensors -> frames: the same rotation, the same instants, and honest holes."""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.model import FRAME, FRAME_RATE_HZ, SAMPLE, FloatArray, Foot, Frames, Samples, SensorInfo
from sensorrep.stages.deskew import WAIT_NS, Deskew

TABLE = {foot: SensorInfo("table") for foot in Foot}
SENSORS = {foot: SensorInfo("diy") for foot in Foot}
EXAMPLES = settings(deadline=None, derandomize=True, max_examples=50)
Signal = Callable[[FloatArray], FloatArray]


def wave(time_s: FloatArray) -> FloatArray:
    """A leg's angular rate: 0.4 Hz, with a little tremor."""
    return np.asarray(np.cos(0.8 * np.pi * time_s) + 0.05 * np.cos(16 * np.pi * time_s))


def samples(foot: Foot, time_s: FloatArray, signal: Signal = wave, delay_s: FloatArray | float = 0.0) -> Samples:
    """Samples of a sensor whose clock is the host's; they arrive `delay_s` late. Acceleration x is the true time."""
    out = np.zeros(len(time_s), SAMPLE)
    out["foot"] = foot
    out["counter"] = np.arange(len(time_s))
    out["device_ns"] = np.rint(time_s * 1e9)
    out["received_ns"] = np.maximum.accumulate(np.rint((time_s + delay_s) * 1e9))
    out["acc_m_s2"][:, 0], out["acc_m_s2"][:, 2] = time_s, 9.81
    out["gyr_rad_s"][:, 0] = signal(time_s)
    return Samples(out)


def together(*parts: Samples) -> Samples:
    """As they arrive."""
    joined = np.concatenate(parts)
    return Samples(joined[np.argsort(joined["received_ns"], kind="stable")])


def run(block: Samples, feet: Mapping[Foot, SensorInfo] = SENSORS, cuts: Iterable[int] = ()) -> tuple[Frames, Deskew]:
    deskew = Deskew(feet)
    bounds = [0, *sorted(cuts), len(block)]
    blocks = [out for a, b in pairwise(bounds) for out in deskew.push(Samples(block[a:b]))]
    return Frames(np.concatenate([np.zeros(0, FRAME), *blocks, *deskew.finish()])), deskew


def seconds(begin: float, end: float, rate_hz: float = 100.0) -> FloatArray:
    return np.asarray(begin + np.arange(round((end - begin) * rate_hz)) / rate_hz)


def test_a_frame_is_the_mean_of_the_lines_between_the_samples() -> None:
    """Samples 0, 1, 4 at 0, 10 and 30 ms: means over 10 ms are 0.5, 1.75 and 3.25."""
    block = samples(Foot.LEFT, np.array([0.0, 0.01, 0.03]), lambda t: np.array([0.0, 1.0, 4.0])[: len(t)])
    frames, _ = run(block, {Foot.LEFT: TABLE[Foot.LEFT]})
    np.testing.assert_allclose(frames["gyr_rad_s"][:, 0, 0], [0.5, 1.75, 3.25], atol=1e-12)
    np.testing.assert_allclose(frames["time_s"], [0.005, 0.015, 0.025])
    assert frames["ok"].tolist() == [[True, False]] * 3


@EXAMPLES
@given(
    st.sampled_from([25.0, 52.0, 100.0, 104.0, 208.0, 300.0]),
    st.lists(st.floats(-0.4, 0.4), min_size=150, max_size=400),
    st.randoms(use_true_random=False),
)
def test_frames_turn_as_far_as_the_samples_do(rate_hz: float, jitter: list[float], random: np.random.Generator) -> None:
    time_s = np.cumsum(1 + np.array(jitter)) / rate_hz
    values = np.array([random.uniform(-5, 5) for _ in jitter])
    frames, _ = run(samples(Foot.LEFT, time_s, lambda _: values), {Foot.LEFT: TABLE[Foot.LEFT]})
    end_s = time_s[0] + np.arange(1, len(frames) + 1) / FRAME_RATE_HZ
    area = np.concatenate([[0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(time_s))])
    turned = np.cumsum(frames["gyr_rad_s"][:, 0, 0]) / FRAME_RATE_HZ
    whole = np.searchsorted(time_s, end_s, side="right") - 1
    rest_s = end_s - time_s[whole]
    slope = np.append(np.diff(values) / np.diff(time_s), 0.0)[whole]
    np.testing.assert_allclose(turned, area[whole] + (values[whole] + slope * rest_s / 2) * rest_s, atol=1e-7)


@pytest.mark.parametrize("rate_hz", [25.0, 52.0, 104.0, 200.0, 300.0])
def test_a_known_movement_comes_out_at_its_own_time_at_any_rate(rate_hz: float) -> None:
    block = together(
        samples(Foot.LEFT, seconds(0, 20, rate_hz * 1.02), delay_s=0.01),
        samples(Foot.RIGHT, seconds(0.013, 20, rate_hz * 0.98), delay_s=0.01),
    )
    frames, deskew = run(block)
    for foot in Foot:
        inner = frames[frames["ok"][:, foot]]
        assert len(inner) > 0.99 * len(frames)
        tolerance = 0.06 if rate_hz < 50 else 0.02
        np.testing.assert_allclose(inner["gyr_rad_s"][:, foot, 0], wave(inner["time_s"]), atol=tolerance)
        np.testing.assert_allclose(inner["acc_m_s2"][:, foot, 2], 9.81, atol=1e-8)
    assert deskew.rate_hz[Foot.LEFT] == pytest.approx(rate_hz * 1.02, rel=1e-3)
    assert deskew.rate_hz[Foot.RIGHT] == pytest.approx(rate_hz * 0.98, rel=1e-3)


def test_frames_are_evenly_spaced_from_the_first_sample_to_the_last() -> None:
    block = together(samples(Foot.LEFT, seconds(5, 15)), samples(Foot.RIGHT, seconds(5.2, 15.1)))
    frames, _ = run(block)
    np.testing.assert_allclose(frames["time_s"], (np.arange(len(frames)) + 0.5) / FRAME_RATE_HZ)
    assert len(frames) == 1009
    assert frames["ok"][:, Foot.LEFT].tolist() == [True] * 999 + [False] * 10
    assert frames["ok"][:, Foot.RIGHT].tolist() == [False] * 20 + [True] * 989


def test_a_table_keeps_its_own_times() -> None:
    time_s = seconds(0, 10)
    block = samples(Foot.LEFT, time_s)
    block["received_ns"] += np.random.default_rng(0).integers(0, 10**8, len(block))
    frames, _ = run(block, {Foot.LEFT: TABLE[Foot.LEFT]})
    np.testing.assert_allclose(frames["gyr_rad_s"][:, 0, 0], (wave(time_s)[1:] + wave(time_s)[:-1]) / 2, atol=1e-9)


class TestHoles:
    def hole(self, begin_s: float, end_s: float, rate_hz: float = 100.0) -> tuple[Frames, Deskew]:
        """Both feet for 10 s; the left one's samples between the two times are lost."""
        time_s = seconds(0, 10, rate_hz)
        left = samples(Foot.LEFT, time_s)
        left = Samples(left[(time_s <= begin_s + 1e-9) | (time_s >= end_s - 1e-9)])
        return run(together(left, samples(Foot.RIGHT, time_s)))

    def test_frames_over_lost_samples_are_interpolated_and_not_ok(self) -> None:
        frames, deskew = self.hole(4.0, 4.05)
        assert np.flatnonzero(~frames["ok"][:, Foot.LEFT]).tolist() == [400, 401, 402, 403, 404]
        line = np.interp(frames["time_s"][400:405], [4.0, 4.05], wave(np.array([4.0, 4.05])))
        np.testing.assert_allclose(frames["gyr_rad_s"][400:405, 0, 0], line, atol=1e-9)
        assert deskew.gaps == {Foot.LEFT: [], Foot.RIGHT: []}  # below 0.1 s: no gap worth telling

    def test_the_other_foot_stays_ok(self) -> None:
        assert self.hole(4.0, 5.0)[0]["ok"][:, Foot.RIGHT].all()

    def test_beyond_a_quarter_second_nothing_turns_and_gravity_stays(self) -> None:
        frames, deskew = self.hole(4.0, 5.0)
        lost = slice(400, 500)
        assert not frames["ok"][lost, Foot.LEFT].any()
        assert (frames["gyr_rad_s"][lost, Foot.LEFT] == 0).all()
        np.testing.assert_allclose(frames["acc_m_s2"][lost, Foot.LEFT, 2], 9.81)
        assert deskew.gaps[Foot.LEFT] == [(4.0, 5.0)]

    def test_a_hole_that_was_not_counted_shows_by_its_length(self) -> None:
        time_s = seconds(0, 5)
        time_s[250:] += 0.2
        frames, _ = run(samples(Foot.LEFT, time_s), {Foot.LEFT: SENSORS[Foot.LEFT]})
        assert np.flatnonzero(~frames["ok"][:, Foot.LEFT]).tolist() == list(range(249, 270))

    @pytest.mark.parametrize("rate_hz", [25.0, 50.0])
    def test_a_slow_or_jittering_sensor_has_no_holes(self, rate_hz: float) -> None:
        time_s = seconds(0, 5, rate_hz)
        time_s += np.random.default_rng(3).uniform(0, 0.3 / rate_hz, len(time_s))
        frames, _ = run(samples(Foot.LEFT, time_s), {Foot.LEFT: SENSORS[Foot.LEFT]})
        assert frames["ok"][:, Foot.LEFT].all()

    def test_holes_do_not_count_in_the_measured_rate(self) -> None:
        assert self.hole(4.0, 5.0, 52.0)[1].rate_hz[Foot.LEFT] == pytest.approx(52.0, rel=1e-4)


class TestSilence:
    def test_a_stall_with_a_burst_after_it_loses_nothing(self) -> None:
        time_s = seconds(0, 10)
        stalled = np.where((time_s > 4) & (time_s < 5.5), 5.5 - time_s, 0.0)
        steady = samples(Foot.LEFT, time_s)
        frames, deskew = run(together(steady, samples(Foot.RIGHT, time_s, delay_s=stalled)))
        expected, _ = run(together(steady, samples(Foot.RIGHT, time_s)))
        np.testing.assert_array_equal(frames, expected)
        assert frames["ok"].all()
        assert sum(deskew.late.values()) == 0

    @pytest.mark.parametrize("stall_s", [1.5, 2.5, 4.0, 8.0])
    def test_a_silence_of_both_loses_nothing_whoever_is_first_after_it(self, stall_s: float) -> None:
        """The one's whole backlog comes before the other's: by the samples alone the other would be away."""
        time_s = seconds(0, 20)
        stalled = np.where((time_s > 6) & (time_s < 6 + stall_s), 6 + stall_s - time_s, 0.0)
        both = samples(Foot.LEFT, time_s, delay_s=stalled), samples(Foot.RIGHT, time_s, delay_s=stalled + 0.001)
        frames, deskew = run(together(*both))
        assert frames["ok"][1:].all()
        assert deskew.late == {Foot.LEFT: 0, Foot.RIGHT: 0}

    def test_a_sensor_that_does_not_come_back_after_a_silence_of_both_is_waited_for_no_longer_than_ever(self) -> None:
        time_s = seconds(0, 20)
        stalled = np.where((time_s > 6) & (time_s < 10), 10 - time_s, 0.0)
        right = samples(Foot.RIGHT, time_s[time_s < 6])
        stage = Deskew(SENSORS)
        told_s = 0.0
        for cut in np.split(together(samples(Foot.LEFT, time_s, delay_s=stalled), right), 40):
            for frames in stage.push(Samples(cut)):
                if frames["time_s"][-1] > 9.0 and not told_s:
                    told_s = float(cut["received_ns"].max()) * 1e-9
        assert told_s == pytest.approx(12.0, abs=0.7)

    def test_counting_goes_on_without_a_lost_foot_and_takes_it_back(self) -> None:
        time_s = seconds(0, 20)
        right = samples(Foot.RIGHT, time_s)
        right = Samples(right[(time_s < 5) | (time_s >= 12)])
        deskew = Deskew(SENSORS)
        block = together(samples(Foot.LEFT, time_s), right)
        made_s = []
        for begin in range(0, len(block), 10):
            out = deskew.push(Samples(block[begin : begin + 10]))
            made_s += [(block["device_ns"][begin] * 1e-9, out[-1]["time_s"][-1])] if out else []
        behind = np.array([arrived - made for arrived, made in made_s])
        assert behind.max() < WAIT_NS * 1e-9 + 0.2
        assert behind[np.array(made_s)[:, 0] > 7.2].max() < 0.15  # no waiting once it is known to be away
        (gap,) = deskew.gaps[Foot.RIGHT]
        assert gap == pytest.approx((4.99, 12.0), abs=0.011)
        assert deskew.late[Foot.RIGHT] <= 1

    def test_what_comes_after_its_frames_were_made_is_dropped_and_counted(self) -> None:
        time_s = seconds(0, 10)
        stalled = np.where((time_s > 3) & (time_s < 6), 6 - time_s, 0.0)
        frames, deskew = run(together(samples(Foot.LEFT, time_s), samples(Foot.RIGHT, time_s, delay_s=stalled)))
        assert 290 <= deskew.late[Foot.RIGHT] <= 300
        assert len(frames) == 999
        (gap,) = deskew.gaps[Foot.RIGHT]
        assert gap == pytest.approx((3.0, 6.0), abs=0.02)
        assert (np.abs(frames["gyr_rad_s"][frames["ok"][:, 1], 1, 0]) > 0).all()

    def test_a_foot_that_never_speaks_is_waited_for_once(self) -> None:
        deskew = Deskew(SENSORS)
        left = samples(Foot.LEFT, seconds(0, 10))
        assert deskew.push(Samples(left[:201])) == []
        (out,) = deskew.push(Samples(left[201:210]))
        assert out["time_s"][-1] > 2.0
        assert out["ok"].any(axis=0).tolist() == [True, False]
        assert (out["gyr_rad_s"][:, Foot.RIGHT] == 0).all()

    def test_a_foot_that_is_not_there_is_not_waited_for(self) -> None:
        deskew = Deskew({Foot.RIGHT: SENSORS[Foot.RIGHT]})
        (out,) = deskew.push(samples(Foot.RIGHT, seconds(0, 2.2)))
        assert len(out) == 219
        assert out["ok"].all(axis=0).tolist() == [False, True]
        assert deskew.gaps[Foot.LEFT] == [(0.0, 2.19)]

    def test_a_foot_that_starts_later_is_not_ok_before(self) -> None:
        frames, deskew = run(together(samples(Foot.LEFT, seconds(0, 9)), samples(Foot.RIGHT, seconds(1.5, 9))))
        assert frames["ok"][:, Foot.RIGHT].tolist() == [False] * 150 + [True] * 749
        assert (frames["acc_m_s2"][:150, Foot.RIGHT] == 0).all()
        assert deskew.late[Foot.RIGHT] == 0
        assert deskew.gaps[Foot.RIGHT] == [(0.0, 1.5)]

    def test_the_head_start_of_the_other_foot_is_no_gap(self) -> None:
        frames, deskew = run(together(samples(Foot.LEFT, seconds(0, 9)), samples(Foot.RIGHT, seconds(0.5, 9))))
        assert frames["ok"][:, Foot.RIGHT].tolist() == [False] * 50 + [True] * 849
        assert deskew.gaps[Foot.RIGHT] == []


class TestEpochs:
    def test_a_rebooted_sensor_is_put_in_its_place_again(self) -> None:
        time_s = seconds(0, 20)
        right = samples(Foot.RIGHT, time_s)
        right = Samples(right[(time_s < 5) | (time_s >= 9)])
        again = right["device_ns"] >= 9_000_000_000
        right["epoch"][again] = 1
        right["counter"][again] -= right["counter"][again][0]
        right["device_ns"][again] -= 8_700_000_000
        frames, deskew = run(together(samples(Foot.LEFT, time_s), right))
        ok = frames["ok"][:, Foot.RIGHT]
        np.testing.assert_allclose(frames["gyr_rad_s"][ok, 1, 0], wave(frames["time_s"][ok]), atol=0.01)
        (gap,) = deskew.gaps[Foot.RIGHT]
        assert gap == pytest.approx((5.0, 11.0), abs=0.02)  # the two seconds of the new clock's first fit are lost
        assert deskew.late[Foot.RIGHT] == pytest.approx(200, abs=1)

    def test_a_sensor_that_was_only_stopped_and_started_loses_nothing_more(self) -> None:
        time_s = seconds(0, 20)
        right = samples(Foot.RIGHT, time_s, delay_s=0.03)
        right = Samples(right[(time_s < 5) | (time_s >= 9)])
        again = right["device_ns"] >= 9_000_000_000
        right["epoch"][again] = 1
        right["counter"][again] -= right["counter"][again][0]
        frames, deskew = run(together(samples(Foot.LEFT, time_s, delay_s=0.03), right))
        (gap,) = deskew.gaps[Foot.RIGHT]
        assert gap == pytest.approx((4.99, 9.0), abs=0.011)
        ok = frames["ok"].all(axis=1)
        np.testing.assert_allclose(frames["acc_m_s2"][ok, 0, 0], frames["acc_m_s2"][ok, 1, 0], atol=1e-6)

    def test_a_sensor_that_only_counts_loses_nothing_when_a_stall_makes_it_start_anew(self) -> None:
        """Its decoder cannot know whether samples were lost in the stall: it counts from 0 again, 3 % too slowly."""
        time_s = seconds(0, 40)
        stalled = np.where((time_s > 25) & (time_s < 26.5), 26.5 - time_s, 0.01)
        right = samples(Foot.RIGHT, time_s, delay_s=stalled)
        right["device_ns"] = right["counter"] * 9_700_000
        again = time_s > 25
        right["epoch"][again] = 1
        for name in ("counter", "device_ns"):
            right[name][again] -= right[name][again][0]
        frames, deskew = run(together(samples(Foot.LEFT, time_s, delay_s=0.01), right))
        assert deskew.late[Foot.RIGHT] == 0
        assert deskew.gaps[Foot.RIGHT] == []
        assert np.count_nonzero(~frames["ok"][:, Foot.RIGHT]) <= 2
        assert np.abs(frames["acc_m_s2"][200:, 0, 0] - frames["acc_m_s2"][200:, 1, 0]).max() < 0.005

    def test_both_feet_start_anew_after_a_pause(self) -> None:
        parts = []
        for foot in Foot:
            first, second = samples(foot, seconds(0, 5)), samples(foot, seconds(60, 65))
            second["epoch"] = 1
            second["device_ns"] -= 50_000_000_000
            parts += [first, second]
        frames, deskew = run(together(*parts))
        assert len(frames) == 6499
        assert deskew.gaps[Foot.LEFT] == [pytest.approx((4.99, 60.0), abs=0.011)]
        assert deskew.gaps[Foot.RIGHT] == [pytest.approx((4.99, 62.0), abs=0.021)]  # the left one is fitted first
        np.testing.assert_allclose(frames["gyr_rad_s"][6000:, 0, 0], wave(frames["time_s"][6000:]), atol=0.01)


def radio(seed: int, hurt: Callable[[Samples], Samples] = lambda part: part) -> Samples:
    """Two sensors, 30 s, over radios with a connection interval of 48.75 ms that stall for 9 % of the time.

    Their rates differ by up to 1 % and stay clear of 102.6 Hz, where five packets of four take four intervals, so that
    no packet ever arrives with the least delay and nothing in the data could tell.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for foot, error in zip(Foot, (1e-4, -1e-4), strict=True):
        time_s = seconds(rng.uniform(0, 0.1), 30, 104 + rng.uniform(-0.5, 0.5))
        step_s = np.where(rng.random(900) < 1 / 300, 1.5, 0.04875)
        events_s = np.cumsum(step_s)
        ready_s = time_s[np.minimum(np.arange(len(time_s)) // 4 * 4 + 3, len(time_s) - 1)]
        part = samples(foot, time_s, delay_s=events_s[np.searchsorted(events_s, ready_s)] - time_s)
        part["device_ns"] = np.rint(part["device_ns"] * (1 + error) * 1e-3) * 1e3 + rng.integers(0, 10**12)
        parts.append(hurt(part))
    return together(*parts)


@pytest.mark.parametrize("seed", range(8))
def test_left_and_right_agree_within_5_ms_over_a_bad_radio(seed: int) -> None:
    frames, deskew = run(radio(seed))
    assert sum(deskew.late.values()) == 0
    true_s = frames["acc_m_s2"][:, :, 0]
    inner = frames["ok"].all(axis=1) & (frames["time_s"] > 1)
    assert inner.sum() > 2850
    assert np.abs(true_s[inner, Foot.LEFT] - true_s[inner, Foot.RIGHT]).max() < 0.005


def hurt_by(rng: np.random.Generator) -> Callable[[Samples], Samples]:
    """Random loss, a long silence, a reboot."""

    def hurt(part: Samples) -> Samples:
        keep = np.repeat(rng.random(len(part) // 4 + 1) > 0.05, 4)[: len(part)]
        begin = int(rng.integers(0, len(part)))
        keep[begin : begin + int(rng.integers(0, 500))] = False
        anew = int(rng.integers(0, 2 * len(part)))
        part["epoch"][anew:] += 1
        part["device_ns"][anew:] -= 10**11
        return Samples(part[keep])

    return hurt


@EXAMPLES
@given(st.integers(0, 1000), st.lists(st.integers(0, 5000), max_size=8))
def test_any_cutting_of_the_samples_gives_the_same_frames(seed: int, cuts: list[int]) -> None:
    block = radio(seed, hurt_by(np.random.default_rng(seed)))
    frames, deskew = run(block)
    some, other = run(block, cuts=[cut for cut in cuts if cut < len(block)])
    np.testing.assert_array_equal(some, frames)
    assert (other.late, other.gaps, other.rate_hz) == (deskew.late, deskew.gaps, deskew.rate_hz)


@pytest.mark.parametrize("seed", range(3))
def test_one_sample_at_a_time_gives_the_same_frames(seed: int) -> None:
    block = radio(seed, hurt_by(np.random.default_rng(seed)))
    frames, _ = run(block)
    np.testing.assert_array_equal(run(block, cuts=range(len(block)))[0], frames)
    assert np.isfinite(frames["gyr_rad_s"]).all()


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_a_recording_of_less_than_a_second_is_finished_with_what_there_is(count: int) -> None:
    frames, deskew = run(samples(Foot.LEFT, seconds(0, count / 100)), {Foot.LEFT: SENSORS[Foot.LEFT]})
    assert len(frames) == max(count - 1, 0)
    assert deskew.gaps[Foot.LEFT] == []


@EXAMPLES
@given(
    st.lists(
        st.tuples(
            st.sampled_from(Foot),
            st.integers(1, 3),  # step of the counter
            st.sampled_from([0, 0, 0, 0, 1]),  # step of the epoch
            st.sampled_from([10, 10, 10, 10, 0, -30, 700, 5000]),  # ms on the sensor's clock
            st.sampled_from([10, 10, 10, 0, 40, 1500, 4000]),  # ms on the host's
        ),
        max_size=120,
    ),
    st.sampled_from([SENSORS, TABLE, {Foot.RIGHT: SENSORS[Foot.RIGHT]}]),
)
def test_whatever_the_clocks_say_frames_are_even_and_finite(
    steps: list[tuple[Foot, int, int, int, int]], feet: Mapping[Foot, SensorInfo]
) -> None:
    block = np.zeros(len(steps), SAMPLE)
    columns = [np.array(column, np.int64) for column in zip(*steps, strict=True)] or [np.zeros(0, np.int64)] * 5
    block["foot"], block["received_ns"] = columns[0], np.cumsum(columns[4]) * 1_000_000
    for foot in Foot:
        mine = columns[0] == foot
        for name, steps_of in zip(("counter", "epoch", "device_ns"), columns[1:4], strict=True):
            block[name][mine] = np.cumsum(steps_of[mine])
    block["device_ns"] *= 1_000_000
    block["gyr_rad_s"] = 1.0
    frames, _ = run(Samples(block), feet)
    np.testing.assert_array_equal(run(Samples(block), feet, range(len(block)))[0], frames)
    np.testing.assert_allclose(frames["time_s"], (np.arange(len(frames)) + 0.5) / FRAME_RATE_HZ)
    assert (np.abs(frames["gyr_rad_s"]) < 1 + 1e-6).all()
    assert not frames["ok"][:, [foot for foot in Foot if foot not in feet]].any()
