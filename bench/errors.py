"""How far a matched part, and the outer box, lie from the truth: mm, degrees, percent of the true range."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pocketworld.bench.matching import Pair, Predicted
from pocketworld.bench.rectangles import corners, moved_point, on_plane, unit
from pocketworld.bench.truth import TrueBox, TruePart, outer
from pocketworld.geometry import se3
from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Asset, HandleKind, JointKind, Rectangle, Scene

Array = NDArray[np.float64]

# 95 % of a direction's errors are within this many standard deviations: it errs in two ways (Rayleigh).
SURE = float(np.sqrt(-2 * np.log(0.05)))


@dataclass(frozen=True, slots=True)
class Edges:
    """Predicted minus true, in mm on the true front: right of it and above it are positive."""

    top: float
    bottom: float
    left: float
    right: float

    @property
    def worst(self) -> float:
        """Return the largest error's size."""
        return max(map(abs, (self.top, self.bottom, self.left, self.right)))

    @property
    def height(self) -> float:
        """Return how much too high the front is."""
        return self.top - self.bottom

    @property
    def width(self) -> float:
        """Return how much too wide the front is."""
        return self.right - self.left


@dataclass(frozen=True, slots=True)
class HandleError:
    """Predicted minus true, in mm on the true front: to the right, up, and along the handle's long side."""

    right: float
    up: float
    length: float

    @property
    def distance(self) -> float:
        """Return how far the centre is off."""
        return float(np.hypot(self.right, self.up))


@dataclass(frozen=True, slots=True)
class PartError:
    """A matched part. None: not known in the truth, or it makes no sense for this kind.

    kind_right     movable kind, for hinges also the side;  side_right: for true hinges
    axis_deg       between the directed axes;  axis_inside: within the 95 % that the belief states
    line_mm        between the hinges' axis lines at the part's centre
    range_percent  of the true range;  state: m or rad
    """

    true: str
    predicted: str
    iou: float
    slab_iou: float
    plane_mm: float
    normal_deg: float
    kind_right: bool
    side_right: bool | None
    axis_deg: float
    axis_inside: bool | None
    line_mm: float | None
    range_percent: float | None
    state: float | None
    edges: Edges
    handle: HandleError | None


@dataclass(frozen=True, slots=True)
class BoxError:
    """Predicted minus true outer box, in mm.

    width, depth, height   as one faces the true front
    left .. top            how far each face lies outside the true one, after alignment
    yaw_deg                about the true up axis, the nearest of the four quarter turns taken
    """

    asset: str
    width: float
    depth: float
    height: float
    left: float
    right: float
    front: float
    back: float
    bottom: float
    top: float
    yaw_deg: float


def edges(predicted: Rectangle, true: Rectangle) -> Edges:
    """Return the errors of a front's edges: each is the mean of its two ends, projected on the true plane."""
    ours, theirs = (np.sort(on_plane(corners(face), true), axis=0) * 1000 for face in (predicted, true))
    ends = [(ours[which].mean(0) - theirs[which].mean(0)) for which in (slice(0, 2), slice(2, 4))]
    (left, bottom), (right, top) = ends
    return Edges(float(top), float(bottom), float(left), float(right))


def handle(predicted: Predicted, true: TruePart) -> HandleError | None:
    """Return the error of the handle's place, or None where one side has none."""
    ours = predicted.part.handle
    if true.handle is None or ours is None or ours.kind is HandleKind.NONE:
        return None
    points = np.stack([predicted.point(np.array(ours.grip)), true.handle.centre])
    at = on_plane(points, true.front)
    right, up = (at[0] - at[1]) * 1000
    return HandleError(float(right), float(up), (ours.length - true.handle.length) * 1000)


def line_distance(point: Array, axis: Array, true: TruePart) -> float:
    """Return how far (m) a line is from a true hinge's, in the plane across that at the part's centre."""
    assert true.origin is not None
    centre, along = np.array(true.front.centre), np.array(true.axis)
    ends = [p + d * ((centre - p) @ along) / (d @ along) for p, d in ((point, axis), (true.origin, along))]
    return float(np.linalg.norm(ends[0] - ends[1]))


