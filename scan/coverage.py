"""What was seen too little, from above: how many frames saw each cell of the floor plan, and from where."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pocketworld.geometry import se3
from pocketworld.scan.agreement import points
from pocketworld.scan.capture import Frame

Array = NDArray[np.float64]

CELL = 0.1  # m: ten times the noise of a phone's depth
CELLS = 1_000_000  # of a plan; a longer walk gets larger cells
REACH = 5.0  # m: farther away, neighbouring frames disagree by 4 cm and more
HITS = 2  # pixels: one alone may be a point in mid-air, at the edge of a thing
VIEWS = 3  # frames: one can be fooled by a reflection, and of two nobody knows which
SPREAD = np.radians(20)  # of directions; from one direction, the same error is made again and again
CLOSED = 0.5  # m: what lies within this of well-seen cells belongs to the place
LARGEST = 5  # patches that are named


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of the place that was seen too little: its centre (x, y) in the world, m, and its area, m²."""

    centre: tuple[float, float]
    area: float


@dataclass(frozen=True, eq=False, slots=True)
class Coverage:
    """The floor plan, row 0 at the least y, column 0 at the least x.

    cell       m;  corner: (x, y) of the corner of cell (0, 0), m, in the world
    frames     (rows, columns): how many frames saw a cell within reach
    well       (rows, columns) bool: by enough frames, and not all from one direction
    place      (rows, columns) bool: the cells that are well seen, and what lies between them
    walk       (n, 2): where the camera was, m
    """

    cell: float
    corner: tuple[float, float]
    frames: NDArray[np.int32]
    well: NDArray[np.bool_]
    place: NDArray[np.bool_]
    walk: Array

    @property
    def seen_area(self) -> float:
        """Return what any frame saw, m²."""
        return float((self.frames > 0).sum() * self.cell**2)

    @property
    def place_area(self) -> float:
        """Return the area of the place, m²."""
        return float(self.place.sum() * self.cell**2)

    @property
    def thin(self) -> float:
        """Return the share of the place that was seen too little or not at all; 1 if nothing is well seen."""
        return float((self.place & ~self.well).sum() / self.place.sum()) if self.place.any() else 1.0

    @property
    def patches(self) -> tuple[Patch, ...]:
        """Return the largest connected parts of the place that were seen too little."""
        mask = (self.place & ~self.well).astype(np.uint8)
        _, _, boxes, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
        corner = np.array(self.corner)
        found = [
            Patch((float(x), float(y)), float(box[cv2.CC_STAT_AREA] * self.cell**2))
            for box, (x, y) in zip(boxes[1:], corner + (centres[1:] + 0.5) * self.cell, strict=True)
        ]
        return tuple(sorted(found, key=lambda patch: (-patch.area, patch.centre))[:LARGEST])


@dataclass(slots=True)
class Plan:
    """Counts, frame by frame, what is seen of the floor plan around a walk; holds no frame.

    walk      (n, 2): all places of the camera, m; the plan reaches REACH beyond them
    frames    (rows, columns): how many frames saw a cell
    towards   (3, rows, columns): the sum of the unit vectors from a cell to the cameras that saw it
    """

    walk: Array
    cell: float = field(init=False)
    corner: Array = field(init=False)
    frames: NDArray[np.int32] = field(init=False)
    towards: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        """Lay out the plan."""
        self.corner = np.floor(self.walk.min(0) - REACH)
        size = self.walk.max(0) + REACH - self.corner
        self.cell = CELL * max(1.0, float(np.ceil(np.sqrt(size.prod() / CELL**2 / CELLS))))
        columns, rows = (int(n) for n in np.ceil(size / self.cell))
        self.frames = np.zeros((rows, columns), np.int32)
        self.towards = np.zeros((3, rows, columns), np.float32)

    def add(self, frame: Frame) -> None:
        """Count a frame with depth: the cells of its sure points within reach, and where it saw them from."""
        assert frame.depth_camera is not None
        apart = self.cell / 2 / REACH  # two pixels fall on each side of a cell, even at the end of the reach
        found = points(frame, max(1, int(frame.depth_camera.fx * apart)))
        found = se3.apply(frame.world_from_camera, found[found[:, 2] <= REACH])
        rows, columns = self.frames.shape
        column, row = np.floor((found[:, :2] - self.corner) / self.cell).astype(int).T
        inside = (row >= 0) & (column >= 0) & (row < rows) & (column < columns)
        cells, cell_of, hits = np.unique(
            (row * columns + column)[inside], return_inverse=True, return_counts=True
        )
        ways = frame.world_from_camera[:3, 3] - found[inside]
        ways = ways / np.linalg.norm(ways, axis=1, keepdims=True)
        mean = np.stack([np.bincount(cell_of, way, len(cells)) for way in ways.T])
        mean = mean / np.linalg.norm(mean, axis=0)  # never 0: all ways lead to one side of the frame's cone
        self.frames.ravel()[cells[hits >= HITS]] += 1
        self.towards.reshape(3, -1)[:, cells[hits >= HITS]] += mean[:, hits >= HITS].astype(np.float32)

    def result(self) -> Coverage:
        """Return the plan, cut to what was seen or walked."""
        well = (self.frames >= VIEWS) & self._spread()
        reach = int(np.ceil(CLOSED / self.cell))
        disc = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) <= reach
        wide = np.pad(well, reach)
        filled = np.asarray(ndimage.binary_fill_holes(ndimage.binary_closing(wide, disc)), bool)
        place = filled[reach:-reach, reach:-reach]
        column, row = np.floor((self.walk - self.corner) / self.cell).astype(int).T
        used = self.frames > 0
        used[row, column] = True
        rows, columns = (np.flatnonzero(used.any(axis)) for axis in (1, 0))
        cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        corner = self.corner + self.cell * np.array([columns[0], rows[0]])
        return Coverage(
            self.cell,
            (float(corner[0]), float(corner[1])),
            self.frames[cut].copy(),
            well[cut].copy(),
            place[cut].copy(),
            self.walk,
        )

    def _spread(self) -> NDArray[np.bool_]:
        """Return where directions spread; the mean of unit vectors over an arc a is sin(a/2) / (a/2) long."""
        length = np.linalg.norm(self.towards, axis=0) / np.maximum(self.frames, 1)
        spread: NDArray[np.bool_] = length < np.sin(SPREAD / 2) / (SPREAD / 2)
        return spread
