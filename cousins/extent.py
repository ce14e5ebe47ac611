"""How far assets reach: their outer boxes, in their own frames and along lines of the scene (m)."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.frozen import freeze
from pocketworld.geometry.same import Same
from pocketworld.geometry.separating import around, bounds
from pocketworld.scene import Asset, Part, Rectangle

Array = NDArray[np.float64]
KEPT = 256  # assets, each kept alive with its meshes: all of a room and what is tried of one cousin


def outer(asset: Asset) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of an asset without its handles, in its own frame, m.

    The body's pieces and the fronts' faces span it; what has neither is measured by its meshes.
    """
    return _outer(Same(asset.parts))


def whole(asset: Asset) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of all of an asset's pieces, closed, in its own frame, m."""
    return _whole(Same(asset.parts))


def there(asset: Asset) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of the scene's upright box around `whole`, m, read-only."""
    return _there(Same(asset))


@lru_cache(maxsize=KEPT)
def _there(asset: Same[Asset]) -> tuple[Array, Array]:
    low, high = around(whole(asset.it), asset.it.pose.matrix)
    freeze((low, high))
    return low, high


@lru_cache(maxsize=KEPT)
def _outer(of: Same[tuple[Part, ...]]) -> tuple[Array, Array]:
    found = [_bounds(of.it[0])]
    found += [_rectangle(part.front) for part in of.it if part.front is not None]
    if len(found) == 1:  # nothing closes it: all that it is made of is the thing itself
        found = [_bounds(part) for part in of.it]
    return _around(found)


@lru_cache(maxsize=KEPT)
def _whole(of: Same[tuple[Part, ...]]) -> tuple[Array, Array]:
    return _around([bounds(part.pieces) for part in of.it if part.pieces])


def _around(boxes: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return the corners of the box around boxes, read-only."""
    low, high = np.min([low for low, _ in boxes], 0), np.max([high for _, high in boxes], 0)
    freeze((low, high))
    return low, high


def seen_from(asset: Asset, turn: Array) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of an asset's outer box along the axes `turn` (3, 3) of the
    scene (its columns), m from the scene's origin.
    """
    by = np.eye(4)
    by[:3, :3], by[:3, 3] = turn.T @ asset.pose.matrix[:3, :3], turn.T @ asset.pose.position
    return around(outer(asset), by)


def corners(part: Part) -> Array:
    """Return the corners (n, 3) of a part's pieces, of its meshes where it has none."""
    found = [piece.vertices for piece in part.pieces] or [np.asarray(m.vertices, float) for m in part.meshes]
    return np.concatenate([*found, np.empty((0, 3))])


def _bounds(part: Part) -> tuple[Array, Array]:
    if part.pieces:
        return bounds(part.pieces)
    points = corners(part)
    return points.min(0, initial=np.inf), points.max(0, initial=-np.inf)


def _rectangle(front: Rectangle) -> tuple[Array, Array]:
    half = np.abs(np.multiply(front.right, front.width / 2)) + np.abs(np.multiply(front.up, front.height / 2))
    return front.centre - half, front.centre + half
