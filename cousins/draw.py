"""One cousin: each thing of the twin drawn from the belief times the spec, placed, and checked.

All randomness is `stream(seed, "cousin", index, asset, parameter)`, so a cousin is the same alone, in any
order and in any process. What does not work is drawn again as a whole (rejection sampling: a cousin is a draw
from the belief times the spec, given that it works), and each refusal is kept with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from pocketworld.cousins.place import clash, place, supports_first
from pocketworld.cousins.rows import Row, applied, differences
from pocketworld.cousins.spec import Spec
from pocketworld.families import registry
from pocketworld.families.protocol import Draw, Refusal, Spread
from pocketworld.findings import Finding, Severity
from pocketworld.geometry.sweep import sweep
from pocketworld.rng import stream
from pocketworld.scene import Asset, Pose, Scene

ATTEMPTS = 24  # where half of all draws are refused, one thing in 16 million stays as it was


class Reason(StrEnum):
    """Why a drawn asset can't stay, besides the reasons of its family."""

    SWEEP = "parts-collide-as-they-open"
    PLACE = "no-place-beside-the-others"


@dataclass(frozen=True, slots=True)
class Refused:
    """A draw that was refused: of which cousin and asset, at which attempt, and why."""

    cousin: int
    asset: str
    attempt: int
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Drawn:
    """One cousin as its rows of draws, from which `build` makes the scene, and what was refused before."""

    index: int
    rows: tuple[Row, ...]
    refused: tuple[Refused, ...] = ()


def draw_cousin(twin: Scene, spec: Spec, seed: int, index: int) -> Drawn:
    """Return cousin `index` of a twin as its draws.

    A thing whose draws are refused `ATTEMPTS` times stays as it is in the twin; `findings_of` says so.
    """
    standing: dict[str, Asset] = {}
    believed: dict[str, Asset] = {}  # the same things, drawn and placed by the belief alone
    rows: dict[str, tuple[Row, ...]] = {}
    refused: list[Refused] = []
    for asset in supports_first(twin):
        for attempt in range(ATTEMPTS):
            found = _draw(asset, twin, spec, (standing, believed), _streams(seed, index, asset.id, attempt))
            if not isinstance(found, Refusal):
                break
            refused.append(Refused(index, asset.id, attempt, found))
        else:
            found = (), asset, asset
        rows[asset.id], standing[asset.id], believed[asset.id] = found
    ordered = tuple(row for asset in twin.assets for row in rows[asset.id])
    return Drawn(index, ordered, tuple(refused))


def build(twin: Scene, drawn: Drawn, name: str) -> Scene:
    """Return the scene of a cousin; its id is in its provenance: "NAME/7"."""
    values: dict[str, dict[str, object]] = {asset.id: {} for asset in twin.assets}
    for row in drawn.rows:
        asset, _, path = row.path.partition("/")
        values[asset][path] = row.value
    assets = tuple(_built(asset, applied(plain(asset), values[asset.id])) for asset in twin.assets)
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


def _streams(seed: int, index: int, asset: str, attempt: int) -> Draw:
    again = (attempt,) if attempt else ()

    def draw(parameter: str) -> np.random.Generator:
        return stream(seed, "cousin", index, asset, parameter, *again)

    return draw


def _draw(
    asset: Asset, twin: Scene, spec: Spec, placed: tuple[Mapping[str, Asset], Mapping[str, Asset]], draw: Draw
) -> tuple[tuple[Row, ...], Asset, Asset] | Refusal:
    """Return an asset's rows, the asset so drawn, and as the belief alone has it; or why it can't be.

    placed   what stands already, of the cousin and of what the belief alone makes of it
    """
    mutated = _mutated(asset, spec.spread(asset.family), draw)
    if isinstance(mutated, Refusal):
        return mutated
    parameters, believed = mutated
    standing, beside = placed
    made = alone = _built(asset, {**plain(asset), "parameters": parameters})
    made = replace(made, pose=place(made, asset, twin, standing, spec.placement, draw))
    if hit := clash(made, standing, twin):
        return Refusal(Reason.PLACE, {"overlap_m": hit})
    if parameters != asset.parameters and (hits := sweep(made)):
        return Refusal(Reason.SWEEP, {"depth_m": max(hit.depth for hit in hits)})
    if parameters != believed:
        alone = _built(asset, {**plain(asset), "parameters": believed})
    alone = replace(alone, pose=place(alone, asset, twin, beside, Spread(doubt=False), draw))
    middle = {**plain(alone), "parameters": believed}
    return differences(plain(asset), middle, plain(made), asset.id), made, alone


def plain(asset: Asset) -> dict[str, object]:
    """Return what cousins vary of an asset, as plain JSON: its parameters and its pose."""
    pose = {"position": list(asset.pose.position), "wxyz": list(asset.pose.wxyz)}
    return {"parameters": asset.parameters, "pose": pose}


def _mutated(
    asset: Asset, spread: Spread, draw: Draw
) -> tuple[Mapping[str, object], Mapping[str, object]] | Refusal:
    """Return an asset's parameters drawn from belief times spread, and from the belief alone."""
    if asset.family not in registry.names():
        return asset.parameters, asset.parameters
    family = registry.family(asset.family)
    known = registry.from_json(asset.family, _layout(asset, draw) if spread.doubt else asset.parameters)
    believed = family.mutate(known, Spread(doubt=spread.doubt), draw)
    if isinstance(believed, Refusal):
        return believed
    out = family.mutate(known, spread, draw)
    return out if isinstance(out, Refusal) else (registry.to_json(out), registry.to_json(believed))


def _layout(asset: Asset, draw: Draw) -> Mapping[str, object]:
    """Return the parameters of one of an asset's layouts, by their probabilities."""
    if not asset.alternatives:
        return asset.parameters
    u = float(draw("layout").random())
    for p, parameters in asset.alternatives:
        if u < p:
            return parameters
        u -= p
    return asset.parameters


def _built(asset: Asset, drawn: object) -> Asset:
    """Return the twin's asset as it was drawn (`plain`); what no family builds keeps its form."""
    assert isinstance(drawn, Mapping)
    position, wxyz = tuple(drawn["pose"]["position"]), tuple(drawn["pose"]["wxyz"])
    if asset.family not in registry.names():
        return replace(asset, pose=Pose(position, wxyz))
    p = registry.from_json(asset.family, drawn["parameters"])
    made = registry.family(asset.family).build(p, asset.id)
    return replace(made, pose=Pose(position, wxyz), base=asset.base)
