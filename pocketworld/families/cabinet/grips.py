"""Where a front has its handle."""

from dataclasses import replace

from pocketworld.families.cabinet.parameters import FrontKind, HandleSpec
from pocketworld.scene import HandleKind, Side

FROM_EDGE = 0.045  # m: a handle's middle from the edge that swings furthest, for fingers to pass the neighbour
LONG = (HandleKind.BAR, HandleKind.BOW, HandleKind.RECESSED, HandleKind.EDGE)


def grip(handle: HandleSpec, kind: FrontKind, side: Side, width: float, height: float) -> HandleSpec:
    """Return the handle where a front of this kind and size (m) has it: where it pulls with the longest lever.

    Drawers have it in the middle, along the width; a hinged door near the edge away from its hinge and along that
    edge; a sliding door near the edge away from where it slides to. Whether it has room there is not looked at.
    """
    upright = side in (Side.LEFT, Side.RIGHT) and kind in (FrontKind.DOOR, FrontKind.SLIDING)
    u, v = _place(kind, side, width, height)
    return replace(handle, u=u, v=v, vertical=upright and handle.kind in LONG)


def _place(kind: FrontKind, side: Side, width: float, height: float) -> tuple[float, float]:
    near_x, near_y = (min(FROM_EDGE / size, 0.5) for size in (width, height))
    if kind not in (FrontKind.DOOR, FrontKind.SLIDING):
        return 0.5, 0.5
    return {
        Side.LEFT: (1 - near_x, 0.5),
        Side.RIGHT: (near_x, 0.5),
        Side.TOP: (0.5, near_y),
        Side.BOTTOM: (0.5, 1 - near_y),
        Side.NONE: (0.5, 0.5),
    }[side]
