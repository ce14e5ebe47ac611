"""Mass, centre of mass and inertia of rigid bodies made of convex pieces, exactly (no voxels)."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import IDENTITY, BoxPiece, HullPiece, Piece, Vec3, rotation
from pocketworld.geometry.hulls import crossed, faces

Array = NDArray[np.float64]
Inertia = tuple[float, float, float, float, float, float]


def inertia(pieces: Sequence[Piece], densities: Sequence[float]) -> tuple[float, Vec3, Inertia]:
    """Return mass (kg), centre of mass (m), Ixx Iyy Izz Ixy Ixz Iyz about it (kg m²) of pieces side by side.

    densities in kg/m³, one a piece; where pieces overlap both count. By the second moments C of each piece
    about its own centre and the parallel axis theorem; the inertia is trace(C) - C.
    """
    if all(isinstance(piece, BoxPiece) and piece.wxyz == IDENTITY for piece in pieces):
        return _boxes(pieces, densities)
    volumes, centres, seconds = _moments(pieces)
    masses = volumes * np.asarray(densities, float)
    mass = masses.sum()
    com = masses @ centres / mass
    off = centres - com
    second = np.einsum("n,nij->ij", masses / volumes, seconds) + (masses[:, None] * off).T @ off
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = second.tolist()
    x, y, z = com.tolist()
    total = xx + yy + zz
    return float(mass), (x, y, z), (total - xx, total - yy, total - zz, 0.0 - xy, 0.0 - xz, 0.0 - yz)


def _boxes(boxes: Sequence[Any], densities: Sequence[float]) -> tuple[float, Vec3, Inertia]:
    """Return what `inertia` does of upright boxes alone: so few that arrays would take longer."""
    weighed = [
        (x * y * z * density, *box.centre, x * x / 12, y * y / 12, z * z / 12)
        for box, density in zip(boxes, densities, strict=True)
        for x, y, z in (box.size,)
    ]
    mass = mx = my = mz = xx = yy = zz = xy = xz = yz = 0.0
    for m, x, y, z, _, _, _ in weighed:
        mass, mx, my, mz = mass + m, mx + m * x, my + m * y, mz + m * z
    cx, cy, cz = (moment / mass if mass else math.nan for moment in (mx, my, mz))
    for m, x, y, z, wide, deep, high in weighed:
        x, y, z = x - cx, y - cy, z - cz
        xx, yy, zz = xx + m * (wide + x * x), yy + m * (deep + y * y), zz + m * (high + z * z)
        xy, xz, yz = xy + m * x * y, xz + m * x * z, yz + m * y * z
    return mass, (cx, cy, cz), (yy + zz, xx + zz, xx + yy, 0.0 - xy, 0.0 - xz, 0.0 - yz)


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
    hulls = [i for i, piece in enumerate(pieces) if isinstance(piece, HullPiece)]
    for which, moments in _hulls([pieces[i].vertices for i in hulls]):
        at = np.take(hulls, which)
        volumes[at], centres[at], seconds[at] = moments
    for i, piece in enumerate(pieces):
        if isinstance(piece, BoxPiece):
            centres[i] = piece.centre
            if piece.wxyz != IDENTITY:
                turn = rotation(piece.wxyz)
                seconds[i] = turn @ seconds[i] @ turn.T
    return volumes, centres, seconds


def _hulls(vertices: Sequence[Array]) -> Iterator[tuple[list[int], tuple[Array, Array, Array]]]:
    """Give volumes, centroids and second moments about them of hulls: of all with as many faces at once.

    By tetrahedra from one of each hull's points.
    """
    known: list[Any] = [None] * len(vertices)
    for count in sorted({len(points) for points in vertices}):
        same = [i for i, points in enumerate(vertices) if len(points) == count]
        for i, each in zip(same, faces(np.array([vertices[i] for i in same])), strict=True):
            known[i] = each
    alike: dict[int, list[int]] = {}
    for i, each in enumerate(known):
        alike.setdefault(len(each), []).append(i)
    for which in alike.values():
        corners = np.array([vertices[i][0] for i in which])
        tetra = np.array([vertices[i][known[i]] for i in which]) - corners[:, None, None]
        volumes = np.abs((crossed(tetra[:, :, 0], tetra[:, :, 1]) * tetra[:, :, 2]).sum(2)) / 6
        sums, volume = tetra.sum(2), volumes.sum(1)
        centres = (volumes[:, None] @ sums)[:, 0] / 4 / volume[:, None]
        # ∫ x xᵀ over a tetrahedron with one corner at 0: V/20 (Σ v vᵀ + (Σ v)(Σ v)ᵀ).
        all_ = np.concatenate([tetra, sums[:, :, None]], 2)
        weighed = (volumes / 20)[:, :, None, None] * all_
        second = weighed.reshape(len(which), -1, 3).swapaxes(1, 2) @ all_.reshape(len(which), -1, 3)
        second -= volume[:, None, None] * (centres[:, :, None] * centres[:, None])
        yield which, (volume, corners + centres, second)
