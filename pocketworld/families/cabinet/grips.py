"""Where a front has its handle, and how it feels there."""

from dataclasses import replace

from pocketworld.families.cabinet.parameters import Front, FrontKind, HandleSpec
from pocketworld.scene import HandleKind, Side

FROM_EDGE = 0.045  # m: a handle's middle from the edge that swings furthest
BESIDE = 0.025  # m: of the front that is left between that edge and a broad handle, to pass the neighbour's
LONG = (HandleKind.BAR, HandleKind.BOW, HandleKind.RECESSED)
EDGE_SHARE = 0.6  # of a door's width at most that an edge profile takes, so that it pulls far from the hinge


def grip(handle: HandleSpec, kind: FrontKind, side: Side, width: float, height: float) -> HandleSpec:
    """Return the handle where a front of this kind and size (m) has it: where it pulls with a long lever.

    Drawers have it in the middle, along the width; a hinged door near the edge away from its hinge and along
    that edge; a sliding door near the edge away from where it slides to. An edge profile is on the upper edge
    of all but fronts hinged there. Whether it has room there is not looked at.
    """
    upright = side in (Side.LEFT, Side.RIGHT) and kind in (FrontKind.DOOR, FrontKind.SLIDING)
    vertical = upright and handle.kind in LONG
    if upright and handle.kind is HandleKind.EDGE:
        handle = replace(handle, length=min(handle.length, EDGE_SHARE * width))
    across = handle.thickness if vertical or side in (Side.TOP, Side.BOTTOM) else handle.length
    u, v = _place(kind, side, width, height, max(FROM_EDGE, across / 2 + BESIDE))
    # On the upper edge, not the upright one: there a pair's two would leave no room for fingers.
    if handle.kind is HandleKind.EDGE and side is not Side.TOP:
        v = 1.0
    return replace(handle, u=u, v=v, vertical=vertical)


def felt(front: Front, kind: FrontKind, side: Side, width: float, height: float) -> tuple[float, float]:
    """Return damping and friction of a front of this size (m) that becomes another kind but feels the same.

    A hinge has them in N m s/rad and N m: a hand's at the handle times its distance, squared or once.
    """
    longer = _lever(kind, side, width, height) / _lever(front.kind, front.side, width, height)
    return front.damping * longer**2, front.friction * longer


def _lever(kind: FrontKind, side: Side, width: float, height: float) -> float:
    """Return the distance of the handle from the hinge, m; 1 for what slides."""
    if kind is not FrontKind.DOOR:
        return 1.0
    across = width if side in (Side.LEFT, Side.RIGHT) else height
    return max(across - FROM_EDGE, across / 2)


def _place(kind: FrontKind, side: Side, width: float, height: float, inwards: float) -> tuple[float, float]:
    near_x, near_y = (min(inwards / size, 0.5) for size in (width, height))
    if kind not in (FrontKind.DOOR, FrontKind.SLIDING):
        return 0.5, 0.5
    return {
        Side.LEFT: (1 - near_x, 0.5),
        Side.RIGHT: (near_x, 0.5),
        Side.TOP: (0.5, near_y),
        Side.BOTTOM: (0.5, 1 - near_y),
        Side.NONE: (0.5, 0.5),
    }[side]
