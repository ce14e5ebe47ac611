"""The worktop of a run of base units, as the asset that lies on them."""

from dataclasses import replace

from pocketworld.families import registry
from pocketworld.families import worktop as family
from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.row_parts import Run, Worktop
from pocketworld.scene import Base, Pose, Relation

BASIN = 0.18  # m: usual (EN 695 units); how deep a basin is, depth maps hardly show in shining steel


def worktop(run: Run, units: tuple[Placed, ...]) -> Placed | None:
    """Return the worktop of a run on its units, or None where it has none."""
    if run.worktop is None:
        return None
    found, id = run.worktop, f"{run.id}.worktop"
    made = registry.family("worktop").build(_parameters(found), id)
    asset = replace(made, pose=Pose.upright(found.box.foot, found.box.yaw), base=Base.FIXED)
    on = tuple(Relation(kind, id, u.asset.id) for u in units for kind in ("on", "flush_with"))
    return Placed(asset, tuple(_noticed(found, id)), relations=on)


def _parameters(found: Worktop) -> family.Worktop:
    width, depth, thickness = found.box.size
    sink = None
    if found.sink is not None:
        left, right, front, back = found.sink
        sink = family.Sink((left + right) / 2, right - left, back - front, BASIN, front + depth / 2)
    return family.Worktop(width, depth, thickness, sink)


def _noticed(found: Worktop, id: str) -> list[Finding]:
    out = []
    if not found.measured:
        text = "no picture or depth shows its edge: it is as thick as usual"
        numbers = {"thickness_m": found.box.size[2]}
        out.append(Finding("thickness-guessed", Severity.NOTE, "reconstruct", id, text, numbers))
    if found.sink is not None:
        text = "how deep its basin is was not measured: a usual one is taken"
        out.append(Finding("basin-guessed", Severity.NOTE, "reconstruct", id, text, {"basin_m": BASIN}))
    return out
