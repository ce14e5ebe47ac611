"""Long upright planes seen straight on: one pass over the pictures paints them all.

A wall is seen slanted and part by part by who walks along it, so each place of it keeps the few looks that
show it best, and their median is shown: what stands before the wall lies elsewhere in each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.rectify import FaceGrid, picture_from_face, rectified, world_from_face
from pocketworld.scan.capture import Capture, Frame

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]
Colours = NDArray[np.float32]
Flags = NDArray[np.bool_]

LOOKS = 3  # kept of each place
SLANTED = 0.1  # cosine: at 84 degrees from straight on nothing is to be read
NEAREST = 0.1  # m: nobody holds a camera nearer to what he scans
FARTHEST = 6.0  # m: a pixel of a phone's picture covers more than a centimetre of a wall seen slanted
# Pictures are made nearly as bright as their neighbours; wholly, errors would add up along a wall.
EVENED = 0.8
SEEN = 0.6  # of a column's height: less tells too little
OVERLAP = 100  # pixels that two pictures share tell how much brighter one of them is


@dataclass(frozen=True, slots=True)
class Pane:
    """The part of an upright plane that is looked at: the front face of a box, and pixels over it.

    before   m that it is behind an opening as wide as itself, through which alone it is seen
    """

    box: UprightBox
    grid: FaceGrid
    before: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class WallPicture:
    """A pane seen straight on.

    colour   (h, w, 3) float32 RGB, as bright as its neighbours, nan where no picture shows it
    slant    (h, w): cosine between the best look and straight on, 0 where there is none
    frames   how many pictures it is made of
    """

    grid: FaceGrid
    colour: NDArray[np.float32]
    slant: NDArray[np.float32]
    frames: int

    def rows(self, between: tuple[float, float]) -> Flags:
        """Return (h,) which rows lie between two heights, m."""
        return np.asarray((self.grid.v > between[0]) & (self.grid.v < between[1]), bool)

    def crop(self, u0: float, u1: float, height: float) -> "WallPicture":
        """Return the part from u0 to u1, up to a height, m; its own u begins at 0."""
        columns = np.flatnonzero((self.grid.u > u0) & (self.grid.u < u1))
        rows = np.flatnonzero(self.grid.v < height)
        where = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        pixel = self.grid.pixel
        grid = FaceGrid(len(columns) * pixel, len(rows) * pixel, 0.0, pixel)
        return WallPicture(grid, self.colour[where], self.slant[where], self.frames)

    def over(self, values: Array, between: tuple[float, float]) -> Array:
        """Return (w,) the median of values (h, w) between two heights; nan where too little was seen."""
        part = values[self.rows(between)]
        out = np.full(part.shape[1], np.nan)
        seen = np.isfinite(part).mean(0) > SEEN
        out[seen] = np.nanmedian(part[:, seen], axis=0)
        return out


def beside(values: Array, n: int) -> Array:
    """Return what lies n columns to the right of each (to the left: n < 0); nan past the ends."""
    out = np.full(values.shape, np.nan)
    if abs(n) < values.shape[1]:
        out[:, max(0, -n) : values.shape[1] - max(0, n)] = values[:, max(0, n) : values.shape[1] - max(0, -n)]
    return out


def pane(
    normal: Sequence[float],
    distance: float,
    low: float,
    high: float,
    height: float,
    pixel: float,
    before: float = 0.0,
) -> Pane:
    """Return the pane of a plane `normal · (x, y) = distance`, from `low` to `high` along it, up to a height.

    It begins at the floor; u = 0 is at `low`: both run to the right for who stands before it.
    """
    x, y = normal
    middle = (low + high) / 2
    depth = 0.1  # m: of the box behind the pane; any will do
    back = distance - depth / 2
    foot = (x * back - y * middle, y * back + x * middle, 0.0)
    box = UprightBox(foot, float(np.arctan2(x, -y)), (high - low, depth, height))
    return Pane(box, FaceGrid(high - low, height, 0.0, pixel), before)


def paint(capture: Capture, poses: Array, panes: Sequence[Pane]) -> list[WallPicture]:
    """Return the panes as the capture's pictures show them; poses: (n, 4, 4) scene_from_camera."""
    canvases = [_Canvas(one) for one in panes]
    for i in map(int, np.flatnonzero(capture.coloured)):
        shown = [(c, span) for c in canvases if (span := c.span(poses[i])) is not None]
        if shown:
            frame = capture[i]
            for canvas, span in shown:
                canvas.add(frame, poses[i], span)
    return [canvas.picture() for canvas in canvases]


