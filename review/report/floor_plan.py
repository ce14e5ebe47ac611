"""The floor plan: every asset from above with a number, how its doors swing, and where the findings are."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from pocketworld.findings import Finding, Severity
from pocketworld.review.report.size import corners
from pocketworld.scene import Asset, Joint, JointKind, Scene

Array = NDArray[np.float64]

SLICE = 1.0  # m: walls are cut at this height, as architects do, so that doors and windows are gaps
WALL = "wall"
LARGEST = 860.0  # CSS pixels of the plan's longer side
MARGIN = 0.25  # m around the plan
DOT = 9.0  # CSS pixels: radius of a number's disc
ARC = 9  # places on a door's way that are drawn
BARS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # m: what the scale may show
SCALE = 0.25  # of the plan's width at most


@dataclass(frozen=True, slots=True)
class Item:
    """One asset from above; places in mm to the right and down from the plan's top left.

    outlines   polygons ("x,y x,y ...");  ways: paths of what opens, from closed to open
    worst      severity of its worst finding, or nothing;  findings: how many it has
    """

    number: int
    id: str
    family: str
    outlines: tuple[str, ...]
    ways: tuple[str, ...]
    x: float
    y: float
    worst: str
    findings: int


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """The plan: items in the scene's order, its size in mm and in CSS pixels, a scale bar.

    dot    radius of the numbers' discs, mm;  bar: length of the scale, mm, and what it says
    """

    items: tuple[Item, ...]
    width: float
    height: float
    shown: float
    dot: float
    bar: float
    said: str


def floor_plan(scene: Scene, findings: Iterable[Finding]) -> FloorPlan | None:
    """Return the plan of a scene, turned so that its longest side lies level; None where nothing stands."""
    if not scene.assets:
        return None
    plan_from_scene = _turn(scene)
    outlines = {a.id: [_moved(plan_from_scene, o) for o in _outlines(a)] for a in scene.assets}
    every = np.concatenate([points for some in outlines.values() for points in some])
    low, high = every.min(0) - MARGIN, every.max(0) + MARGIN
    scale = LARGEST / float((high - low).max())

    def placed(points: Array) -> Array:
        return np.column_stack([points[:, 0] - low[0], high[1] - points[:, 1]]) * 1000

    noticed = _noticed(findings)

    def item(number: int, asset: Asset) -> Item:
        own = outlines[asset.id]
        x, y = (float(v) for v in placed(np.mean(np.concatenate(own), axis=0)[None])[0])
        ways = tuple(_points(placed(_moved(plan_from_scene, way))) for way in _ways(asset))
        shapes = tuple(_points(placed(points)) for points in own)
        return Item(number, asset.id, asset.family, shapes, ways, x, y, *noticed.get(asset.id, ("", 0)))

    items = [item(number, asset) for number, asset in enumerate(scene.assets, 1)]
    width, height = (float(side) for side in (high - low) * 1000)
    bar = max((b for b in BARS if b * 1000 <= SCALE * width), default=BARS[0])
    said = f"{bar:g} m" if bar >= 1 else f"{bar * 100:.0f} cm"
    return FloorPlan(tuple(items), width, height, width / 1000 * scale, DOT / scale * 1000, bar * 1000, said)


def _noticed(findings: Iterable[Finding]) -> Mapping[str, tuple[str, int]]:
    """Return the worst severity and the number of findings above a note about each subject."""
    rank = {Severity.LOST: 2, Severity.DEGRADED: 1}
    out: dict[str, tuple[str, int]] = {}
    for finding in findings:
        if finding.severity in rank:
            worst, count = out.get(finding.subject, ("", 0))
            worse = max((Severity(w) for w in (worst, finding.severity) if w), key=lambda s: rank[s])
            out[finding.subject] = (str(worse), count + 1)
    return out


def _turn(scene: Scene) -> Array:
    """Return the rotation (2, 2) that lays the longest asset level, its front at the bottom."""
    longest = max(scene.assets, key=lambda asset: _length(asset))
    x, y = longest.pose.matrix[:2, 0]
    along = np.array([x, y]) / math.hypot(x, y)
    return np.array([along, [-along[1], along[0]]])


def _length(asset: Asset) -> float:
    return float(np.ptp(_corners(asset)[:, :2] @ asset.pose.matrix[:2, :2], axis=0).max())


def _corners(asset: Asset) -> Array:
    """Return the corners (n, 3) of all that one could bump into, of what one sees where that is nothing."""
    pose = asset.pose.matrix
    points = [piece.vertices for part in asset.parts for piece in part.pieces]
    points = points or [np.asarray(mesh.vertices, float) for part in asset.parts for mesh in part.meshes]
    points = points or [np.zeros((1, 3))]
    return np.asarray(np.concatenate(points) @ pose[:3, :3].T + pose[:3, 3])


def _outlines(asset: Asset) -> list[Array]:
    """Return the polygons (n, 2) of an asset from above: a wall's where it is cut, another's as a whole."""
    pose = asset.pose.matrix
    pieces = [piece.vertices @ pose[:3, :3].T + pose[:3, 3] for piece in asset.parts[0].pieces]
    cut = [points for points in pieces if points[:, 2].min() < SLICE < points[:, 2].max()]
    if asset.family == WALL and cut:
        return [_hull(points[:, :2]) for points in cut]
    return [_hull(_corners(asset)[:, :2])]


def _hull(points: Array) -> Array:
    """Return the convex outline (n, 2) of points; the points themselves where they lie on a line."""
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except (QhullError, ValueError):
        return points


def _ways(asset: Asset) -> Iterator[Array]:
    """Give the ways (n, 2) in the scene of the fronts that open, as far as they do."""
    for joint in asset.movable:
        front = asset.part(joint.child).front
        if front is not None:
            yield _way(asset, joint, corners(front))


def _way(asset: Asset, joint: Joint, closed: Array) -> Array:
    """Return a front's foot when open and the way of its far corner back to where it is closed (n, 2)."""
    pose = asset.pose.matrix
    steps = np.linspace(0, joint.range[1], ARC if joint.kind is JointKind.HINGE else 2)
    places = [closed @ (m := joint.motion(float(q)))[:3, :3].T + m[:3, 3] for q in steps]
    feet = np.array([(p @ pose[:3, :3].T + pose[:3, 3])[:, :2] for p in places])  # (steps, 4, 2)
    # Of corners that travel alike the first is taken, whatever rounding makes of them.
    far = int(np.argmax(np.linalg.norm(feet[-1] - feet[0], axis=1).round(6)))
    near = int(np.argmax(np.linalg.norm(feet[-1] - feet[-1, far], axis=1).round(6)))
    return np.concatenate([feet[-1, near][None], feet[::-1, far]])


def _moved(turn: Array, points: Array) -> Array:
    return np.asarray(points @ turn.T)


def _points(points: Array) -> str:
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
