"""A cabinet drawn from what is believed of it: kinds and sides of its fronts, where their edges are."""

import math
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise
from typing import Protocol, TypeVar

import numpy as np

from pocketworld.families.cabinet.grips import felt
from pocketworld.families.cabinet.joints import USUAL
from pocketworld.families.cabinet.parameters import MOVABLE, Cabinet, Front, FrontKind, Split
from pocketworld.families.cabinet.regrid import map_fronts, map_splits
from pocketworld.families.protocol import Draw


class Probable(Protocol):
    """What has a probability."""

    @property
    def p(self) -> float:
        """Return it."""
        ...


C = TypeVar("C", bound=Probable)
THINNEST = 1e-3  # m; edges drawn past each other leave this, which is refused later as too low


def doubt(p: Cabinet, draw: Draw) -> Cabinet:
    """Return one cabinet of those that the belief allows; the same one, certain, where nothing is in doubt.

    Kinds and sides follow each front's `chances`. Where `sigma` says that it was measured, every edge of a
    front, the outer ones too, moves by a normal draw with that standard deviation, and how far it opens moves
    by the doubt of `joints.USUAL`, as in the built belief. Of the drawn cabinet all is known: no chances, no
    sigma.
    """
    grid = map_fronts(p.grid, partial(_front, unsure=p.sigma > 0, draw=draw), p.width, p.height)
    if not p.sigma:
        return replace(p, grid=grid)
    grid = map_splits(grid, partial(_edges, sigma=p.sigma, draw=draw), p.width, p.height)
    outer = math.sqrt(2) * p.sigma  # a side has two edges
    width = p.width + outer * float(draw("width/edges").standard_normal())
    height = p.height + outer * float(draw("height/edges").standard_normal())
    return replace(p, grid=grid, width=width, height=height, sigma=0.0)


def _front(front: Front, path: str, width: float, height: float, unsure: bool, draw: Draw) -> Front:
    kind, side, opening = front.kind, front.side, front.opening
    if front.chances:
        chance = drawn(front.chances, float(draw(f"{path}/kind").random()))
        kind, side = chance.kind, chance.side
    usual, spread = USUAL[kind]
    if kind is not front.kind:
        opening = usual
    if unsure and kind in MOVABLE:
        z = float(np.clip(draw(f"{path}/opening-doubt").standard_normal(), -2, 2))
        opening = max(opening + spread * z, usual / 4)
        opening = opening if kind is FrontKind.DOOR else min(opening, 1.0)
    state = front.state if kind in MOVABLE else 0.0
    damping, friction = felt(front, kind, side, width, height)
    return Front(kind, side, front.handle, (), front.evidence, opening, state, damping, friction)


def drawn(chances: tuple[C, ...], u: float) -> C:
    """Return the chance in whose share of [0, 1) u lies; shares lie in the order given."""
    ends = accumulate(chance.p for chance in chances)
    total = math.fsum(chance.p for chance in chances)
    return next((c for c, end in zip(chances, ends, strict=True) if u * total < end), chances[-1])


def _edges(split: Split, path: str, width: float, height: float, sigma: float, draw: Draw) -> Split:
    """Move each inner edge of a split."""
    unit = (height if split.rows else width) / sum(split.sizes)
    ends = [0.0, *accumulate(size * unit for size in split.sizes)]
    moved = [
        end + sigma * float(draw(f"{path}.{i}/edge").standard_normal()) for i, end in enumerate(ends[1:-1])
    ]
    sizes = (max(b - a, THINNEST) for a, b in pairwise([0.0, *moved, ends[-1]]))
    return replace(split, sizes=tuple(sizes))
