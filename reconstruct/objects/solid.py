"""What no family explains stays as it was scanned: one part, its mesh as seen, few convex pieces.

One hull, where none of it was seen to be empty; else as many as that takes (`reconstruct.objects.pieces`).
For such a thing, open and noisy, CoACD took 2 to 14 s of CPU, and V-HACD kept most of what one hull swallows:
figures in docs/benchmark.md. The finding says what is swallowed.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, Delaunay, QhullError

from pocketworld.errors import PocketworldError
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.convex import HullPiece, Vec3
from pocketworld.geometry.inertia import inertia
from pocketworld.reconstruct.objects.emptiness import PLACES
from pocketworld.reconstruct.objects.pieces import FREED, directions, parted
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.room.floor import LAYER
from pocketworld.scene import Asset, Base, Mesh, Part, Pose

Array = NDArray[np.float64]
Ints = NDArray[np.intp]

DENSITY = 80.0  # kg/m³ of the hull: chairs, pots and cartons are mostly air (a 5 kg chair in 0.06 m³ of hull)
CORNERS = 48  # of a collision hull above its foot: what MuJoCo compiles in a fraction of a millisecond
FEWER = 24  # of each, where there are several
FOOT = 2 * LAYER  # m: surface within a layer of the floor was taken for floor; what is this low stands on it
SHARE = 0.25  # of its height that is foot at most: a low thing does not stand on all it is
EDGES = 16  # corners of its foot
THINNEST = 1e-3  # m: no scan tells what is thinner from a plane, and engines let it through
HEAVY = 25.0  # kg: what one person lifts (ISO 11228-1); heavier things are not pushed by the way
TIPPED = math.radians(
    10
)  # a thing on its own must stand as much as household appliances do (IEC 60335-1, 20)


class FlatError(PocketworldError):
    """A thing without volume: a poster, a pane, a film."""


def solid(thing: Thing, id: str, free: Array | None = None) -> tuple[Asset, tuple[Finding, ...]]:
    """Return a thing as an asset that does not open, and what that leaves out.

    free   (m, 3) places of the scene that `seen_empty` found in its box, where it was asked

    It can be pushed where it is light and stands safely on what was seen of its foot, which is brought down
    to its support; else it is fixed.

    Raises FlatError for a thing without volume.
    """
    local = se3.inverse(thing.box.world_from_box)
    vertices = se3.apply(local, thing.surface.vertices)
    places = se3.apply(local, free) if free is not None else np.zeros((0, 3))
    points, edges = _brought_down(vertices, thing.surface.faces)
    whole = _hull(points, CORNERS)
    if whole is None:
        raise FlatError(f"{id} has no volume: its {len(vertices)} points lie in a plane")
    pieces = _pieces(points, edges, whole, places, thing)
    mass = DENSITY * whole.volume
    volume = sum(piece.volume for piece in pieces)
    _, com, tensor = inertia(pieces, [mass / volume] * len(pieces))
    mesh = Mesh(
        vertices.astype(np.float32),
        thing.surface.faces.astype(np.int32),
        colours=thing.surface.colours,
        seen=True,
    )
    part = Part("body", "body", (mesh,), pieces, mass, com, tensor)
    why = _why_fixed(mass, com, _foot(vertices))
    x, y, z = thing.box.foot
    pose = Pose.upright((x, y, z), thing.box.yaw)
    asset = Asset(id, "solid", {}, (part,), pose=pose, base=Base.FIXED if why else Base.FREE)
    empty = [_empty(places, some, thing.box.size) for some in ((whole,), pieces)]
    return asset, (_noticed(id, thing, part, why, empty),)


def _low(vertices: Array) -> Ints:
    """Return which of some points (n, 3) are low enough to be of the foot."""
    height = float(vertices[:, 2].max(initial=0.0))
    return np.flatnonzero(vertices[:, 2] < min(FOOT, SHARE * height))


def _foot(vertices: Array) -> Array:
    """Return the corners (k, 2) of what points (n, 3) stand on: those low enough, seen from above."""
    return _outermost(vertices[_low(vertices), :2])


def _outermost(flat: Array) -> Array:
    """Return those of points (n, 2) that are farthest in EDGES directions."""
    if not len(flat):
        return flat
    turn = 2 * np.pi * np.arange(EDGES) / EDGES
    return np.asarray(flat[np.unique(np.argmax(flat @ np.stack([np.cos(turn), np.sin(turn)]), axis=0))])


def _brought_down(vertices: Array, faces: NDArray[np.int32]) -> tuple[Array, Ints]:
    """Return a surface's points with its foot's on the support besides, and the edges between them (e, 2).

    No point is added where nothing is low enough, or what is lies on a line: nothing was seen of what it
    stands on.
    """
    above = np.column_stack([vertices[:, :2], np.maximum(vertices[:, 2], 0.0)])
    low = _low(vertices) if len(_foot(vertices)) >= 3 else np.zeros(0, np.intp)
    ends = np.sort(np.concatenate([faces[:, [i, (i + 1) % 3]] for i in range(3)]).astype(np.intp), axis=1)
    number = np.unique(ends[:, 0] * len(above) + ends[:, 1])
    edges = np.stack([number // len(above), number % len(above)], -1)
    down = np.stack([low, len(above) + np.arange(len(low))], -1)
    return np.concatenate([above, above[low] * (1, 1, 0)]), np.concatenate([edges, down])


def _pieces(
    points: Array, edges: Ints, whole: HullPiece, places: Array, thing: Thing
) -> tuple[HullPiece, ...]:
    """Return a thing's hull, or several that leave free what of it was seen to be empty."""
    if _empty(places, (whole,), thing.box.size) < FREED:
        return (whole,)
    held = whole.volume / math.prod(thing.box.size) * PLACES
    parts = parted(points, edges, places, thing.box, held)
    if len(parts) == 1:
        return (whole,)
    return tuple(_solid_pieces(parts, thing.surface.voxel)) or (whole,)


