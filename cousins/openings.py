"""Walls and what is set into them: a wall stays where it is, its opening is as large as the door in it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pocketworld.cousins.extent import outer
from pocketworld.cousins.mutation import Mutated
from pocketworld.scene import Asset, Scene

STRUCTURE = "wall"  # the family of what a room is made of


def built_in(asset: Asset, twin: Scene) -> bool:
    """Say whether an asset is part of the building: a wall, what things stand against, or a door in a wall.

    It neither moves nor is it moved by what it becomes.
    """
    if asset.family == STRUCTURE or any(r.kind == "against" and r.b == asset.id for r in twin.relations):
        return True
    return host(asset, twin) is not None


def host(asset: Asset, twin: Scene) -> Asset | None:
    """Return the wall that an asset is set into, None where it is in none."""
    walls = {a.id: a for a in twin.assets if "openings" in a.parameters}
    return next(
        (walls[r.b] for r in twin.relations if r.kind == "inside" and r.a == asset.id and r.b in walls), None
    )


def opened(wall: Asset, drawn: Mutated, twin: Scene, standing: Mapping[str, Asset]) -> Mutated:
    """Return a wall's drawn parameters, its openings as much larger or smaller as their doors became.

    standing   what of the cousin is placed, the doors among it; what is no wall stays as it was drawn
    """
    if "openings" not in wall.parameters:
        return drawn
    doors = [a for a in twin.assets if a.id in standing and (found := host(a, twin)) and found.id == wall.id]
    grown = {door.id: _grown(door, standing[door.id]) for door in doors}
    p = drawn.p
    for door in doors:
        at = float((np.linalg.inv(wall.pose.matrix) @ [*door.pose.position, 1.0])[0])
        inside = [i for i, one in enumerate(p.openings) if abs(one.at - at) < one.width / 2]
        wider, higher = grown[door.id]
        for i in inside[:1] if wider or higher else ():
            new = replace(
                p.openings[i], width=p.openings[i].width + wider, height=p.openings[i].height + higher
            )
            p = replace(p, openings=(*p.openings[:i], new, *p.openings[i + 1 :]))
    same = drawn.believed == drawn.p
    return (
        drawn if p is drawn.p else replace(drawn, p=p, believed=p if same else drawn.believed, changed=True)
    )


def _grown(was: Asset, now: Asset) -> tuple[float, float]:
    """Return how much wider and higher a door became, m."""
    more = np.subtract(*outer(now)[::-1]) - np.subtract(*outer(was)[::-1])
    return float(more[0]), float(more[2])
