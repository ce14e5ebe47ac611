"""A picture in its place on a face, and the median of several."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.reconstruct.fronts.rectify import View
from pocketworld.scan.capture import Frame

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Shot:
    """A picture in its place.

    frame                with its colour, and depth where it has some
    picture_from_pixel   (3, 3): from the face's grid, registered, to the picture
    raw_from_pixel       (3, 3): from the face's grid, registered, to the grid where this picture's own pose
                         puts it
    """

    view: View
    frame: Frame
    picture_from_pixel: Array
    raw_from_pixel: Array


def middle(stack: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median over the first axis of what is not nan; nan where nothing is."""
    ordered = np.sort(stack, axis=0)  # nan last
    count = np.isfinite(stack).sum(0)
    low, high = (count - 1) // 2, count // 2
    take = [np.take_along_axis(ordered, np.clip(k, 0, len(stack) - 1)[None], 0)[0] for k in (low, high)]
    return np.where(count > 0, (take[0] + take[1]) / 2, np.float32(np.nan))
