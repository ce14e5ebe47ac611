"""Sizes of a run's units fitted to each other: fronts and tops stay flush, widths fill the room there is."""

from collections.abc import Callable, Mapping

from pocketworld.cousins.layout import Line
from pocketworld.cousins.mutation import Mutated, sizes
from pocketworld.families.protocol import Refusal
from pocketworld.scene import Scene

TRIES = 4  # each comes nearer by far: a size follows what it is drawn from almost in proportion
SMALL = 2e-3  # m: so little is changed without asking the family again
EXACT = 1e-9  # m: rounding
LEVEL = 0.03  # m: tops of units that are this near to each other lie at one height

Drawing = Callable[[str, Mapping[str, float]], Mutated]
"""Draws the parameters of a unit, of a twin whose sizes are first multiplied by these factors."""


def fitted(way: Line, twin: Scene, drawing: Drawing) -> dict[str, Mutated] | Refusal:
    """Return the parameters of a run's units, drawn so that the units fit together.

    Depths change by what the first unit's changes, heights by what the first of one level changes, widths are
    scaled together where both ends are held or the room is too short.
    """
    stretch: dict[str, dict[str, float]] = {id: {} for id in way.run.units}
    drawn = {id: drawing(id, {}) for id in way.run.units}
    for _ in range(TRIES):
        wanted = _wanted(way, twin, drawn)
        far = {id for id, size in wanted.items() if _furthest(drawn[id], size) > SMALL}
        if not far:
            return {id: _exact(one, wanted[id]) for id, one in drawn.items()}
        for id in far:
            for name, value in wanted[id].items():
                if abs(value - getattr(drawn[id].p, name)) > EXACT:
                    stretch[id][name] = stretch[id].get(name, 1.0) * value / getattr(drawn[id].p, name)
            drawn[id] = drawing(id, stretch[id])
    return Refusal("sizes-do-not-fit-together", {"units": float(len(drawn))})


def _wanted(way: Line, twin: Scene, drawn: Mapping[str, Mutated]) -> dict[str, dict[str, float]]:
    """Return the outer sizes that units should have, m; nothing for what has no sizes of its own."""
    was = {id: sizes(twin.asset(id)) for id in drawn}
    now = {id: {name: float(getattr(drawn[id].p, name)) for name in was[id]} for id in drawn}
    wanted = {id: dict(size) for id, size in now.items()}
    tops = {id: twin.asset(id).pose.position[2] + size.get("height", 0.0) for id, size in was.items()}
    for name in ("depth", "height"):
        first: dict[str, float] = {}
        for id in (id for id in drawn if name in was[id]):
            level = next((k for k in first if name == "depth" or abs(tops[k] - tops[id]) < LEVEL), None)
            if level is None:
                first[id] = now[id][name] - was[id][name]
            else:
                wanted[id][name] = was[id][name] + first[level]
    _widths(way, now, wanted)
    return wanted


def _widths(
    way: Line, now: Mapping[str, Mapping[str, float]], wanted: Mapping[str, dict[str, float]]
) -> None:
    """Scale the wanted widths to the length that the run gets."""
    rigid = sum(high - low for id, (low, high) in way.spans.items() if "width" not in now[id]) + sum(way.gaps)
    free = sum(size["width"] for size in now.values() if "width" in size)
    length = way.length(free + rigid)
    if not free or abs(length - free - rigid) < EXACT or length <= rigid:
        return
    for size in wanted.values():
        if "width" in size:
            size["width"] *= (length - rigid) / free


def _furthest(one: Mutated, size: Mapping[str, float]) -> float:
    return max((abs(value - getattr(one.p, name)) for name, value in size.items()), default=0.0)


def _exact(one: Mutated, size: Mapping[str, float]) -> Mutated:
    off = {name: value for name, value in size.items() if abs(value - getattr(one.p, name)) > EXACT}
    return one.resized(off) if off else one
