from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from vqf import VQF

from sensorrep.model import GRAVITY_M_S2, FloatArray, Foot, Posture
from sensorrep.sources.synthetic import (
    Activity,
    Adjust,
    ChairRises,
    Fidget,
    KneeBends,
    Link,
    Rest,
    Scenario,
    Sensor,
    Set,
    Squats,
    Stand,
    Sway,
    Walk,
    typical,
)
from sensorrep.sources.synthetic.activities import perform
from sensorrep.sources.synthetic.anatomy import Build, rotation_matrix
from sensorrep.sources.synthetic.body import COLUMNS, GRID_HZ, Joint, Motion, Step, course, move, progress, sense
from sensorrep.sources.synthetic.session import act
from sensorrep.sources.synthetic.wearer import ROUTES, Pose, Wearer

POSTURES: tuple[Posture, ...] = ("prone", "hook-lying", "table-top", "seated")
STRAP = rotation_matrix(np.array([0.3, -0.5, 0.7, 0.2]))


def perfect(strap: FloatArray = STRAP, sensor_m: tuple[float, float, float] = (0.02, 0.04, -0.33)) -> Build:
    """A leg that turns exactly about its thigh's long axis."""
    return Build(0.42, 0.42, 0.09, np.array([0.0, 0.0, 1.0]), 0.0, 0.0, 0.0, np.array(sensor_m), strap)


def posed(pose: Pose) -> FloatArray:
    """Starting values of all joints, without personal habits."""
    values = np.zeros(COLUMNS)
    values[[Joint.PITCH, Joint.TWIST, Joint.HEIGHT_M]] = pose.pitch, pose.twist, pose.height_m
    for foot in Foot:
        values[[Joint.FLEXION.of(foot), Joint.KNEE.of(foot)]] = pose.flexion, pose.knee
    return values


def opening(pose: Pose, opening_deg: float, strap: FloatArray = STRAP) -> Motion:
    """Both heels go apart by so much within two seconds of three."""
    steps = [Step(Joint.OPENING.of(foot), 0.5, 2.0, opening_deg) for foot in Foot]
    joints = course(posed(pose), steps, int(3 * GRID_HZ))
    return sense(move(joints, (perfect(strap), perfect(strap))), joints)


def session(scenario: Scenario, seed: int) -> Motion:
    body_rng, straps_rng = np.random.default_rng(seed).spawn(2)
    return act(scenario, body_rng, straps_rng)[1]


def earth_force(motion: Motion) -> FloatArray:
    """(2, 3, n) what the accelerometers read, in earth."""
    force: FloatArray = np.einsum("lean,lan->len", motion.earth_sensor, motion.acc_m_s2)
    return force


LOOSE = Sensor(wobble_deg=0.5, shake_deg=0.3)
busy = Scenario("prone", (Stand(1.0), Walk(4), Set(2), Sway(), KneeBends(), Fidget(2), Adjust(3.0), Set(1), Stand(1.0)))


@pytest.mark.parametrize("posture", POSTURES)
def test_at_rest_a_sensor_reads_one_g_upward_and_no_turning(posture: Posture) -> None:
    motion = opening(ROUTES[posture][0][-1], 0.0)
    assert_allclose(
        earth_force(motion), np.array([0.0, 0.0, GRAVITY_M_S2])[None, :, None] + 0 * motion.acc_m_s2, atol=1e-6
    )
    assert_allclose(motion.gyr_rad_s, 0.0, atol=1e-9)


@pytest.mark.parametrize("sensor", [Sensor(), LOOSE], ids=["firm", "loose"])
def test_turning_rate_integrates_to_the_true_orientation(sensor: Sensor) -> None:
    motion = session(replace(busy, left=sensor, right=sensor), 1)
    for foot in Foot:
        attitude = motion.earth_sensor[foot, :, :, 0]
        rate = motion.gyr_rad_s[foot]
        # Simpson's rule over pairs of grid steps keeps the integration error far below the sensors' errors
        vector = (rate[:, 0:-2:2] + 4.0 * rate[:, 1:-1:2] + rate[:, 2::2]).T / (3.0 * GRID_HZ)
        angle = np.linalg.norm(vector, axis=1)
        turns = np.column_stack([np.cos(0.5 * angle), np.sinc(0.5 * angle / np.pi)[:, None] * 0.5 * vector])
        for turn in turns:
            attitude = attitude @ rotation_matrix(turn)
        true = motion.earth_sensor[foot, :, :, 2 * len(turns)]
        off_deg = np.rad2deg(np.arccos(np.clip(0.5 * (np.trace(true.T @ attitude) - 1.0), -1.0, 1.0)))
        assert off_deg < 0.05


