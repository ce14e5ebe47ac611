"""What no family explains stays as it was scanned: one part, its mesh as seen, one convex hull."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from pocketworld.errors import PocketworldError
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.convex import HullPiece
from pocketworld.geometry.inertia import inertia
from pocketworld.reconstruct.things import Thing
from pocketworld.scene import Asset, Mesh, Part, Pose

Array = NDArray[np.float64]

DENSITY = 80.0  # kg/m³ of the hull: chairs, pots and cartons are mostly air (a 5 kg chair in 0.06 m³ of hull)
CORNERS = 64  # of the collision hull: what MuJoCo compiles in a fraction of a millisecond


def solid(thing: Thing, id: str) -> tuple[Asset, tuple[Finding, ...]]:
    """Return a thing as an asset that does not open and does not move, and what that leaves out.

    Raises PocketworldError for a thing without volume.
    """
    local = se3.inverse(thing.box.world_from_box)
    vertices = se3.apply(local, thing.surface.vertices)
    hull = _hull(vertices, id)
    mass, com, tensor = inertia((hull,), (DENSITY,))
    mesh = Mesh(
        vertices.astype(np.float32),
        thing.surface.faces.astype(np.int32),
        colours=thing.surface.colours,
        seen=True,
    )
    part = Part("body", "body", (mesh,), (hull,), mass, com, tensor)
    x, y, z = thing.box.foot
    asset = Asset(id, "solid", {}, (part,), pose=Pose.upright((x, y, z), thing.box.yaw))
    return asset, (_noticed(id, thing, mass),)


def _hull(vertices: Array, id: str) -> HullPiece:
    """Return the hull of at most CORNERS points: the farthest ones in directions spread over the sphere."""
    try:
        corners = vertices[np.sort(ConvexHull(vertices).vertices)]
    except (QhullError, ValueError) as error:
        raise PocketworldError(f"{id} has no volume: its {len(vertices)} points lie in a plane") from error
    far = np.unique(np.argmax(corners @ _directions(CORNERS).T, axis=0))
    return HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in corners[far]))


def _directions(count: int) -> Array:
    """Return unit vectors (count, 3) spread evenly (Fibonacci's sphere)."""
    i = np.arange(count) + 0.5
    z, turn = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z**2)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], -1)


def _noticed(id: str, thing: Thing, mass: float) -> Finding:
    text = "no family explains it yet: it stays as scanned, fixed, one hull to bump into, its mass a guess"
    numbers = {"mass_kg": mass, "seen_share": thing.completeness}
    return Finding("solid", Severity.DEGRADED, "reconstruct", id, text, numbers)
