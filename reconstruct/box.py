"""A box-like piece of furniture, measured on the edges of pictures: depth is a centimetre too generous.

Only the start comes from depth. The visible edges of the box are drawn into every picture that shows it and pulled
onto the picture's edges, as in tracking by edges (Drummond and Cipolla 2002); the poses of the pictures may give way
within their own errors, so that one wrong pose does not move the box (a bundle adjustment with the points of the
box eliminated the other way round: poses first, by Schur's complement).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.boxedges import SAMPLES, VALUES, EdgeBox
from pocketworld.reconstruct.boxviews import Misfit, View, misfit, view_of
from pocketworld.reconstruct.things import FILLED, Thing
from pocketworld.scan.capture import Capture

Array = NDArray[np.float64]

SHIFT, TURN = 0.02, np.radians(1.0)  # what a pose may be wrong by: 1 sigma, m and rad
DEPTH = 0.03  # m: what a face by depth may be wrong by, 1 sigma
GRAIN = 1.0  # pixels: error of an edge in a picture
PER_EDGE = 4.0  # independent measurements along an edge: its errors are alike over a quarter of it
NARROWING = (12.0, 8.0, 5.0)  # pixels: edges farther away are somebody else's
ROUNDS = 8
STILL = 1e-4  # m and rad
PICTURES = 60


@dataclass(frozen=True, eq=False, slots=True)
class BoxFit:
    """A box in the scene's frame, and what was learnt on the way.

    box                 stands at z = 0 if the thing stands on the floor
    scene_from_world    (4, 4): the scene's frame; what was given, moved up or down by millimetres so that the floor
                        passes under the box as measured
    lower_edge          height of the body's lower edges above the foot: feet, castors or a plinth are below, m
    sigma               standard errors: yaw (rad), then the faces at -x, -y, -z, +x, +y, +z of the box (m)
    world_from_camera   (n, 4, 4) of all frames: corrected on the box's edges where `corrected` (n,), else as given
    before, after       mean distance of the box by depth and of this one from the pictures' edges, pixels
    """

    box: UprightBox
    scene_from_world: Array
    lower_edge: float
    sigma: Array
    world_from_camera: Array
    corrected: NDArray[np.bool_]
    before: float
    after: float
    findings: tuple[Finding, ...]


def fit_box(thing: Thing, capture: Capture, scene_from_world: Array) -> BoxFit:
    """Return the box of a box-like thing (in the scene's frame), by the pictures of a capture (in the world's)."""
    start = thing.box
    frame_from_world = se3.inverse(start.world_from_box) @ scene_from_world
    width, depth, height = start.size
    box = EdgeBox(np.array([0, -width / 2, -depth / 2, 0, width / 2, depth / 2, height]))
    views = _views(capture, frame_from_world, box)
    if not views:
        return _by_depth(thing, capture, scene_from_world)
    best = Fit.start(box, views)
    before = best.distance(NARROWING[-1])
    for limit in NARROWING:
        best = best.converged(limit, poses=limit < NARROWING[0])
    return _in_scene(best, before, thing, capture, scene_from_world)


def _views(capture: Capture, frame_from_world: Array, box: EdgeBox) -> tuple[View, ...]:
    """Return the views of the pictures that show the box; of many, some spread evenly over the capture."""
    numbers = np.flatnonzero(capture.coloured)
    seeing = [n for n in numbers if _may_see(frame_from_world @ capture.world_from_camera[n], box)]
    chosen = np.unique(np.linspace(0, len(seeing) - 1, min(PICTURES, len(seeing))).round().astype(int))
    found = []
    for number in (int(seeing[i]) for i in chosen):
        frame = capture[number]
        view = view_of(number, frame, frame_from_world @ frame.world_from_camera, box)
        if view is not None:
            found.append(view)
    return tuple(found)


def _may_see(frame_from_camera: Array, box: EdgeBox) -> bool:
    """Say whether some corner of the box is less than 60 degrees off the camera's axis."""
    local = se3.apply(se3.inverse(frame_from_camera), box.corners())
    return bool((local[:, 2] > np.linalg.norm(local, axis=1) / 2).any())


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """A box and the poses of its views, on the way to agreeing."""

    first: EdgeBox
    given: tuple[View, ...]
    box: EdgeBox
    views: tuple[View, ...]

    @classmethod
    def start(cls, box: EdgeBox, views: tuple[View, ...]) -> "Fit":
        """Return the fit before anything was moved."""
        return cls(box, views, box, views)

    def distance(self, limit: float) -> float:
        """Return the mean distance of the box's edges from the pictures', in pixels; what is farther counts `limit`."""
        return float(np.mean([np.minimum(misfit(v, self.box).pixels, limit).mean() for v in self.views]))

    def converged(self, limit: float, poses: bool) -> "Fit":
        """Return the fit after Gauss-Newton rounds, with edges up to `limit` pixels away."""
        fit = self
        for _ in range(ROUNDS):
            fit, step = fit.stepped(limit, poses)
            if np.abs(step).max() < STILL:
                break
        return fit

    def stepped(self, limit: float, poses: bool) -> tuple["Fit", Array]:
        """Return the fit after one round, and how far the box's values moved."""
        systems = [self._system(view, given, limit, poses) for view, given in zip(self.views, self.given, strict=True)]
        matrix, vector = self._prior()
        for one in systems:
            matrix, vector = matrix + one.matrix, vector + one.vector
        step = np.linalg.solve(matrix, vector)
        views = tuple(
            replace(v, frame_from_camera=v.frame_from_camera @ se3.exp(one.pose(step))) if poses else v
            for v, one in zip(self.views, systems, strict=True)
        )
        return replace(self, box=EdgeBox(self.box.values + step), views=views), step

    def _prior(self) -> tuple[Array, Array]:
        """Return what depth says of the box, loosely, so that faces that no picture shows stay where they are."""
        inverse = np.diag(1 / np.array([TURN * 3, *[DEPTH] * 6]) ** 2)
        return inverse, inverse @ (self.first.values - self.box.values)

    def _system(self, view: View, given: View, limit: float, poses: bool) -> "_System":
        seen = misfit(view, self.box)
        weight = _weights(seen, limit)
        strength = np.diag(1 / np.array([SHIFT] * 3 + [TURN] * 3) ** 2)
        moved = se3.log(se3.inverse(given.frame_from_camera) @ view.frame_from_camera)
        boxes, cameras = seen.by_box * weight[:, None], seen.by_pose * weight[:, None]
        pp = cameras.T @ seen.by_pose + strength
        pb, p = cameras.T @ seen.by_box, -cameras.T @ seen.pixels - strength @ moved
        bb, b = boxes.T @ seen.by_box, -boxes.T @ seen.pixels
        if not poses:
            return _System(bb, b, np.zeros((6, VALUES)), np.zeros(6))
        by_box, alone = np.linalg.solve(pp, pb), np.linalg.solve(pp, p)
        return _System(bb - pb.T @ by_box, b - pb.T @ alone, -by_box, alone)

    def covariance(self, limit: float) -> Array:
        """Return the covariance (7, 7) of the box's values, with views as the independent measurements (a sandwich)."""
        systems = [self._system(view, given, limit, True) for view, given in zip(self.views, self.given, strict=True)]
        bread = np.linalg.inv(self._prior()[0] + sum(one.matrix for one in systems))
        scores = np.stack([one.vector for one in systems])
        return np.asarray(bread @ (scores.T @ scores) @ bread + bread)


