"""The upright box around a thing, from its surface, and how much of the surface it explains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.room.floor import LAYER

Array = NDArray[np.float64]

UPRIGHT = np.cos(np.radians(60))  # a normal within 30 degrees of level belongs to an upright face
ALONG = np.cos(np.radians(30))  # a normal within 30 degrees of a face's
STRAIGHTENED = 3  # times: of a yaw that is off by degrees, the first leaves a tenth
TRIM = 0.01  # of the area may stick out as noise
OUTER = 0.25  # of the extent: faces are looked for in the outer quarters, so that handles stand out of them
EXPLAINED = 0.7  # of the area lies on a box's faces where a thing is a box


@dataclass(frozen=True, slots=True)
class DepthBox:
    """An upright box and what it explains.

    share      of the area that lies on a face of it, normal alike, within `tolerance` (m)
    filled     share of each face that has surface on it: front (-y), right (+x), back (+y), left (-x), top
    """

    box: UprightBox
    share: float
    filled: tuple[float, float, float, float, float]


def main_yaw(normals: Array, weights: Array) -> float:
    """Return the yaw (rad, in (-45, 45] degrees) to which most upright normals (n, 3) are parallel or square.

    Four times the angle folds the four sides of a box together, so that their mean is one direction. Good to
    a few degrees: normals of voxels lean towards the voxels' axes.
    """
    level = np.hypot(normals[:, 0], normals[:, 1]) > UPRIGHT
    if not level.any():
        return 0.0
    folded = np.exp(4j * np.arctan2(normals[level, 1], normals[level, 0]))
    return float(np.angle(weights[level] @ folded) / 4)


def box_of(points: Array, normals: Array, weights: Array, tolerance: float, cell: float) -> DepthBox:
    """Return the box of points (n, 3) with normals and areas (n,) above the floor z = 0.

    Each face is where most surface looks that way, among the outer; where none looks that way, at the end of
    the points.
    """
    yaw = main_yaw(normals, weights)
    for _ in range(STRAIGHTENED):
        local, looks = points @ _turn(yaw), normals @ _turn(yaw)
        yaw += _askew(local, looks, weights, _faces(local, looks, weights, tolerance), tolerance)
    local, looks = points @ _turn(yaw), normals @ _turn(yaw)
    box = _box(_faces(local, looks, weights, tolerance), yaw)
    found = explain(box, points, normals, weights, tolerance, cell)
    if found.share >= EXPLAINED:
        return found
    return explain(_box(_ends(local, weights), yaw), points, normals, weights, tolerance, cell)


def _turn(yaw: float) -> Array:
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def _ends(local: Array, weights: Array) -> Array:
    """Return (2, 3): how far points reach down and up each axis, but for a little of their area."""
    ends = np.array([[_end(sign * local[:, axis], weights) for axis in range(3)] for sign in (-1, 1)])
    # A thing stands on its legs, however little of them is seen.
    ends[0, 2] = -local[:, 2].min()
    return ends


def _faces(local: Array, looks: Array, weights: Array, tolerance: float) -> Array:
    """Return (2, 3): how far down and up each axis the faces are."""
    ends = _ends(local, weights)
    faces = ends.copy()
    for row, sign in enumerate((-1, 1)):
        for axis in range(3):
            outer = ends[row, axis] - OUTER * ends[:, axis].sum()
            along, out = sign * local[:, axis], sign * looks[:, axis] > ALONG
            faces[row, axis] = _face(along, weights, out & (along > outer), tolerance, ends[row, axis])
    return faces


def _askew(local: Array, looks: Array, weights: Array, faces: Array, tolerance: float) -> float:
    """Return by how much (rad) the upright faces are turned against the axes, by their slopes in plan."""
    covariance = variance = 0.0
    for row, sign in enumerate((-1, 1)):
        for axis in range(2):
            across = local[:, axis] - sign * faces[row, axis]
            on = (np.abs(across) <= tolerance) & (looks[:, axis] * sign > ALONG)
            w = weights[on]
            if w.sum() <= 0:  # nothing, or what lost its triangles with its neighbours: that has no area
                continue
            u, v = (side - w @ side / w.sum() for side in (local[on, 1 - axis], across[on]))
            covariance += float(w @ (u * v)) * (1 if axis else -1)
            variance += float(w @ (u * u))
    return float(np.arctan2(covariance, variance)) if variance > 0 else 0.0


def _box(ends: Array, yaw: float) -> UprightBox:
    """Return the box with lower ends -ends[0] and upper ends ends[1] (3,) along axes turned by yaw."""
    low, high = -ends[0], ends[1]
    if low[2] < 2 * LAYER:
        low[2] = 0.0  # surface within a layer of the floor was taken for floor
    middle = _turn(yaw) @ ((low + high) / 2)
    width, depth, height = (float(size) for size in high - low)
    return UprightBox((float(middle[0]), float(middle[1]), float(low[2])), yaw, (width, depth, height))


def _end(along: Array, weights: Array) -> float:
    """Return where all but a little of the area ends."""
    order = np.argsort(along, kind="stable")
    total = np.cumsum(weights[order])
    return float(along[order][np.searchsorted(total, (1 - TRIM) * total[-1])])


def _face(along: Array, weights: Array, out: NDArray[np.bool_], tolerance: float, end: float) -> float:
    """Return how far out the layer is that holds most area of `out` (n,); the end where there is little."""
    if weights[out].sum() <= TRIM * weights.sum():
        return end
    order = np.argsort(along[out], kind="stable")
    a, w = along[out][order], np.concatenate([[0.0], np.cumsum(weights[out][order])])
    inside = w[np.searchsorted(a, a + tolerance, side="right")] - w[np.searchsorted(a, a - tolerance)]
    near = np.abs(a - a[int(np.argmax(inside))]) <= tolerance
    return float(np.average(a[near], weights=np.diff(w)[near]))


def explain(
    box: UprightBox, points: Array, normals: Array, weights: Array, tolerance: float, cell: float
) -> DepthBox:
    """Return how much of a surface lies on a box's faces, and how much of each face has surface on it."""
    local = se3.apply(se3.inverse(box.world_from_box), points)
    turn = box.world_from_box[:3, :3]
    looks = normals @ turn
    width, depth, height = box.size
    sides = ((1, -1, -depth / 2), (0, 1, width / 2), (1, 1, depth / 2), (0, -1, -width / 2), (2, 1, height))
    low, high = np.array([-width / 2, -depth / 2, 0]), np.array([width / 2, depth / 2, height])
    explained, filled = np.zeros(len(points), bool), []
    for axis, sign, place in sides:
        on = (np.abs(local[:, axis] - place) <= tolerance) & (looks[:, axis] * sign > ALONG)
        explained |= on
        others = [a for a in range(3) if a != axis]
        filled.append(_filled(local[on][:, others], low[others], high[others], cell))
    share = float(weights[explained].sum() / max(weights.sum(), 1e-12))
    return DepthBox(box, share, tuple(filled))  # type: ignore[arg-type]


def _filled(places: Array, low: Array, high: Array, cell: float) -> float:
    """Return the share of a rectangle's cells that have a point in them."""
    count = np.maximum(np.rint((high - low) / cell), 1).astype(int)
    cells = np.floor((places - low) / (high - low) * count).astype(int)
    inside = ((cells >= 0) & (cells < count)).all(1)
    grid = np.zeros(count, bool)
    grid[tuple(cells[inside].T)] = True
    return float(grid.mean())
