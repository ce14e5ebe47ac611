"""Parameters that make no cabinet are refused, each with one line."""

import math
from dataclasses import fields

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, fronts

POSITIVE = ("width", "depth", "height", "board", "front", "density")
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
    values = {
        "opening": front.opening,
        "state": front.state,
        "damping": front.damping,
        "friction": front.friction,
    }
    values |= {f"handle {f.name}": getattr(front.handle, f.name) for f in fields(front.handle)[1:6]}
    for name, value in values.items():
        if not math.isfinite(value):
            raise PocketworldError(f"cabinet: front {path}: {name} is {value}", "a finite number")
    moves = front.kind in (FrontKind.DRAWER, FrontKind.DOOR, FrontKind.SLIDING)
    most = math.pi if front.kind is FrontKind.DOOR else 1.0
    if moves and not 0 < front.opening <= most:
        raise PocketworldError(
            f"cabinet: front {path}: opening is {front.opening:.4g}", f"more than 0, up to {most:.4g}"
        )
    if not 0 <= front.state <= 1:
        raise PocketworldError(f"cabinet: front {path}: state is {front.state:.4g}", "a share, 0 to 1")
    if min(front.damping, front.friction) < 0:
        raise PocketworldError(
            f"cabinet: front {path}: damping {front.damping:.4g}, friction {front.friction:.4g}", "0 or more"
        )
    total = sum(chance.p for chance in front.chances)
    if front.chances and (abs(total - 1) > 1e-6 or min(chance.p for chance in front.chances) < 0):
        raise PocketworldError(
            f"cabinet: front {path}: its chances sum to {total:.6g}", "they are >= 0 and sum to 1"
        )
