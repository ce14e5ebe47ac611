"""How many parts and pieces an asset has: what a model must have room for that holds any of several assets.

A simulator that steps many worlds as one model needs the same tree in each: as many bodies, joints of the
same types, pieces of the same shapes. What a world lacks is there, but absent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import reduce

from pocketworld.geometry.convex import BoxPiece, Piece
from pocketworld.scene import Asset, JointKind, Part


@dataclass(frozen=True, slots=True)
class Pieces:
    """How many boxes and how many hulls."""

    boxes: int = 0
    hulls: int = 0

    def __or__(self, other: "Pieces") -> "Pieces":
        """Return room for either."""
        return Pieces(max(self.boxes, other.boxes), max(self.hulls, other.hulls))

    def __add__(self, other: "Pieces") -> "Pieces":
        """Return room for both."""
        return Pieces(self.boxes + other.boxes, self.hulls + other.hulls)


@dataclass(frozen=True, slots=True)
class Slots:
    """Room for an asset.

    root                     pieces of the part that all others hang on
    slides, hinges, fixed    how many parts hang on it by a joint of that kind
    slide, hinge, panel      pieces of each of them
    """

    root: Pieces = Pieces()
    slides: int = 0
    slide: Pieces = Pieces()
    hinges: int = 0
    hinge: Pieces = Pieces()
    fixed: int = 0
    panel: Pieces = Pieces()

    def __or__(self, other: "Slots") -> "Slots":
        """Return room for either asset."""
        values = {}
        for field in fields(self):
            mine, others = getattr(self, field.name), getattr(other, field.name)
            values[field.name] = max(mine, others) if isinstance(mine, int) else mine | others
        return Slots(**values)

    def lacking(self, asset: "Slots") -> str:
        """Return what there is no room for, in words ("3 slides, of 2"); nothing where all fits."""
        for field in fields(self):
            need, have = getattr(asset, field.name), getattr(self, field.name)
            if isinstance(need, int):
                if need > have:
                    return f"{need} {field.name}, of {have}"
                continue
            for kind in ("boxes", "hulls"):
                if getattr(need, kind) > getattr(have, kind):
                    return f"{getattr(need, kind)} {kind} of its {field.name}, of {getattr(have, kind)}"
        return ""


def pieces(of: Iterable[Piece]) -> Pieces:
    """Count pieces."""
    kinds = [isinstance(piece, BoxPiece) for piece in of]
    return Pieces(sum(kinds), len(kinds) - sum(kinds))


def slots(asset: Asset) -> Slots:
    """Return the room that an asset takes whose joints all hang on its first part."""
    parts: dict[JointKind, list[Part]] = {kind: [] for kind in JointKind}
    for joint in asset.joints:
        parts[joint.kind].append(asset.part(joint.child))
    most = {
        kind: reduce(Pieces.__or__, (pieces(p.pieces) for p in of), Pieces()) for kind, of in parts.items()
    }
    slide, hinge, fixed = JointKind.SLIDE, JointKind.HINGE, JointKind.FIXED
    return Slots(
        pieces(asset.parts[0].pieces),
        *(len(parts[slide]), most[slide]),
        *(len(parts[hinge]), most[hinge]),
        *(len(parts[fixed]), most[fixed]),
    )


def flat(asset: Asset) -> bool:
    """Say whether all joints of an asset hang on its first part, and each part on one."""
    root = asset.parts[0].id
    return all(joint.parent == root for joint in asset.joints) and len(asset.joints) == len(asset.parts) - 1
