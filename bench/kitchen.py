"""A kitchen drawn from a seed: walls, a row of units (or two in an L), a table with chairs, things on them.

It is not kind: gaps of 2-4 mm, unequal fronts, three sorts of handles, a dark unit, a dummy front that looks
like a drawer's. The room's frame: the row has its back at the wall y = 0 and faces -y; x to the right.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pocketworld.bench.kitchen_units import BLUNT, Draws, Style, Unit, cabinet, style
from pocketworld.bench.truth import outer
from pocketworld.families import registry
from pocketworld.families.protocol import Site
from pocketworld.families.worktop import Sink, Worktop
from pocketworld.geometry.convex import Vec3
from pocketworld.rng import stream
from pocketworld.scene import Asset, Material, Pose, Relation, Scene, Side

WIDTHS = (0.3, 0.3, 0.4, 0.45, 0.5, 0.6, 0.6, 0.8, 0.9)  # m: modules on sale
BACK = 0.003  # m between a unit and the wall behind it
CORNER = 0.12  # m: from one row's fronts to the other's first unit: handles must pass
SINK = "sink-unit"
RIM = 0.05  # m of worktop on each side of a sink, within its unit
THICK = 0.12  # m, of walls
PAINTS: tuple[Vec3, ...] = ((0.80, 0.79, 0.76), (0.70, 0.74, 0.72), (0.78, 0.72, 0.62), (0.62, 0.66, 0.72))
TOPS: tuple[Vec3, ...] = ((0.30, 0.29, 0.28), (0.55, 0.40, 0.25), (0.68, 0.67, 0.65), (0.16, 0.16, 0.17))
BESIDE = 0.015  # m between a tall unit and what stands beside it: its door passes the worktop
HANDLE = 0.06  # m between wall units and what stands deeper beside them, where a door's handle ends up
LEAN = 0.15  # m from a row's end to a wall: a door that is wide open leans over, with its handle
WALK, SEAT = 1.8, 0.5  # m from the row's fronts to a table, from there to a wall
FREE = 0.02  # m between things that stand beside each other


@dataclass(frozen=True, slots=True)
class Row:
    """A wall's line of furniture: where its frame lies (x along it, y into the wall), from x0 to x1."""

    pose: Pose
    x0: float
    x1: float

    def at(self, asset: Asset, left: float, z: float = 0.0) -> Asset:
        """Return the asset with its left side at x = left and its back at the wall."""
        low, high = outer(asset)
        place = np.array([left - low[0], -BACK - high[1], z, 1.0])
        x, y, up, _ = (float(v) for v in self.pose.matrix @ place)
        return replace(asset, pose=Pose((x, y, up), self.pose.wxyz))


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """Assets that stand along a row, from the left, with the x at which each begins and ends."""

    row: Row
    assets: tuple[Asset, ...]
    spans: tuple[tuple[float, float], ...]


def kitchen(seed: int, name: str = "kitchen") -> Scene:
    """Return the kitchen of a seed: everything closed, nothing in anything else's way."""

    def draw(what: str) -> np.random.Generator:
        return stream(seed, "kitchen", what)

    draws = Draws(draw)
    look = style(draws)
    cornered = draws.happens("corner", 0.4)
    start = look.base[1] + CORNER if cornered else 0.0
    base = _row(draws, look, Row(Pose(), start, 0.0))
    rows = [base]
    if cornered:
        rows.append(_side_row(draws, look))
    parts: list[Asset] = [asset for row in rows for asset in row.assets]
    relations = [relation for row in rows for relation in _beside(row)]
    tops, on = _tops(draws, look, rows)
    hung = _hung(draws, look, base)
    deep = draws.between("room/depth", 3.8, 4.4)
    walls = _walls(draws, base, cornered, deep)
    back, left = walls[0].id, walls[1].id
    for row in rows:
        wall = back if row is base else left
        relations += [Relation("on", asset.id, "floor") for asset in row.assets]
        relations += [Relation("against", asset.id, wall) for asset in row.assets]
    relations += [*on, *(Relation("against", asset.id, back) for asset in hung.assets), *_beside(hung)]
    table = _table(draws, base, look, deep)
    relations += [Relation("on", asset.id, "floor") for asset in table]
    things, lying = _things(draws, (*tops, *table))
    assets = (*walls, *parts, *tops, *hung.assets, *table, *things)
    return Scene(
        name, assets, (*relations, *lying), provenance={"seed": str(seed), "drawn by": "pocketworld"}
    )


