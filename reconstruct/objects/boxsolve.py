"""A box and the poses of its pictures brought to agree, by Gauss-Newton on the distances between edges.

As in tracking by edges (Drummond and Cipolla 2002), with the poses of the pictures free within their own
errors, so that one wrong pose does not move the box; each pose is eliminated from its picture's equations
(Schur's complement), as the points are in bundle adjustment.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.reconstruct.fronts.edgemaps import CLOSE, EdgeMaps
from pocketworld.reconstruct.objects.boxedges import SAMPLES, VALUES, EdgeBox
from pocketworld.reconstruct.objects.boxviews import Look, Misfit, View, misfit

Array = NDArray[np.float64]

# By how much a pose of motion capture or of a phone shows a thing elsewhere than it is: 1 sigma, m and rad.
# At the thing, not at the camera: a small turn of the camera moves far what it sees, and must not be cheap.
SHIFT, TURN = 0.01, np.radians(0.5)
DEPTH, LEAN = 0.03, np.radians(3.0)  # what a face, and the yaw, by depth may be wrong by: 1 sigma, m and rad
GRAIN = 1.0  # pixels: error of an edge in a picture
PER_EDGE = 4.0  # independent measurements along an edge: its errors are alike over a quarter of it
FAIR = 5.0  # pixels: how near an edge is that may well be the box's
ROUNDS = 8  # of a stage
STILL = 1e-4  # m and rad


@dataclass(frozen=True, slots=True)
class Stage:
    """How edges are looked for, up to how many pixels away, and whether poses give way."""

    look: Look
    limit: float
    poses: bool


STAGES = (
    Stage(EdgeMaps.around, 12.0, False),
    Stage(EdgeMaps.around, 8.0, True),
    Stage(EdgeMaps.around, FAIR, True),
    Stage(EdgeMaps.across, CLOSE, True),
)


@dataclass(frozen=True, eq=False, slots=True)
class Agreement:
    """A box and the poses of its views, on the way to agreeing; `first` and `given` are what they were."""

    first: EdgeBox
    given: tuple[View, ...]
    box: EdgeBox
    views: tuple[View, ...]

    @classmethod
    def start(cls, box: EdgeBox, views: tuple[View, ...]) -> "Agreement":
        """Return it before anything was moved."""
        return cls(box, views, box, views)

    def reached(self) -> "Agreement":
        """Return it when box and poses agree: first the box alone, then both, with ever nearer edges."""
        now = self
        for stage in STAGES:
            now = now._converged(stage)
        return now

    def distance(self) -> float:
        """Return the mean distance of the box's edges from the pictures', pixels, each at most the limit."""
        seen = (misfit(view, self.box, EdgeMaps.around).pixels for view in self.views)
        return float(np.mean([np.minimum(pixels, FAIR).mean() for pixels in seen]))

    def moved(self) -> Array:
        """Return by how much (n, 6), m and rad, each view was moved about the box's middle."""
        now = np.array([view.frame_from_camera for view in self.views])
        given = np.array([view.frame_from_camera for view in self.given])
        return se3.log(_about(-self.box.middle, now @ se3.inverse(given)))

    def covariance(self) -> Array:
        """Return the covariance (7, 7) of the box's values.

        What single edges and the start leave open, and how far the pictures contradict each other (a
        sandwich, with pictures as the independent measurements: Huber 1967).
        """
        systems = self._systems(STAGES[-1])
        bread = np.linalg.inv(self._prior()[0] + sum(one.matrix for one in systems))
        scores = np.stack([one.vector for one in systems])
        return np.asarray(bread @ (scores.T @ scores) @ bread + bread)

    def _converged(self, stage: Stage) -> "Agreement":
        now = self
        for _ in range(ROUNDS):
            now, step = now._stepped(stage)
            if np.abs(step).max() < STILL:
                break
        return now

    def _stepped(self, stage: Stage) -> tuple["Agreement", Array]:
        """Return what one round makes of it, and how far the box's values (7,) moved."""
        systems = self._systems(stage)
        matrix, vector = self._prior()
        for one in systems:
            matrix, vector = matrix + one.matrix, vector + one.vector
        step = np.linalg.solve(matrix, vector).astype(float)
        moved = self._moved(np.array([one.motion(step) for one in systems]))
        # Poses err around the truth: what all of them have in common is the box's motion, not theirs. (Else a
        # plinth that is no edge of the box tilts the whole room.)
        centred = moved._moved(np.broadcast_to(-moved.moved().mean(0), (len(systems), 6)))
        return replace(centred, box=EdgeBox(self.box.values + step)), step

    def _moved(self, twists: Array) -> "Agreement":
        """Return it with the views moved by twists (n, 6) about the box's middle."""
        motions = _about(self.box.middle, se3.exp(twists))
        pairs = zip(self.views, motions, strict=True)
        views = (replace(view, frame_from_camera=motion @ view.frame_from_camera) for view, motion in pairs)
        return replace(self, views=tuple(views))

    def _prior(self) -> tuple[Array, Array]:
        """Return what depth says of the box, loosely: faces that no picture shows stay where they are."""
        inverse = np.diag(1 / np.array([LEAN, *[DEPTH] * 6]) ** 2)
        return inverse, inverse @ (self.first.values - self.box.values)

    def _systems(self, stage: Stage) -> list["_System"]:
        seen = (misfit(view, self.box, stage.look) for view in self.views)
        return [_system(one, moved, stage) for one, moved in zip(seen, self.moved(), strict=True)]


@dataclass(frozen=True, eq=False, slots=True)
class _System:
    """One view's normal equations for the box, its pose eliminated, and how the pose follows the box."""

    matrix: Array
    vector: Array
    by_box: Array
    alone: Array

    def motion(self, step: Array) -> Array:
        """Return the motion of the camera (6,) that goes with a step of the box (7,)."""
        return self.alone + self.by_box @ step


def _about(middle: Array, motion: Array) -> Array:
    """Return motions (..., 4, 4) of the frame that are given about `middle` (3,)."""
    there = se3.exp(np.array([*middle, 0, 0, 0]))
    return np.asarray(there @ motion @ se3.inverse(there))


def _system(seen: Misfit, moved: Array, stage: Stage) -> _System:
    weight = _weights(np.abs(seen.pixels), stage.limit)
    boxes, cameras = seen.by_box * weight[:, None], seen.by_pose * weight[:, None]
    matrix, vector = boxes.T @ seen.by_box, -boxes.T @ seen.pixels
    if not stage.poses:
        return _System(matrix, vector, np.zeros((6, VALUES)), np.zeros(6))
    strength = np.diag(1 / np.array([SHIFT] * 3 + [TURN] * 3) ** 2)
    own = cameras.T @ seen.by_pose + strength
    shared, pull = cameras.T @ seen.by_box, -cameras.T @ seen.pixels - strength @ moved
    by_box, alone = (np.linalg.solve(own, right).astype(float) for right in (shared, pull))
    return _System(matrix - shared.T @ by_box, vector - shared.T @ alone, -by_box, alone)


def _weights(pixels: Array, limit: float) -> Array:
    """Return the weights of the samples (m,): Huber's within `limit`, none beyond; edges count by length."""
    huber = np.minimum(1, GRAIN / np.maximum(pixels, GRAIN))
    return np.asarray(np.where(pixels < limit, huber, 0) * PER_EDGE / SAMPLES / GRAIN**2)
