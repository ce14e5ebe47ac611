"""The worktop of a run of base units, as the asset that lies on them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families import worktop as family
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.geometry.convex import Vec3
from pocketworld.reconstruct.fronts.colours import middle
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.runs.row_parts import Run, Worktop
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scene import Base, Pose, Relation

NEAR = 0.02  # m: what lies so near the plate's top is the plate
BASIN = 0.18  # m: usual (EN 695 units); how deep a basin is, depth maps hardly show in shining steel


def worktop(run: Run, units: Sequence[Placed], surface: Surface) -> Placed | None:
    """Return the worktop of a run, which lies on its units; None where it has none.

    surface   of the scene, in its frame: what colour the plate is
    """
    if run.worktop is None:
        return None
    found, id = run.worktop, f"{run.id}.worktop"
    p, lost = _checked(found, id)
    p = replace(p, top=replace(p.top, colour=_colour(found.box, surface) or p.top.colour))
    pose = Pose.upright(found.box.foot, found.box.yaw)
    asset = replace(registry.family("worktop").build(p, id), pose=pose, base=Base.FIXED)
    below = tuple(Relation(kind, id, unit.asset.id) for unit in units for kind in ("on", "flush_with"))
    return Placed(asset, (*_noticed(found, p, id), *lost), relations=below)


def _colour(plate: UprightBox, surface: Surface) -> Vec3 | None:
    """Return the median colour of the surface on a plate, linear RGB; None where there is none."""
    local = se3.apply(se3.inverse(plate.world_from_box), surface.vertices) - (0, 0, plate.size[2])
    on = (np.abs(local[:, :2]) < np.array(plate.size[:2]) / 2).all(1) & (np.abs(local[:, 2]) < NEAR)
    if surface.colours is None or not on.any():
        return None
    return middle(surface.colours[on])


def _checked(found: Worktop, id: str) -> tuple[family.Worktop, tuple[Finding, ...]]:
    """Return the parameters of a worktop, without a sink that does not lie within it."""
    plain = family.Worktop(*found.box.size)
    if found.sink is None:
        return plain, ()
    left, right, front, back = found.sink
    basin = max(BASIN, 2 * plain.thickness)
    sink = family.Sink((left + right) / 2, right - left, back - front, basin, front + plain.depth / 2)
    try:
        family.check(whole := replace(plain, cutout=sink))
    except PocketworldError as error:
        text = f"its sink is left out: {error}"
        return plain, (Finding("sink-left-out", Severity.LOST, "reconstruct", id, text),)
    return whole, ()


def _noticed(found: Worktop, p: family.Worktop, id: str) -> list[Finding]:
    out = []
    if not found.measured:
        text = "depth does not show its edge: it is as thick as usual"
        numbers = {"thickness_m": p.thickness}
        out.append(Finding("thickness-guessed", Severity.NOTE, "reconstruct", id, text, numbers))
    if p.cutout is not None:
        text = "how deep its basin is was not measured: a usual one is taken"
        out.append(Finding("basin-guessed", Severity.NOTE, "reconstruct", id, text, {"basin_m": BASIN}))
    return out
