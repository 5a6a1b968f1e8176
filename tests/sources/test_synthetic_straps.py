"""Straps that wobble and soft tissue that shakes: by as much as was asked, seen by sensors, and not by the truth."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sensorrep.model import BoolArray, FloatArray
from sensorrep.sources.synthetic import Rest, Scenario, Sensor, Set, simulate
from sensorrep.sources.synthetic.body import GRID_HZ, Motion
from sensorrep.sources.synthetic.session import act
from sensorrep.sources.synthetic.straps import HARD_RAD_S2, shaken

LIVELY = Set(20, range_deg=(20.0, 20.0), tempo_s=(0.55, 0.15, 0.65, 0.25))
SCENARIO = Scenario("prone", (Rest(20.0, "still"), LIVELY), lies_ready=True)


def motion(sensor: Sensor, seed: int = 1) -> Motion:
    body_rng, straps_rng = np.random.default_rng(seed).spawn(2)
    return act(replace(SCENARIO, left=sensor, right=sensor), body_rng, straps_rng)[1]


def against(firm: Motion, loose: Motion) -> FloatArray:
    """(2, 3, n) small turns of the loose sensors against the firm ones, degrees."""
    turn = np.einsum("lean,lebn->labn", firm.earth_sensor, loose.earth_sensor)
    pairs = ((2, 1), (0, 2), (1, 0))
    return np.rad2deg(0.5 * np.stack([turn[:, a, b] - turn[:, b, a] for a, b in pairs], axis=1))


def speed(firm: Motion) -> FloatArray:
    """(2, n) degrees a second."""
    size: FloatArray = np.sqrt((firm.gyr_rad_s**2).sum(axis=1))
    return np.rad2deg(size)


def rms(values: FloatArray, where: BoolArray) -> FloatArray:
    """(2, 3) of values (2, 3, n) where (2, n)."""
    return np.array([np.sqrt((values[leg][:, where[leg]] ** 2).mean(axis=1)) for leg in range(2)])


FIRM = motion(Sensor())


@pytest.mark.parametrize("size_deg", [0.1, 0.5])
def test_a_strap_wobbles_by_what_was_asked_while_the_leg_turns_and_hardly_at_rest(size_deg: float) -> None:
    turns = against(FIRM, motion(Sensor(wobble_deg=size_deg)))
    moving = speed(FIRM) > 15.0
    assert rms(turns, moving).mean() == pytest.approx(size_deg, rel=0.1)
    assert_allclose(rms(turns, moving), size_deg, rtol=0.35)
    resting = np.broadcast_to((FIRM.time_s > 3.0) & (FIRM.time_s < 19.0), moving.shape)
    assert 0.03 * size_deg < rms(turns, resting).mean() < 0.2 * size_deg


def test_wobble_is_of_some_hertz() -> None:
    turns = against(FIRM, motion(Sensor(wobble_deg=0.3)))
    power = (np.abs(np.fft.rfft(turns, axis=2)) ** 2).sum(axis=(0, 1))
    hz = np.fft.rfftfreq(turns.shape[2], 1.0 / GRID_HZ)
    assert power[(hz > 2.0) & (hz < 8.0)].sum() > 0.9 * power.sum()


def test_a_strap_wobbles_about_the_skin_right_below_the_sensor() -> None:
    loose = motion(Sensor(wobble_deg=0.5))
    moved_m = np.sqrt(((loose.position_m - FIRM.position_m) ** 2).sum(axis=1))
    turned = np.deg2rad(np.sqrt((against(FIRM, loose) ** 2).sum(axis=1)))
    assert (moved_m < 0.0101 * turned + 1e-12).all()
    assert moved_m.max() > 0.005 * turned.max()


def test_the_gyroscope_sees_the_rate_of_the_wobble_and_no_arm_as_long_as_a_shank() -> None:
    loose = motion(Sensor(wobble_deg=0.5))
    wobble_rad_s = np.deg2rad(np.gradient(against(FIRM, loose), 1.0 / GRID_HZ, axis=2))
    seen_rad_s = loose.gyr_rad_s - FIRM.gyr_rad_s
    assert np.std(seen_rad_s - wobble_rad_s) < 0.05 * np.std(wobble_rad_s)
    # about the knee the same wobble would shake the sensor by a third of a metre times its angular acceleration
    felt_m_s2 = np.std(loose.acc_m_s2 - FIRM.acc_m_s2)
    assert felt_m_s2 < 0.15 * 0.33 * np.std(np.gradient(wobble_rad_s, 1.0 / GRID_HZ, axis=2))


@pytest.mark.parametrize("sensor", [Sensor(wobble_deg=0.5), Sensor(shake_deg=0.5)], ids=["wobble", "shake"])
def test_neither_changes_what_the_wearer_truly_did(sensor: Sensor) -> None:
    firm, loose = (simulate(replace(SCENARIO, left=one, right=one), 3) for one in (Sensor(), sensor))
    assert loose.truth.sets == firm.truth.sets
    assert_array_equal(loose.truth.opening_deg, firm.truth.opening_deg)
    assert [one.payload for one in loose.packets] != [one.payload for one in firm.packets]


def test_one_loose_strap_leaves_the_other_sensor_as_it_was() -> None:
    firm = simulate(SCENARIO, 3).packets
    loose = simulate(replace(SCENARIO, left=Sensor(wobble_deg=0.5)), 3).packets
    same = [a.payload == b.payload for a, b in zip(firm, loose, strict=True)]
    assert all(same[n] for n, one in enumerate(firm) if one.foot == 1)
    assert not any(same[n] for n, one in enumerate(firm) if one.foot == 0)


@pytest.mark.parametrize("seed", range(5))
def test_soft_tissue_lags_behind_a_leg_that_speeds_up_and_rings_when_it_stops(seed: int) -> None:
    time_s = np.arange(0.0, 4.0, 1.0 / GRID_HZ)
    rate = np.outer([0.0, 1.0, 0.0], HARD_RAD_S2 * np.where(time_s < 2.0, time_s, 0.0))
    turn = shaken(rate, np.random.default_rng(seed))[1]
    assert turn[time_s < 1.99][-1] == pytest.approx(-1.0, abs=0.02)
    assert_allclose(shaken(rate, np.random.default_rng(seed))[::2], 0.0, atol=1e-12)
    ringing = turn[time_s > 2.05]
    crossings_s = np.flatnonzero(np.diff(np.sign(ringing))) / GRID_HZ
    assert 4.9 < 0.5 / np.median(np.diff(crossings_s[:6])) < 12.1
    assert np.abs(ringing).max() > 1.0
    assert np.abs(ringing[-int(0.5 * GRID_HZ) :]).max() < 0.05


def test_soft_tissue_shakes_by_about_what_was_asked_in_quick_reps() -> None:
    turns = against(FIRM, motion(Sensor(shake_deg=0.2)))
    acceleration = np.abs(np.gradient(FIRM.gyr_rad_s, 1.0 / GRID_HZ, axis=2)).max()
    assert 0.5 * acceleration / HARD_RAD_S2 * 0.2 < np.abs(turns).max() < 1.0
