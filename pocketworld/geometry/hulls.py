"""The triangles of hulls, many at once where their points come in the order of a box or a prism.

Most hulls of furniture are such: a back that leans, a handle's foot, a piece of a round wall. Qhull, which
takes ten times as long, finds the faces of any other.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Faces = NDArray[np.int32]
Side = tuple[int, ...]
NEXT, LAST = np.array([1, 2, 0]), np.array([2, 0, 1])
# Of a hull's size: what is nearer to a plane lies in it. Rounding leaves forms of 64 points 1e-13 off; a
# volume is off by as much as a plane.
FLAT = 1e-12
MOST = 64  # points of a hull whose order is known, as a prism's of 32 sides; many more Qhull does sooner


def faces(hulls: Array) -> list[Faces]:
    """Return the triangles (m, 3) of each of some hulls (h, n, 3) of n points that do not lie in a plane."""
    from scipy.spatial import ConvexHull

    known = _orders(hulls.shape[1]) if hulls.shape[1] <= MOST else None
    if known is None:
        return [ConvexHull(points).simplices for points in hulls]
    triangles, own = known
    fits = _fits(hulls, triangles, own)
    return [
        triangles[int(fit.argmax())] if fit.any() else ConvexHull(points).simplices
        for points, fit in zip(hulls, fits, strict=True)
    ]


@lru_cache(maxsize=MOST)
def _orders(count: int) -> tuple[Faces, Bools] | None:
    """Return the triangles (k, m, 3) of each order in which `count` points are known, and which points
    (k, m, n) lie in the side of each triangle; None where there is none.
    """
    if count < 6 or count % 2:
        return None
    orders = [list(_prism(count, 1, count // 2)), list(_prism(count, 2, 1))]
    if count == 8:
        # Corner i has the bits of i as its x, y, z.
        orders.append([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    fans = [[(side[0], b, c) for side in sides for b, c in pairwise(side[1:])] for sides in orders]
    own = [
        [mask for side in sides for mask in [[point in side for point in range(count)]] * (len(side) - 2)]
        for sides in orders
    ]
    return np.array(fans, np.int32), np.array(own)


def _prism(count: int, step: int, up: int) -> Iterator[Side]:
    """Give the sides of a prism: along a ring it is `step` points, from below to above `up`."""
    ring = [step * i for i in range(count // 2)]
    yield tuple(ring[::-1])
    yield tuple(i + up for i in ring)
    for i, j in zip(ring, [*ring[1:], ring[0]], strict=True):
        yield i, j, j + up, i + up


def _fits(hulls: Array, triangles: Faces, own: Bools) -> Bools:
    """Say of which hulls (h, n, 3) which orders (k, m, 3) give the faces, in either sense of turning.

    They do where all points of each side lie in one plane and all others off it, to one hand. No two sides
    then share a plane. Two sides share each edge, so all other points of either are to one hand of it: a side
    cannot cross itself.
    """
    corners = hulls[:, triangles]
    a = corners[..., 0, :]
    normals = crossed(corners[..., 1, :] - a, corners[..., 2, :] - a)
    far = normals @ hulls[:, None].swapaxes(2, 3) - (normals * a).sum(3, keepdims=True)
    size = np.ptp(hulls, axis=1).max(1)[:, None, None, None]
    near = FLAT * size * np.sqrt((normals * normals).sum(3, keepdims=True))
    far *= np.sign(far.sum(3, keepdims=True))
    return np.asarray(np.where(own, np.abs(far) <= near, far > near).all((2, 3)))


def crossed(a: Array, b: Array) -> Array:
    """Return the cross products of vectors (..., 3): as NumPy's own, in a third of its time."""
    return a[..., NEXT] * b[..., LAST] - a[..., LAST] * b[..., NEXT]
