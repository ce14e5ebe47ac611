"""A belief holds only what can be built, in proportion, and says what was left out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, Grid, Split, fronts
from pocketworld.findings import Severity
from pocketworld.reconstruct.fronts.assemble import merged
from pocketworld.reconstruct.fronts.belief import PRIOR
from pocketworld.reconstruct.fronts.buildable import believable, left_out
from pocketworld.scene import HandleKind, Side

BAR = usual(HandleKind.BAR)
EVERY = tuple(PRIOR)
Shares = dict[tuple[FrontKind, Side], float]
SLIDING = (FrontKind.SLIDING, Side.LEFT)
LEFT, TOP = (FrontKind.DOOR, Side.LEFT), (FrontKind.DOOR, Side.TOP)
FIXED, DRAWER = (FrontKind.FIXED, Side.NONE), (FrontKind.DRAWER, Side.NONE)


def front(shares: Shares) -> Front:
    """Return a front that is the first of some kinds, and may be all."""
    kind, side = next(iter(shares))
    return Front(kind, side, BAR, tuple(Chance(*which, p) for which, p in shares.items()))


def cabinet(grid: Grid, height: float = 0.8) -> Cabinet:
    return Cabinet(0.6, 0.5, height, grid)


def shares(p: Cabinet, path: str = "0") -> Shares:
    return {(c.kind, c.side): c.p for c in dict(fronts(p.grid))[path].chances}


def test_what_is_left_keeps_its_proportions() -> None:
    """A door alone can't slide: there is nowhere to."""
    p = believable(cabinet(front({LEFT: 0.3, SLIDING: 0.5, FIXED: 0.2})))
    assert shares(p) == pytest.approx({LEFT: 0.6, FIXED: 0.4})


def test_what_can_all_be_built_stays_as_it_is() -> None:
    pair = Split(
        False, (1.0, 1.0), (front({(FrontKind.SLIDING, Side.RIGHT): 0.6, FIXED: 0.4}), front({FIXED: 1.0}))
    )
    for p in (cabinet(pair), cabinet(front({LEFT: 0.7, FIXED: 0.3})), cabinet(Front())):
        assert believable(p) is p


def test_what_is_acted_on_is_decided_anew() -> None:
    """Without the sliding door it may be another; with less than half a chance to move, none."""
    (moves,) = [f for _, f in fronts(believable(cabinet(front({SLIDING: 0.5, LEFT: 0.3, FIXED: 0.2}))).grid)]
    assert (moves.kind, moves.side) == LEFT
    (rests,) = [f for _, f in fronts(believable(cabinet(front({LEFT: 0.3, SLIDING: 0.3, FIXED: 0.4}))).grid)]
    assert (rests.kind, rests.side) == FIXED


def test_fronts_none_of_which_can_be_built_are_judged_one_by_one() -> None:
    """Each of two doors above each other was taken to slide: neither hides from us what the other can't."""
    both = Split(True, (1.0, 1.0), (front({SLIDING: 0.6, LEFT: 0.4}), front({SLIDING: 0.6, TOP: 0.4})))
    p = believable(cabinet(both))
    assert (shares(p, "0"), shares(p, "1")) == ({LEFT: 1.0}, {TOP: 1.0})
    build(p, "c")


def test_a_front_too_low_for_a_drawer_is_none() -> None:
    bare = replace(front({FIXED: 0.5, DRAWER: 0.5}), handle=usual(HandleKind.NONE))
    p = cabinet(Split(True, (0.025, 0.5), (bare, front({DRAWER: 1.0}))), 0.6)
    assert shares(believable(p), "0") == {FIXED: 1.0}


def test_where_nothing_can_be_built_the_belief_stays() -> None:
    p = cabinet(front({SLIDING: 1.0}))
    assert believable(p) is p


@given(
    weights=st.lists(
        st.lists(st.floats(0.001, 1.0), min_size=len(EVERY), max_size=len(EVERY)), min_size=1, max_size=3
    ),
    rows=st.booleans(),
    height=st.floats(0.2, 1.5),
)
def test_every_kind_that_is_left_can_be_drawn(weights: list[list[float]], rows: bool, height: float) -> None:
    """Whatever was believed: probabilities sum to 1, ratios stay, and the cabinet is a fixed point."""
    every = [front(dict(zip(EVERY, (w / sum(ws) for w in ws), strict=True))) for ws in weights]
    grid: Grid = every[0] if len(every) == 1 else Split(rows, (1.0,) * len(every), tuple(every))
    was = cabinet(grid, height)
    now = believable(was)
    assert believable(now) == now
    for path, one in fronts(now.grid):
        before, after = shares(was, path), shares(now, path)
        assert sum(after.values()) == pytest.approx(1)
        assert (one.kind, one.side) in after
        ratio = {after[which] / before[which] for which in after}
        assert max(ratio) == pytest.approx(min(ratio))


def test_explanations_of_a_face_hold_only_what_can_be_built() -> None:
    ((p, kept),) = merged([(1.0, cabinet(front({SLIDING: 0.6, LEFT: 0.4})))])
    assert (p, shares(kept)) == (1.0, {LEFT: 1.0})
    build(kept, "c")
    with pytest.raises(PocketworldError, match="slide"):
        build(cabinet(front({SLIDING: 0.6, LEFT: 0.4})), "c")


@pytest.mark.parametrize("p", [0.05, 0.4])
def test_only_what_was_likely_is_told(p: float) -> None:
    was = cabinet(front({LEFT: 1 - p, SLIDING: p}))
    found = tuple(left_out([(1.0, was)], believable(was), "reconstruct", "thing-1"))
    if p < 0.1:
        assert found == ()
        return
    (finding,) = found
    assert (finding.code, finding.severity) == ("kind-unbuildable", Severity.DEGRADED)
    assert (finding.subject, finding.numbers) == ("thing-1", {"p": p})
    assert "front 0 looks like a sliding one" in finding.text
    assert tuple(left_out([], was, "reconstruct", "thing-1")) == ()


def test_what_is_told_is_of_the_one_that_was_chosen() -> None:
    """The likeliest by itself is not the one that is built where others that are alike outweigh it."""
    likeliest = cabinet(front({LEFT: 0.6, SLIDING: 0.4}))
    two = cabinet(Split(True, (1.0, 1.0), (front({LEFT: 1.0}), front({TOP: 0.7, SLIDING: 0.3}))))
    options = [(0.4, likeliest), (0.3, two), (0.3, two)]
    chosen = merged(options)[0][1]
    (finding,) = left_out(options, chosen, "reconstruct", "unit")
    assert "front 1 " in finding.text
    assert finding.numbers == {"p": 0.3}
    moved = replace(chosen, width=chosen.width + 0.02)  # as it fits best
    assert list(left_out(options, moved, "reconstruct", "unit")) == [finding]
    (other,) = left_out(options, believable(likeliest), "reconstruct", "unit")
    assert other.numbers == {"p": 0.4}
