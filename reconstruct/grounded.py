"""What was seen in the air: it stands on what was not seen of it, or it is a fragment."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pocketworld.reconstruct.depthbox import explain
from pocketworld.reconstruct.things import CELL, HANGING, Thing
from pocketworld.reconstruct.walls import Wall

NEAR = 0.15  # m from a wall: it may hang there
SOME = 0.05  # of its points: fewer so near are noise, or a corner that comes near


def floating(thing: Thing, walls: Sequence[Wall]) -> bool:
    """Say whether a thing was seen to begin in the air, and away from the walls that it might hang on."""
    return thing.box.foot[2] > HANGING and not any(_beside(thing, wall) for wall in walls)


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


def _beside(thing: Thing, wall: Wall) -> bool:
    points = thing.surface.vertices[:, :2]
    along, before = points @ np.array(wall.along), points @ np.array(wall.normal) - wall.distance
    near = (np.abs(before) < NEAR) & (along > wall.low) & (along < wall.high)
    return bool(near.mean() > SOME)
