"""The way a grip has to go to open a joint: in front of its handle, at it, and with it as it opens."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Asset, Joint, Scene
from pocketworld.sim.models.mjcf import grasp, name_of

Array = NDArray[np.float64]
AHEAD = (0.16, 0.05)  # m in front of the handle: where episodes begin, and where a hand lines up
# Of the range: as far as parts stand open at most, before they are shut
SHARES = tuple(np.linspace(0, 0.9, 8))
CLOSED = len(AHEAD)  # the path's point at which the closed handle is held
OTHER_WAY = np.diag((1.0, -1.0, -1.0, 1.0))  # a handle turned by half a turn is the same handle
FREE = 0.0065  # m free on each side of a handle between the open fingers


@dataclass(frozen=True, eq=False, slots=True)
class Path:
    """A joint's: grips (k, 4, 4) world_from_grip, and how far the joint is open at each (k,), m or rad.

    opening   m that each finger is open
    """

    id: str
    grips: Array
    q: Array
    opening: float

    @property
    def out(self) -> Array:
        """Return the horizontal unit vector (2,) away from the furniture, (0, 0) for what opens upwards."""
        flat: Array = self.grips[CLOSED, :2, 0]
        size = float(np.linalg.norm(flat))
        return flat / size if size > 0.5 else np.zeros(2)


def paths(scene: Scene) -> tuple[Path, ...]:
    """Return the paths of all joints that have a handle."""
    return tuple(_path(asset, joint) for asset, joint in scene.joints() if asset.part(joint.child).handle)


def _path(asset: Asset, joint: Joint) -> Path:
    part = asset.part(joint.child)
    assert part.handle is not None
    held = grasp(part)
    q = (0.0,) * len(AHEAD) + tuple(share * joint.range[1] for share in SHARES)
    back = (*AHEAD, *(0.0,) * len(SHARES))
    grips = [
        asset.pose.matrix @ joint.motion(value) @ held @ _back(far)
        for value, far in zip(q, back, strict=True)
    ]
    return Path(name_of(asset, joint), np.array(grips), np.array(q), part.handle.thickness / 2 + FREE)


def _back(far: float) -> Array:
    out = np.eye(4)
    out[0, 3] = far
    return out


def towards(paths: Sequence[Path], way: Array) -> Array:
    """Return the paths' points (m, k, 4, 4), turned the other way where `way` (m,) is 1."""
    grips = np.array([path.grips for path in paths])
    return np.where(way[:, None, None, None] > 0, grips @ OTHER_WAY, grips)
