import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from sensorrep import quaternion
from sensorrep.model import FloatArray

QUICK = settings(deadline=None, derandomize=True, max_examples=60)
X, Y, Z = np.eye(3)
IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])

components = st.floats(-1.0, 1.0, allow_subnormal=False)
vectors = arrays(float, 3, elements=components)
axes = vectors.filter(lambda v: np.linalg.norm(v) > 0.1).map(lambda v: v / np.linalg.norm(v))
rotations = (
    arrays(float, 4, elements=components).filter(lambda q: np.linalg.norm(q) > 0.1).map(lambda q: q / np.linalg.norm(q))
)
angles = st.floats(-3.1, 3.1)


def matrix(q: FloatArray) -> FloatArray:
    """Rotation matrix by the textbook formula (Diebel 2006, eq. 125 transposed): an oracle of its own."""
    w, x, y, z = q
    return np.array(
        [
            [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
        ]
    )


def about(axis: FloatArray, angle: float) -> FloatArray:
    return quaternion.from_rotation_vector(axis * angle)


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    """Right-handed, active, w first, Hamilton: i j = k."""
    quarter = np.array([np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)])
    assert_allclose(quaternion.rotate(quarter, X), Y, atol=1e-15)
    assert_allclose(about(Z, np.pi / 2), quarter, atol=1e-15)
    assert_allclose(quaternion.rotation_vector(quarter), [0.0, 0.0, np.pi / 2], atol=1e-15)
    i, j, k = np.eye(4)[1:]
    assert_array_equal(quaternion.multiply(i, j), k)


@QUICK
@given(rotations, vectors)
def test_rotate_agrees_with_the_rotation_matrix(q: FloatArray, vector: FloatArray) -> None:
    assert_allclose(quaternion.rotate(q, vector), matrix(q) @ vector, atol=1e-12)


@QUICK
@given(rotations, rotations, vectors)
def test_the_product_rotates_by_the_right_factor_first(p: FloatArray, q: FloatArray, vector: FloatArray) -> None:
    """q_a_b times q_b_c is q_a_c."""
    one_by_one = quaternion.rotate(p, quaternion.rotate(q, vector))
    assert_allclose(quaternion.rotate(quaternion.multiply(p, q), vector), one_by_one, atol=1e-12)


@QUICK
@given(rotations, vectors)
def test_the_conjugate_undoes_a_rotation(q: FloatArray, vector: FloatArray) -> None:
    assert_allclose(quaternion.rotate(quaternion.conjugate(q), quaternion.rotate(q, vector)), vector, atol=1e-12)
    assert_allclose(quaternion.multiply(q, quaternion.conjugate(q)), IDENTITY, atol=1e-12)


@QUICK
@given(axes, angles)
def test_a_rotation_vector_survives_the_round_trip(axis: FloatArray, angle: float) -> None:
    assert_allclose(quaternion.rotation_vector(about(axis, angle)), axis * angle, atol=1e-9)


@QUICK
@given(axes, st.floats(0.0, 1e-8))
def test_a_tiny_rotation_vector_survives_the_round_trip(axis: FloatArray, angle: float) -> None:
    assert_allclose(quaternion.rotation_vector(about(axis, angle)), axis * angle, rtol=1e-6, atol=1e-30)


@QUICK
@given(rotations)
def test_a_quaternion_and_its_negative_are_one_rotation(q: FloatArray) -> None:
    vector = quaternion.rotation_vector(q)
    assert np.linalg.norm(vector) <= np.pi + 1e-12
    assert_allclose(np.abs((quaternion.from_rotation_vector(vector) * q).sum()), 1.0, atol=1e-12)
    assert_allclose(matrix(quaternion.from_rotation_vector(quaternion.rotation_vector(-q))), matrix(q), atol=1e-12)


@QUICK
@given(rotations, axes, angles)
def test_angle_between_is_the_angle_of_the_turn_between(q: FloatArray, axis: FloatArray, angle: float) -> None:
    turned = quaternion.multiply(q, about(axis, angle))
    # near nought the arc cosine of a rounded number is worth eight digits
    assert_allclose(quaternion.angle_between(q, turned), abs(angle), atol=1e-7)
    assert_allclose(quaternion.angle_between(q, -turned), abs(angle), atol=1e-7)


@QUICK
@given(axes, angles)
def test_the_twist_of_a_rotation_about_its_own_axis_is_its_angle(axis: FloatArray, angle: float) -> None:
    assert_allclose(quaternion.twist(about(axis, angle), IDENTITY, axis), angle, atol=1e-12)
    assert_allclose(quaternion.twist(-about(axis, angle), IDENTITY, axis), angle, atol=1e-12)


@QUICK
@given(axes, vectors, st.floats(-3.0, 3.0), st.floats(-2.5, 2.5))
def test_swing_does_not_change_the_twist(axis: FloatArray, other: FloatArray, angle: float, swing: float) -> None:
    across = np.cross(axis, other)
    assume(np.linalg.norm(across) > 1e-3)
    across /= np.linalg.norm(across)
    swung = about(across, swing)
    turn = about(axis, angle)
    assert_allclose(quaternion.twist(quaternion.multiply(swung, turn), IDENTITY, axis), angle, atol=1e-9)
    assert_allclose(quaternion.twist(quaternion.multiply(turn, swung), IDENTITY, axis), angle, atol=1e-9)


@QUICK
@given(rotations, axes)
def test_what_the_twist_leaves_has_no_part_about_the_axis(q: FloatArray, axis: FloatArray) -> None:
    swing = quaternion.multiply(q, quaternion.conjugate(about(axis, float(quaternion.twist(q, IDENTITY, axis)))))
    assert_allclose(swing[1:] @ axis, 0.0, atol=1e-12)


@QUICK
@given(rotations, rotations, axes)
def test_the_twist_from_a_pose_is_that_of_the_turn_from_there(
    q: FloatArray, q_zero: FloatArray, axis: FloatArray
) -> None:
    turned = quaternion.multiply(quaternion.conjugate(q_zero), q)
    swing = abs(quaternion.twist(q, q_zero, axis) - quaternion.twist(turned, IDENTITY, axis))
    assert_allclose(min(swing, 2.0 * np.pi - swing), 0.0, atol=1e-6)


def test_an_axis_of_nought_has_no_twist() -> None:
    """A leg that does not move has no axis."""
    assert quaternion.twist(about(X, 1.0), IDENTITY, np.zeros(3)) == 0.0


def test_series_of_both_feet_are_treated_element_by_element() -> None:
    q = quaternion.from_rotation_vector(np.random.default_rng(1).normal(size=(7, 2, 3)))
    p = quaternion.from_rotation_vector(np.random.default_rng(2).normal(size=(2, 3)))
    unit = np.stack([X, Z])
    whole = (
        quaternion.multiply(p, q),
        quaternion.rotate(q, unit),
        quaternion.rotation_vector(q),
        quaternion.angle_between(p, q),
        quaternion.twist(q, p, unit),
    )
    assert [one.shape for one in whole] == [(7, 2, 4), (7, 2, 3), (7, 2, 3), (7, 2), (7, 2)]
    for row in range(7):
        for foot in range(2):
            one = q[row, foot]
            assert_array_equal(whole[0][row, foot], quaternion.multiply(p[foot], one))
            assert_array_equal(whole[1][row, foot], quaternion.rotate(one, unit[foot]))
            assert_array_equal(whole[2][row, foot], quaternion.rotation_vector(one))
            assert_array_equal(whole[3][row, foot], quaternion.angle_between(p[foot], one))
            assert_array_equal(whole[4][row, foot], quaternion.twist(one, p[foot], unit[foot]))
