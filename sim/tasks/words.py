"""Says in words what is to be done: "open the top left drawer of cabinet-1"."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Asset, Joint

Array = NDArray[np.float64]
APART = 0.3  # of a part's own size: centres that are no further apart stand in one row or column
COUNTED = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def sentence(verb: str, asset: Asset, joint: Joint) -> str:
    """Return what is to be done with a joint's part: told from its like by where it is in the front."""
    role = asset.part(joint.child).role
    alike = [other for other in asset.movable if asset.part(other.child).role == role]
    names = _places(asset, alike)
    place = names[[other.id for other in alike].index(joint.id)]
    words = (verb, "the", place, role.replace("_", " "), "of", asset.id)
    return " ".join(word for word in words if word)


def _places(asset: Asset, joints: Sequence[Joint]) -> list[str]:
    """Return where each part is: its row, and where in that; else its number, from the top left."""
    boxes = np.array([_box(asset, joint) for joint in joints])
    centres, sizes = boxes.mean(1), boxes[:, 1] - boxes[:, 0]
    downs = _order(-centres[:, 2], sizes[:, 2])
    rights = np.zeros(len(joints), int)
    for row in range(max(downs) + 1):
        (of,) = np.nonzero(downs == row)
        rights[of] = _order(centres[of, 0], sizes[of, 0])
    rows = _names(max(downs) + 1, ("top", "middle", "bottom"), "")
    names = []
    for down, right in zip(downs, rights, strict=True):
        columns = _names(max(rights[downs == down]) + 1, ("left", "middle", "right"), " from the left")
        names.append(f"{rows[down]} {columns[right]}".strip())
    if len(set(names)) == len(names):
        return names
    ranks = np.lexsort((rights, downs)).argsort()
    return [f"number {rank + 1}" for rank in ranks]


def _box(asset: Asset, joint: Joint) -> Array:
    """Return the corners (2, 3) of a part's box, m, in the asset's frame: +x to the right, +z up."""
    points = np.concatenate([np.asarray(piece.vertices) for piece in asset.part(joint.child).pieces])
    return np.stack([points.min(0), points.max(0)])


def _order(centres: Array, sizes: Array) -> NDArray[np.int64]:
    """Return in which row or column each is (n,), from 0."""
    ranks, place = np.zeros(len(centres), np.int64), 0
    for before, now in pairwise(np.argsort(centres, kind="stable")):
        place += bool(centres[now] - centres[before] > APART * min(sizes[now], sizes[before]))
        ranks[now] = place
    return ranks


def _names(count: int, ends: tuple[str, str, str], side: str) -> Sequence[str]:
    """Return what `count` rows or columns are called."""
    first, _, last = ends
    if count <= 3:
        return (("",), (first, last), ends)[count - 1]
    between = [COUNTED[i] if i < len(COUNTED) else f"{i + 2}th" for i in range(count - 2)]
    return (first, *(f"{word}{side}" for word in between), last)