def _row(draws: Draws, look: Style, row: Row) -> Standing:
    """Return the main row: a fridge at one end, an oven, a sink unit, a dark one, unequal others."""
    names = ["fixed door", "oven", "drawers", "drawer door", "door"]
    order = [names[i] for i in draws.order("order", len(names))]
    dark = draws.pick("dark unit", len(order))
    items = [
        _unit(
            draws,
            look,
            SINK if word == "fixed door" else f"base-{i + 1}",
            word,
            dark=word != "oven" and i == dark % len(order),
        )
        for i, word in enumerate(order)
    ]
    tall = _fridge(draws, look)
    # In a corner the fridge stands at the far end.
    at_left = draws.happens("fridge at left", 0.5) and row.x0 == 0
    if at_left:
        rest = _stood(replace(row, x0=row.x0 + _width(tall) + BESIDE), look, items)
        first = (row.x0, row.x0 + _width(tall))
        return Standing(
            replace(rest.row, x0=row.x0), (row.at(tall, row.x0), *rest.assets), (first, *rest.spans)
        )
    rest = _stood(row, look, items)
    last = (rest.row.x1 + BESIDE, rest.row.x1 + BESIDE + _width(tall))
    assets = (*rest.assets, row.at(tall, last[0]))
    return Standing(replace(rest.row, x1=last[1]), assets, (*rest.spans, last))


def _unit(draws: Draws, look: Style, id: str, word: str, dark: bool = False) -> Asset:
    """Return a base unit: id of its place, what stands in it from the top."""
    height, depth = look.base
    width = WIDTHS[draws.pick(f"{id}/width", len(WIDTHS))]
    width = {"oven": 0.6, "fixed door": max(width, 0.5)}.get(word, width)
    unit = Unit(
        "flap" if word == "oven" else word,
        (width, depth, height),
        draws.pick(f"{id}/handle", len(look.handles)),
        Side.LEFT if draws.happens(f"{id}/hinge", 0.5) else Side.RIGHT,
        dark or word == "oven",
        opening=BLUNT,
        drawers=3 + draws.pick(f"{id}/drawers", 2),
        uneven=draws.between(f"{id}/uneven", 1.0, 1.4),
    )
    return registry.family("cabinet").build(cabinet(unit, look), "oven" if word == "oven" else id)


def _fridge(draws: Draws, look: Style) -> Asset:
    """Return a tall unit of two doors."""
    hinge = Side.LEFT if draws.happens("fridge/hinge", 0.5) else Side.RIGHT
    unit = Unit("fixed door", (0.6, look.base[1], look.tall), draws.pick("fridge/handle", 3), hinge)
    return registry.family("cabinet").build(cabinet(unit, look), "fridge")


def _side_row(draws: Draws, look: Style) -> Standing:
    """Return the second row of an L: two units along the left wall, that end at the corner."""
    words = [("drawers", "door", "drawer door")[draws.pick(f"side/{i}", 3)] for i in range(2)]
    items = [_unit(draws, look, f"side-{i + 1}", word) for i, word in enumerate(words)]
    length = sum(_width(asset) for asset in items) + look.gap
    pose = Pose.upright((0.0, -look.base[1] - CORNER, 0.0), math.pi / 2)
    return _stood(Row(pose, -length, 0.0), look, items)


def _stood(row: Row, look: Style, items: Sequence[Asset]) -> Standing:
    """Return assets side by side from the row's x0, one gap between."""
    assets, spans, x = [], [], row.x0
    for asset in items:
        assets.append(row.at(asset, x))
        spans.append((x, x + _width(asset)))
        x = spans[-1][1] + look.gap
    return Standing(replace(row, x1=spans[-1][1]), tuple(assets), tuple(spans))


