"""What was seen in the air: it stands on what was not seen of it, or it is a fragment."""

from collections.abc import Sequence
from dataclasses import replace

from pocketworld.reconstruct.objects.depthbox import explain
from pocketworld.reconstruct.objects.things import CELL, HANGING, Thing, beside
from pocketworld.reconstruct.room.walls import Wall


def floating(thing: Thing, walls: Sequence[Wall]) -> bool:
    """Say whether a thing was seen to begin in the air, and away from the walls that it might hang on."""
    return thing.box.foot[2] > HANGING and not any(beside(thing, wall) for wall in walls)


def grounded(thing: Thing, tolerance: float) -> Thing:
    """Return a thing with its box reaching down to the floor: that of what carries it was not seen.

    tolerance   m: how far surface may be from a box's face that explains it
    """
    x, y, z = thing.box.foot
    width, depth, height = thing.box.size
    box = replace(thing.box, foot=(x, y, 0.0), size=(width, depth, z + height))
    own = thing.surface
    found = explain(box, own.vertices, own.normals, own.vertex_areas(), tolerance, CELL)
    return replace(thing, found=found)
