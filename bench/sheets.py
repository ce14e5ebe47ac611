"""Surfaces made of flat sheets: what depth would show of a row of furniture, without a camera.

Laws of finders run on them in milliseconds, where rendering and fusing a capture takes seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream

Array = NDArray[np.float64]
Range = tuple[float, float]

GRID = 0.02  # m between vertices, as of a surface fused on voxels of that size
SEEN_FROM = 1.2  # m
HOLE = 0.06  # m: depth is missing in patches
BASIN = 0.16  # m: depth of a sink


@dataclass(frozen=True, slots=True)
class Sheet:
    """A rectangle square to an axis (0, 1, 2), at `at` along it, looking along `sign` times it.

    u, v   its extent along the other two axes, in their order
    """

    axis: int
    sign: int
    at: float
    u: Range
    v: Range

    def mesh(self) -> tuple[Array, Array, NDArray[np.int32]]:
        """Return vertices (n, 3), normals (n, 3) and faces (m, 3)."""
        counts = [max(2, round((b - a) / GRID) + 1) for a, b in (self.u, self.v)]
        grids = [np.linspace(*side, n) for side, n in zip((self.u, self.v), counts, strict=True)]
        u, v = (g.ravel() for g in np.meshgrid(*grids, indexing="ij"))
        points = np.insert(np.column_stack([u, v]), self.axis, self.at, axis=1)
        normal = np.zeros(3)
        normal[self.axis] = self.sign
        n = np.arange(counts[0] * counts[1]).reshape(counts)
        a, b, c, d = n[:-1, :-1].ravel(), n[1:, :-1].ravel(), n[1:, 1:].ravel(), n[:-1, 1:].ravel()
        faces = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
        return points, np.tile(normal, (len(points), 1)), faces.astype(np.int32)


def surface(sheets: Iterable[Sheet], noise: float = 0.0, holes: float = 0.0, seed: int = 0) -> Surface:
    """Join sheets; vertices err by `noise` m along the normals, and a share `holes` of patches is missing."""
    points, normals, faces, count = [], [], [], 0
    for p, n, f in (sheet.mesh() for sheet in sheets):
        points.append(p)
        normals.append(n)
        faces.append(f + count)
        count += len(p)
    p, n, f = np.concatenate(points), np.concatenate(normals), np.concatenate(faces)
    rng = stream(seed, "sheets")
    p = p + n * rng.normal(size=(len(p), 1)) * noise
    whole = Surface(p, f, n, None, np.full(len(p), SEEN_FROM), GRID, np.eye(4))
    if not holes:
        return whole
    cells = np.floor(p / HOLE).astype(int)
    member = np.unique(cells, axis=0, return_inverse=True)[1].ravel()
    return whole.part(rng.random(member.max() + 1)[member] >= holes)


def joined(*parts: Surface) -> Surface:
    """Put surfaces together, in the first one's grid."""
    before = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Surface(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + n for part, n in zip(parts, before[:-1], strict=True)]).astype(np.int32),
        np.concatenate([part.normals for part in parts]),
        None,
        np.concatenate([part.distance for part in parts]),
        parts[0].voxel,
        parts[0].from_grid,
    )


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> list[Sheet]:
    """Return the sides and the top of an upright box."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    sides = [Sheet(0, s, x, (y0, y1), (z0, z1)) for s, x in ((-1, x0), (1, x1))]
    sides += [Sheet(1, s, y, (x0, x1), (z0, z1)) for s, y in ((-1, y0), (1, y1))]
    return [*sides, Sheet(2, 1, z1, (x0, x1), (y0, y1))]


def upright(low: tuple[float, float, float], high: tuple[float, float, float]) -> UprightBox:
    """Return the same box as `box` makes."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    return UprightBox(((x0 + x1) / 2, (y0 + y1) / 2, z0), 0.0, (x1 - x0, y1 - y0, z1 - z0))


def walls_of_room(back: float = 0.6, x: Range = (-1.5, 4.0), high: float = 2.5) -> list[Sheet]:
    """Return a floor before y = 0 and a wall at y = `back`."""
    return [Sheet(2, 1, 0.0, x, (-2.0, 0.0)), Sheet(1, -1, back, x, (0.0, high))]


@dataclass(frozen=True, slots=True)
class Row:
    """A base row with its front in y = 0, from x = 0 on, before a wall at y = `depth`: lengths in m."""

    length: float = 2.4
    depth: float = 0.6
    under: float = 0.82
    top: float = 0.86
    out: float = 0.02
    plinth: float = 0.1
    setback: float = 0.05
    open: tuple[Range, ...] = ()
    sink: tuple[float, float, float, float] | None = None

    def sheets(self, panel: bool = True) -> list[Sheet]:
        """Return what depth shows of it: no front where it is open, no plate where the sink is."""
        across = (0.0, self.length)
        ends = [0.0, *(x for part in sorted(self.open) for x in part), self.length]
        spans = [(a, b) for a, b in zip(ends[::2], ends[1::2], strict=True) if b > a]
        sheets = [Sheet(1, -1, 0.0, span, (self.plinth, self.under)) for span in spans]
        sheets += [Sheet(1, -1, self.setback, span, (0.0, self.plinth)) for span in spans]
        sheets += [Sheet(1, -1, -self.out, across, (self.under, self.top)), *self._plate()]
        if panel:
            sheets.append(Sheet(0, 1, self.length, (0.0, self.depth), (0.0, self.under)))
        return sheets

    def _plate(self) -> list[Sheet]:
        back, front = self.depth, -self.out
        if self.sink is None:
            return [Sheet(2, 1, self.top, (0.0, self.length), (front, back))]
        left, right, near, far = self.sink
        low = self.top - BASIN
        pieces = [((0.0, left), (front, back)), ((right, self.length), (front, back))]
        pieces += [((left, right), (front, near)), ((left, right), (far, back))]
        return [
            *(Sheet(2, 1, self.top, *piece) for piece in pieces),
            Sheet(2, 1, low, (left, right), (near, far)),
            Sheet(1, -1, far, (left, right), (low, self.top)),
            Sheet(0, 1, left, (near, far), (low, self.top)),
        ]