@pytest.mark.parametrize("sensor", [Sensor(), LOOSE], ids=["firm", "loose"])
def test_specific_force_integrates_twice_to_the_true_path(sensor: Sensor) -> None:
    motion = session(replace(busy, left=sensor, right=sensor), 2)
    acceleration = earth_force(motion) - np.array([0.0, 0.0, GRAVITY_M_S2])[:, None]
    points = int(10 * GRID_HZ)
    at = slice(0, points)
    position = motion.position_m[:, :, at]
    start_m_s = (position[..., 1:2] - position[..., 0:1]) * GRID_HZ - 0.5 * acceleration[..., 0:1] / GRID_HZ
    mean = 0.5 * (acceleration[..., : points - 1] + acceleration[..., 1:points])
    speed = start_m_s + np.concatenate([np.zeros((2, 3, 1)), np.cumsum(mean, axis=-1) / GRID_HZ], axis=-1)
    steps = 0.5 * (speed[..., :-1] + speed[..., 1:]) / GRID_HZ
    assert np.abs(np.diff(position)).max() > 5e-3  # it walks
    assert_allclose(np.cumsum(steps, axis=-1), position[..., 1:] - position[..., :1], atol=0.02)


@given(ramp=st.floats(0.1, 0.5))
@settings(deadline=None, max_examples=20, derandomize=True)
def test_a_step_starts_and_ends_at_rest_and_never_jumps(ramp: float) -> None:
    share = np.linspace(0.0, 1.0, 4001)
    way = progress(share, ramp)
    speed, acceleration = np.diff(way) * 4000.0, np.diff(way, 2) * 4000.0**2
    assert way[0] == 0.0
    assert way[-1] == 1.0
    assert speed.min() >= 0.0
    largest = np.abs(acceleration).max()
    assert np.abs(acceleration[[0, -1]]).max() < 0.01 * largest  # begins and ends softly
    assert np.abs(np.diff(acceleration)).max() < 0.02 * largest


def test_nothing_jumps_in_a_whole_session() -> None:
    soft = tuple(one for one in busy.activities if not isinstance(one, Walk | Adjust))  # those have knocks
    motion = session(Scenario("prone", soft), 3)
    assert np.abs(np.diff(motion.gyr_rad_s)).max() * GRID_HZ < 200.0  # rad/s2
    assert np.abs(np.diff(motion.acc_m_s2)).max() < 2.5  # m/s2 from one 2.5 ms to the next


@given(q=st.tuples(*[st.floats(-1.0, 1.0)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1))
@settings(deadline=None, max_examples=15, derandomize=True)
def test_the_strap_changes_what_is_read_but_not_how_the_shank_moves(q: tuple[float, float, float, float]) -> None:
    turn = rotation_matrix(np.array(q))
    straight, turned = (
        opening(Pose(pitch=90.0, knee=90.0), 15.0, np.eye(3)),
        opening(Pose(pitch=90.0, knee=90.0), 15.0, turn),
    )
    assert_allclose(np.einsum("lean,ba->lebn", turned.earth_sensor, turn), straight.earth_sensor, atol=1e-12)
    assert_allclose(turned.position_m, straight.position_m)
    for read, plain in ((turned.gyr_rad_s, straight.gyr_rad_s), (turned.acc_m_s2, straight.acc_m_s2)):
        assert_allclose(np.einsum("ba,lan->lbn", turn, read), plain, atol=1e-9)


@pytest.mark.parametrize("posture", POSTURES)
def test_opening_turns_each_shank_by_its_angle_and_parts_the_heels(posture: Posture) -> None:
    motion = opening(ROUTES[posture][0][-1], 15.0)
    for foot in Foot:
        change = motion.earth_sensor[foot, :, :, -1] @ motion.earth_sensor[foot, :, :, 0].T
        assert_allclose(np.rad2deg(np.arccos(0.5 * (np.trace(change) - 1.0))), 15.0, atol=1e-6)
    apart_m = np.linalg.norm(motion.position_m[0] - motion.position_m[1], axis=0)
    assert apart_m[-1] > apart_m[0] + 0.1


@pytest.mark.parametrize(
    ("posture", "tilt_deg"), [("prone", 15.0), ("hook-lying", 10.0), ("table-top", 0.0), ("seated", 15.0)]
)
def test_gravity_sees_of_15_degrees_what_the_posture_allows(posture: Posture, tilt_deg: float) -> None:
    motion = opening(ROUTES[posture][0][-1], 15.0)
    up = motion.earth_sensor[:, 2, :, [0, -1]]  # earth's vertical in the sensor's frame
    cosine = np.einsum("la,la->l", up[0], up[1])
    assert_allclose(np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))), tilt_deg, atol=1.5)


