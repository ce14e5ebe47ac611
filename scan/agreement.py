"""Whether neighbouring frames agree: one's depth, moved to the other by their poses, against the other's."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.scan.capture import Frame

Array = NDArray[np.float64]

GOOD = 0.75  # phones say 0, 1/2 or 1: neighbours disagree 5 to 6 times more at 1/2 than at 1
SAMPLES = 8000  # pixels of a frame: their median is known to 2 %
NEAREST = 0.05  # m: what comes closer to the camera is behind it, or on its lens
# 1 % wide bins from 10 µm (the step of the finest depth maps is 100 µm) to 100 m.
_BINS = np.geomspace(1e-5, 100, 1621)


def known(frame: Frame) -> NDArray[np.bool_]:
    """Return (h, w): which pixels have a depth."""
    assert frame.depth is not None
    mask: NDArray[np.bool_] = np.isfinite(frame.depth) & (frame.depth > 0)
    return mask


def sure(frame: Frame) -> NDArray[np.bool_]:
    """Return (h, w): which pixels have a depth that is sure; all that have one if no device says how sure."""
    return known(frame) if frame.confidence is None else known(frame) & (frame.confidence >= GOOD)


def points(frame: Frame, stride: int) -> Array:
    """Return (n, 3), m, in the camera's frame: where every stride-th pixel with sure depth lies."""
    assert frame.depth is not None
    assert frame.depth_camera is not None
    camera, mask = frame.depth_camera, sure(frame)[::stride, ::stride]
    v, u = np.nonzero(mask)
    z = frame.depth[::stride, ::stride][mask].astype(np.float64)
    x, y = (u * stride - camera.cx) / camera.fx * z, (v * stride - camera.cy) / camera.fy * z
    return np.stack([x, y, z], -1).astype(np.float64, copy=False)


def disagreement(a: Frame, b: Frame) -> tuple[Array, float]:
    """Return how far behind b's depth a's points lie (m, < 0: before it), and the share that b looks at.

    Points on pixels where b has no sure depth are looked at, but not compared.
    """
    assert a.depth is not None
    assert b.depth is not None
    assert b.depth_camera is not None
    found = points(a, max(1, round((a.depth.size / SAMPLES) ** 0.5)))
    moved = se3.apply(se3.inverse(b.world_from_camera) @ a.world_from_camera, found)
    moved = moved[moved[:, 2] > NEAREST]
    camera, z = b.depth_camera, moved[:, 2]
    u = np.rint(moved[:, 0] / z * camera.fx + camera.cx)
    v = np.rint(moved[:, 1] / z * camera.fy + camera.cy)
    inside = (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height)
    rows, columns = v[inside].astype(int), u[inside].astype(int)
    compared = sure(b)[rows, columns]
    behind = z[inside] - b.depth[rows, columns]
    return behind[compared], float(inside.sum()) / max(1, len(found))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well neighbouring frames agree; None where there was nothing to compare.

    median_m, p90_m   half, and nine in ten, of the points disagree by less
    overlap           mean share of a frame's points that the next frame looks at too
    least_overlap     of the two neighbours that share least
    worst_m           the median of the two neighbours that agree least
    worst_pair        what these two are called
    """

    median_m: float | None = None
    p90_m: float | None = None
    overlap: float | None = None
    least_overlap: float | None = None
    worst_m: float | None = None
    worst_pair: tuple[str, str] | None = None


@dataclass(slots=True)
class Comparison:
    """Compares frames as they come; holds no frame.

    A point that lies behind what the other frame sees may be hidden from it: that is no disagreement. One
    that lies before it is, as the other frame looks through it. Noise does both equally often, and frames are
    compared both ways, so the points before tell it all.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(_BINS) + 1, np.int64))
    overlaps: list[float] = field(default_factory=list)
    worst: float = -1.0
    worst_pair: tuple[str, str] | None = None

    def add(self, a: Frame, b: Frame) -> None:
        """Compare two neighbouring frames with depth, both ways."""
        (there, overlap), (back, _) = disagreement(a, b), disagreement(b, a)
        self.overlaps.append(overlap)
        before = -np.concatenate([there[there <= 0], back[back <= 0]])
        if not before.size:
            return
        self.counts += np.bincount(np.searchsorted(_BINS, before), minlength=len(self.counts))
        median = float(np.median(before))
        if median > self.worst:
            self.worst, self.worst_pair = median, (a.name, b.name)

    def result(self) -> Agreement:
        """Return what came out so far."""
        if not self.overlaps:
            return Agreement()
        overlap, least = float(np.mean(self.overlaps)), min(self.overlaps)
        if self.worst_pair is None:
            return Agreement(overlap=overlap, least_overlap=least)
        median, p90 = self._quantile(0.5), self._quantile(0.9)
        return Agreement(median, p90, overlap, least, self.worst, self.worst_pair)

    def _quantile(self, q: float) -> float:
        rank = int(np.searchsorted(self.counts.cumsum(), q * self.counts.sum()))
        return float(_BINS[min(rank, len(_BINS) - 1)])
