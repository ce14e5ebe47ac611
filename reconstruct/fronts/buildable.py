"""What is believed of a cabinet without what can't be built: nobody has made it so.

A lone door has nowhere to slide, a low front hides no drawer. Each front's hypotheses are tried one by one,
all else as it is; what is left keeps its proportions, and what to act on is decided anew.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pocketworld.families.cabinet.feasible import buildable
from pocketworld.families.cabinet.joints import USUAL
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, fronts
from pocketworld.families.cabinet.regrid import map_fronts
from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct.fronts.belief import decided
from pocketworld.scene import HandleKind, Side

NOTABLE = 0.1  # probability of what is left out of a front from which on it is told


def believable(p: Cabinet) -> Cabinet:
    """Return a cabinet whose fronts' chances are those that can be built.

    A front none of whose kinds can be built keeps them all.
    """
    for path, front in fronts(p.grid):
        left = _left(p, path, front)
        if left != front.chances:
            p = with_front(p, path, redecided(front, left))
    return p


def left_out(
    before: Sequence[tuple[float, Cabinet]], chosen: Cabinet, stage: str, id: str
) -> Iterator[Finding]:
    """Give a finding where the fronts of a cabinet were believed to be what can't be built.

    before   what it may be, with all that was believed; the likeliest that is as `chosen` without what can't
             be built is what that was
    """
    kept = _beliefs(chosen)
    order = sorted(before, key=lambda option: -option[0])
    was = next((one for _, one in order if _beliefs(believable(one)) == kept), chosen)
    for path, front in fronts(was.grid):
        left = {(c.kind, c.side) for c in kept[path]}
        lost = [c for c in front.chances if (c.kind, c.side) not in left]
        share = sum(c.p for c in lost)
        if share > NOTABLE:
            kind = max(lost, key=lambda c: c.p).kind
            text = f"front {path} looks like a {kind} one, which can't be built there: that is not believed"
            yield Finding("kind-unbuildable", Severity.DEGRADED, stage, id, text, {"p": round(share, 4)})


def _beliefs(p: Cabinet) -> dict[str, tuple[Chance, ...]]:
    return {path: front.chances for path, front in fronts(p.grid)}


def _left(p: Cabinet, path: str, front: Front) -> tuple[Chance, ...]:
    """Return what of a front's chances can be built; all of them where that is none."""
    others = p if buildable(p) else _still(p, path)
    return shared(front.chances, lambda c: buildable(with_front(others, path, certain(front, c))))


def shared(chances: tuple[Chance, ...], keep: Callable[[Chance], bool]) -> tuple[Chance, ...]:
    """Return the chances that are kept, in proportion; the same ones where that is all of them or none."""
    left = [c for c in chances if keep(c)]
    total = sum(c.p for c in left)
    if len(left) == len(chances) or total <= 0:
        return chances
    return tuple(replace(c, p=c.p / total) for c in left)


def certain(front: Front, chance: Chance) -> Front:
    """Return a front that is what it may be."""
    opening = front.opening if chance.kind is front.kind else USUAL[chance.kind][0]
    return replace(front, kind=chance.kind, side=chance.side, chances=(), state=0.0, opening=opening)


def redecided(front: Front, chances: tuple[Chance, ...]) -> Front:
    """Return a front with other chances, as what these say; it stands open as it was seen if it can."""
    kind, side = decided(chances)
    if (kind, side) == (front.kind, front.side):
        return replace(front, chances=chances)
    handle = replace(front.handle, kind=HandleKind.NONE) if kind is FrontKind.OPEN else front.handle
    return replace(
        front, kind=kind, side=side, handle=handle, chances=chances, opening=USUAL[kind][0], state=0.0
    )


def _still(p: Cabinet, path: str) -> Cabinet:
    """Return a cabinet of which no front but one opens: what opens can't be built."""
    fixed = replace(Front(FrontKind.FIXED, Side.NONE), handle=replace(Front().handle, kind=HandleKind.NONE))

    def change(front: Front, at: str, width: float, height: float) -> Front:
        return front if at == path else fixed

    return replace(p, grid=map_fronts(p.grid, change, p.width, p.height))


def with_front(p: Cabinet, path: str, new: Front) -> Cabinet:
    """Return a cabinet with another front in one place."""

    def change(front: Front, at: str, width: float, height: float) -> Front:
        return new if at == path else front

    return replace(p, grid=map_fronts(p.grid, change, p.width, p.height))
