"""A kitchen drawn from a seed: walls with a door, a row of units (or two in an L), table and chairs, things.

It is not kind: gaps of 2-4 mm, unequal fronts, three sorts of handles, a dark unit, a dummy front that looks
like a drawer's. The room's frame: the row has its back at the wall y = 0 and faces -y; x to the right.
"""

import numpy as np

from pocketworld.bench import kitchen_room, kitchen_rows
from pocketworld.bench.kitchen_units import Draws, style
from pocketworld.rng import stream
from pocketworld.scene import Asset, Relation, Scene


def kitchen(seed: int, name: str = "kitchen") -> Scene:
    """Return the kitchen of a seed: everything closed, nothing in anything else's way."""

    def draw(what: str) -> np.random.Generator:
        return stream(seed, "kitchen", what)

    draws = Draws(draw)
    look = style(draws)
    cornered = draws.happens("corner", 0.4)
    base = kitchen_rows.main_row(draws, look, cornered)
    rows = [base, *([kitchen_rows.side_row(draws, look)] if cornered else [])]
    tops, lying = kitchen_rows.tops(draws, look, rows)
    hung = kitchen_rows.hung(draws, look, base)
    entry = kitchen_room.entry(draws)
    room = kitchen_room.size(draws, rows, entry)
    walls, door = kitchen_room.walls(draws, room, entry)
    table = kitchen_room.table(draws, base, look, room)
    seats = kitchen_room.chairs(draws, table)
    things, standing = kitchen_room.things(draws, (*tops, table))
    units = [asset for row in rows for asset in row.assets]
    relations = [
        *(Relation("on", asset.id, "floor") for asset in (*units, table, *seats)),
        *(Relation("against", asset.id, walls[i].id) for i, row in enumerate(rows) for asset in row.assets),
        *(Relation("against", asset.id, walls[0].id) for asset in hung.assets),
        *(relation for row in (*rows, hung) for relation in kitchen_rows.beside(row)),
        Relation("inside", door.id, walls[1].id),
        *lying,
        *standing,
    ]
    assets: tuple[Asset, ...] = (*walls, door, *units, *tops, *hung.assets, table, *seats, *things)
    return Scene(name, assets, tuple(relations), provenance={"seed": str(seed), "drawn by": "pocketworld"})
