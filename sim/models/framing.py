"""Where to look at a scene from: at what opens, from the side to which it opens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import Vec3
from pocketworld.geometry.separating import corners
from pocketworld.scene import Asset, Joint, Part, Scene

Array = NDArray[np.float64]
FOVY = 32.0  # degrees
ASPECT = 4 / 3
NEAREST = 0.1  # m: no nearer to anything
MARGIN = 1.05  # of empty picture around what is framed
VIEW = (0.62, -1.0, 0.52)  # towards the camera, in the focus's frame: from the front, right and above
LEVEL = 0.5  # of a way out that is level: less, and it goes up or down
WALL = "wall"  # what stands behind everything is not what one looks at


@dataclass(frozen=True, slots=True)
class Framing:
    """Where a camera stands (m), unit vectors to its right and up, its vertical view (degrees)."""

    position: Vec3
    right: Vec3
    up: Vec3
    fovy: float


@dataclass(frozen=True, eq=False, slots=True)
class Focus:
    """What to look at; turn (3, 3): x to the right and y away from who looks at its front."""

    assets: tuple[Asset, ...]
    turn: Array


def focus(scene: Scene) -> Focus:
    """Return what one looks at: what opens and what stands on that, all but the walls where nothing opens.

    It is looked at from the side to which most fronts open.
    """
    opening = [asset for asset in scene.assets if asset.movable]
    ids = {asset.id for asset in opening}
    carried = {r.a for r in scene.relations if r.kind == "on" and r.b in ids}
    shown = [asset for asset in scene.assets if asset.id in ids | carried]
    shown = shown or [asset for asset in scene.assets if asset.family != WALL] or list(scene.assets)
    return Focus(tuple(shown), _turn(shown))


def _turn(shown: Sequence[Asset]) -> Array:
    """Return the frame of the asset that faces as most joints do; the first of equals."""
    if not shown:
        return np.eye(3)
    backs = np.array([asset.pose.matrix[:3, 1] for asset in shown])
    joints = np.array([len(asset.movable) for asset in shown])
    votes = ((backs @ backs.T) > math.cos(math.radians(20))) @ joints
    return np.asarray(shown[int(np.argmax(votes))].pose.matrix[:3, :3])


def camera(scene: Scene) -> Framing:
    """Return a camera from the front, right and above that sees all of a scene's focus, closed and open."""
    look = focus(scene)
    return around(extent(look.assets), look.turn)


def around(points: Array, turn: Array, view: Vec3 = VIEW, fovy: float = FOVY) -> Framing:
    """Return a camera that sees all points (n, 3) from the side `view`, given in the frame `turn` (3, 3)."""
    back = turn @ np.array(view) / np.linalg.norm(view)
    right = np.cross((0, 0, 1.0), back)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(back, right), back])
    seen = points @ axes.T
    centre = (seen.min(0) + seen.max(0)) / 2
    x, y, z = np.abs(seen - centre).T[0], np.abs(seen - centre).T[1], (seen - centre).T[2]
    tall = math.tan(math.radians(fovy) / 2)
    away = float(np.max(np.maximum(x / (tall * ASPECT), y / tall) * MARGIN + z)) + NEAREST
    position = (centre + np.array([0, 0, away])) @ axes
    return Framing(_vec(position), _vec(axes[0]), _vec(axes[1]), fovy)


def facing(asset: Asset, joint: Joint) -> Array:
    """Return the frame (3, 3) of who looks at a joint's part: x to the right, y away, z up.

    What lies level, as a lid, is looked at as its asset is.
    """
    out = asset.pose.matrix[:3, :3] @ outwards(asset.part(joint.child))
    level = math.hypot(out[0], out[1])
    away = -out if level > LEVEL else asset.pose.matrix[:3, 1]
    x, y = away[:2] / math.hypot(away[0], away[1])
    return np.array([[y, x, 0.0], [-x, y, 0.0], [0.0, 0.0, 1.0]])


def outwards(part: Part) -> Array:
    """Return the way out of a part's front (3,), in its asset's frame: who opens it stands there."""
    if part.handle is not None:
        return np.array(part.handle.out)
    if part.front is not None:
        return np.cross(part.front.right, part.front.up)
    return np.array([0.0, -1.0, 0.0])


def sweep(asset: Asset, joint: Joint, places: Sequence[float], before: float) -> Array:
    """Return where a joint's part is (k, n, 3) with its joint at each place (k,), m or rad; its handle first.

    All of it lies `before` its front, m, where what holds it is; a part without a front is its own corners.
    """
    part = asset.part(joint.child)
    corner = np.array([(x, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)])
    points = corners(part.pieces)
    if part.front is not None:
        edges = np.array([part.front.right, part.front.up]) * [[part.front.width], [part.front.height]]
        points = np.array(part.front.centre) + corner @ edges
    grip = part.handle.grip if part.handle else points.mean(0)
    points = np.concatenate([np.reshape(grip, (1, 3)), points]) + before * outwards(part)
    moves = [asset.pose.matrix @ joint.motion(q) for q in places]
    return np.stack([points @ move[:3, :3].T + move[:3, 3] for move in moves])


def within(points: Array, turn: Array, middle: Array, half: float) -> Array:
    """Return points (n, 3), those farther than `half` m from a middle (3,) moved to the sides of that box.

    The box's sides lie along `turn` (3, 3).
    """
    return np.asarray(middle + np.clip((points - middle) @ turn, -half, half) @ turn.T)


def poses(asset: Asset, openness: float) -> dict[str, Array]:
    """Return each part's motion (4, 4) in the asset's frame with every joint at a share of its range."""
    out = {asset.parts[0].id: np.eye(4)}
    for joint in asset.joints:  # parents come before their children
        out[joint.child] = out[joint.parent] @ joint.motion(_at(joint, openness))
    return out


def _at(joint: Joint, openness: float) -> float:
    low, high = joint.range
    return low + openness * (high - low)


def extent(assets: Sequence[Asset], states: Sequence[float] = (0.0, 0.5, 1.0)) -> Array:
    """Return corners (n, 3) of all collision pieces in the scene, m; states: how far open, as shares.

    What stands still is there once.
    """
    out = [np.zeros((0, 3))]
    for asset in assets:
        motions = [poses(asset, openness) for openness in (states if asset.movable else states[:1])]
        for part in asset.parts:
            points = corners(part.pieces)
            moves = [asset.pose.matrix @ motion[part.id] for motion in motions]
            still = all(np.array_equal(moves[0], move) for move in moves[1:])
            out += [points @ move[:3, :3].T + move[:3, 3] for move in (moves[:1] if still else moves)]
    points = np.concatenate(out)
    return points if len(points) else np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def _vec(values: Array) -> Vec3:
    x, y, z = (float(v) for v in values)
    return x, y, z
