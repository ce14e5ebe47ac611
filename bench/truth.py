"""What a capture truly shows: fronts, handles, the outer box, in the frame of the capture's own files (m)."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.bench.rectangles import corners, moved, moved_point, normal, vec3
from pocketworld.errors import PocketworldError
from pocketworld.geometry import se3
from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Asset, HandleKind, Joint, JointKind, Rectangle, Scene, Side

Array = NDArray[np.float64]

# Body panels of furniture are 16-19 mm; only `slab` IoU uses it, where the file does not say.
PANEL = 0.018


class TruthError(PocketworldError):
    """A truth file that can't be read."""


@dataclass(frozen=True, slots=True)
class TrueHandle:
    """A handle's centre, projected on the front's face, and its long side's length; sure: of its centre."""

    centre: Vec3
    length: float
    sure: float = 0.0


@dataclass(frozen=True, slots=True)
class TruePart:
    """A part that truly moves. What is None is not known.

    front     its face, closed
    axis      unit vector: direction of opening for a slide, right-handed turn of opening for a hinge
    origin    a point on a hinge's axis, m;  range, state: m or rad
    sure      of the front's edges, m
    """

    id: str
    kind: JointKind
    front: Rectangle
    axis: Vec3
    side: Side = Side.NONE
    origin: Vec3 | None = None
    range: float | None = None
    state: float | None = None
    handle: TrueHandle | None = None
    sure: float = 0.0


@dataclass(frozen=True, slots=True)
class TrueBox:
    """The outer box without handles, in the manner of an asset: unit vectors to its right and into it, as one
    faces its front; foot: centre of its bottom face; size: (width, depth, height); sure: of the size, m.

    asset, family   which one, and what it is, where a truth has several
    """

    foot: Vec3
    right: Vec3
    into: Vec3
    size: Vec3
    sure: float = 0.0
    asset: str = ""
    family: str = ""

    @property
    def capture_from_box(self) -> Array:
        """Return (4, 4): from the box's own frame (origin at its foot) to the capture's."""
        out = np.eye(4)
        out[:3, :3] = np.stack([self.right, self.into, np.cross(self.right, self.into)], 1)
        out[:3, 3] = self.foot
        return out

    @property
    def face(self) -> Rectangle:
        """Return its front face."""
        width, depth, height = self.size
        own = Rectangle((0, -depth / 2, height / 2), (1, 0, 0), (0, 0, 1), width, height)
        return moved(self.capture_from_box, own)


@dataclass(frozen=True, slots=True)
class Truth:
    """A piece of furniture, or all of a room, as it truly is, and the capture it is in.

    parts   of a room are called asset/part;  thickness: of fronts, m
    """

    capture: str
    boxes: tuple[TrueBox, ...]
    parts: tuple[TruePart, ...]
    thickness: float = PANEL
    how: str = ""

    @property
    def box(self) -> TrueBox:
        """Return the box of the one asset; raises TruthError where there are several."""
        if len(self.boxes) != 1:
            raise TruthError(
                f"the truth of {self.capture} has {len(self.boxes)} boxes", "ask for one of them"
            )
        return self.boxes[0]


def of(scene: Scene) -> Truth:
    """Return the truth of a scene in the frame of its capture's files; raises TruthError of an empty one."""
    if not scene.assets:
        raise TruthError(f"scene {scene.name} has 0 assets", "truth is of at least one")
    alone = len(scene.assets) == 1
    boxes, parts = [], []
    for asset in scene.assets:
        capture_from_asset = se3.inverse(np.array(scene.scene_from_capture)) @ asset.pose.matrix
        box = _true_box(asset, capture_from_asset)
        boxes.append(box if alone else replace(box, asset=asset.id, family=asset.family))
        prefix = "" if alone else f"{asset.id}/"
        parts += [_true_part(asset, joint, capture_from_asset, prefix) for joint in asset.movable]
    return Truth(scene.name, tuple(boxes), tuple(parts), how="the parameters it was made from")


def _true_box(asset: Asset, capture_from_asset: Array) -> TrueBox:
    low, high = outer(asset)
    foot = np.array([*(low[:2] + high[:2]) / 2, low[2]])
    return TrueBox(
        vec3(moved_point(capture_from_asset, foot)),
        vec3(capture_from_asset[:3, 0]),
        vec3(capture_from_asset[:3, 1]),
        vec3(high - low),
    )


def outer(asset: Asset) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,), (3,) of an asset without its handles, in its own frame (m).

    The body's collision pieces and the fronts' faces span it: handles are pieces of the parts that move.
    """
    points = [piece.vertices for piece in asset.parts[0].pieces]
    points += [corners(part.front) for part in asset.parts if part.front is not None]
    if not points:
        raise PocketworldError(
            f"asset {asset.id}: no collision pieces and no fronts", "it has no size to measure"
        )
    every = np.concatenate(points)
    return every.min(0), every.max(0)


def _true_part(asset: Asset, joint: Joint, capture_from_asset: Array, prefix: str) -> TruePart:
    part = asset.part(joint.child)
    if part.front is None:
        raise TruthError(f"part {asset.id}/{part.id} moves but has no front", "give it one")
    handle, grip = None, part.handle
    if grip is not None and grip.kind is not HandleKind.NONE:
        out = normal(part.front)
        at_face = np.array(grip.grip) - ((np.array(grip.grip) - part.front.centre) @ out) * out
        handle = TrueHandle(vec3(moved_point(capture_from_asset, at_face)), grip.length)
    return TruePart(
        f"{prefix}{part.id}",
        joint.kind,
        moved(capture_from_asset, part.front),
        vec3(capture_from_asset[:3, :3] @ joint.axis),
        joint.belief.best.side,
        vec3(moved_point(capture_from_asset, joint.origin)),
        joint.range[1],
        joint.state,
        handle,
    )
