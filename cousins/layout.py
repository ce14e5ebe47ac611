"""Where the units of a run stand: side by side, gaps and backs as in the twin, tops lying on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pocketworld.cousins.extent import outer, seen_from
from pocketworld.cousins.runs import Run, Top, heading
from pocketworld.scene import Asset, Base, Pose, Scene

Array = NDArray[np.float64]
NEAR = 0.25  # m: a run that ends this near to something (a filler strip, a handle's way) keeps its distance
FRONT = 0.6  # m: free before a run, where its drawers come out: what stands there ends the run as well
SKIN = 0.02  # m: what reaches less far into the way of a run is not in it: the wall that its backs touch
BELOW = 1.0  # m: what is further below does not lift what hangs


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a run may reach, m along it: lowest and highest; held: whether something is NEAR there."""

    low: float
    high: float
    held: tuple[bool, bool]


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """A run as it is in the twin, and where it may reach beside what of the cousin stands already.

    axes      (3, 3): along it, inwards, up, as columns; spans: unit's id -> its ends along it, m
    gaps      between neighbours, m;  lift: how far it is raised with what is below it, m
    """

    run: Run
    axes: Array
    spans: Mapping[str, tuple[float, float]]
    gaps: tuple[float, ...]
    ends: Ends
    lift: float

    def length(self, drawn: float) -> float:
        """Return the length, m, that a run drawn that long gets: between two held ends it fills the room."""
        room = self.ends.high - self.ends.low
        return room if all(self.ends.held) else min(drawn, room)


def line(run: Run, twin: Scene, standing: Mapping[str, Asset]) -> Line:
    """Return a run's line; `standing` are the assets of the cousin that are placed."""
    axes = heading(twin.asset(run.id))
    boxes = {id: seen_from(twin.asset(id), axes) for id in run.units}
    spans = {id: (float(low[0]), float(high[0])) for id, (low, high) in boxes.items()}
    gaps = tuple(max(b[0] - a[1], 0.0) for a, b in pairwise(spans.values()))
    ends = _ends(*_box(run, twin, axes), axes, _others(run, twin), standing)
    return Line(run, axes, spans, gaps, ends, lift(run, twin, standing))


def placed(way: Line, twin: Scene, made: Mapping[str, Asset], shift: float = 0.0) -> dict[str, Asset]:
    """Return the units of a run, made but not placed, where they stand.

    A held end stays where it is; a run without one keeps its middle, moved by `shift` (m) as far as there is
    room. Backs stay where they were.
    """
    widths = {id: _along(made[id], twin.asset(id), way.axes) for id in way.run.units}
    total = sum(high - low for low, high in widths.values()) + sum(way.gaps)
    at, out = _start(way, total, shift), {}
    for id, gap in zip(way.run.units, (*way.gaps, 0.0), strict=True):
        low, high = widths[id]
        was = twin.asset(id)
        back = outer(was)[1][1] - outer(made[id])[1][1]
        move = was.pose.matrix[:3, 1] * back + way.axes[:, 0] * (at - low) + way.axes[:, 2] * way.lift
        out[id] = replace(made[id], pose=moved(was.pose, move))
        at += high - low + gap
    return out


def reach(top: Top, way: Line, twin: Scene, units: Mapping[str, Asset]) -> tuple[Array, Array]:
    """Return the ends along the run and across it, lowest and highest (2,), m, of a top over its units.

    Where it stood out over them in the twin it does so as far.
    """
    was = [seen_from(twin.asset(id), way.axes) for id in top.units]
    now = [seen_from(units[id], way.axes) for id in top.units]
    low, high = seen_from(twin.asset(top.id), way.axes)
    low = low + np.min([a for a, _ in now], 0) - np.min([a for a, _ in was], 0)
    high = high + np.max([b for _, b in now], 0) - np.max([b for _, b in was], 0)
    return low[:2], high[:2]


