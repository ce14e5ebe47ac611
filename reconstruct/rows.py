"""Where built-in furniture is: rows of units along a wall, under a worktop, hung above it, tall beside it."""

from collections.abc import Sequence

import numpy as np

from pocketworld.reconstruct.floor import Floor
from pocketworld.reconstruct.row_parts import Ajar, End, EndKind, Patch, Plinth, Rows, Run, RunKind, Worktop
from pocketworld.reconstruct.surface import Surface
from pocketworld.reconstruct.walls import Wall

__all__ = ["Ajar", "End", "EndKind", "Patch", "Plinth", "Rows", "Run", "RunKind", "Worktop", "find_rows"]


def find_rows(surface: Surface, floor: Floor, walls: Sequence[Wall], name: str) -> Rows:
    """Return the runs of a surface in the scene's frame; `name`: what findings are about."""
    del floor, walls, name
    return Rows((), np.zeros(len(surface.vertices), bool), ())
