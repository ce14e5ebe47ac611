"""The floor plan: every asset from above with a number, how its doors swing, and where the findings are."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
APART = 2.1  # radii of a disc: how far discs keep from each other
ROUNDS = 100  # in which discs that cover each other are pushed apart; a dozen on one spot take 40
LETTER = 0.62  # of its size: how wide a letter is, on the average
LINE = 2.1  # radii below a disc's middle: where a name stands


@dataclass(frozen=True, slots=True)
class Item:
    """One asset from above; places in mm to the right and down from the plan's top left.

    outlines   polygons ("x,y x,y ...");  ways: paths of what opens, from closed to open
    x, y       middle of its disc;  named: whether its name has room below that
    hung       whether it hangs over where a plan is cut
    worst      severity of its worst finding, or nothing;  findings: how many it has
    """

    number: int
    id: str
    family: str
    outlines: tuple[str, ...]
    ways: tuple[str, ...]
    x: float
    y: float
    named: bool
    hung: bool
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
    ways = {a.id: [_moved(plan_from_scene, way) for way in _ways(a)] for a in scene.assets}
    every = np.concatenate([points for kind in (outlines, ways) for some in kind.values() for points in some])
    low, high = every.min(0) - MARGIN, every.max(0) + MARGIN
    scale = LARGEST / float((high - low).max())

    def placed(points: Array) -> Array:
        return np.column_stack([points[:, 0] - low[0], high[1] - points[:, 1]]) * 1000

    dot = DOT / scale * 1000
    shapes = [[placed(points) for points in outlines[asset.id]] for asset in scene.assets]
    swept = [[placed(way) for way in ways[asset.id]] for asset in scene.assets]
    width, height = (float(side) for side in (high - low) * 1000)
    bar = max((b for b in BARS if b * 1000 <= SCALE * width), default=BARS[0])
    said = f"{bar:g} m" if bar >= 1 else f"{bar * 100:.0f} cm"
    items = _items(scene.assets, shapes, swept, dot, _noticed(findings))
    return FloorPlan(tuple(items), width, height, width / 1000 * scale, dot, bar * 1000, said)


def _items(
    assets: Sequence[Asset],
    shapes: Sequence[list[Array]],
    swept: Sequence[list[Array]],
    dot: float,
    noticed: Mapping[str, tuple[str, int]],
) -> Iterator[Item]:
    """Give the assets with their outlines and ways on the plan (mm each), their discs apart."""
    middles = _apart(np.array([np.concatenate(own).mean(0) for own in shapes]), APART * dot)
    every = zip(assets, shapes, swept, middles, strict=True)
    for number, (asset, own, ways, middle) in enumerate(every, 1):
        yield Item(
            number,
            asset.id,
            asset.family,
            tuple(map(_points, own)),
            tuple(map(_points, ways)),
            float(middle[0]),
            float(middle[1]),
            asset.family != WALL and _roomy(asset.id, own, middle, middles, dot),
            bool(_corners(asset)[:, 2].min() > SLICE),
            *noticed.get(asset.id, ("", 0)),
        )


def _apart(middles: Array, least: float) -> Array:
    """Return places (n, 2) no nearer to each other than `least`, moved little: each pair shares the way."""
    places = middles.copy()
    first, second = np.triu_indices(len(places), 1)
    for _ in range(ROUNDS):
        between = places[second] - places[first]
        far = np.linalg.norm(between, axis=1)
        near = far < least * (1 - 1e-6)
        if not near.any():
            break
        # What lies on one spot is parted along the plan.
        unit = np.where(far[:, None] > 1, between / np.maximum(far, 1)[:, None], (1.0, 0.0))
        push = unit[near] * (least - far[near])[:, None] / 2
        np.add.at(places, first[near], -push)
        np.add.at(places, second[near], push)
    return places


def _roomy(name: str, own: list[Array], middle: Array, middles: Array, dot: float) -> bool:
    """Return whether a name fits below its disc: within the outlines' extent, and over no other disc."""
    points = np.concatenate(own)
    half = np.array([LETTER * dot * len(name) / 2, dot])
    below = middle + np.array([0, LINE * dot])
    low, high = below - half, below + half
    inside = (low >= points.min(0)).all() and (high <= points.max(0)).all()
    covered = ((middles + dot > low) & (middles - dot < high)).all(1)
    return bool(inside and not covered.any())


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
