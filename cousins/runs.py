"""Runs of furniture: units side by side, flush with each other, and the tops that lie on some of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.cousins.extent import seen_from
from pocketworld.scene import Asset, Scene

Array = NDArray[np.float64]
PARALLEL = 0.98  # cosine of 11 degrees: what faces further away stands around a corner


@dataclass(frozen=True, slots=True)
class Top:
    """What lies on units of a run and is flush with them: its id, and theirs."""

    id: str
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Ids of units that stand side by side, from the left as seen from their front, and the tops on them.

    A thing by itself is a run of one unit.
    """

    units: tuple[str, ...]
    tops: tuple[Top, ...] = ()

    @property
    def id(self) -> str:
        """Return the name of what its units share; it does not depend on where they stand."""
        return min(self.units)

    @property
    def members(self) -> tuple[str, ...]:
        """Return the ids of its units, then of its tops."""
        return (*self.units, *(top.id for top in self.tops))


def runs(scene: Scene) -> tuple[Run, ...]:
    """Return all assets of a scene as runs, in the order of their first members.

    `flush_with` joins what stands along one line; what is also `on` what it is flush with is a top.
    """
    assets = {asset.id: asset for asset in scene.assets}
    on = {(r.a, r.b) for r in scene.relations if r.kind == "on"}
    flush = {(r.a, r.b) for r in scene.relations if r.kind == "flush_with" and {r.a, r.b} <= set(assets)}
    both = flush | {(b, a) for a, b in flush}
    tops = {a for a, b in both if (a, b) in on}
    beside = {(a, b) for a, b in both if _one_line(assets[a], assets[b], bool({a, b} & tops))}
    return tuple(_run([assets[id] for id in group], tops, beside) for group in _groups(assets, beside))


def heading(asset: Asset) -> Array:
    """Return an asset's level axes (3, 3) in the scene, as columns: to its right, inwards, up."""
    right = asset.pose.matrix[:3, 0] * (1, 1, 0)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross((0, 0, 1), right), np.array((0.0, 0.0, 1.0))], 1)


def _one_line(a: Asset, b: Asset, either_way: bool) -> bool:
    """Say whether two assets face the same way; a top may lie the other way round."""
    cosine = float(heading(a)[:, 0] @ heading(b)[:, 0])
    return (abs(cosine) if either_way else cosine) > PARALLEL


def _groups(ids: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the connected groups, in the order of their first ids."""
    group = {id: [id] for id in ids}
    for a, b in sorted(pairs):
        if group[a] is not group[b]:
            merged = group[a] + group[b]
            group.update(dict.fromkeys(merged, merged))
    return list({id(members): members for members in group.values()}.values())


def _run(group: Sequence[Asset], tops: set[str], beside: set[tuple[str, str]]) -> Run:
    units = [asset for asset in group if asset.id not in tops] or list(group)
    axes = heading(min(units, key=lambda asset: asset.id))
    units.sort(key=lambda asset: (float(seen_from(asset, axes)[0][0]), asset.id))
    ids = tuple(asset.id for asset in units)
    above = sorted({asset.id for asset in group} - set(ids))
    return Run(ids, tuple(Top(id, tuple(unit for unit in ids if (id, unit) in beside)) for id in above))
