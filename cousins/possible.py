"""What a belief leaves of a cabinet: hypotheses that can't be built are no cousins, and cost no draws."""

from dataclasses import replace
from functools import lru_cache

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind
from pocketworld.families.cabinet.regrid import map_fronts
from pocketworld.scene import Side

RARE = 0.01  # probability below which to draw again is cheaper than to look


@lru_cache(maxsize=256)
def possible(p: Cabinet) -> Cabinet:
    """Return a cabinet whose fronts' chances are those that can be built, each with all else as it is.

    Their shares stay in proportion. A front none of whose kinds can be built keeps them all.
    """

    def change(front: Front, path: str, width: float, height: float) -> Front:
        left = [c for c in front.chances if c.p < RARE or _builds(p, path, c)]
        total = sum(c.p for c in left)
        if not left or total < RARE or len(left) == len(front.chances):
            return front
        return replace(front, chances=tuple(replace(c, p=c.p / total) for c in left))

    return replace(p, grid=map_fronts(p.grid, change, p.width, p.height))


def _builds(p: Cabinet, path: str, chance: Chance) -> bool:
    """Say whether a cabinet can be built with one front of that kind and side."""

    def change(front: Front, at: str, width: float, height: float) -> Front:
        if at != path or (front.kind, front.side) == (chance.kind, chance.side):
            return front
        side = chance.side if chance.kind in (FrontKind.DOOR, FrontKind.SLIDING) else Side.NONE
        return replace(front, kind=chance.kind, side=side, chances=(), state=0.0, opening=0.8)

    try:
        build(replace(p, grid=map_fronts(p.grid, change, p.width, p.height)), "tried")
    except PocketworldError:
        return False
    return True
