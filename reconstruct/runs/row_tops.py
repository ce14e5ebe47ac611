"""What stands on top of wall units and tall units: seen from below, over their upper edges."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.families import registry
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.on_plate import LOW, pieces, standing
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.runs.row_ends import UNSEEN
from pocketworld.reconstruct.runs.row_parts import Rows, Run, RunKind
from pocketworld.reconstruct.runs.row_taken import MARGIN, WALL
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scene import Asset

Array = NDArray[np.float64]

REACH = 0.8  # m over a unit: higher is the ceiling, or hangs on it
HIDDEN = 0.2  # m: who looks up from below sees so little of the foot of what stands back from the edge
LEAST = 0.01  # m² of surface, and
HIGH = 0.08  # m: less is what depth smears over an upper edge
CEILING = -0.8  # of a normal: what looks down so is the ceiling
SPANS = 0.9  # of a run's width: what is as wide closes the room up to the ceiling


def things_on_top(surface: Surface, rows: Rows, run: Run) -> tuple[tuple[Thing, ...], tuple[Finding, ...]]:
    """Return what stands on a run of wall or tall units, in the scene's frame; and what of it is left out.

    Nothing is told of a run whose upper end was not seen. Findings are about the run, by its id.
    """
    if run.kind is RunKind.BASE or run.sigma[2] >= UNSEEN:
        return (), ()
    local = se3.apply(se3.inverse(run.box.world_from_box), surface.vertices) - (0, 0, run.box.size[2])
    over = _over(local, run.box) & ~rows.taken & (surface.normals[:, 2] > CEILING)
    top, areas = run.box.foot[2] + run.box.size[2], surface.vertex_areas()
    things: list[Thing] = []
    left_out = 0
    for piece in pieces(surface, over, over):
        if areas[piece].sum() < LEAST or local[piece, 2].max() < HIGH:
            continue
        wide = np.ptp(local[piece, 0]) > SPANS * run.box.size[0]
        id = f"{run.id}-thing-{len(things) + 1}"
        thing = None if wide else standing(id, surface.part(piece), top, run.box.yaw, HIDDEN)
        things += [thing] if thing is not None else []
        left_out += thing is None
    return tuple(things), _left_out(left_out, run.id)


def carrier(thing: Thing, units: Sequence[Placed]) -> str:
    """Return the id of the unit that a thing on top of a run stands on: the one its middle is farthest inside
    of, seen from above, else the nearest.
    """
    middle = np.array([thing.box.foot], float)
    return min(units, key=lambda one: _outside(middle, one.asset)).asset.id


def _outside(point: Array, asset: Asset) -> float:
    """Return how far a point (1, 3) is beside a unit's footprint, m; less than 0 over it."""
    unit = registry.rebuild(asset)
    local = se3.apply(se3.inverse(asset.pose.matrix), point)[0, :2]
    beyond: Array = np.abs(local) - (unit.width / 2, unit.depth / 2)
    return float(np.hypot(*np.maximum(beyond, 0.0)) + min(0.0, beyond.max()))


def _over(local: Array, box: UprightBox) -> NDArray[np.bool_]:
    """Return which points (n, 3), in the frame of a run's top, are over it and before the wall behind it."""
    half: Array = np.array(box.size[:2]) / 2
    over = (np.abs(local[:, 0]) < half[0] + MARGIN) & (np.abs(local[:, 1] + WALL[0]) < half[1])
    return np.asarray(over & (local[:, 2] > LOW) & (local[:, 2] < REACH))


def _left_out(count: int, subject: str) -> tuple[Finding, ...]:
    if not count:
        return ()
    text = "what is over the run, and does not stand on it alone, is left out"
    return (Finding("over-units-left-out", Severity.LOST, "reconstruct", subject, text, {"count": count}),)