@pytest.mark.parametrize("posture", POSTURES)
def test_a_knee_bend_turns_both_shanks_about_the_side_to_side_axis(posture: Posture) -> None:
    steps = [Step(Joint.KNEE.of(foot), 0.5, 2.0, -30.0) for foot in Foot]
    joints = course(posed(ROUTES[posture][0][-1]), steps, int(3 * GRID_HZ))
    motion = sense(move(joints, (perfect(), perfect(np.eye(3)))), joints)
    rate = np.einsum("lean,lan->len", motion.earth_sensor, motion.gyr_rad_s)[..., int(1.5 * GRID_HZ)]
    assert_allclose(np.abs(rate[:, 1]), np.linalg.norm(rate, axis=1), rtol=1e-6)
    assert_allclose(rate[0], rate[1], atol=1e-9)


@pytest.mark.parametrize("posture", POSTURES)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_swaying_takes_both_feet_to_the_same_side(posture: Posture, seed: int) -> None:
    motion = session(Scenario(posture, (Rest(1.0, "still"), Sway(1, 14.0)), lies_ready=True), seed)
    turn = np.einsum("lean,lba->lebn", motion.earth_sensor, motion.earth_sensor[..., 0])
    about_x_and_z = np.stack([turn[:, 2, 1] - turn[:, 1, 2], turn[:, 1, 0] - turn[:, 0, 1]], axis=1)
    far = about_x_and_z[..., np.argmax(np.abs(about_x_and_z).sum(axis=(0, 1)))]
    assert np.abs(far).max() > 0.1
    assert far[0] @ far[1] > 0.5 * np.linalg.norm(far[0]) * np.linalg.norm(far[1])
    assert np.abs(motion.opening_deg.sum(axis=1)).max() < 3.0


@pytest.mark.parametrize("posture", POSTURES)
def test_an_independent_filter_finds_the_true_tilt_from_the_readings(posture: Posture) -> None:
    motion = session(typical(posture, sets=1), 2)
    for foot in Foot:
        gyr, acc = (np.ascontiguousarray(read[foot, :, ::4].T) for read in (motion.gyr_rad_s, motion.acc_m_s2))
        w, x, y, z = VQF(4.0 / GRID_HZ).updateBatch(gyr, acc)["quat6D"].T
        up = np.stack([2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)])
        cosine = np.sum(up * motion.earth_sensor[foot, 2, :, ::4], axis=0)
        off_deg = np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0)))
        assert np.median(off_deg) < 1.0  # walking and knocks mislead the filter for a while


@pytest.mark.parametrize(
    ("activity", "times", "lean_deg"), [(Squats(3), 1, 25.0), (ChairRises(3), 2, 18.0)], ids=["squats", "chair rises"]
)
def test_feet_stay_planted_while_shanks_lean_over_them(activity: Activity, times: int, lean_deg: float) -> None:
    wearer = Wearer("seated", np.random.default_rng(4))
    wearer.begin(ready=False)
    perform(wearer, activity)
    joints = course(wearer.start, wearer.steps, int((wearer.now_s + 1.0) * GRID_HZ))
    build = perfect(np.eye(3))
    motion = sense(move(joints, (build, build)), joints)
    ((_, start_s, end_s),) = wearer.movements
    during = (motion.time_s > start_s) & (motion.time_s < end_s)
    knee_to_ankle_m = np.array([0.0, 0.0, -build.shank_m])
    ankles_m = motion.position_m + np.einsum("lean,a->len", motion.earth_sensor, knee_to_ankle_m - build.sensor_m)
    assert np.ptp(ankles_m[..., during], axis=2).max() < 1e-3
    for foot in Foot:
        up = motion.earth_sensor[foot, :, 2][:, during]
        lean = np.rad2deg(np.arcsin(up[0]) - np.arcsin(up[0, 0]))
        assert lean.max() == pytest.approx(lean_deg, abs=5.0)
        assert np.sum(np.diff(np.sign(lean - 0.5 * lean_deg)) > 0) == 3 * times
        sideways = np.rad2deg(np.arcsin(up[1]) - np.arcsin(up[1, 0]))
        assert np.abs(sideways).max() < 10.0  # knees over the toes


def test_the_link_and_the_sensors_do_not_change_the_movement() -> None:
    plain = session(typical("prone", sets=1), 5)
    other = session(typical("prone", sets=1, link=Link(loss=0.5), left=Sensor(rate_hz=25.0), right=None), 5)
    assert_allclose(plain.opening_deg, other.opening_deg, atol=0.0)
