"""Whether each thing of a room was found as one thing, and whether something opens that never does."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pocketworld.bench.counts import Counts
from pocketworld.bench.matching import Predicted
from pocketworld.bench.rectangles import moved_point, overlap
from pocketworld.bench.truth import TrueBox, Truth, outer
from pocketworld.geometry import se3
from pocketworld.geometry.convex import CORNERS
from pocketworld.scene import Asset, Scene

Array = NDArray[np.float64]

IOU = 0.5
# A wall's back and ends are nobody's to see, and so is how far a door's frame reaches into it.
BUILDING = ("wall", "room_door")


@dataclass(frozen=True, slots=True)
class Instances:
    """Assets whose outer boxes have IoU >= 0.5 with a true one's, one to one; walls and room doors left out.

    found   (predicted, true) ids;  missed: true ids;  false: predicted ids
    """

    found: tuple[tuple[str, str], ...]
    missed: tuple[str, ...]
    false: tuple[str, ...]

    @property
    def counts(self) -> Counts:
        """Return how many were found."""
        right = len(self.found)
        return Counts(right, right + len(self.false), right + len(self.missed))


def instances(scene: Scene, truth: Truth, truth_from_capture: Array) -> Instances:
    """Match the assets of a scene with the true ones, by the greatest total IoU of their boxes."""
    truth_from_scene = truth_from_capture @ se3.inverse(np.array(scene.scene_from_capture))
    ours = [asset for asset in scene.assets if asset.family not in BUILDING]
    theirs = [box for box in truth.boxes if box.family not in BUILDING]
    ious = np.array([[iou(a, truth_from_scene @ a.pose.matrix, b) for b in theirs] for a in ours])
    ious = ious.reshape(len(ours), len(theirs))
    rows, columns = linear_sum_assignment(np.where(ious >= IOU, ious, 0.0), maximize=True)
    pairs = [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if ious[i, j] >= IOU]
    return Instances(
        tuple((ours[i].id, theirs[j].asset) for i, j in pairs),
        tuple(box.asset for j, box in enumerate(theirs) if j not in {j for _, j in pairs}),
        tuple(asset.id for i, asset in enumerate(ours) if i not in {i for i, _ in pairs}),
    )


def iou(asset: Asset, truth_from_asset: Array, box: TrueBox) -> float:
    """Return the IoU of an asset's outer box and a true one: of their footprints times that of their heights.

    Both stand upright but for what the frames disagree by.
    """
    low, high = outer(asset)
    points = (low + high) / 2 + CORNERS * (high - low) / 2
    own = se3.apply(se3.inverse(box.capture_from_box) @ truth_from_asset, points)
    width, depth, height = box.size
    foot = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, depth / 2)
    bottom, top = own[::2, 2].mean(), own[1::2, 2].mean()
    shared = overlap(own[[0, 4, 6, 2], :2], foot) * max(0.0, min(top, height) - max(bottom, 0.0))
    union = float(np.prod(high - low)) + width * depth * height - shared
    return float(shared / union)


def opening_what_is_still(guesses: Sequence[Predicted], truth: Truth) -> tuple[str, ...]:
    """Return which movable parts lie nearest to what never opens: a wall, a table, a thing."""
    opens = {part.id.split("/")[0] for part in truth.parts}
    if len(truth.boxes) == 1:
        return ()
    nearest = [min(truth.boxes, key=lambda box: _away(_place(guess), box)) for guess in guesses]
    return tuple(g.id for g, box in zip(guesses, nearest, strict=True) if box.asset not in opens)


def _place(guess: Predicted) -> Array:
    return np.array(guess.front.centre) if guess.front else guess.point(np.array(guess.part.com))


def _away(point: Array, box: TrueBox) -> float:
    """Return how far a point is from a box's surface, m: within it too."""
    own = moved_point(se3.inverse(box.capture_from_box), point) - (0, 0, box.size[2] / 2)
    beyond = np.abs(own) - np.array(box.size) / 2
    return float(np.linalg.norm(np.maximum(beyond, 0))) + abs(min(float(beyond.max()), 0.0))
