"""Parameters that make no cabinet are refused, each with one line."""

import math

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.parameters import MOVABLE, Cabinet, Front, FrontKind, fronts
from pocketworld.scene import Side

POSITIVE = ("width", "depth", "height", "board", "front", "density")
SIDES = {
    FrontKind.DOOR: (Side.LEFT, Side.RIGHT, Side.TOP, Side.BOTTOM),
    FrontKind.SLIDING: (Side.LEFT, Side.RIGHT),
}
"""Where a door is hinged, and which way a sliding one opens; other kinds have no side."""
NOT_NEGATIVE = ("back", "plinth", "plinth_setback", "feet", "worktop", "gap", "sigma")


def check(p: Cabinet) -> None:
    """Raise PocketworldError for lengths that are no lengths, no room inside, or fronts that can't be."""
    for name in (*POSITIVE, *NOT_NEGATIVE):
        value = getattr(p, name)
        least = 0.0 if name in NOT_NEGATIVE else math.ulp(0.0)
        if not (math.isfinite(value) and value >= least):
            allowed = "0 or more" if name in NOT_NEGATIVE else "more than 0"
            raise PocketworldError(f"cabinet: {name} is {value:.6g}", f"a number, {allowed}")
    _room(p)
    for path, front in fronts(p.grid):
        _front(path, front)


def _room(p: Cabinet) -> None:
    """Refuse a cabinet whose boards leave no inside."""
    wide = p.width - 2 * p.board
    deep = p.depth - p.front - p.back
    high = p.height - p.feet - p.plinth - p.board - (p.worktop or p.board)
    if min(wide, deep, high) <= 0:
        raise PocketworldError(
            f"cabinet: no room inside {p.width:.4g} x {p.depth:.4g} x {p.height:.4g} m",
            f"boards leave {wide:.3g} x {deep:.3g} x {high:.3g} m",
        )
    if (p.plinth or p.feet) and p.plinth_setback + 2 * p.board >= p.depth:
        raise PocketworldError(
            f"cabinet: plinth_setback is {p.plinth_setback:.4g} m",
            f"less than {p.depth - 2 * p.board:.4g} m, of a depth of {p.depth:.4g} m",
        )


def _front(path: str, front: Front) -> None:
    """Refuse a front whose numbers can't be."""
    where, handle = f"cabinet: front {path}", front.handle
    values = {name: getattr(front, name) for name in ("opening", "state", "damping", "friction")}
    values |= {
        f"handle {name}": getattr(handle, name) for name in ("u", "v", "length", "thickness", "standoff")
    }
    for name, value in values.items():
        if not math.isfinite(value):
            raise PocketworldError(f"{where}: {name} is {value}", "a finite number")
    most = math.pi if front.kind is FrontKind.DOOR else 1.0
    if front.kind in MOVABLE and not 0 < front.opening <= most:
        raise PocketworldError(f"{where}: opening is {front.opening:.4g}", f"more than 0, up to {most:.4g}")
    if not 0 <= front.state <= 1:
        raise PocketworldError(f"{where}: state is {front.state:.4g}", "a share, 0 to 1")
    if min(front.damping, front.friction) < 0:
        text = f"damping {front.damping:.4g}, friction {front.friction:.4g}"
        raise PocketworldError(f"{where}: {text}", "0 or more")
    _sides(where, front)


def _sides(where: str, front: Front) -> None:
    """Refuse sides that a kind of front does not have, and chances that are no distribution."""
    for kind, side in ((front.kind, front.side), *((c.kind, c.side) for c in front.chances)):
        if side not in SIDES.get(kind, (Side.NONE,)):
            allowed = ", ".join(SIDES.get(kind, (Side.NONE,)))
            raise PocketworldError(f"{where}: the side of a {kind} front is {side}", f"one of {allowed}")
    total = sum(chance.p for chance in front.chances)
    if front.chances and (abs(total - 1) > 1e-6 or min(chance.p for chance in front.chances) < 0):
        raise PocketworldError(f"{where}: its chances sum to {total:.6g}", "they are >= 0 and sum to 1")
