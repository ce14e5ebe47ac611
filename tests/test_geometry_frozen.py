"""What caches hand out can't be written into: others have the same arrays."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pocketworld.cousins import extent
from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.geometry import across as module
from pocketworld.geometry import separating
from pocketworld.geometry.convex import BoxPiece, HullPiece
from pocketworld.geometry.frozen import freeze
from pocketworld.geometry.separating import Shape, bounds, shape, shapes
from pocketworld.geometry.sweep import carried, pieces_of, way_of
from pocketworld.scene import Asset, Pose, Side

UNIT = replace(
    registry.family("cabinet").build(
        Cabinet(0.6, 0.6, 0.8, Front(FrontKind.DOOR, Side.LEFT, opening=1.7)), "unit"
    ),
    pose=Pose.upright((1.0, 2.0, 0.0), 0.4),
)
HULL = HullPiece(((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
TURNED = BoxPiece((0, 0, 0), (1, 1, 1), (0.6, 0.0, 0.0, 0.8))


def way(asset: Asset) -> tuple[Any, ...]:
    (joint,) = asset.movable
    pieces = pieces_of(asset.parts)
    which = np.isin(pieces.part, carried(asset, [part.id for part in asset.parts], joint))
    found = way_of(asset.parts, joint, np.flatnonzero(which))
    return found.moving, found.q, found.motions, found.low, found.high


def arrays(*found: Shape) -> list[Any]:
    return [array for one in found for array in (one.vertices, one.normals, one.edges)]


def moving(asset: Asset) -> list[Any]:
    which, reach = module._kept(asset.parts, asset.joints)
    assert reach is not None
    with pytest.raises(TypeError):
        which["0"] = np.zeros(1, int)  # type: ignore[index]
    return [*which.values(), *reach]


@pytest.mark.parametrize(
    "kept",
    [
        extent.there(UNIT),
        extent.outer(UNIT),
        extent.whole(UNIT),
        bounds(UNIT.parts[0].pieces),
        arrays(shape(HULL), shape(TURNED), shape(UNIT.parts[0].pieces[0])),
        arrays(*shapes(UNIT.parts[0].pieces), *shapes((HULL, TURNED))),
        arrays(*pieces_of(UNIT.parts).shapes),
        [pieces_of(UNIT.parts).part, pieces_of(UNIT.parts).low, pieces_of(UNIT.parts).high],
        way(UNIT),
        moving(UNIT),
        [UNIT.pose.matrix, separating.UPRIGHT],
    ],
)
def test_what_is_kept_cannot_be_written_into(kept: Any) -> None:
    assert len(kept)
    for array in kept:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_pieces_are_neither_added_nor_taken_away() -> None:
    assert isinstance(pieces_of(UNIT.parts).shapes, tuple)


def test_a_frozen_array_is_still_read() -> None:
    array = np.arange(3.0)
    freeze((array,))
    assert array.sum() == 3
    with pytest.raises(ValueError, match="read-only"):
        array += 1
