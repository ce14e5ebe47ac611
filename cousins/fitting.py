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
Outline = Callable[[str], object]
"""Draws parameters of a unit that need be right in their sizes only: all that is asked for at first."""


def fitted(way: Line, twin: Scene, drawing: Drawing, outline: Outline) -> dict[str, Mutated] | Refusal:
    """Return the parameters of a run's units, drawn so that the units fit together.

    Depths change by what the first unit's changes, heights by what the first of one level changes, widths are
    scaled together where both ends are held or the room is too short.
    """
    stretch: dict[str, dict[str, float]] = {id: {} for id in way.run.units}
    was = {id: sizes(twin.asset(id)) for id in way.run.units}
    now = {id: _sizes(outline(id), was[id]) for id in way.run.units}
    drawn: dict[str, Mutated] = {}
    for _ in range(TRIES):
        wanted = _wanted(way, twin, was, now)
        far = {id for id, size in wanted.items() if _furthest(now[id], size) > SMALL}
        if not far and len(drawn) == len(now):
            return {id: _exact(drawn[id], wanted[id]) for id in way.run.units}
        for id in (id for id in way.run.units if id in far or id not in drawn):
            for name, value in wanted[id].items() if id in far else ():
                if abs(value - now[id][name]) > EXACT:
                    stretch[id][name] = stretch[id].get(name, 1.0) * value / now[id][name]
            drawn[id] = drawing(id, stretch[id])
            now[id] = _sizes(drawn[id].p, was[id])
    return Refusal("sizes-do-not-fit-together", {"units": float(len(drawn))})


def _sizes(p: object, names: Mapping[str, float]) -> dict[str, float]:
    """Return the named sizes of parameters, m."""
    return {name: float(getattr(p, name)) for name in names}


def _wanted(
    way: Line, twin: Scene, was: Mapping[str, Mapping[str, float]], now: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Return the outer sizes that units should have, m, which were so in the twin and now are others; nothing
    for what has no sizes of its own.
    """
    wanted = {id: dict(size) for id, size in now.items()}
    tops = {id: twin.asset(id).pose.position[2] + size.get("height", 0.0) for id, size in was.items()}
    for name in ("depth", "height"):
        first: dict[str, float] = {}
        for id in (id for id in now if name in was[id]):
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


def _furthest(now: Mapping[str, float], size: Mapping[str, float]) -> float:
    return max((abs(value - now[name]) for name, value in size.items()), default=0.0)


def _exact(one: Mutated, size: Mapping[str, float]) -> Mutated:
    off = {name: value for name, value in size.items() if abs(value - getattr(one.p, name)) > EXACT}
    return one.resized(off) if off else one
