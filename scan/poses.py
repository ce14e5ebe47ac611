"""Camera poses as files say them: which are rigid motions at all, and the exact motions nearest to those."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Turns a capture whose y points up into a world whose z does: x stays, y becomes z.
Z_UP_FROM_Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
# Turns the axes of an OpenCV camera (y down, z forward) into those of an OpenGL camera (y up, z backward).
OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])

CROOKED = 1e-3  # rad: moves a point 5 m away by 5 mm, less than a depth sensor's noise there
FARTHEST = 1000.0  # m: nobody walks farther in one capture, and 32 bits still hold 0.1 mm there


def rigid(poses: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the rigid motions nearest to poses (n, 4, 4), and which (n,) of them were motions.

    Not a motion: numbers that are not finite, a rotation that is none, a place too far to walk to.
    Rotations are projected by their singular vectors (Schönemann 1966), as files round them.
    """
    finite = np.asarray(np.isfinite(poses).all((1, 2)))
    moved = np.where(finite[:, None, None], poses, np.eye(4))
    left, stretch, right = np.linalg.svd(moved[:, :3, :3])
    sound = finite & (np.abs(stretch - 1) < CROOKED).all(-1) & (np.linalg.det(moved[:, :3, :3]) > 0)
    sound &= (np.abs(moved[:, :3, 3]) < FARTHEST).all(-1)
    sound &= np.abs(moved[:, 3] - [0, 0, 0, 1]).max(-1) < CROOKED
    moved[:, :3, :3] = left @ right
    moved[:, 3] = [0, 0, 0, 1]
    return moved, sound
