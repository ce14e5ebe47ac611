"""What a run ends at: a side of its own, what stands beside it, air, or the edge of what was seen."""

import numpy as np

from pocketworld.reconstruct.runs.row_fronts import ALONG, Local, Mask, fullest
from pocketworld.reconstruct.runs.row_parts import End, EndKind

BESIDE = 0.08  # m: a side this near to where the fronts end is where they end
SPAN = 0.5  # of the run's depth: a side shows as much of it; what stands on a worktop rarely does
SIDE = 0.03  # m² of a side
AHEAD = 0.4  # m: the side of a neighbour may show before the fronts only
BEYOND = 0.5  # m: what is seen here beside the end was seen past it
PAST = 0.01  # m² of it
SEEN, EDGE, UNSEEN = (
    0.01,
    0.02,
    0.3,
)  # m, standard errors: of a plane, of an edge in depth, of what was cut off


def end_of(
    local: Local, sign: int, at: float, height: tuple[float, float], back: float, over: float
) -> tuple[End, float]:
    """Return what a run ends at to the left (`sign` -1) or the right (1), and where, m.

    at       where its surface ends;  height: from where to where it reaches, m
    back     y of the wall behind it
    over     how far above it the side of a neighbour may show, m
    """
    near = local.within(0, at - BESIDE, at + BESIDE) & local.within(1, -AHEAD, back)
    facing = local.normals[:, 0] * sign
    side = near & local.within(2, height[0], height[1] + over) & (facing < -ALONG)
    if _is_side(local, side, SPAN * back):
        return End(EndKind.NEIGHBOUR, SEEN), fullest(local.points[side, 0], local.areas[side])
    side = near & local.within(2, *height) & (facing > ALONG)
    if _is_side(local, side, SPAN * back):
        return End(EndKind.PANEL, SEEN), fullest(local.points[side, 0], local.areas[side])
    beyond = sign * (local.points[:, 0] - at)
    past = (beyond > EDGE) & (beyond < BEYOND) & local.within(1, 0, back + BESIDE)
    past &= local.within(2, height[0], height[1] + over)
    if local.areas[past].sum() > PAST:
        return End(EndKind.FREE, EDGE), at
    return End(EndKind.CUT, UNSEEN), at


def _is_side(local: Local, which: Mask, span: float) -> bool:
    if local.areas[which].sum() < SIDE:
        return False
    return bool(np.ptp(np.percentile(local.points[which, 1], [2, 98])) > span)


def side_top(local: Local, sign: int, at: float, back: float) -> float:
    """Return how high the run's own side at x = `at` shows, m."""
    side = local.within(0, at - EDGE, at + EDGE) & local.within(1, SEEN, back - BESIDE)
    side &= local.normals[:, 0] * sign > ALONG
    return float(np.percentile(local.points[side, 2], 99)) if side.any() else 0.0


def in_corner(local: Local, sign: int, inner: float, outer: float, height: tuple[float, float]) -> bool:
    """Say whether another run's fronts stand before a run between two places near its end.

    height   where fronts are, m
    """
    low, high = sorted((inner, outer + sign * BESIDE))
    before = local.within(0, low, high) & local.within(1, -AHEAD, -EDGE) & local.within(2, *height)
    before &= local.normals[:, 0] * sign < -ALONG
    return float(local.areas[before].sum()) > SIDE
