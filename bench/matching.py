"""Which predicted part is which true one, and the rigid motion that lays the first onto the second."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pocketworld.bench.rectangles import corners, moved, moved_point, normal, on_plane, overlap, vec3
from pocketworld.bench.truth import TruePart, Truth
from pocketworld.geometry import se3
from pocketworld.scene import Asset, Belief, Hypothesis, Joint, JointKind, Part, Rectangle, Scene, Side

Array = NDArray[np.float64]

IOU = 0.5
PLANE = 0.05
NORMAL = np.radians(15)
DRAWN = 0.4  # m: how far a drawer opens of which nothing is known

# A refinement is meant for the surveyor's and the poses' error, not for the prediction's: it may not carry a
# part across a gate by itself, so it stays within the plane gate and the tight axis gate.
REFINED_BY = 0.05
REFINED_TURN = np.radians(2)


@dataclass(frozen=True, eq=False, slots=True)
class Predicted:
    """A part of the scene with its joint; front in the frame of the capture, or None where it has none."""

    id: str
    part: Part
    joint: Joint
    capture_from_asset: Array
    front: Rectangle | None

    def point(self, p: Array) -> Array:
        """Return in the capture's frame a point (3,) of the asset's."""
        return moved_point(self.capture_from_asset, p)

    @property
    def axis(self) -> Array:
        """Return the joint's axis (3,) in the capture's frame."""
        turned: Array = self.capture_from_asset[:3, :3] @ self.joint.axis
        return turned


@dataclass(frozen=True, slots=True)
class Pair:
    """A predicted and a true part, by place in their lists, and how well their fronts agree.

    iou    of the rectangles on the true front's plane;  slab: of the panels, as thick as the true one
    plane  how far the predicted centre lies before the true plane, m;  turned: between the normals, rad
    """

    predicted: int
    true: int
    iou: float
    slab: float
    plane: float
    turned: float

    @property
    def matches(self) -> bool:
        """Say whether it passes the gate."""
        return self.iou >= IOU and abs(self.plane) <= PLANE and self.turned <= NORMAL


@dataclass(frozen=True, eq=False, slots=True)
class Alignment:
    """truth_from_capture (4, 4), and why it is what it is; offset: m at the fronts, turned: rad."""

    truth_from_capture: Array
    refined: bool
    offset: float
    turned: float
    reason: str


def predictions(scene: Scene, truth_from_capture: Array) -> list[Predicted]:
    """Return all parts that hang on a joint, movable or not, in the truth's frame and the scene's order."""
    truth_from_scene = truth_from_capture @ se3.inverse(np.array(scene.scene_from_capture))
    return [
        _predicted(asset, joint, truth_from_scene @ asset.pose.matrix)
        for asset in scene.assets
        for joint in asset.joints
    ]


def _predicted(asset: Asset, joint: Joint, truth_from_asset: Array) -> Predicted:
    part = asset.part(joint.child)
    front = None if part.front is None else moved(truth_from_asset, part.front)
    return Predicted(f"{asset.id}/{part.id}", part, joint, truth_from_asset, front)


def all_drawers(guesses: Sequence[Predicted]) -> list[Predicted]:
    """Return every part that has a front as a drawer that opens straight out of it, whatever it was called.

    What a program scores that finds the same fronts and does not ask what they are.
    """
    return [
        replace(guess, joint=_drawer(guess.part.front, guess.joint)) for guess in guesses if guess.part.front
    ]


def _drawer(front: Rectangle, joint: Joint) -> Joint:
    axis = vec3(normal(front))
    sure = Belief((Hypothesis(JointKind.SLIDE, Side.NONE, 1.0, axis, origin=front.centre, range=DRAWN),))
    return replace(
        joint,
        kind=JointKind.SLIDE,
        belief=sure,
        axis=axis,
        origin=front.centre,
        range=(0.0, DRAWN),
        state=0.0,
    )


def compare(predicted: Rectangle, true: Rectangle, thickness: float) -> tuple[float, float, float, float]:
    """Return (iou, slab, plane, turned) of `Pair` for two fronts in one frame."""
    plane = float((np.array(predicted.centre) - true.centre) @ normal(true))
    cosine = float(np.clip(normal(predicted) @ normal(true), -1, 1))
    own, other = true.width * true.height, predicted.width * predicted.height * abs(cosine)
    shared = overlap(on_plane(corners(predicted), true), on_plane(corners(true), true))
    inside = shared * max(0.0, thickness - abs(plane))
    union, slab = own + other - shared, (own + other) * thickness - inside
    return shared / union, inside / slab, plane, float(np.arccos(cosine))


def match(predicted: list[Predicted], truth: Truth) -> list[Pair]:
    """Return the pairs that match, one to one, of the greatest total IoU; by place of the true part."""
    pairs = {}
    overlaps = np.zeros((len(predicted), len(truth.parts)))
    for i, guess in enumerate(predicted):
        for j, true in enumerate(truth.parts):
            if guess.front is None or not _near(guess.front, true.front):
                continue
            pair = Pair(i, j, *compare(guess.front, true.front, truth.thickness))
            if pair.matches:
                pairs[i, j], overlaps[i, j] = pair, pair.iou
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    found = (pairs.get((int(i), int(j))) for i, j in zip(rows, columns, strict=True))
    return sorted((pair for pair in found if pair), key=lambda pair: pair.true)


def _near(one: Rectangle, other: Rectangle) -> bool:
    """Say whether two rectangles may overlap at all: a room has hundreds of pairs that can't."""
    reach = (math.hypot(one.width, one.height) + math.hypot(other.width, other.height)) / 2
    return math.dist(one.centre, other.centre) <= reach + PLANE