def laid(top: Top, made: Asset, way: Line, twin: Scene, units: Mapping[str, Asset]) -> Asset:
    """Return a top where it lies on its units: in the middle of its reach, raised as they are."""
    was = twin.asset(top.id)
    low, high = reach(top, way, twin, units)
    own = seen_from(replace(made, pose=was.pose), way.axes)
    across = (low + high - own[0][:2] - own[1][:2]) / 2
    heights = [
        max(float(seen_from(of(id), way.axes)[1][2]) for id in top.units)
        for of in (units.__getitem__, twin.asset)
    ]
    return replace(made, pose=moved(was.pose, way.axes @ (*across, heights[0] - heights[1])))


def _start(way: Line, total: float, shift: float) -> float:
    """Return where along itself a run of that length begins."""
    first, last = (way.spans[way.run.units[i]][i] for i in (0, -1))
    low, high = way.ends.low, way.ends.high
    if way.ends.held[0]:
        return low
    if way.ends.held[1]:
        return high - total
    middle = (first + last) / 2 + shift
    return float(np.clip(middle - total / 2, low, max(high - total, low)))


def _along(made: Asset, was: Asset, axes: Array) -> tuple[float, float]:
    """Return where an asset would begin and end along a run at the place that it has in the twin, m."""
    low, high = seen_from(replace(made, pose=was.pose), axes)
    return float(low[0]), float(high[0])


def moved(pose: Pose, by: Array) -> Pose:
    """Return a pose moved by (3,) m; the same one, to the bit, where it does not move."""
    if not by.any():
        return pose
    x, y, z = (float(a + b) for a, b in zip(pose.position, by, strict=True))
    return Pose((x, y, z), pose.wxyz)


def _ends(
    low: Array, high: Array, axes: Array, others: Sequence[Asset], standing: Mapping[str, Asset]
) -> Ends:
    """Return where a run that fills low..high (3,) in the twin may reach."""
    way = (np.array([low[1] - FRONT, low[2] + SKIN]), np.array([high[1] - SKIN, high[2] - SKIN]))
    left, right = (-np.inf, -np.inf), (np.inf, np.inf)  # what is nearest: where it was, where it is now
    for other in others:
        was = seen_from(other, axes)
        now = seen_from(standing.get(other.id, other), axes)
        if (np.minimum(was[1][1:], way[1]) - np.maximum(was[0][1:], way[0]) <= 0).any():
            continue
        if was[1][0] <= low[0] + SKIN:
            left = max(left, (float(was[1][0]), float(now[1][0])))
        elif was[0][0] >= high[0] - SKIN:
            right = min(right, (float(was[0][0]), float(now[0][0])))
    free = low[0] - left[0], right[0] - high[0]
    return Ends(
        left[1] + min(float(free[0]), NEAR),
        right[1] - min(float(free[1]), NEAR),
        (bool(free[0] <= NEAR), bool(free[1] <= NEAR)),
    )


def lift(run: Run, twin: Scene, standing: Mapping[str, Asset]) -> float:
    """Return how far what hangs is raised, so that the clear height over the highest below it stays, m.

    What stands on something goes with that; what is below and became lower lets nothing down.
    """
    if any(r.kind in ("on", "inside") and r.a in run.units for r in twin.relations):
        return 0.0
    axes = heading(twin.asset(run.id))
    low, high = _box(run, twin, axes)
    was, now = [], []
    for other in _others(run, twin):
        below, above = seen_from(other, axes)
        apart = (np.minimum(above[:2], high[:2]) - np.maximum(below[:2], low[:2]) <= SKIN).any()
        if other.id in standing and not apart and -SKIN <= low[2] - above[2] <= BELOW:
            was.append(float(above[2]))
            now.append(float(seen_from(standing[other.id], axes)[1][2]))
    return max(0.0, max(now) - max(was)) if was else 0.0


def _box(run: Run, twin: Scene, axes: Array) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of a run's units in the twin, along its axes."""
    boxes = [seen_from(twin.asset(id), axes) for id in run.units]
    return np.min([low for low, _ in boxes], 0), np.max([high for _, high in boxes], 0)


def _others(run: Run, twin: Scene) -> list[Asset]:
    """Return what stands fast beside a run."""
    return [a for a in twin.assets if a.id not in run.members and a.base is Base.FIXED]
