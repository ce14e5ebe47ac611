"""Which assets have their backs at a wall."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.reconstruct.placed import Placed
from pocketworld.scene import Asset, Relation

Array = NDArray[np.float64]

WALL = "wall"
GAP = 0.08  # m: behind furniture are skirting boards and pipes; a wall is known to about three centimetres
PARALLEL = math.cos(math.radians(10))


def against(placed: Sequence[Placed]) -> tuple[Placed, ...]:
    """Return what was placed with `against` a wall among the relations of whatever has its back at it."""
    walls = [one.asset for one in placed if one.asset.family == WALL]
    return tuple(replace(one, relations=(*one.relations, *_new(one, walls))) for one in placed)


def _new(one: Placed, walls: Sequence[Asset]) -> Iterator[Relation]:
    related = {relation.b for relation in one.relations if relation.a == one.asset.id}
    if one.asset.family == WALL:
        return
    for wall in walls:
        if wall.id not in related and _at(one.asset, wall):
            yield Relation("against", one.asset.id, wall.id)


def _at(asset: Asset, wall: Asset) -> bool:
    """Say whether the middle of an asset's back is at a wall's face, and looks away from it."""
    low, high = _extent(asset)
    back = asset.pose.matrix @ [(low[0] + high[0]) / 2, high[1], (low[2] + high[2]) / 2, 1.0]
    along, behind, up, _ = np.linalg.inv(wall.pose.matrix) @ back
    left, right = _extent(wall)
    parallel = asset.pose.matrix[:3, 1] @ wall.pose.matrix[:3, 1] > PARALLEL
    beside = left[0] < along < right[0] and left[2] < up < right[2]
    return bool(parallel and beside and abs(behind - left[1]) < GAP)


def _extent(asset: Asset) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of what of an asset stands still, in its own frame."""
    points = np.concatenate([np.zeros((1, 3)), *(piece.vertices for piece in asset.parts[0].pieces)])
    return points.min(0), points.max(0)
