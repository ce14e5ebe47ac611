"""Tops over a run's units: as long and deep as these are, a sink over the unit that it was over."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pocketworld.cousins.extent import seen_from
from pocketworld.cousins.layout import Line, reach
from pocketworld.cousins.mutation import resized
from pocketworld.cousins.runs import Top, heading
from pocketworld.families import registry
from pocketworld.families.worktop import BORDER, Worktop
from pocketworld.scene import Asset, Scene


def stretched(top: Top, p: Any, way: Line, twin: Scene, units: Mapping[str, Asset]) -> Any:
    """Return a top's parameters with the size that its units ask for; what has no size of its own keeps it.

    Raises PocketworldError for a worktop that becomes too small for its sink.
    """
    if p is None:
        return p
    was, (low, high) = twin.asset(top.id), reach(top, way, twin, units)
    out = resized(p, {"width": float(high[0] - low[0]), "depth": float(high[1] - low[1])})
    if not isinstance(out, Worktop) or out.cutout is None:
        return out
    # A top may lie the other way round than its units stand.
    sign = 1.0 if float(heading(was)[:, 0] @ way.axes[:, 0]) > 0 else -1.0
    sink = registry.rebuild(was).cutout
    at = float(way.axes[:, 0] @ was.pose.position) + sign * sink.at
    there = sign * (_follow(at, top, way, twin, units) - float(low[0] + high[0]) / 2)
    play = max((out.width - out.cutout.width) / 2 - BORDER, 0.0)
    return replace(out, cutout=replace(out.cutout, at=float(np.clip(there, -play, play))))


def _follow(at: float, top: Top, way: Line, twin: Scene, units: Mapping[str, Asset]) -> float:
    """Return where along the run a place of the twin's top is now: as far along the unit below as it was."""
    under = min(top.units, key=lambda id: max(way.spans[id][0] - at, at - way.spans[id][1]))
    (a, b), (low, high) = way.spans[under], seen_from(units[under], way.axes)
    return float(low[0] + (at - a) / (b - a) * (high[0] - low[0]))
