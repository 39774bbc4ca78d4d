import numpy as np
import pytest

from kerasfaces.annotate import pose


def turned(yaw=0.0, pitch=0.0, roll=0.0, scale=80.0):
    """The mean face, turned and seen from afar."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]]
    about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    rotation = np.array(about_z) @ about_y @ about_x
    return (pose._MEAN_FACE @ rotation.T)[:, :2] * scale + 100


@pytest.mark.parametrize("angle", [-40, -5, 0, 25, 60])
def test_a_turned_face_has_its_angle(angle):
    assert pose.of_landmarks(turned(yaw=angle)).yaw_deg == pytest.approx(angle, abs=0.1)
    assert pose.of_landmarks(turned(pitch=angle)).pitch_deg == pytest.approx(
        angle, abs=0.1
    )
    assert pose.of_landmarks(turned(roll=angle)).roll_deg == pytest.approx(
        angle, abs=0.1
    )


def test_size_and_place_do_not_matter():
    small, large = turned(20, 10, 5, scale=10), turned(20, 10, 5, scale=300) + 1000
    np.testing.assert_allclose(pose.of_landmarks(small), pose.of_landmarks(large))


def test_the_nose_points_where_the_face_looks():
    points = turned(yaw=30)
    assert points[2, 0] > points[:2, 0].mean()
    assert pose.of_landmarks(points).yaw_deg > 0
