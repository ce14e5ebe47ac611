"""What stands loose in a room, as tables and chairs: what was found, missed, invented."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pocketworld.bench.counts import Counts
from pocketworld.bench.instances import BUILDING, iou
from pocketworld.bench.rectangles import moved_point
from pocketworld.bench.truth import TrueBox, Truth, outer
from pocketworld.geometry import se3
from pocketworld.scene import Asset, Scene

Array = NDArray[np.float64]

IOU = 0.3  # of a cup, less than a quarter is left where each of its sides is off by a centimetre
BUILT_IN = ("cabinet", "fridge", "oven", "worktop")


@dataclass(frozen=True, slots=True)
class Found:
    """One that was found: its id and the true one's, their families, by how much the middle of its bottom is
    off, and by how much the worst of its three sizes, mm.
    """

    predicted: str
    true: str
    family: str
    true_family: str
    place_mm: float
    size_mm: float


@dataclass(frozen=True, slots=True)
class Loose:
    """What is neither building nor built in, one to one by the greatest total IoU of boxes, at least 0.3.

    missed   (id, family) of true ones;  invented: ids of predicted ones
    """

    found: tuple[Found, ...]
    missed: tuple[tuple[str, str], ...]
    invented: tuple[str, ...]

    @property
    def counts(self) -> Counts:
        """Return how many were found."""
        right = len(self.found)
        return Counts(right, right + len(self.invented), right + len(self.missed))

    @property
    def kinds(self) -> dict[str, tuple[int, int, int]]:
        """Return of each true family how many were found, how many of these as such, and how many are."""
        families = sorted({one.true_family for one in self.found} | {family for _, family in self.missed})
        return {name: self._of(name) for name in families}

    def _of(self, family: str) -> tuple[int, int, int]:
        own = [one for one in self.found if one.true_family == family]
        missed = sum(name == family for _, name in self.missed)
        return len(own), sum(one.family == family for one in own), len(own) + missed


def loose(scene: Scene, truth: Truth, truth_from_capture: Array) -> Loose:
    """Match what stands loose in a scene with what truly does; assets that open are built in, or false."""
    truth_from_scene = truth_from_capture @ se3.inverse(np.array(scene.scene_from_capture))
    ours = [asset for asset in scene.assets if asset.family not in (*BUILDING, *BUILT_IN)]
    theirs = [box for box in truth.boxes if box.family not in (*BUILDING, *BUILT_IN)]
    pairs = _pairs(ours, theirs, truth_from_scene)
    rows, columns = {i for i, _ in pairs}, {j for _, j in pairs}
    return Loose(
        tuple(_found(ours[i], theirs[j], truth_from_scene) for i, j in pairs),
        tuple((box.asset, box.family) for j, box in enumerate(theirs) if j not in columns),
        tuple(asset.id for i, asset in enumerate(ours) if i not in rows),
    )


def _pairs(
    ours: Sequence[Asset], theirs: Sequence[TrueBox], truth_from_scene: Array
) -> list[tuple[int, int]]:
    ious = np.array([[iou(a, truth_from_scene @ a.pose.matrix, b) for b in theirs] for a in ours])
    ious = ious.reshape(len(ours), len(theirs))
    rows, columns = linear_sum_assignment(np.where(ious >= IOU, ious, 0.0), maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if ious[i, j] >= IOU]


def _found(asset: Asset, box: TrueBox, truth_from_scene: Array) -> Found:
    low, high = outer(asset)
    foot = np.array([*(low[:2] + high[:2]) / 2, low[2]])
    place = moved_point(truth_from_scene @ asset.pose.matrix, foot) - np.array(box.foot)
    # Which side of a thing is its width is a matter of how one looks at it.
    sizes = [np.array([*sorted(size[:2]), size[2]]) for size in (high - low, np.array(box.size))]
    off = float(np.abs(sizes[0] - sizes[1]).max())
    return Found(
        asset.id, box.asset, asset.family, box.family, float(np.linalg.norm(place)) * 1000, off * 1000
    )