def align(scene: Scene, truth: Truth) -> Alignment:
    """Return the small rigid motion without scale that lays the matched fronts' corners onto the true ones.

    Least squares over the four corners of each front matched in the capture's own frame (Kabsch 1976), all
    weighing the same; repeated while it changes who matches whom, and left out where it is more than
    `REFINED_BY` at the fronts or `REFINED_TURN`: then the prediction is off, and not the frames.
    """
    start = _movable(scene, np.eye(4))
    motion, pairs = np.eye(4), _who(match(start, truth))
    known: list[tuple[int, int]] = []
    offset = turned = 0.0
    # Two or three rounds settle it; a cycle would end with one of its members.
    for _ in range(5):
        if not pairs or pairs == known:
            break
        known = pairs
        ours = np.concatenate([_corners_near(start[i], truth.parts[j]) for i, j in known])
        theirs = np.concatenate([corners(truth.parts[j].front) for _, j in known])
        motion = kabsch(theirs, ours)
        offset = float(np.linalg.norm((theirs - ours).mean(0)))
        turned = float(np.linalg.norm(se3.log(motion)[3:]))
        if offset > REFINED_BY or turned > REFINED_TURN:
            reason = "the fronts lie too far off for a refinement"
            return Alignment(np.eye(4), False, offset, turned, reason)
        pairs = _who(match(_movable(scene, motion), truth))
    if not known:
        return Alignment(motion, False, 0.0, 0.0, "no front matches")
    return Alignment(motion, True, offset, turned, f"corners of {len(known)} matched fronts")


def _who(pairs: list[Pair]) -> list[tuple[int, int]]:
    return [(pair.predicted, pair.true) for pair in pairs]


def _movable(scene: Scene, truth_from_capture: Array) -> list[Predicted]:
    return [p for p in predictions(scene, truth_from_capture) if p.joint.movable]


def _corners_near(predicted: Predicted, true: TruePart) -> Array:
    """Return the predicted corners (4, 3) in the true ones' order, however the prediction names its sides."""
    assert predicted.front is not None
    points = corners(predicted.front)
    turns = [np.roll(points, k, 0) for k in range(4)]
    return min(turns, key=lambda p: float(((p - corners(true.front)) ** 2).sum()))


def kabsch(theirs: Array, ours: Array) -> Array:
    """Return theirs_from_ours (4, 4), rigid, of least squares over corresponding points (n, 3)."""
    a, b = theirs.mean(0), ours.mean(0)
    u, _, vt = np.linalg.svd((theirs - a).T @ (ours - b))
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = turn, a - turn @ b
    return out