def _width(asset: Asset) -> float:
    low, high = outer(asset)
    return float(high[0] - low[0])


def _beside(row: Standing) -> Iterator[Relation]:
    for a, b in zip(row.assets, row.assets[1:], strict=False):
        yield Relation("flush_with", a.id, b.id)


def _tops(draws: Draws, look: Style, rows: Sequence[Standing]) -> tuple[list[Asset], list[Relation]]:
    """Return a worktop on each row's base units, the first one cut out for a sink."""
    family = registry.family("worktop")
    tops: list[Asset] = []
    relations: list[Relation] = []
    thick, over = draws.between("top/thick", 0.02, 0.04), draws.between("top/over", 0.005, 0.03)
    material = Material(TOPS[draws.pick("top", len(TOPS))], draws.between("top/rough", 0.3, 0.8))
    for i, row in enumerate(rows):
        low = [(a, s) for a, s in zip(row.assets, row.spans, strict=True) if a.id != "fridge"]
        x0, x1 = low[0][1][0], low[-1][1][1]
        if len(rows) == 2:
            x0, x1 = (0.0, x1) if i == 0 else (x0, CORNER - over)
        id = "worktop" if len(rows) == 1 else f"worktop-{i + 1}"
        p = Worktop(x1 - x0, look.base[1] + over, thick, top=material)
        if i == 0:
            p = replace(p, cutout=_sink(draws, row, (x0 + x1) / 2))
        top = row.row.at(family.build(p, id), x0, look.base[0])
        tops.append(top)
        for asset, _ in low:
            relations += [Relation("on", id, asset.id), Relation("flush_with", id, asset.id)]
    return tops, relations


def _sink(draws: Draws, row: Standing, middle: float) -> Sink:
    """Return a sink over the unit that is made for it, whose top front opens nothing."""
    left, right = next(s for a, s in zip(row.assets, row.spans, strict=True) if a.id == SINK)
    wide = min(draws.between("sink/width", 0.4, 0.55), right - left - 2 * RIM)
    at = round((left + right) / 2 - middle, 6)
    return Sink(at, wide, draws.between("sink/depth", 0.36, 0.42), draws.between("sink/basin", 0.14, 0.19))


def _hung(draws: Draws, look: Style, base: Standing) -> Standing:
    """Return wall units over part of the base units, of other widths than those."""
    low = [s for a, s in zip(base.assets, base.spans, strict=True) if a.id != "fridge"]
    x0, x1 = low[0][0] + HANDLE, low[-1][1] - HANDLE
    z, height, depth = look.wall
    x = x0 + draws.between("hung/from", 0.0, 0.25)
    assets: list[Asset] = []
    spans: list[tuple[float, float]] = []
    for i in range(8):
        width = (0.4, 0.45, 0.5, 0.6, 0.8)[draws.pick(f"hung/{i}", 5)]
        if x + width > x1:
            break
        if i and draws.happens(f"hung/{i}/none", 0.2):  # a hood, or nothing, hangs there
            x += width
            continue
        hinge = Side.LEFT if draws.happens(f"hung/{i}/hinge", 0.5) else Side.RIGHT
        unit = Unit(
            "door",
            (width, depth, height),
            draws.pick(f"hung/{i}/handle", 3),
            hinge,
            plinth=False,
            opening=BLUNT,
        )
        asset = registry.family("cabinet").build(cabinet(unit, look), f"wall-unit-{len(assets) + 1}")
        assets.append(base.row.at(asset, x, z))
        spans.append((x, x + width))
        x += width + look.gap
    return Standing(base.row, tuple(assets), tuple(spans))


