"""What every finder of a room returns: assets where they stand, with what was noticed and read on the way."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pocketworld.families.protocol import Elevation
from pocketworld.findings import Finding
from pocketworld.scene import Asset, Relation


@dataclass(frozen=True, eq=False, slots=True)
class Placed:
    """An asset where it stands in the scene, what was noticed, the elevations it was read from, and how it
    stands to others (by the ids that their finders gave them, "floor" among them).
    """

    asset: Asset
    findings: tuple[Finding, ...] = ()
    elevations: tuple[Elevation, ...] = ()
    relations: tuple[Relation, ...] = ()


def named(placed: Iterable[Placed]) -> tuple[Placed, ...]:
    """Return what was placed, each named by what it is, counted where there are several.

    Relations and findings follow; a finding's subject may be "thing-3" or "capture/thing-3".
    """
    every = list(placed)
    total, seen, ids = Counter(p.asset.family for p in every), Counter[str](), dict[str, str]()
    for one in every:
        family = one.asset.family
        seen[family] += 1
        ids[one.asset.id] = f"{family}-{seen[family]}" if total[family] > 1 else family
    return tuple(_renamed(one, ids) for one in every)


def _renamed(one: Placed, ids: dict[str, str]) -> Placed:
    id = ids[one.asset.id]
    # What was noticed of a thing before it had a name says "thing-3", or "capture/thing-3".
    own = [f.subject.split("/")[-1] == one.asset.id for f in one.findings]
    findings = tuple(replace(f, subject=id) if its else f for f, its in zip(one.findings, own, strict=True))
    relations = tuple(replace(r, a=ids.get(r.a, r.a), b=ids.get(r.b, r.b)) for r in one.relations)
    return Placed(replace(one.asset, id=id), findings, one.elevations, relations)
