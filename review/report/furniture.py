"""What stands in the twin, put together for the page: faces, joints, and what else it may be."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pocketworld.families import registry
from pocketworld.families.protocol import Elevation
from pocketworld.review.report.faces import SMALL, Face, faces
from pocketworld.review.report.joints import Row, rows, taken_for
from pocketworld.review.report.size import size
from pocketworld.review.report.words import counted, millimetres, plural, probability
from pocketworld.scene import Asset, Base, Scene


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another layout that an asset may have: its probability, and its fronts drawn on faces."""

    p: float
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """An asset: facts in words, faces with fronts, the other faces, a row a joint, other layouts."""

    id: str
    family: str
    facts: str
    faces: tuple[Face, ...]
    others: tuple[Face, ...]
    rows: tuple[Row, ...]
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """The assets of one family."""

    family: str
    things: tuple[Thing, ...]

    @property
    def title(self) -> str:
        """Return "3 cabinets"."""
        return plural(len(self.things), self.family)

    @property
    def shown(self) -> tuple[Thing, ...]:
        """Return those with pictures, fronts or other layouts."""
        return tuple(t for t in self.things if t.faces or t.others or t.rows or t.alternatives)

    @property
    def plain(self) -> tuple[Thing, ...]:
        """Return the others."""
        return tuple(t for t in self.things if t not in self.shown)


def verdict(scene: Scene) -> str:
    """Return one line: "1 cabinet; 4 drawers that open, surest 0.97, least sure 0.81."."""
    if not scene.assets:
        return "No furniture was found."
    known = counted(Counter(asset.family for asset in scene.assets))
    joints = list(scene.joints())
    if not joints:
        return f"{known}, nothing that opens."
    roles = counted(Counter(asset.part(joint.child).role for asset, joint in joints))
    p = [taken_for(joint).p for _, joint in joints]
    if len(p) == 1:
        return f"{known}; {roles} that opens, sure {probability(p[0])}."
    return f"{known}; {roles} that open, surest {probability(max(p))}, least sure {probability(min(p))}."


def things(scene: Scene, elevations: Mapping[str, Iterable[Elevation]]) -> tuple[Thing, ...]:
    """Return a scene's assets for the page, in the scene's order."""
    return tuple(_thing(asset, elevations.get(asset.id, ())) for asset in scene.assets)


def kinds(scene: Scene, elevations: Mapping[str, Iterable[Elevation]]) -> tuple[Kind, ...]:
    """Return a scene's assets by family: those with something to open first, then in the scene's order."""
    families: dict[str, list[Thing]] = {}
    for thing in things(scene, elevations):
        families.setdefault(thing.family, []).append(thing)
    found = [Kind(family, tuple(some)) for family, some in families.items()]
    return tuple(sorted(found, key=lambda kind: not any(thing.rows for thing in kind.things)))


def _thing(asset: Asset, elevations: Iterable[Elevation]) -> Thing:
    drawn = faces(asset, elevations)
    return Thing(
        id=asset.id,
        family=asset.family,
        facts=_facts(asset),
        faces=tuple(face for face in drawn if face.marks),
        others=tuple(face for face in drawn if not face.marks),
        rows=rows(asset),
        alternatives=tuple(Alternative(p, _other(asset, other)) for p, other in asset.alternatives),
    )


def _facts(asset: Asset) -> str:
    outer = millimetres(size(asset))
    mass = sum(part.mass for part in asset.parts)
    base = "fixed to the building" if asset.base is Base.FIXED else "free to be pushed"
    kind = f"{asset.family}, " * (asset.family != asset.id)
    return f"{kind}{outer} (width, depth, height), {mass:.1f} kg, {base}"


def _other(asset: Asset, parameters: Mapping[str, object]) -> tuple[Face, ...]:
    """Return the faces of an asset as other parameters of its family would have them."""
    p = registry.from_json(asset.family, parameters)
    return faces(registry.family(asset.family).build(p, asset.id), (), SMALL)
