"""Upright planes of a room at the height of base units, and the frame in which one is a front."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

LOW, HIGH = 0.2, 1.0  # m: between plinths and worktops there are fronts
UPRIGHT = 0.35  # |z| of an upright face's normal: within 20 degrees
TURN = math.radians(2)  # of directions: half of it spreads a row of 3 m over three layers
LEAN = math.cos(2 * TURN)  # a noisy front's normals still meet in this
STEP = 0.02  # m, bin of distances: normals of neighbouring bins are one layer
CELL = 0.04  # m: the search runs on cells of this size, the fit on what they hold
AREA = 0.25  # m² in one layer: less is the front of a drawer or two
ALONG = math.cos(math.radians(25))  # a normal within 25 degrees of a plane's is of it
NEAR = 0.04  # m: half a layer, at the start of a fit
REACH = 1.3  # m: no kitchen is deeper, and nothing farther before it belongs to it
NOISE = 0.003, 0.01  # m: what the spread of a front may be, whatever stands out of it or slants behind it
TUKEY = 4.685  # spreads: the biweight's usual cut (Beaton and Tukey 1974)


@dataclass(frozen=True, eq=False, slots=True)
class Local:
    """A surface around a front, in its frame: x to the right along it, y into the furniture, z up.

    which   (n,): the vertices of the whole surface that these are
    """

    scene_from_front: Array
    which: NDArray[np.intp]
    points: Array
    normals: Array
    areas: Array

    @classmethod
    def of(cls, surface: Surface, areas: Array, scene_from_front: Array) -> "Local":
        """Return what of a surface in the scene's frame is at most REACH before or behind a front."""
        behind = (surface.vertices - scene_from_front[:3, 3]) @ scene_from_front[:3, 1]
        which = np.flatnonzero(np.abs(behind) < REACH)
        points = se3.apply(se3.inverse(scene_from_front), surface.vertices[which])
        normals = surface.normals[which] @ scene_from_front[:3, :3]
        return cls(scene_from_front, which, points, normals, areas[which])

    @property
    def facing(self) -> Mask:
        """Return what faces the same way as the front."""
        return np.asarray(-self.normals[:, 1] > ALONG)

    @property
    def level(self) -> Mask:
        """Return what faces up; depth errs most on level dark plates, whose normals lean."""
        return np.asarray(self.normals[:, 2] > 0.8)

    def within(self, axis: int, low: float, high: float) -> Mask:
        """Return what lies between two places along an axis."""
        along = self.points[:, axis]
        return np.asarray((along >= low) & (along < high))


def front_planes(surface: Surface, areas: Array) -> Iterator[Array]:
    """Yield frames (4, 4) `scene_from_front` of upright planes that may be fronts, the largest first."""
    scene_from_grid = _upright(surface.from_grid)
    places, turns, weights = _cells(surface, areas, scene_from_grid)
    while len(weights):
        angle, distance, area = _strongest(places, turns, weights)
        if area < AREA:
            return
        normal = np.array([math.cos(angle), math.sin(angle)])
        mine = np.cos(turns - angle) > ALONG
        mine &= np.abs(places @ normal - distance) < NEAR
        if not mine.any():
            return
        yield scene_from_grid @ _frame(places[mine], normal, weights[mine])
        places, turns, weights = places[~mine], turns[~mine], weights[~mine]


def _upright(scene_from_grid: Array) -> Array:
    """Return the capture's grid turned upright: only its heading and its place on the floor."""
    yaw = math.atan2(scene_from_grid[1, 0], scene_from_grid[0, 0])
    frame = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    frame[:2, 3] = scene_from_grid[:2, 3]
    return frame


