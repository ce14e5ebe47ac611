"""The rows of a drawn kitchen: units side by side along a wall, worktops on them, units that hang above."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import pi

import numpy as np

from pocketworld.bench.kitchen_units import Draws, Style, Unit, cabinet, fridge, oven
from pocketworld.bench.truth import outer
from pocketworld.families import registry
from pocketworld.families.worktop import Sink, Worktop
from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Asset, Material, Pose, Relation, Side

WIDTHS = (0.3, 0.3, 0.4, 0.45, 0.5, 0.6, 0.6, 0.8, 0.9)  # m: modules on sale
HUNG = (0.4, 0.45, 0.5, 0.6, 0.8)  # m: of wall units
MOST = 8  # wall units in a row
BACK = 0.003  # m between a unit and the wall behind it
CORNER = 0.12  # m: from one row's fronts to the other's first unit: handles must pass
SINK, FRIDGE, OVEN = "sink-unit", "fridge", "oven"
RIM = 0.05  # m of worktop on each side of a sink, within its unit
TOPS: tuple[Vec3, ...] = ((0.30, 0.29, 0.28), (0.55, 0.40, 0.25), (0.68, 0.67, 0.65), (0.16, 0.16, 0.17))
BESIDE = 0.015  # m between a fridge and what stands beside it: its door passes the worktop
HANDLE = 0.06  # m between wall units and what stands deeper beside them, where a door's handle ends up


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


def main_row(draws: Draws, look: Style, cornered: bool) -> Standing:
    """Return the main row: a fridge at one end, an oven, a sink unit, a dark one, unequal others.

    In a corner it begins where it clears the second row, and the fridge stands at the far end.
    """
    row = Row(Pose(), look.base[1] + CORNER if cornered else 0.0, 0.0)
    words = ["fixed door", OVEN, "drawers", "drawer door", "door"]
    words = [words[i] for i in draws.order("order", len(words))]
    dark = [i for i, word in enumerate(words) if word != OVEN][draws.pick("dark unit", len(words) - 1)]
    items = []
    for i, word in enumerate(words):
        id = SINK if word == "fixed door" else f"base-{i + 1}"
        items.append(oven(draws, look) if word == OVEN else _unit(draws, look, id, word, i, i == dark))
    tall = fridge(draws)
    if draws.happens("fridge at left", 0.5) and not cornered:
        wide = _width(tall)
        rest = _stood(replace(row, x0=row.x0 + wide + BESIDE), look, items)
        first = (row.x0, row.x0 + wide)
        return Standing(
            replace(rest.row, x0=row.x0), (row.at(tall, row.x0), *rest.assets), (first, *rest.spans)
        )
    rest = _stood(row, look, items)
    last = (rest.row.x1 + BESIDE, rest.row.x1 + BESIDE + _width(tall))
    return Standing(replace(rest.row, x1=last[1]), (*rest.assets, row.at(tall, last[0])), (*rest.spans, last))


def side_row(draws: Draws, look: Style) -> Standing:
    """Return the second row of an L: two units along the left wall, that end at the corner."""
    words = [("drawers", "door", "drawer door")[draws.pick(f"side/{i}", 3)] for i in range(2)]
    items = [_unit(draws, look, f"side-{i + 1}", word, i) for i, word in enumerate(words)]
    length = sum(_width(asset) for asset in items) + look.gap
    pose = Pose.upright((0.0, -look.base[1] - CORNER, 0.0), pi / 2)
    return _stood(Row(pose, -length, 0.0), look, items)


def _unit(draws: Draws, look: Style, id: str, word: str, place: int, dark: bool = False) -> Asset:
    """Return a base unit: id and number of its place, what stands in it from the top."""
    width = WIDTHS[draws.pick(f"{id}/width", len(WIDTHS))]
    unit = Unit(
        word,
        (max(width, 0.5) if id == SINK else width, look.base[1], look.base[0]),
        place % len(look.handles),
        Side.LEFT if draws.happens(f"{id}/hinge", 0.5) else Side.RIGHT,
        dark,
        drawers=3 + draws.pick(f"{id}/drawers", 2),
        uneven=draws.between(f"{id}/uneven", 1.0, 1.4),
        pretends=draws.happens(f"{id}/pretends", 0.5),
    )
    return registry.family("cabinet").build(cabinet(unit, look), id)


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


def beside(row: Standing) -> Iterator[Relation]:
    """Go through the relations of neighbours in a row."""
    for a, b in zip(row.assets, row.assets[1:], strict=False):
        yield Relation("flush_with", a.id, b.id)


def tops(draws: Draws, look: Style, rows: Sequence[Standing]) -> tuple[list[Asset], list[Relation]]:
    """Return a worktop on each row's base units, the first one cut out for a sink."""
    family = registry.family("worktop")
    tops: list[Asset] = []
    relations: list[Relation] = []
    thick, over = draws.between("top/thick", 0.02, 0.04), draws.between("top/over", 0.005, 0.03)
    material = Material(TOPS[draws.pick("top", len(TOPS))], draws.between("top/rough", 0.3, 0.8))
    for i, row in enumerate(rows):
        low = [(a, s) for a, s in zip(row.assets, row.spans, strict=True) if a.id != FRIDGE]
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


def hung(draws: Draws, look: Style, base: Standing) -> Standing:
    """Return wall units over part of the base units, of other widths than those."""
    low = [s for a, s in zip(base.assets, base.spans, strict=True) if a.id != FRIDGE]
    x0, x1 = low[0][0] + HANDLE, low[-1][1] - HANDLE
    z, height, depth = look.wall
    x = x0 + draws.between("hung/from", 0.0, 0.25)
    assets: list[Asset] = []
    spans: list[tuple[float, float]] = []
    for i in range(MOST):
        width = HUNG[draws.pick(f"hung/{i}", len(HUNG))]
        if x + width > x1:
            break
        if i and draws.happens(f"hung/{i}/none", 0.2):  # a hood, or nothing, hangs there
            x += width
            continue
        hinge = Side.LEFT if draws.happens(f"hung/{i}/hinge", 0.5) else Side.RIGHT
        unit = Unit(
            "door",
            (width, depth, height),
            draws.pick(f"hung/{i}/handle", len(look.handles)),
            hinge,
            plinth=False,
        )
        asset = registry.family("cabinet").build(cabinet(unit, look), f"wall-unit-{len(assets) + 1}")
        assets.append(base.row.at(asset, x, z))
        spans.append((x, x + width))
        x += width + look.gap
    return Standing(base.row, tuple(assets), tuple(spans))
