"""What stands on a level plate: pieces of surface over it that hang together, each with the box it fills."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.depthbox import explain, main_yaw
from pocketworld.reconstruct.objects.things import Thing, completeness
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST = 0.003  # m² of surface: a cup's half
LOW = 0.03  # m: what is lower is unevenness, a cloth or a plate's rim
FOOT = 4  # voxels below what is high over the plate, the foot of a thing ends on it
STANDS = 0.08  # m: what begins higher over the plate hangs, or is carried by what was not seen
FLAT, GAP = (
    0.025,
    0.05,
)  # m: a box's face is thinner; depth tears faces apart by so much, as high ones by twice that
TOLERANCE = 1.5  # voxels: three sigma of a surface that is good to half a voxel
TRIM = 0.5, 99.5  # percentiles: the rest is noise at edges


def pieces(surface: Surface, which: Mask, high: Mask) -> list[Mask]:
    """Return, as masks (n,), what of `which` hangs together over less than two voxels, the largest first.

    Only what is `high` (n,) links: near a plate depth runs things that stand close into one another. A face
    that depth tore off a larger piece is put back.
    """
    out: list[Mask] = []
    for piece in _apart(surface, which, high):
        if (whole := _torn_off(surface, piece, out)) is None:
            out.append(piece)
        else:
            out[whole] = out[whole] | piece
    return out


def _torn_off(surface: Surface, piece: Mask, larger: Sequence[Mask]) -> int | None:
    """Return which of the larger pieces a flat one is a face of, if it is."""
    own = surface.part(piece)
    turn = se3.exp(np.array([0, 0, 0, 0, 0, main_yaw(own.normals, own.vertex_areas())]))[:2, :2]
    low, high = np.percentile(own.vertices[:, :2] @ turn, TRIM, axis=0)
    if (high - low).min() > FLAT:
        return None
    gaps = [_gap(own, surface.vertices[mask]) for mask in larger]
    return int(np.argmin(gaps)) if gaps and min(gaps) < 1 else None


def _gap(face: Surface, piece: Array) -> float:
    """Return how far a face is from a piece (n, 3) that reaches as high: below 1 it is torn off it."""
    lower = piece[:, 2].max() - face.vertices[:, 2].max()
    if lower < -LOW:
        return float("inf")
    return float(KDTree(piece).query(face.vertices)[0].min()) / (GAP if lower > LOW else 2 * GAP)


def _apart(surface: Surface, which: Mask, high: Mask) -> Iterator[Mask]:
    """Yield, as masks (n,), what hangs together by what is high, the largest first."""
    linking, low = np.flatnonzero(which & high), np.flatnonzero(which & ~high)
    if not len(linking):
        return
    places = se3.apply(se3.inverse(surface.from_grid), surface.vertices)
    label = linked(places[linking], surface.voxel)
    near, nearest = KDTree(places[linking]).query(places[low])
    foot = np.asarray(near) < FOOT * surface.voxel
    chosen = np.concatenate([linking, low[foot]])
    label = np.concatenate([label, label[np.asarray(nearest)[foot]]])
    areas = np.bincount(label, surface.vertex_areas()[chosen])
    _, begins = np.unique(label, return_index=True)
    first = places[chosen[begins]]
    for number in np.lexsort((*first.T, -areas)):
        if areas[number] >= LEAST:
            keep = np.zeros(len(which), bool)
            keep[chosen[label == number]] = True
            yield keep


def linked(places: Array, side: float) -> NDArray[np.intp]:
    """Return (n,): to which piece each place (n, 3) belongs; cells of `side` m link up to two away."""
    cells, member = np.unique(np.floor(places / side).astype(np.int64), axis=0, return_inverse=True)
    pairs = KDTree(cells).query_pairs(2.0, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (len(cells), len(cells)))
    label = np.asarray(connected_components(links, directed=False)[1])
    return np.asarray(label[member.ravel()], np.intp)


def standing(id: str, piece: Surface, top: float, yaw: float, hidden: float = STANDS) -> Thing | None:
    """Return a piece that stands on a plate as a thing; None where it does not.

    top      height of the plate, m;  yaw: the way that the plate faces, rad: things face about the same way
    hidden   m over the plate: what begins higher does not stand on it
    """
    box = _box(piece, top, yaw, hidden)
    return None if box is None else _thing(id, piece, box)


def _box(piece: Surface, top: float, facing: float, hidden: float) -> UprightBox | None:
    """Return the box of a piece, down to the plate it stands on; None where it does not."""
    z = piece.vertices[:, 2]
    height = float(np.percentile(z, 99)) - top
    if z.min() > top + hidden or height < LOW:
        return None
    yaw = main_yaw(piece.normals, piece.vertex_areas())
    turn = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    low, high = np.percentile(piece.vertices @ turn[:3, :3], TRIM, axis=0)[:, :2]
    x, y = (float(v) for v in turn[:2, :2] @ ((low + high) / 2))
    width, depth = (float(v) for v in high - low)
    box = UprightBox((x, y, top), yaw, (width, depth, height))
    return box.turned(round((facing - yaw) / (np.pi / 2)))


def _thing(id: str, piece: Surface, box: UprightBox) -> Thing:
    areas = piece.vertex_areas()
    found = explain(box, piece.vertices, piece.normals, areas, TOLERANCE * piece.voxel, 2 * piece.voxel)
    return Thing(id, piece, found, completeness(piece, box))