def _cells(surface: Surface, areas: Array, scene_from_grid: Array) -> tuple[Array, Array, Array]:
    """Return places (k, 2), directions (k,) and areas (k,) of what is upright, in cells of the grid."""
    keep = (np.abs(surface.normals[:, 2]) < UPRIGHT) & (surface.vertices[:, 2] > LOW)
    keep &= (surface.vertices[:, 2] < HIGH) & (areas > 0)
    points = se3.apply(se3.inverse(scene_from_grid), surface.vertices[keep])
    normals = surface.normals[keep] @ scene_from_grid[:3, :3]
    # What looks four ways is kept apart: both faces of a thin board fall into one cell.
    side = np.floor(np.arctan2(normals[:, 1], normals[:, 0]) / (math.pi / 2) + 0.5).astype(np.int64) % 4
    keys = np.column_stack([np.floor(points / CELL).astype(np.int64), side])
    member = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    weights = _sums(member, areas[keep])
    x, y, nx, ny = (_sums(member, values * areas[keep]) for values in (*points.T[:2], *normals.T[:2]))
    return np.column_stack([x, y]) / weights[:, None], np.arctan2(ny, nx), weights


def _sums(member: NDArray[np.intp], values: Array) -> Array:
    return np.asarray(np.bincount(member, values), np.float64)


def _strongest(places: Array, turns: Array, weights: Array) -> tuple[float, float, float]:
    """Return the direction (rad), the distance (m) and the area (m²) of the upright layer with most area."""
    best = (0.0, 0.0, 0.0)
    for angle in np.arange(0, 2 * math.pi, TURN):
        here = np.cos(turns - angle) > LEAN
        if weights[here].sum() <= best[2]:
            continue
        bins = np.floor(places[here] @ [math.cos(angle), math.sin(angle)] / STEP).astype(int)
        lowest = int(bins.min())
        area = np.bincount(bins - lowest, weights[here])
        layer = area + np.append(area[1:], 0.0)
        if layer.max() > best[2]:
            best = (float(angle), float((np.argmax(layer) + lowest + 1) * STEP), float(layer.max()))
    return best


def _frame(places: Array, normal: Array, weights: Array) -> Array:
    """Return (4, 4): the frame of the front through places (n, 2) that looks along about `normal` (2,)."""
    frame = np.eye(4)
    frame[:2, :2] = np.column_stack([[-normal[1], normal[0]], -normal])
    frame[:2, 3] = np.average(places, axis=0, weights=weights)
    along, behind = ((places - frame[:2, 3]) @ frame[:2, :2]).T
    return frame @ straightened(along, behind, weights)


def straightened(along: Array, behind: Array, weights: Array) -> Array:
    """Return (4, 4): from the front that fits points (n,) along and behind a frame's front, to that frame.

    Tukey's biweight from the fullest layer on: handles stand before a front, and low down, seen at a slant,
    depth puts it centimetres behind itself; neither is to bend it.
    """
    offset, slope = fullest(behind, weights), 0.0
    for _ in range(10):
        off = behind - offset - slope * along
        near = np.abs(off) < NEAR
        spread = 1.4826 * weighted_median(np.abs(off[near]), weights[near])
        cut = TUKEY * min(max(spread, NOISE[0]), NOISE[1])
        trust = weights * np.maximum(1 - np.square(off / cut), 0) ** 2
        middle, mean = np.average(along, weights=trust), np.average(behind, weights=trust)
        apart = along - middle
        slope = float(trust @ (apart * behind) / max(trust @ apart**2, 1e-9))
        offset = float(mean - slope * middle)
    frame = se3.exp(np.array([0, 0, 0, 0, 0, math.atan(slope)]))
    frame[1, 3] = offset
    return frame


def fullest(values: Array, weights: Array) -> float:
    """Return the middle of the layer, one STEP thick, that holds most weight; layers begin at the values."""
    order = np.argsort(values, kind="stable")
    v, total = values[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    inside = total[np.searchsorted(v, v + STEP, side="right")] - total[np.searchsorted(v, v)]
    start = int(np.argmax(inside))
    mine = slice(start, int(np.searchsorted(v, v[start] + STEP, side="right")))
    return float(np.average(v[mine], weights=np.maximum(weights[order][mine], 1e-12)))


def weighted_median(values: Array, weights: Array, share: float = 0.5) -> float:
    """Return the value below which lies `share` of the weight."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][min(np.searchsorted(total, share * total[-1]), len(order) - 1)])
