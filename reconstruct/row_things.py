"""What stands on a run's worktop: pieces of surface over it that neither the run nor the wall explains."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.depthbox import box_of, explain
from pocketworld.reconstruct.row_parts import Rows, Run
from pocketworld.reconstruct.row_upper import CEILING
from pocketworld.reconstruct.surface import Surface
from pocketworld.reconstruct.things import Thing, completeness

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

CELL = 0.02  # m: pieces of surface nearer than about twice this belong together
LEAST = 0.003  # m² of surface: a cup's half
LOW = 0.03  # m: what is lower is unevenness, a cloth or a plate's rim
STANDS = 0.08  # m: what begins higher over the worktop hangs on the wall
TOLERANCE = 1.5  # voxels: three sigma of a surface that is good to half a voxel
ASIDE = 0.03  # m: things may stand out over the worktop's edge


def things_on(surface: Surface, rows: Rows, run: Run) -> tuple[Thing, ...]:
    """Return what stands on a base run's worktop, in the scene's frame, the largest first.

    Each thing's box stands at the worktop's top. Nothing stands on a run without a worktop.
    """
    if run.worktop is None:
        return ()
    top = run.worktop.box.foot[2] + run.worktop.box.size[2]
    found = (_standing(piece, top) for piece in _pieces(surface, _over(surface, rows, run)))
    own = [(piece, box) for piece, box in found if box is not None]
    return tuple(_thing(f"{run.id}-thing-{i}", piece, box) for i, (piece, box) in enumerate(own, 1))


def _over(surface: Surface, rows: Rows, run: Run) -> Mask:
    """Return which vertices (n,) are over a worktop and not explained."""
    assert run.worktop is not None
    box = run.worktop.box
    local = se3.apply(se3.inverse(box.world_from_box), surface.vertices)
    over = (np.abs(local[:, :2]) < np.array(box.size[:2]) / 2 + ASIDE).all(1)
    over &= (local[:, 2] > 0) & (surface.vertices[:, 2] < CEILING)
    return np.asarray(over & ~rows.taken)


def _pieces(surface: Surface, which: Mask) -> Iterator[Surface]:
    """Yield the pieces of surface that hang together over less than two cells, the largest first."""
    chosen = np.flatnonzero(which)
    if not len(chosen):
        return
    places = se3.apply(se3.inverse(surface.from_grid), surface.vertices[chosen])
    cells, member = np.unique(np.floor(places / CELL).astype(np.int64), axis=0, return_inverse=True)
    pairs = KDTree(cells).query_pairs(2.0, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (len(cells), len(cells)))
    label = connected_components(links, directed=False)[1][member.ravel()]
    areas = np.bincount(label, surface.vertex_areas()[chosen])
    first = places[np.unique(label, return_index=True)[1]]
    for number in np.lexsort((*first.T, -areas)):
        if areas[number] >= LEAST:
            keep = np.zeros(len(which), bool)
            keep[chosen[label == number]] = True
            yield surface.part(keep)


def _standing(piece: Surface, top: float) -> tuple[Surface, UprightBox | None]:
    """Return a piece with its box, down to the worktop it stands on; without where it does not stand."""
    z = piece.vertices[:, 2]
    if z.min() > top + STANDS or z.max() < top + LOW:
        return piece, None
    areas = piece.vertex_areas()
    found = box_of(piece.vertices, piece.normals, areas, TOLERANCE * piece.voxel, CELL).box
    height = found.foot[2] + found.size[2] - top
    if height < LOW:
        return piece, None
    return piece, UprightBox((*found.foot[:2], top), found.yaw, (*found.size[:2], height))


def _thing(id: str, piece: Surface, box: UprightBox) -> Thing:
    areas = piece.vertex_areas()
    found = explain(box, piece.vertices, piece.normals, areas, TOLERANCE * piece.voxel, CELL)
    return Thing(id, piece, found, completeness(piece, box))
