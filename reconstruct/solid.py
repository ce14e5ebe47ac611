"""What no family explains stays as it was scanned: one part, its mesh as seen, one convex hull.

A decomposition into convex pieces (CoACD, Wei et al. 2022) of the chair and the pot of a garden took 5 to
13 s of CPU each, as scans are open and noisy: too long for a room of them. The finding says how much of the
hull was seen to be empty.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, Delaunay, QhullError

from pocketworld.errors import PocketworldError
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.convex import HullPiece, Vec3
from pocketworld.geometry.inertia import inertia
from pocketworld.reconstruct.emptiness import PLACES
from pocketworld.reconstruct.floor import LAYER
from pocketworld.reconstruct.things import Thing
from pocketworld.scene import Asset, Base, Mesh, Part, Pose

Array = NDArray[np.float64]

DENSITY = 80.0  # kg/m³ of the hull: chairs, pots and cartons are mostly air (a 5 kg chair in 0.06 m³ of hull)
CORNERS = 64  # of the collision hull at most: what MuJoCo compiles in a fraction of a millisecond
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
    foot = _foot(vertices)
    hull = _hull(vertices, foot, id)
    mass, com, tensor = inertia((hull,), (DENSITY,))
    mesh = Mesh(
        vertices.astype(np.float32),
        thing.surface.faces.astype(np.int32),
        colours=thing.surface.colours,
        seen=True,
    )
    part = Part("body", "body", (mesh,), (hull,), mass, com, tensor)
    why = _why_fixed(mass, com, foot)
    x, y, z = thing.box.foot
    pose = Pose.upright((x, y, z), thing.box.yaw)
    asset = Asset(id, "solid", {}, (part,), pose=pose, base=Base.FIXED if why else Base.FREE)
    places = se3.apply(local, free) if free is not None else np.zeros((0, 3))
    return asset, (_noticed(id, thing, mass, why, _empty(places, hull, thing.box.size)),)


def _foot(vertices: Array) -> Array:
    """Return the corners (k, 2) of what points (n, 3) stand on: those low enough, seen from above.

    None where nothing is low enough, or what is lies on a line.
    """
    height = float(vertices[:, 2].max(initial=0.0))
    low = vertices[vertices[:, 2] < min(FOOT, SHARE * height), :2]
    try:
        corners = low[ConvexHull(low).vertices]
    except (QhullError, ValueError):
        return np.zeros((0, 2))
    turn = 2 * np.pi * np.arange(EDGES) / EDGES
    far = np.argmax(corners @ np.stack([np.cos(turn), np.sin(turn)]), axis=0)
    return np.asarray(corners[np.unique(far)])


def _hull(vertices: Array, foot: Array, id: str) -> HullPiece:
    """Return the hull of the foot on the support and of points above: the farthest ones in
    directions spread over the sphere.
    """
    above = np.column_stack([vertices[:, :2], np.maximum(vertices[:, 2], 0.0)])
    flat = FlatError(f"{id} has no volume: its {len(vertices)} points lie in a plane")
    try:
        corners = above[np.sort(ConvexHull(above).vertices)]
        far = np.unique(np.argmax(corners @ _directions(CORNERS - EDGES).T, axis=0))
        points = np.concatenate([corners[far], np.column_stack([foot, np.zeros(len(foot))])])
        hull = ConvexHull(points)
    except (QhullError, ValueError) as error:
        raise flat from error
    if 2 * hull.volume < THINNEST * hull.area:
        raise flat
    return HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in points))


def _directions(count: int) -> Array:
    """Return unit vectors (count, 3) spread evenly (Fibonacci's sphere)."""
    i = np.arange(count) + 0.5
    z, turn = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z**2)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], -1)


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


def _empty(places: Array, hull: HullPiece, box: Vec3) -> float:
    """Return the share of a hull that was seen to be empty, by places (m, 3) of `seen_empty` in its box."""
    within = Delaunay(hull.vertices).find_simplex(places) >= 0 if len(places) else np.zeros(0, bool)
    return min(1.0, float(within.sum()) * math.prod(box) / PLACES / hull.volume)


def _noticed(id: str, thing: Thing, mass: float, why: str, empty: float) -> Finding:
    stands = f"fixed, as {why}" if why else "free to be pushed"
    text = f"no family explains it: it stays as scanned, {stands}, one hull to bump into, its mass a guess"
    numbers = {"mass_kg": mass, "seen_share": thing.completeness, "hull_seen_empty": empty}
    return Finding("solid", Severity.DEGRADED, "reconstruct", id, text, numbers)
