"""A worktop's lower edge, and with it the top of the fronts below, by the pictures.

Depth of an edge that stands out by two centimetres is blurred with the fronts, of which those that look down
do not see the topmost part: it puts the edge's lower side too low. In pictures it is a line along most of the
run. They show it displaced, as it stands out; by how much, depth does tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import Line
from pocketworld.reconstruct.fronts.bright import sight
from pocketworld.reconstruct.fronts.elevation import Blend, brightness
from pocketworld.reconstruct.fronts.lines import Span, find_lines
from pocketworld.reconstruct.runs.mosaic import mosaic
from pocketworld.reconstruct.runs.row_parts import Run
from pocketworld.reconstruct.runs.row_worktop import THICK, THIN
from pocketworld.scan.capture import Capture

Array = NDArray[np.float64]

BELOW = 0.05  # m of fronts that are looked at under the thickest edge
TOGETHER = 0.008  # m: pieces of one edge, by what poses of pictures differ
DEPTH = 0.02  # m: standard error of a lower edge by depth, as far as it hides what is below it
ALONG = 0.5  # of a run's length: fronts' own gaps are shorter
BORDER = 0.005  # m


@dataclass(frozen=True, slots=True)
class Piece:
    """A line that may be a part of an edge: its true height, m from the picture's foot, and its length, m."""

    height: float
    length: float


def edged(capture: Capture, run: Run, poses: Array) -> Run:
    """Return a run whose fronts end where pictures show its worktop's edge to; as it was where none does.

    poses   (n, 4, 4) scene_from_camera of the capture's frames
    """
    if run.worktop is None or not run.worktop.measured:
        return run
    plate = run.worktop.box
    top = plate.foot[2] + plate.size[2]
    low = top - THICK - BELOW
    x, y, _ = run.box.foot
    width, depth, _ = run.box.size
    made = mosaic(capture, replace(run.box, foot=(x, y, low), size=(width, depth, top - low)), poses)
    if made is None:
        return run
    under = _edge(_pieces(made, run.worktop.overhang), run.box.size[2] - low, top - low - THIN, width)
    return run if under is None else _ended(run, low + under, top)


def _pieces(made: Blend, overhang: float) -> list[Piece]:
    """Return the level lines of a picture, put where they are if they stand out by so much."""
    grid = made.grid
    span = Span(BORDER, grid.width - BORDER, BORDER, grid.height + grid.margin)
    lines = find_lines(brightness(made.colour), grid, np.zeros(grid.shape, bool), span)
    return [_piece(line, made, overhang) for line in lines if not line.vertical]


def _piece(line: Line, made: Blend, overhang: float) -> Piece:
    place = np.array([(line.start + line.end) / 2, line.at])
    rise = overhang * float(sight(place, made.grid, made.shots)[1])
    return Piece(line.at + rise, (line.end - line.start) * line.score)


def _edge(pieces: Sequence[Piece], by_depth: float, highest: float, width: float) -> float | None:
    """Return the height at which most pieces lie, near where depth has the edge; None where too few do."""
    near = [piece for piece in pieces if piece.height <= highest]
    groups = [[p for p in near if abs(p.height - piece.height) < TOGETHER] for piece in near]
    long = [group for group in groups if sum(p.length for p in group) > ALONG * width]
    if not long:
        return None
    best = max(long, key=lambda group: _likely(group, by_depth))
    return float(np.average([p.height for p in best], weights=[p.length for p in best]))


def _likely(group: Sequence[Piece], by_depth: float) -> float:
    off = np.mean([p.height for p in group]) - by_depth
    return sum(p.length for p in group) * float(np.exp(-((off / DEPTH) ** 2) / 2))


def _ended(run: Run, under: float, top: float) -> Run:
    """Return a run whose worktop reaches from one height to another, m, and its units up to it."""
    assert run.worktop is not None
    plate, (width, depth, _) = run.worktop.box, run.box.size
    x, y, _ = plate.foot
    lifted = replace(plate, foot=(x, y, under), size=(*plate.size[:2], top - under))
    box = replace(run.box, size=(width, depth, under - run.box.foot[2]))
    return replace(run, box=box, worktop=replace(run.worktop, box=lifted, told=run.box.size[2]))