def _walls(draws: Draws, base: Standing, cornered: bool, deep: float) -> list[Asset]:
    """Return the wall behind the row, one at its left, and perhaps one at the right and one across."""
    high = draws.between("room/height", 2.35, 2.7)
    x0 = 0.0 if cornered else -draws.between("room/left", LEAN, 0.9)
    x1 = base.row.x1 + draws.between("room/right", LEAN, 0.9)
    width, half, family = x1 - x0, THICK / 2, registry.family("wall")
    places = [
        (width + 2 * THICK, ((x0 + x1) / 2, half), 0.0),
        (deep, (x0 - half, -deep / 2), math.pi / 2),
        (deep, (x1 + half, -deep / 2), -math.pi / 2),
        (width + 2 * THICK, ((x0 + x1) / 2, -deep - half), math.pi),
    ]
    count, paint = 2 + draws.pick("room/walls", 3), PAINTS[draws.pick("room/paint", len(PAINTS))]
    out = []
    for i, (length, (x, y), yaw) in enumerate(places[:count]):
        id = f"wall-{i + 1}"
        p = family.sample(draws.below(id), Site((length, THICK, high)))
        # What stands against a wall may not stand before its window.
        clear = i == 0 or (i == 1 and cornered)
        p = replace(p, height=high, thickness=THICK, colour=paint, openings=() if clear else p.openings)
        out.append(replace(family.build(p, id), pose=Pose.upright((x, y, 0.0), yaw)))
    return out


def _table(draws: Draws, base: Standing, look: Style, deep: float) -> list[Asset]:
    """Return a table that stands free, a walk's width before the row."""
    family = registry.family("table")
    p = family.sample(draws.below("table"), Site((1.5, 0.9, 0.8)))
    table = family.build(p, "table")
    near, far = look.base[1] + WALK + p.depth / 2, deep - SEAT - p.depth / 2
    x0, x1 = base.row.x0 + p.width / 2 + SEAT, base.row.x1 - p.width / 2
    x, y = draws.between("table/x", min(x0, x1), max(x0, x1)), -draws.between("table/y", near, max(near, far))
    turn = draws.between("table/turn", -0.1, 0.1)
    return [replace(table, pose=Pose.upright((x, y, 0.0), turn))]


def _things(draws: Draws, tops: Sequence[Asset]) -> tuple[list[Asset], list[Relation]]:
    """Return small things on worktops and table, not too near to each other, the edge or a sink."""
    things: list[Asset] = []
    relations: list[Relation] = []
    for top in tops:
        low, high = outer(top)
        x = float(low[0]) + FREE
        for i in range(5):
            name = f"{top.id}/{i}"
            thing = _thing(draws, name, f"thing-{len(things) + 1}")
            size = outer(thing)[1] - outer(thing)[0]
            reach = float(np.hypot(size[0], size[1])) / 2
            x = _past(top, x + draws.between(f"{name}/skip", 0.05, 0.5), 2 * reach)
            if x + 2 * reach + FREE > high[0]:
                break
            room = max(float(high[1] - low[1]) / 2 - reach - FREE, 0.0)
            at = np.array([x + reach, draws.between(f"{name}/y", -room, room), high[2], 1.0])
            px, py, pz, _ = (float(v) for v in top.pose.matrix @ at)
            turn = draws.between(f"{name}/turn", -math.pi, math.pi)
            things.append(replace(thing, pose=Pose.upright((px, py, pz), turn)))
            relations.append(Relation("on", thing.id, top.id))
            x += 2 * reach
    return things, relations


def _past(top: Asset, x: float, width: float) -> float:
    """Return x, or the right side of the sink where a thing of that width from there would reach into it."""
    p = registry.rebuild(top)
    if not isinstance(p, Worktop) or p.cutout is None:
        return x
    left, right = (p.cutout.at + side * (p.cutout.width / 2 + RIM) for side in (-1, 1))
    return right if x < right and x + width > left else x


def _thing(draws: Draws, name: str, id: str) -> Asset:
    family = registry.family("box")
    p = family.sample(draws.below(name), Site((0.24, 0.24, 0.3), above=True))
    colour = Material(PAINTS[draws.pick(f"{name}/colour", len(PAINTS))], 0.7)
    return family.build(replace(p, material=colour), id)