def part_error(predicted: Predicted, true: TruePart, pair: Pair) -> PartError:
    """Return all errors of one matched part."""
    assert predicted.front is not None
    joint, best = predicted.joint, predicted.joint.belief.best
    both_hinges = joint.kind is true.kind is JointKind.HINGE
    angle = float(np.arccos(np.clip(predicted.axis @ true.axis, -1, 1)))
    # A line that hardly rises out of the plane across the true axis meets it far away, which says nothing.
    line = None
    if both_hinges and angle < np.radians(60):
        line = line_distance(predicted.point(np.array(joint.origin)), predicted.axis, true) * 1000
    of_range = None
    if true.range and joint.kind is true.kind:
        of_range = (joint.range[1] - true.range) / true.range * 100
    side_right = best.side is true.side and both_hinges if true.kind is JointKind.HINGE else None
    return PartError(
        true=true.id,
        predicted=predicted.id,
        iou=pair.iou,
        slab_iou=pair.slab,
        plane_mm=pair.plane * 1000,
        normal_deg=float(np.degrees(pair.turned)),
        kind_right=joint.kind is true.kind and side_right is not False,
        side_right=side_right,
        axis_deg=float(np.degrees(angle)),
        axis_inside=angle <= SURE * best.axis_sigma if best.axis_sigma > 0 else None,
        line_mm=line,
        range_percent=of_range,
        state=None if true.state is None or joint.kind is not true.kind else joint.state - true.state,
        edges=edges(predicted.front, true.front),
        handle=handle(predicted, true),
    )


def box_error(scene: Scene, box: TrueBox, truth_from_capture: Array) -> BoxError | None:
    """Return how far the outer box of the asset nearest to the true one is off; None of an empty scene."""
    box_from_scene = (
        se3.inverse(box.capture_from_box)
        @ truth_from_capture
        @ se3.inverse(np.array(scene.scene_from_capture))
    )
    placed = [(asset, box_from_scene @ asset.pose.matrix) for asset in scene.assets]
    if not placed:
        return None
    centre = np.array([0, 0, box.size[2] / 2])
    asset, box_from_asset = min(placed, key=lambda a: float(np.linalg.norm(_middle(*a) - centre)))
    return _box_error(asset, box_from_asset, box)


def _middle(asset: Asset, box_from_asset: Array) -> Array:
    return moved_point(box_from_asset, np.mean(outer(asset), 0))


def _box_error(asset: Asset, box_from_asset: Array, box: TrueBox) -> BoxError:
    low, high = outer(asset)
    # Which of the asset's axes lies along each of the true box's: sizes are compared unprojected.
    turn = box_from_asset[:3, :3]
    which = linear_sum_assignment(np.abs(turn), maximize=True)[1]
    size, middle = (high - low)[which], _middle(asset, box_from_asset)
    width, depth, height = (size - box.size) * 1000
    lows, highs = ((middle + s * size / 2) * 1000 for s in (-1, 1))
    true = np.array(
        [[-box.size[0] / 2, -box.size[1] / 2, 0], [box.size[0] / 2, box.size[1] / 2, box.size[2]]]
    )
    outside: Vec3 = tuple(float(v) for v in true[0] * 1000 - lows)  # type: ignore[assignment]
    beyond: Vec3 = tuple(float(v) for v in highs - true[1] * 1000)  # type: ignore[assignment]
    along = unit(turn[:, which[0]] * np.sign(turn[0, which[0]]))
    return BoxError(
        asset=asset.id,
        width=float(width),
        depth=float(depth),
        height=float(height),
        left=outside[0],
        right=beyond[0],
        front=outside[1],
        back=beyond[1],
        bottom=outside[2],
        top=beyond[2],
        yaw_deg=float(np.degrees(np.arctan2(along[1], along[0]))),
    )
