"""The picture of a coverage: the floor plan from above, y up, with the walk, a scale and a legend."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.scan.coverage import VIEWS, Coverage

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

LONGEST = 900  # pixels of the plan's longer side
LEAST = 480  # pixels: what the legend needs
MARGIN = 16
MANY_FRAMES = 16 * VIEWS  # where the darkest tint begins
LINE = 22  # height of a line of the legend
BARS = (1, 2, 5, 10, 20, 50, 100)  # m: what the scale may show
SHORTEST = 24  # pixels of the scale
FONT, SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.45

PAPER: Colour = (255, 255, 255)
INK: Colour = (40, 40, 40)
ONCE: Colour = (222, 222, 214)
THIN: Colour = (240, 150, 50)
HOLE: Colour = (205, 60, 45)
FEW: Colour = (190, 226, 196)
MANY: Colour = (35, 120, 90)
WALK: Colour = (45, 75, 190)


@dataclass(frozen=True, eq=False, slots=True)
class PlanPicture:
    """A picture (h, w, 3) RGB of the floor plan, m: x = left + column * scale, y = top - row * scale."""

    pixels: Pixels
    scale: float
    left: float
    top: float


def draw(coverage: Coverage) -> PlanPicture:
    """Return the picture of what was seen well, too little, and not at all."""
    plan, scale = _fitted(_tints(coverage), coverage.cell)
    height, width = plan.shape[:2]
    canvas = np.full((height + 2 * MARGIN + 5 * LINE, max(width, LEAST) + 2 * MARGIN, 3), PAPER, np.uint8)
    canvas[MARGIN : MARGIN + height, MARGIN : MARGIN + width] = plan
    left, top = coverage.corner[0] - MARGIN * scale, coverage.corner[1] + (height + MARGIN) * scale
    _walk(canvas, (coverage.walk - [left, top]) * [1 / scale, -1 / scale])
    _legend(canvas, height + 2 * MARGIN, scale)
    return PlanPicture(canvas, scale, float(left), float(top))


def _fitted(tints: Pixels, cell: float) -> tuple[Pixels, float]:
    """Return the plan at a size for a page, y up, and metres a pixel; cells of a long walk are averaged."""
    longest = max(tints.shape[:2])
    zoom, step = int(np.clip(LONGEST // longest, 1, 24)), -(-longest // LONGEST)
    fill = [(0, -n % step) for n in tints.shape[:2]]
    even = np.pad(tints, [*fill, (0, 0)], constant_values=255)[::-1]
    rows, columns = (n // step for n in even.shape[:2])
    plan = even.reshape(rows, step, columns, step, 3).mean((1, 3)).astype(np.uint8)
    return np.repeat(np.repeat(plan, zoom, 0), zoom, 1), cell * step / zoom


def _tints(coverage: Coverage) -> Pixels:
    """Return one colour a cell; well-seen ones are darker the more frames saw them."""
    often = np.clip(np.log2(np.maximum(coverage.frames, 1)) / np.log2(MANY_FRAMES), 0, 1)[..., None]
    tints: Pixels = (np.array(FEW) + often * (np.array(MANY) - FEW)).astype(np.uint8)
    seen = coverage.frames > 0
    tints[~coverage.well & ~coverage.place & seen] = ONCE
    tints[~coverage.well & coverage.place] = THIN
    tints[coverage.place & ~seen] = HOLE
    tints[~coverage.place & ~seen] = PAPER
    return tints


def _walk(canvas: Pixels, pixels: NDArray[np.float64]) -> None:
    """Draw the walk in place, a dot where it starts and a ring where it ends."""
    points = np.rint(pixels * 16).astype(np.int32)  # OpenCV takes 1/16 pixels as integers
    cv2.polylines(canvas, [points[:, None]], False, WALK, 2, cv2.LINE_AA, 4)
    start, end = (tuple(int(v) for v in points[i]) for i in (0, -1))
    cv2.circle(canvas, start, 5 * 16, WALK, -1, cv2.LINE_AA, 4)
    cv2.circle(canvas, end, 6 * 16, PAPER, -1, cv2.LINE_AA, 4)
    cv2.circle(canvas, end, 6 * 16, WALK, 2, cv2.LINE_AA, 4)


def _legend(canvas: Pixels, top: int, scale: float) -> None:
    """Draw below row `top` what the colours mean, and a scale."""
    entries = (
        ((FEW, MANY), "seen well, darker: by more frames"),
        ((THIN,), "seen too little: by few frames, or all from one side"),
        ((HOLE,), "not seen, in the middle of what was"),
        ((ONCE,), "seen at the edge only"),
    )
    for i, (colours, text) in enumerate(entries):
        row = top + i * LINE
        for k, colour in enumerate(colours):
            wide = 28 // len(colours)
            cv2.rectangle(canvas, (MARGIN + k * wide, row), (MARGIN + (k + 1) * wide, row + 14), colour, -1)
        cv2.putText(canvas, text, (MARGIN + 36, row + 12), FONT, SIZE, INK, 1, cv2.LINE_AA)
    metres = next((m for m in BARS if m / scale >= SHORTEST), BARS[-1])
    row, end = top + 4 * LINE + 7, MARGIN + round(metres / scale)
    cv2.line(canvas, (MARGIN, row), (end, row), INK, 2)
    cv2.putText(canvas, f"{metres} m", (end + 8, row + 5), FONT, SIZE, INK, 1, cv2.LINE_AA)
    cv2.putText(canvas, "walk: from dot to ring", (end + 70, row + 5), FONT, SIZE, WALK, 1, cv2.LINE_AA)