class _Canvas:
    """The best looks at a pane so far."""

    def __init__(self, one: Pane) -> None:
        self.pane, self.frames = one, 0
        shape = one.grid.shape
        self.cost = np.full((LOOKS, *shape), np.inf, np.float32)
        self.colour = np.zeros((LOOKS, *shape, 3), np.float32)
        self.slant = np.zeros(shape, np.float32)

    def span(self, pose: Array) -> tuple[int, int] | None:
        """Return the columns that a camera stands near enough to, whatever way it looks."""
        u, _, h = self._centre(pose)
        grid = self.pane.grid
        if not NEAREST < h < FARTHEST:
            return None
        reach = min(FARTHEST, h / SLANTED)
        first, last = ((u + side - grid.u[0]) / grid.pixel for side in (-reach, reach))
        first, last = max(0, int(first)), min(grid.shape[1], int(last) + 1)
        return (first, last) if first < last else None

    def add(self, frame: Frame, pose: Array, span: tuple[int, int]) -> None:
        """Keep what a picture shows better than those before it."""
        assert frame.colour is not None
        assert frame.colour_camera is not None
        whole = self.pane.grid
        where = self._ahead(pose, span)
        if where is None:
            return
        from_part = np.array([[1.0, 0, where.start], [0, 1, 0], [0, 0, 1]])
        from_face = picture_from_face(frame.colour_camera, pose, self.pane.box)
        grid = FaceGrid((where.stop - where.start) * whole.pixel, whole.height, 0.0, whole.pixel)
        looks, seen = rectified(frame.colour, from_face @ whole.face_from_pixel @ from_part, grid)
        seen &= self._through(pose, where)
        if seen.any():
            self.frames += 1
            self._keep(looks, seen, where, *self._blur(pose, where))

    def _keep(self, looks: Picture, seen: Flags, where: slice, blur: Array, cosine: Array) -> None:
        cost = np.where(seen, blur, np.inf).astype(np.float32)
        moving = self._as_bright(looks, seen, where)
        for k in range(LOOKS):
            kept, colour = self.cost[k][:, where], self.colour[k][:, where]
            better = cost < kept
            if k == 0:
                self.slant[:, where][better] = cosine.astype(np.float32)[better]
            swapped, moved = kept[better].copy(), colour[better].copy()
            kept[better], colour[better] = cost[better], moving[better]
            cost[better], moving[better] = swapped, moved

    def _as_bright(self, looks: Picture, seen: Flags, where: slice) -> Colours:
        """Return a picture as bright as those before it where both show something."""
        both = seen & np.isfinite(self.cost[0][:, where])
        there, here = (float(each[both].sum()) for each in (self.colour[0][:, where], looks))
        if both.sum() < OVERLAP or min(there, here) == 0:
            return looks.astype(np.float32)
        return np.asarray(looks * np.float32((there / here) ** EVENED), np.float32)

    def picture(self) -> WallPicture:
        """Return the median of what was kept."""
        known = np.isfinite(self.cost)
        stack = np.where(known[..., None], self.colour, np.float32(np.nan))
        count = known.sum(0)
        ordered = np.sort(stack, axis=0)
        middle = np.clip((count - 1) // 2, 0, None)
        colour = np.take_along_axis(ordered, middle[None, ..., None], 0)[0]
        return WallPicture(self.pane.grid, colour, self.slant, self.frames)

    def _centre(self, pose: Array) -> tuple[float, float, float]:
        """Return (u, v, h) of a camera: h is how far it is before the pane."""
        face_from_world = se3.inverse(world_from_face(self.pane.box))
        u, v, h = (float(x) for x in se3.apply(face_from_world, pose[None, :3, 3])[0])
        return u, v, h

    def _ahead(self, pose: Array, span: tuple[int, int]) -> slice | None:
        """Return which of some columns lie before a camera from floor to top, or None."""
        grid = self.pane.grid
        u = np.repeat(grid.u[slice(*span)], 2)
        face = np.stack([u, np.resize([0.0, grid.height], len(u)), np.zeros(len(u))], 1)
        depth = se3.apply(se3.inverse(pose) @ world_from_face(self.pane.box), face)[:, 2]
        ahead = np.flatnonzero((depth.reshape(-1, 2) > NEAREST).all(1))
        return slice(span[0] + int(ahead[0]), span[0] + int(ahead[-1]) + 1) if len(ahead) else None

    def _through(self, pose: Array, where: slice) -> Flags:
        """Return which columns a camera sees through the opening before the pane."""
        u, _, h = self._centre(pose)
        columns = self.pane.grid.u[where]
        crossed = columns + (u - columns) * min(1.0, self.pane.before / h)
        return np.asarray((crossed >= 0) & (crossed <= self.pane.grid.width), bool)

    def _blur(self, pose: Array, where: slice) -> tuple[Array, Array]:
        """Return (h, w) by how much a picture's pixels are stretched, up to a factor, and the cosine."""
        u, v, h = self._centre(pose)
        grid = self.pane.grid
        distance = np.sqrt((grid.u[None, where] - u) ** 2 + (grid.v[:, None] - v) ** 2 + h**2)
        cosine = h / distance
        return distance / cosine, cosine
