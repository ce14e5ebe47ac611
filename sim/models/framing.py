"""Where to look at a scene from: at what opens, from the side to which it opens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import Vec3
from pocketworld.geometry.separating import corners
from pocketworld.scene import Asset, Joint, Scene

Array = NDArray[np.float64]
FOVY = 32.0  # degrees
ASPECT = 4 / 3
NEAREST = 0.1  # m: no nearer to anything
MARGIN = 1.05  # of empty picture around what is framed
VIEW = (0.62, -1.0, 0.52)  # towards the camera, in the focus's frame: from the front, right and above
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
    back = look.turn @ np.array(VIEW) / np.linalg.norm(VIEW)
    right = np.cross((0, 0, 1.0), back)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(back, right), back])
    seen = extent(look.assets) @ axes.T
    centre = (seen.min(0) + seen.max(0)) / 2
    x, y, z = np.abs(seen - centre).T[0], np.abs(seen - centre).T[1], (seen - centre).T[2]
    tall = math.tan(math.radians(FOVY) / 2)
    away = float(np.max(np.maximum(x / (tall * ASPECT), y / tall) * MARGIN + z)) + NEAREST
    position = (centre + np.array([0, 0, away])) @ axes
    return Framing(_vec(position), _vec(axes[0]), _vec(axes[1]), FOVY)


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
