"""What stands on a run's worktop: pieces of surface over it that neither the run nor the wall explains."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.depthbox import explain, main_yaw
from pocketworld.reconstruct.row_parts import Rows, Run
from pocketworld.reconstruct.row_taken import over_plate
from pocketworld.reconstruct.surface import Surface
from pocketworld.reconstruct.things import Thing, completeness

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST = 0.003  # m² of surface: a cup's half
LOW = 0.03  # m: what is lower is unevenness, a cloth or a plate's rim
FOOT = 4  # voxels below what is high over the worktop, the foot of a thing ends on it
STANDS = 0.08  # m: what begins higher over the worktop hangs on the wall
COVERS = 0.5  # of a floating piece is over what it belongs to
HANGS, HEAD = 0.15, 0.12  # m: from the wall, what hangs there ends; and a head stands out over a foot
REACH = 1.2  # m: higher over a worktop nothing stands on it
TOLERANCE = 1.5  # voxels: three sigma of a surface that is good to half a voxel
TRIM = 0.5, 99.5  # percentiles: the rest is noise at edges
ASIDE = 0.03  # m: things may stand out over the worktop's edge


def things_on(surface: Surface, rows: Rows, run: Run) -> tuple[tuple[Thing, ...], tuple[Finding, ...]]:
    """Return what stands on a run's worktop, in the scene's frame, the largest first; and what is left out.

    Each thing's box stands at the worktop's top. Nothing stands on a run without a worktop. Findings are
    about the run, by its id.
    """
    if run.worktop is None:
        return (), ()
    box = run.worktop.box
    local = se3.apply(se3.inverse(box.world_from_box), surface.vertices) - (0, 0, box.size[2])
    high = over_plate(surface, box) > LOW
    pieces = list(_pieces(surface, _over(local, box) & ~rows.taken, high))
    whole, hanging = _whole(local, pieces, box.size[1] / 2)
    found = [surface.part(piece) for piece in whole]
    own = [(piece, of) for piece in found if (of := _standing(piece, box)) is not None]
    things = tuple(_thing(f"{run.id}-thing-{i}", piece, box) for i, (piece, box) in enumerate(own, 1))
    return things, _left_out(surface, hanging, run.id)


def _left_out(surface: Surface, hanging: Sequence[Mask], subject: str) -> tuple[Finding, ...]:
    if not hanging:
        return ()
    text = "what hangs over the run's worktop, as a shelf, a hood or a clock, is left out"
    areas = surface.vertex_areas()
    numbers = {"count": len(hanging), "area_m2": round(float(sum(areas[mask].sum() for mask in hanging)), 4)}
    return (Finding("hanging-things-left-out", Severity.LOST, "reconstruct", subject, text, numbers),)


def _over(local: Array, worktop: UprightBox) -> Mask:
    """Return which points (n, 3), in the frame of a worktop's top, are over it or in it."""
    over = (np.abs(local[:, :2]) < np.array(worktop.size[:2]) / 2 + ASIDE).all(1)
    over &= (local[:, 2] > -worktop.size[2]) & (local[:, 2] < REACH)
    return np.asarray(over)


def _pieces(surface: Surface, which: Mask, high: Mask) -> Iterator[Mask]:
    """Yield, as masks (n,), what hangs together over less than two voxels, the largest first.

    Only what is `high` (n,) links: near a worktop depth runs things that stand close into one another.
    """
    linking, low = np.flatnonzero(which & high), np.flatnonzero(which & ~high)
    if not len(linking):
        return
    places = se3.apply(se3.inverse(surface.from_grid), surface.vertices)
    label = _linked(places[linking], surface.voxel)
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


def _linked(places: Array, voxel: float) -> NDArray[np.intp]:
    """Return (n,): to which piece each place belongs."""
    cells, member = np.unique(np.floor(places / voxel).astype(np.int64), axis=0, return_inverse=True)
    pairs = KDTree(cells).query_pairs(2.0, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (len(cells), len(cells)))
    label = np.asarray(connected_components(links, directed=False)[1])
    return np.asarray(label[member.ravel()], np.intp)


def _whole(local: Array, pieces: Sequence[Mask], back: float) -> tuple[list[Mask], list[Mask]]:
    """Return what stands, the largest first, each with what floats over it; and what hangs.

    back   y of the wall

    Black and shiny parts have no depth, so that of a machine one sees the foot and the head, which may be
    wider; but what floats near the wall hangs there, if it is not right above.
    """
    standing = [piece for piece in pieces if local[piece, 2].min() < STANDS]
    floating = [piece for piece in pieces if local[piece, 2].min() >= STANDS]
    whole, hanging = standing.copy(), []
    for piece in floating:
        aside = ASIDE if back - np.median(local[piece, 1]) < HANGS else HEAD
        over = [_share_over(local[piece], local[foot], aside) for foot in standing]
        if over and max(over) > COVERS:
            whole[int(np.argmax(over))] = whole[int(np.argmax(over))] | piece
        else:
            hanging.append(piece)
    return whole, hanging


def _share_over(above: Array, below: Array, aside: float) -> float:
    """Return the share of points (n, 3) that are in plan inside the extent of others, or so far aside."""
    low, high = below[:, :2].min(0) - aside, below[:, :2].max(0) + aside
    return float(((above[:, :2] > low) & (above[:, :2] < high)).all(1).mean())


def _standing(piece: Surface, worktop: UprightBox) -> UprightBox | None:
    """Return the box of a piece, down to the worktop it stands on, facing as that does; or None."""
    z, top = piece.vertices[:, 2], worktop.foot[2] + worktop.size[2]
    height = float(np.percentile(z, 99)) - top
    if z.min() > top + STANDS or height < LOW:
        return None
    yaw = main_yaw(piece.normals, piece.vertex_areas())
    turn = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    low, high = np.percentile(piece.vertices @ turn[:3, :3], TRIM, axis=0)[:, :2]
    x, y = (float(v) for v in turn[:2, :2] @ ((low + high) / 2))
    width, depth = (float(v) for v in high - low)
    box = UprightBox((x, y, top), yaw, (width, depth, height))
    return box.turned(round((worktop.yaw - yaw) / (np.pi / 2)))


def _thing(id: str, piece: Surface, box: UprightBox) -> Thing:
    areas = piece.vertex_areas()
    found = explain(box, piece.vertices, piece.normals, areas, TOLERANCE * piece.voxel, 2 * piece.voxel)
    return Thing(id, piece, found, completeness(piece, box))
