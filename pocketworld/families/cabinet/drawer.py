"""The hollow box of a drawer behind its front, and the rails it runs on."""

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.cabinet.plan import Cell, Plan
from pocketworld.geometry.convex import BoxPiece, span

SIDE = 0.012
"""Thickness of a drawer's sides and back, m."""
BOTTOM = 0.008
"""Thickness of a drawer's bottom, m."""
SLIDE = 0.013
"""Room for a slide between the drawer and the board beside it, m: what side-mounted slides take."""
PLAY = 0.001
"""Of that, left free between rail and drawer, m."""
BELOW, ABOVE = 0.004, 0.006
"""Free height below and above the box, m."""
BEHIND = 0.010
"""Free depth behind the box, m."""
RAIL = 0.035
"""Height of a rail, m, where the box is not lower."""
LEAST = 0.02
"""Least inner width, depth and half the least inner height of a drawer, m."""


def box(p: Cabinet, cell: Cell, where: Plan) -> list[BoxPiece]:
    """Return bottom, two sides and back of a drawer; its front panel closes it.

    Raises PocketworldError where the cavity leaves no room for one.
    """
    (x0, x1), (y0, y1), (z0, z1) = _extent(p, cell, where)
    if min(x1 - x0 - 2 * SIDE, y1 - y0 - SIDE, 2 * (z1 - z0 - BOTTOM)) < LEAST:
        raise PocketworldError(
            f"cabinet: front {cell.path}: no drawer in {x1 - x0:.3g} x {y1 - y0:.3g} x {z1 - z0:.3g} m",
            "make it larger, or of another kind",
        )
    floor = z0 + BOTTOM
    return [
        span((x0, y0, z0), (x1, y1, floor)),
        span((x0, y0, floor), (x0 + SIDE, y1, z1)),
        span((x1 - SIDE, y0, floor), (x1, y1, z1)),
        span((x0 + SIDE, y1 - SIDE, floor), (x1 - SIDE, y1, z1)),
    ]


def rails(p: Cabinet, cell: Cell, where: Plan) -> list[BoxPiece]:
    """Return the two rails beside a drawer: part of the body, filling the slides' room but for the play."""
    (x0, x1), (_, y1), (z0, z1) = _extent(p, cell, where)
    half, middle = min(RAIL, 0.8 * (z1 - z0)) / 2, (z0 + z1) / 2
    wide = SLIDE - PLAY
    return [
        span((x, where.inner_y, middle - half), (x + wide, y1, middle + half))
        for x in (x0 - SLIDE, x1 + PLAY)
    ]


def _extent(
    p: Cabinet, cell: Cell, where: Plan
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Return where the box begins and ends along x, y, z."""
    free, face = cell.cavity, cell.face
    z = max(free.z0, face.z0) + BELOW, min(free.z1, face.z1) - ABOVE
    return (free.x0 + SLIDE, free.x1 - SLIDE), (where.face_y + p.front, where.back_y - BEHIND), z
