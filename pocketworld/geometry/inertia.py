"""Mass, centre of mass and inertia of rigid bodies made of convex pieces, exactly (no voxels)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import IDENTITY, BoxPiece, HullPiece, Piece, Vec3, rotation

Array = NDArray[np.float64]
Inertia = tuple[float, float, float, float, float, float]


def inertia(pieces: Sequence[Piece], densities: Sequence[float]) -> tuple[float, Vec3, Inertia]:
    """Return mass (kg), centre of mass (m), Ixx Iyy Izz Ixy Ixz Iyz about it (kg m²) of pieces side by side.

    densities in kg/m³, one a piece; where pieces overlap both count. By the second moments C of each piece
    about its own centre and the parallel axis theorem; the inertia is trace(C) - C.
    """
    if all(isinstance(piece, BoxPiece) and piece.wxyz == IDENTITY for piece in pieces):
        volumes, centres, seconds = _boxes(pieces)
    else:
        volumes, centres, seconds = _moments(pieces)
    masses = volumes * np.asarray(densities, float)
    mass = masses.sum()
    com = masses @ centres / mass
    off = centres - com
    second = np.einsum("n,nij->ij", masses / volumes, seconds) + (masses[:, None] * off).T @ off
    out = np.trace(second) * np.eye(3) - second
    ixx, iyy, izz = (float(v) for v in np.diag(out))
    x, y, z = (float(v) for v in com)
    return float(mass), (x, y, z), (ixx, iyy, izz, float(out[0, 1]), float(out[0, 2]), float(out[1, 2]))


def _boxes(boxes: Sequence[Piece]) -> tuple[Array, Array, Array]:
    """Return what `_moments` does of upright boxes alone, all at once."""
    found = np.array([(*box.centre, *box.size) for box in boxes if isinstance(box, BoxPiece)])
    centres, sizes = found[:, :3], found[:, 3:]
    volumes = sizes.prod(1)
    return volumes, centres, np.eye(3) * (volumes[:, None] * sizes**2 / 12)[:, None, :]


def _moments(pieces: Sequence[Piece]) -> tuple[Array, Array, Array]:
    """Return volumes (n,), centroids (n, 3), second moments of volume about the centroids (n, 3, 3)."""
    volumes, centres, seconds = (
        np.empty(len(pieces)),
        np.empty((len(pieces), 3)),
        np.zeros((len(pieces), 3, 3)),
    )
    boxes = [i for i, piece in enumerate(pieces) if isinstance(piece, BoxPiece)]
    sizes = np.array([piece.size for piece in pieces if isinstance(piece, BoxPiece)]).reshape(-1, 3)
    volumes[boxes] = sizes.prod(1)
    seconds[boxes] = np.eye(3) * (volumes[boxes, None] * sizes**2 / 12)[:, None, :]
    for i, piece in enumerate(pieces):
        if isinstance(piece, HullPiece):
            volumes[i], centres[i], seconds[i] = _hull(piece)
            continue
        centres[i] = piece.centre
        if piece.wxyz != IDENTITY:
            turn = rotation(piece.wxyz)
            seconds[i] = turn @ seconds[i] @ turn.T
    return volumes, centres, seconds


def _hull(piece: HullPiece) -> tuple[float, Array, Array]:
    """Return volume, centroid and second moments about it of a hull, by tetrahedra from one of its points."""
    from scipy.spatial import ConvexHull

    points = piece.vertices
    corner = points[0]
    tetra = points[ConvexHull(points).simplices] - corner
    volumes = np.abs(np.linalg.det(tetra)) / 6
    sums = tetra.sum(1)
    volume = volumes.sum()
    centre = volumes @ sums / 4 / volume
    # ∫ x xᵀ over a tetrahedron with one corner at 0: V/20 (Σ v vᵀ + (Σ v)(Σ v)ᵀ).
    second = np.einsum("n,nki,nkj->ij", volumes / 20, tetra, tetra)
    second += np.einsum("n,ni,nj->ij", volumes / 20, sums, sums)
    return float(volume), corner + centre, second - volume * np.outer(centre, centre)