def _solid_pieces(parts: Sequence[Array], voxel: float) -> Iterator[HullPiece]:
    """Give the hull of each part's points (n, 3), of a sheet as thick as the surface is known.

    A speck of one or two points has none.
    """
    for points in parts:
        piece = _hull(points, FEWER)
        if piece is None and len(points) > 2:
            across = np.linalg.svd(points - points.mean(0), full_matrices=False)[2][-1] * voxel / 2
            thick = np.concatenate([points - across, points + across])
            piece = _hull(np.column_stack([thick[:, :2], np.maximum(thick[:, 2], 0.0)]), FEWER)
        if piece is not None:
            yield piece


def _hull(points: Array, count: int) -> HullPiece | None:
    """Return the hull of those of points (n, 3) that lie on the support, and of the farthest ones in `count`
    directions spread over the sphere; None where it has no volume.
    """
    try:
        corners = points[np.sort(ConvexHull(points).vertices)]
        far = np.unique(np.argmax(corners @ directions(count).T, axis=0))
        foot = _outermost(points[points[:, 2] == 0, :2])
        chosen = np.concatenate([corners[far], np.column_stack([foot, np.zeros(len(foot))])])
        hull = ConvexHull(chosen)
    except (QhullError, ValueError):
        return None
    if 2 * hull.volume < THINNEST * hull.area:
        return None
    return HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in chosen))


def _why_fixed(mass: float, com: Vec3, foot: Array) -> str:
    """Return why a thing is not left free, or nothing."""
    if mass > HEAVY:
        return "it is heavy"
    if len(foot) < 3:
        return "what it stands on was not seen"
    try:
        hull = ConvexHull(foot)
    except QhullError:  # all but a line
        return "what it stands on was not seen"
    inside = -(hull.equations[:, :2] @ np.array(com[:2]) + hull.equations[:, 2]).max()
    return "" if inside > com[2] * math.tan(TIPPED) else "it would tip over on what was seen of its foot"


def _empty(places: Array, pieces: Sequence[HullPiece], box: Vec3) -> float:
    """Return the share of pieces side by side that was seen to be empty, by places (m, 3) of `seen_empty` in
    their box.
    """
    if not len(places):
        return 0.0
    within = [Delaunay(piece.vertices).find_simplex(places) >= 0 for piece in pieces]
    held = float(np.any(within, axis=0).sum()) * math.prod(box) / PLACES
    return min(1.0, held / sum(piece.volume for piece in pieces))


def _noticed(id: str, thing: Thing, part: Part, why: str, empty: Sequence[float]) -> Finding:
    """Say what a thing is taken for; empty: shares of its hull, and of its pieces, that were seen empty."""
    stands = f"fixed, as {why}" if why else "free to be pushed"
    count = len(part.pieces)
    bumps = "one hull" if count == 1 else f"{count} convex pieces"
    text = f"no family explains it: it stays as scanned, {stands}, {bumps} to bump into, its mass a guess"
    numbers = {
        "mass_kg": part.mass,
        "seen_share": thing.completeness,
        "hull_seen_empty": empty[0],
        "pieces": float(count),
        "pieces_seen_empty": empty[1],
    }
    return Finding("solid", Severity.DEGRADED, "reconstruct", id, text, numbers)