@dataclass(frozen=True, eq=False, slots=True)
class _System:
    """One view's normal equations for the box, its pose eliminated, and how the pose follows the box."""

    matrix: Array
    vector: Array
    by_box: Array
    alone: Array

    def pose(self, step: Array) -> Array:
        """Return the motion of the camera (6,) that goes with a step of the box (7,)."""
        return self.alone + self.by_box @ step


def _weights(seen: Misfit, limit: float) -> Array:
    """Return the weights of the samples (m,): Huber's within `limit`, none beyond; an edge counts by its length seen."""
    huber = np.minimum(1, GRAIN / np.maximum(seen.pixels, GRAIN))
    return np.asarray(np.where(seen.pixels < limit, huber, 0) * PER_EDGE / SAMPLES / GRAIN**2)


def _in_scene(fit: Fit, before: float, thing: Thing, capture: Capture, scene_from_world: Array) -> BoxFit:
    """Return the fit with the box and the poses where they belong."""
    given = thing.box
    low, high = fit.box.ends
    # By depth, top and floor err alike: both are level and seen at the same slant. So the height is depth's, and the
    # floor goes under the top as the pictures show it.
    stands = given.foot[2] == 0 and thing.found.filled[4] >= FILLED
    foot = high[2] - given.size[2] if stands else (0.0 if given.foot[2] == 0 else low[2])
    frame_from_box = np.eye(4)
    frame_from_box[:3, :3] = fit.box.turn
    frame_from_box[:3, 3] = fit.box.turn @ [*(low + high)[:2] / 2, foot]
    scene_from_box = given.world_from_box @ frame_from_box
    sunk = np.eye(4)
    sunk[2, 3] = -scene_from_box[2, 3] if given.foot[2] == 0 else 0.0
    scene_from_box, scene_from_world = sunk @ scene_from_box, sunk @ scene_from_world
    world_from_frame = se3.inverse(scene_from_world) @ sunk @ given.world_from_box
    poses, corrected = capture.world_from_camera.copy(), np.zeros(len(capture), bool)
    for view in fit.views:
        poses[view.number], corrected[view.number] = world_from_frame @ view.frame_from_camera, True
    x, y, z = (float(c) for c in scene_from_box[:3, 3])
    width, depth, height = (float(size) for size in (*(high - low)[:2], high[2] - foot))
    yaw = given.yaw + float(fit.box.values[0])
    return BoxFit(
        UprightBox((x, y, z), yaw, (width, depth, height)),
        scene_from_world,
        float(low[2] - foot),
        np.sqrt(np.diag(fit.covariance(NARROWING[-1]))),
        poses,
        corrected,
        before,
        fit.distance(NARROWING[-1]),
        (),
    )


def _by_depth(thing: Thing, capture: Capture, scene_from_world: Array) -> BoxFit:
    text = "no picture shows its edges: its size is by depth, which is about a centimetre too large on each side"
    found = Finding("box-by-depth", Severity.DEGRADED, "reconstruct", f"{capture.name}/{thing.id}", text)
    sigma = np.array([TURN, *[DEPTH] * 6])
    none = np.zeros(len(capture), bool)
    return BoxFit(thing.box, scene_from_world, 0.0, sigma, capture.world_from_camera.copy(), none, np.nan, np.nan, (found,))
