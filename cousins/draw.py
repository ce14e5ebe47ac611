"""One cousin: each thing of the twin drawn from the belief times the spec, placed, and checked.

All randomness is `stream(seed, "cousin", index, asset, parameter)`, so a cousin is the same alone, in any
order and in any process. What does not work is drawn again as a whole (rejection sampling: a cousin is a draw
from the belief times the spec, given that it works), and each refusal is kept with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pocketworld.cousins.mutation import Mutated, Streams, built
from pocketworld.cousins.openings import built_in, host
from pocketworld.cousins.place import heights, kept
from pocketworld.cousins.rows import Row, differences, merged, tree_of
from pocketworld.cousins.runs import Run, runs
from pocketworld.cousins.spec import Spec
from pocketworld.cousins.together import ATTEMPTS, Made, Refused, Stage, draw_run
from pocketworld.errors import PocketworldError
from pocketworld.families import codec, registry
from pocketworld.findings import Finding, Severity
from pocketworld.scene import Asset, Pose, Scene


@dataclass(frozen=True, slots=True)
class Drawn:
    """One cousin as its rows of draws, from which `build` makes the scene, and what was refused before."""

    index: int
    rows: tuple[Row, ...]
    refused: tuple[Refused, ...] = ()


def draw_cousin(twin: Scene, spec: Spec, seed: int, index: int) -> Drawn:
    """Return cousin `index` of a twin as its draws.

    A thing whose draws are refused `ATTEMPTS` times stays as it is in the twin, carried by what it stands on;
    `findings_of` says so.
    """
    stage, streams = Stage(), Streams(seed, index)
    rows: dict[str, tuple[Row, ...]] = {}
    refused: list[Refused] = []
    for run in in_order(twin):
        made, why = draw_run(run, twin, spec, stage, streams)
        refused += why
        for id in run.members:
            was = twin.asset(id)
            one = made[id] if made else _stays(was, twin, stage)
            stage.standing[id], stage.believed[id] = one.asset, one.believed
            rows[id] = _rows(was, one)
    ordered = tuple(row for asset in twin.assets for row in rows[asset.id])
    return Drawn(index, ordered, tuple(refused))


def _stays(was: Asset, twin: Scene, stage: Stage) -> Made:
    """Return an asset as it is in the twin, where it stays in the cousin."""
    here, alone = (replace(was, pose=kept(was, twin, on)) for on in (stage.standing, stage.believed))
    return Made(here, alone, Mutated(None, None, False))


def in_order(twin: Scene) -> list[Run]:
    """Return what is drawn together, in the order in which it is placed.

    Doors come before the wall that they are in, what stands before what stands on it, what is low before what
    hangs above it; else the scene's order.
    """
    height = heights(twin)

    def key(run: Run) -> tuple[bool, bool, int, float]:
        units = [twin.asset(id) for id in run.units]
        building = any(built_in(unit, twin) for unit in units)
        low = min(unit.pose.position[2] for unit in units)
        return host(units[0], twin) is None, not building, max(height[id] for id in run.units), low

    return sorted(runs(twin), key=key)


def build(twin: Scene, drawn: Drawn, name: str, *, visual: bool = True) -> Scene:
    """Return the scene of a cousin; its id is in its provenance: "NAME/7".

    visual   whether what families build has meshes for the eye
    """
    tree = tree_of((row.path, row.value) for row in drawn.rows)
    if tree.keys() - {asset.id for asset in twin.assets}:
        known = tuple(f"{asset.id}/" for asset in twin.assets)
        strange = min(row.path for row in drawn.rows if not row.path.startswith(known))
        raise PocketworldError(f"cousin {name}/{drawn.index}: the twin has no {strange!r}", "draw it anew")
    assets = tuple(_built(a, merged(plain(a), tree.get(a.id, {})), visual) for a in twin.assets)
    id = f"{name}/{drawn.index}"
    findings = (*twin.findings, *findings_of(drawn))
    provenance = {**twin.provenance, "cousin": id}
    return replace(twin, name=f"{twin.name} {id}", assets=assets, provenance=provenance, findings=findings)


def findings_of(drawn: Drawn) -> tuple[Finding, ...]:
    """Return what was not varied, although the spec asked for it."""
    return tuple(
        Finding(
            "cousin-not-varied",
            Severity.DEGRADED,
            "cousins",
            f"{one.cousin}/{one.asset}",
            f"none of {ATTEMPTS} draws of {one.asset} works, it stays as in the twin; {one.refusal.reason}",
            one.refusal.numbers,
        )
        for one in drawn.refused
        if one.attempt == ATTEMPTS - 1
    )


def _rows(was: Asset, made: Made) -> tuple[Row, ...]:
    """Return the rows that make a drawn asset of the twin's."""
    drawn, middle, free = plain(made.asset), plain(made.believed), None
    if made.drawn.p is not None:
        # Of the belief's own draw, not of what is built from it: only that is comparable leaf by leaf.
        middle = {**middle, "parameters": registry.to_json(made.drawn.believed)}
        drawn = {**drawn, "parameters": registry.to_json(made.drawn.p)}
    if made.drawn.free is not None:
        free = {**drawn, "parameters": registry.to_json(made.drawn.free)}
    return differences(plain(was), middle, drawn, was.id, free)


def plain(asset: Asset) -> dict[str, object]:
    """Return what cousins vary of an asset, as plain JSON: its parameters and its pose."""
    pose = {"position": list(asset.pose.position), "wxyz": list(asset.pose.wxyz)}
    return {"parameters": asset.parameters, "pose": pose}


def _built(asset: Asset, drawn: object, visual: bool) -> Asset:
    """Return the twin's asset as it was drawn (`plain`); what no family builds keeps its form."""
    assert isinstance(drawn, Mapping)
    pose = codec.from_json(Pose, drawn["pose"], f"{asset.id}'s pose")
    known = asset.family in registry.names()
    p = registry.from_json(asset.family, drawn["parameters"]) if known else None
    return built(asset, p, pose, visual=visual)
