"""What colour says of a door that stands back: where its opening ends, and at which side its lever is."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, median_filter

from pocketworld.reconstruct.fronts.elevation import brightness
from pocketworld.reconstruct.room.wall_picture import WallPicture
from pocketworld.scene import Side

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

BODY = (0.4, 1.4)  # m above the floor: where an opening's edges are plain and notices hang beside it
BESIDE = 0.03  # m to either side of an edge that are compared
STEP = 0.1  # of the brightness there: a smaller step is shade
NOISY = 5.0  # times the usual change from column to column
DIM = 1.0  # grey level: what is darker than this is noise in an eight-bit picture

HAND = (0.8, 1.2)  # m: where hands find levers (0.85 to 1.05: DIN 18101, building codes)
AROUND = 0.3  # m: what is much higher than a lever is an edge of something
STANDS_OUT, QUIET = 0.35, 6.0  # of the brightness about it, and times the noise: a lever is metal
LENGTH, THICK = (0.06, 0.30), 0.12  # m: of a lever, smeared by how it stands out; half hidden still 6 cm
SIZE = 0.001  # m²: half of a lever
OUTER = 0.35  # of an opening's width: handles are at the edge
EDGE = (0.06, 0.2)  # m from an opening's edge: where a lever would be
VISIBLE = 0.9  # of that place


@dataclass(frozen=True, slots=True)
class Lever:
    """Where a lever was looked for on a leaf.

    side           where one is plain to see (left, right), or none
    hidden         the side that is not seen where the other is, and has none; or none
    height         of what was found, m above the floor; 0 where nothing was
    """

    side: Side
    hidden: Side
    height: float


def profile(picture: WallPicture) -> Array:
    """Return (columns,) how bright a wall is from left to right, over the height of a body; nan unseen."""
    return picture.over(brightness(picture.colour).astype(float), BODY)


def edge(bright: Array, u: Array, guess: float, reach: float) -> float | None:
    """Return the u of the clearest step of brightness within reach of a guess, m, or None."""
    pixel = u[1] - u[0]
    n = max(1, round(BESIDE / pixel))
    mean = np.convolve(bright, np.ones(n) / n, "valid")  # nan spreads, rightly
    if len(mean) <= n:
        return None
    change = mean[n:] - mean[:-n]
    at = u[n : n + len(change)] - pixel / 2
    near = np.abs(at - guess) <= reach
    known = np.isfinite(change)
    if not (near & known).any():
        return None
    strength = np.where(near & known, np.abs(change) * (1 - 0.5 * np.abs(at - guess) / reach), 0.0)
    best = int(np.argmax(strength))
    usual = float(np.median(np.abs(change[known])))
    about = max(float(mean[best]), float(mean[best + n]), DIM)
    plain = abs(change[best]) > max(NOISY * usual, STEP * about)
    return float(at[best]) if plain else None


def lever(leaf: WallPicture) -> Lever:
    """Return where on a leaf, seen through its opening, a lever is: a short level piece that stands out."""
    rows = leaf.rows((HAND[0] - AROUND / 2, HAND[1] + AROUND / 2))
    grey = brightness(leaf.colour)[rows].astype(float)
    v, u, pixel = leaf.grid.v[rows], leaf.grid.u, leaf.grid.pixel
    known = np.isfinite(grey)
    found = [_lever(sign, grey, known, pixel) for sign in (1, -1)]
    places = [(u[c], v[r]) for each in found for r, c in each if HAND[0] <= v[r] <= HAND[1]]
    wide = leaf.grid.width
    left = [z for x, z in places if x < OUTER * wide]
    right = [z for x, z in places if x > (1 - OUTER) * wide]
    if bool(left) != bool(right):
        return Lever(Side.LEFT if left else Side.RIGHT, Side.NONE, float(np.median(left or right)))
    if left:
        return Lever(Side.NONE, Side.NONE, 0.0)
    hand = (v >= HAND[0]) & (v <= HAND[1])
    shown = [float(known[hand][:, (x > EDGE[0]) & (x < EDGE[1])].mean()) for x in (u, wide - u)]
    if (shown[0] >= VISIBLE) == (shown[1] >= VISIBLE):
        return Lever(Side.NONE, Side.NONE, 0.0)
    return Lever(Side.NONE, Side.LEFT if shown[0] < VISIBLE else Side.RIGHT, 0.0)


def _lever(sign: int, grey: Array, known: Flags, pixel: float) -> list[tuple[int, int]]:
    """Return (row, column) of the pieces brighter (or darker: -1) than what is above and below them."""
    filled = np.where(known, grey, 0.0)
    about = median_filter(filled, (max(3, round(AROUND / pixel)) | 1, 1))
    proud = np.where(known, sign * (filled - about), 0.0)
    noise = 1.4826 * float(np.median(np.abs(proud[known]))) if known.any() else 0.0
    out = proud > np.maximum(max(QUIET * noise, DIM), STANDS_OUT * about)
    joined = cv2.morphologyEx(out.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    pieces = np.asarray(cv2.connectedComponents(joined, connectivity=4)[1])
    places = []
    for number, box in enumerate(find_objects(pieces), 1):
        high, wide = ((side.stop - side.start) * pixel for side in box)
        area = float((pieces[box] == number).sum()) * pixel**2
        if LENGTH[0] <= wide <= LENGTH[1] and high <= min(THICK, wide) and area >= SIZE:
            places.append(((box[0].start + box[0].stop) // 2, (box[1].start + box[1].stop) // 2))
    return places
