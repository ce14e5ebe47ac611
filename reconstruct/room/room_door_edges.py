"""Where the edges of doors that stand back are: by colour where it is plain, else by depth; none overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pocketworld.reconstruct.room.room_door_looks import edge, profile
from pocketworld.reconstruct.room.room_door_recess import NARROW, WIDE, Recess
from pocketworld.reconstruct.room.wall_picture import WallPicture

BY_COLOUR, BY_DEPTH = 0.02, 0.06  # m: how sure an edge is
SURELY = 0.06  # m: as far as depth errs at least, by poses and the size of its pixels


@dataclass(frozen=True, slots=True)
class Edges:
    """The left and right edge of a door in its wall's u, and how sure they are, m."""

    u0: float
    u1: float
    sigma: float


def edges(found: Sequence[Recess], picture: WallPicture, length: float) -> list[Edges]:
    """Return the edges of each recess of a wall of a length (m), in the same order."""
    return apart([by_colour(one, picture) for one in found], [by_depth(one) for one in found], length)


def by_depth(one: Recess) -> Edges:
    """Return where depth has a recess."""
    return Edges(one.u0, one.u1, BY_DEPTH)


def by_colour(one: Recess, picture: WallPicture) -> Edges:
    """Return the edges of a recess by colour; one that is not plain is depth's, and both are less sure."""
    known = (one.u0, one.u1)
    bright, u = profile(picture), picture.grid.u
    # Depth errs by as much as it did not see between the wall and the leaf.
    reach = [max(SURELY, abs(a - b) + BY_COLOUR) for a, b in zip(known, one.seen, strict=True)]
    plain = [edge(bright, u, at, far) for at, far in zip(known, reach, strict=True)]
    u0, u1 = (at if at is not None else depth for at, depth in zip(plain, known, strict=True))
    if not NARROW <= u1 - u0 <= WIDE:
        return by_depth(one)
    return Edges(u0, u1, BY_DEPTH if None in plain else BY_COLOUR)


def apart(first: Sequence[Edges], otherwise: Sequence[Edges], length: float) -> list[Edges]:
    """Return the first edges of each door, but the others where doors overlap or stick out of their wall.

    What is exchanged may overlap a neighbour's first edges in turn: it is looked at again until all is quiet.
    """
    out = list(first)
    while wrong := {i for i in _wrong(out, length) if out[i] != otherwise[i]}:
        for i in wrong:
            out[i] = otherwise[i]
    return out


def _wrong(doors: Sequence[Edges], length: float) -> set[int]:
    """Return which doors overlap another, or stick out."""
    wrong = {i for i, one in enumerate(doors) if one.u0 < 0 or one.u1 > length}
    for (i, a), (j, b) in combinations(enumerate(doors), 2):
        if min(a.u1, b.u1) > max(a.u0, b.u0):
            wrong |= {i, j}
    return wrong
