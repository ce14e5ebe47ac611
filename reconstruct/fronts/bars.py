"""Handles by colour alone, where depth is blind: a short straight line that ends on the face, as a bar does.

Dark, glossy and thin things swallow a depth sensor's light. What a picture shows there is far less sure than
what stands proud, so these handles have a low score.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import Line, SeenHandle
from pocketworld.reconstruct.fronts.lines import Span
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.scene import HandleKind

Heights = NDArray[np.float32]

LENGTH = (0.06, 0.5)  # m: bars that are on sale
THICKNESS, STANDOFF = 0.012, 0.030  # m: usual; a picture from the front shows neither
AROUND = 0.015  # m on either side of the line: where a bar would be
BLIND = 0.5  # of the cells there are unknown
FREE = 0.02  # m from a line's ends to the face's edges
TOGETHER = 0.04  # m: a bar, its other edge and its shadow are lines side by side
SCORE = 0.3


def colour_bars(
    lines: Sequence[Line], relief: Heights | None, cells: FaceGrid, span: Span
) -> tuple[SeenHandle, ...]:
    """Return the short lines that may be handles, where the relief (h, w) on `cells` knows nothing; None:
    nowhere.
    """
    out: list[SeenHandle] = []
    for line in sorted(lines, key=lambda each: -each.score * (each.end - each.start)):
        low, high = (span.v0, span.v1) if line.vertical else (span.u0, span.u1)
        free = line.start - low > FREE and high - line.end > FREE
        if not free or not LENGTH[0] <= line.end - line.start <= LENGTH[1] or _known(line, relief, cells):
            continue
        handle = _handle(line)
        if not any(_one(handle, other) for other in out):
            out.append(handle)
    return tuple(sorted(out, key=lambda h: (-h.v, h.u)))


def _known(line: Line, relief: Heights | None, cells: FaceGrid) -> bool:
    """Say whether depth sees the place of a line."""
    if relief is None:
        return False
    along, across = (cells.v, cells.u) if line.vertical else (cells.u, cells.v)
    inside = (along > line.start) & (along < line.end)
    beside = np.abs(across - line.at) < AROUND
    part = relief[np.ix_(inside, beside) if line.vertical else np.ix_(beside, inside)]
    return part.size > 0 and float(np.isnan(part).mean()) < BLIND


def _handle(line: Line) -> SeenHandle:
    middle, length = (line.start + line.end) / 2, line.end - line.start
    u, v = (line.at, middle) if line.vertical else (middle, line.at)
    return SeenHandle(HandleKind.BAR, u, v, length, THICKNESS, STANDOFF, line.vertical, SCORE * line.score)


def _one(a: SeenHandle, b: SeenHandle) -> bool:
    """Say whether two are sides of one bar."""
    across, along = (abs(a.u - b.u), abs(a.v - b.v)) if a.vertical else (abs(a.v - b.v), abs(a.u - b.u))
    return a.vertical == b.vertical and across < TOGETHER and along < (a.length + b.length) / 2
