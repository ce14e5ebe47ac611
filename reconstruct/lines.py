"""Lines on a face that may part two fronts: dark gaps and steps of brightness, level and upright, whole or in part.

A gap between two fronts is 3 mm wide and often only a few grey levels darker than the fronts, so no threshold on
brightness would do. The face is cut into short pieces along the line; in each, a valley or step either stands out of
the noise of this very picture or it does not. A line is a run of pieces in which so many do that chance would hardly
ever make one like it on the whole face (a contrario: Desolneux, Moisan and Morel 2000; the best run by its
log-likelihood: Karlin and Altschul 1990).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from pocketworld.families.protocol import Line
from pocketworld.reconstruct.rectify import FaceGrid

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

PIECE = 0.008  # m along the line: about as far as a picture's noise hangs together (blocks of JPEG)
# Half the width of what is compared, m: from a closed gap to a groove with its shadow.
REACHES = (0.003, 0.005, 0.008)
FINE = 0.0012  # m: smoothing across the line
WANDER = 0.002  # m: how far a real line strays, by registration and lens
APART = 0.006  # m: two lines nearer than this are one
# What stands out of the noise, in standard deviations: faint lines need more pieces than clear ones.
LEVELS = (2.0, 4.0, 8.0)
PRESENT = 0.8  # share of a real line's pieces in which it shows
ALARMS = 0.1  # false lines on a face, expected by chance
LEAST = 0.5  # grey levels: an eight-bit picture shows no less, however little noise it has
SHORTEST = 0.05  # m: no front is smaller


@dataclass(frozen=True, eq=False, slots=True)
class Strips:
    """A face cut into rows and, along them, pieces.

    contrast   (rows, pieces): by how many standard deviations of noise a valley or step stands out there
    unknown    (rows, pieces): what was not seen or is hidden
    heights    (rows,) m from the face's lower edge;  ends: (pieces + 1,) m from its left edge
    """

    contrast: Array
    unknown: Flags
    heights: Array
    ends: Array


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a face that is looked at, m from its lower left corner."""

    u0: float
    u1: float
    v0: float
    v1: float


def find_lines(
    brightness: NDArray[np.float32], grid: FaceGrid, hidden: Flags, span: Span
) -> tuple[Line, ...]:
    """Return the lines of a face from its blended brightness (h, w), nan where unseen: level ones, then upright ones.

    hidden   (h, w): what hides the face (handles): neither for nor against a line
    span     where lines may lie: the face as seen, without its own edges
    """
    level = _runs(_strips(brightness, hidden, grid, span), grid.pixel)
    # Turned by 90 degrees, rows are counted from the left edge, and along them one goes from top to bottom.
    turned = FaceGrid(grid.height, grid.width, grid.margin, grid.pixel)
    beside = Span(grid.height - span.v1, grid.height - span.v0, span.u0, span.u1)
    upright = _runs(_strips(np.rot90(brightness), np.rot90(hidden), turned, beside), grid.pixel)
    height = grid.height
    return (
        *level,
        *(Line(True, each.at, height - each.end, height - each.start, each.sigma, each.score) for each in upright),
    )


def _strips(brightness: NDArray[np.float32], hidden: Flags, grid: FaceGrid, span: Span) -> Strips:
    u, count = grid.u, max(1, round((span.u1 - span.u0) / PIECE))
    ends = np.linspace(span.u0, span.u1, count + 1)
    number = np.digitize(u, ends) - 1
    fine = FINE / grid.pixel
    usable = np.isfinite(brightness) & ~hidden
    means = np.full((len(brightness), count), np.nan)
    for piece in range(count):
        mine = number == piece
        n = usable[:, mine].sum(1)
        total = np.where(usable[:, mine], brightness[:, mine], 0).sum(1)
        means[:, piece] = np.where(2 * n >= mine.sum(), total / np.maximum(n, 1), np.nan)
    contrast, unknown = _contrast(means, fine, grid.pixel)
    inside = (grid.v > span.v0) & (grid.v < span.v1)
    return Strips(contrast[inside], unknown[inside], grid.v[inside], ends)


def _contrast(means: Array, fine: float, pixel: float) -> tuple[Array, Flags]:
    """Return how much valleys and steps across rows stand out of the noise, and where that is unknown."""
    unknown = np.isnan(means)
    smooth = gaussian_filter1d(np.where(unknown, 0, means), fine, axis=0)
    weight = gaussian_filter1d((~unknown).astype(float), fine, axis=0)
    smooth = np.where(unknown, np.nan, smooth / np.maximum(weight, 1e-9))
    best = np.full(means.shape, -np.inf)
    for reach in REACHES:
        k = max(1, round(reach / pixel))
        above, below = _shifted(smooth, k), _shifted(smooth, -k)
        noise = max(_spread((above + below) / 2 - smooth), LEAST)
        valley = (np.minimum(above, below) - smooth) / noise
        best = np.fmax(best, valley)
    lost = ~np.isfinite(best)
    return np.where(lost, 0.0, best), lost


def _shifted(rows: Array, k: int) -> Array:
    """Return rows moved down by k, nan where nothing came."""
    out = np.full(rows.shape, np.nan)
    if k > 0:
        out[k:] = rows[:-k]
    else:
        out[:k] = rows[-k:]
    return out


def _spread(values: Array) -> float:
    """Return a standard deviation that outliers do not change (from the median absolute deviation)."""
    known = values[np.isfinite(values)]
    return 1.4826 * float(np.median(np.abs(known - np.median(known)))) if known.size else 0.0


def _runs(strips: Strips, pixel: float) -> list[Line]:
    """Return the runs of pieces that chance does not explain, from the lowest up."""
    evidence, hits = _evidence(strips, max(1, round(WANDER / pixel)))
    levels, rows, pieces = evidence.shape
    needed = math.log(max(1, levels * rows * pieces * (pieces + 1) / 2) / ALARMS)
    apart = max(1, round(APART / pixel))
    out = []
    while True:
        score, level, row, first, last = _best_run(evidence)
        if score < needed:
            return sorted(out, key=lambda line: (line.at, line.start))
        near = slice(max(0, row - apart), row + apart + 1)
        if strips.ends[last] - strips.ends[first] >= SHORTEST:
            wander = slice(max(0, row - round(WANDER / pixel)), row + round(WANDER / pixel) + 1)
            out.append(_line(strips, hits[level], wander, first, last))
        evidence[:, near, first:last] = -np.inf


def _evidence(strips: Strips, wander: int) -> tuple[Array, Flags]:
    """Return (levels, rows, pieces): the log-likelihood ratio of a line against chance, and which pieces show it."""
    peak = strips.contrast >= maximum_filter1d(strips.contrast, 3, axis=0)
    known = ~strips.unknown
    ratios, hits = [], []
    for level in LEVELS:
        hit = peak & (strips.contrast > level)
        near = np.asarray(maximum_filter1d(hit, 2 * wander + 1, axis=0), bool)
        # How often chance (texture, noise, JPEG) does this is counted on the face itself.
        p = min(max(float(near[known].mean()) if known.any() else 0.5, 0.01), 0.5)
        gain, loss = math.log(PRESENT / p), math.log((1 - PRESENT) / (1 - p))
        ratios.append(np.where(known, np.where(near, gain, loss), 0.0))
        hits.append(hit)
    return np.stack(ratios), np.stack(hits)


def _best_run(evidence: Array) -> tuple[float, int, int, int, int]:
    """Return the run [first, last) of pieces of one row whose evidence sums highest: score, level, row, first, last.

    Kadane's algorithm, on all rows at once.
    """
    running = np.zeros(evidence.shape[:2])
    start = np.zeros(running.shape, int)
    best, first, last = np.full(running.shape, -np.inf), start.copy(), start.copy()
    for j in range(evidence.shape[2]):
        anew = running <= 0
        start = np.where(anew, j, start)
        running = np.where(anew, 0.0, running) + evidence[:, :, j]
        better = running > best
        best, first = np.where(better, running, best), np.where(better, start, first)
        last = np.where(better, j + 1, last)
    level, row = (int(n) for n in np.unravel_index(np.argmax(best), best.shape))
    return float(best[level, row]), level, row, int(first[level, row]), int(last[level, row])


def _line(strips: Strips, hits: Flags, rows: slice, first: int, last: int) -> Line:
    """Return the line in some rows and pieces: where its pieces lie in the middle, and how sure that is."""
    found = hits[rows, first:last] * np.maximum(strips.contrast[rows, first:last], 0)
    row, shown = np.argmax(found, 0), found.max(0) > 0
    known = ~strips.unknown[rows, first:last].all(0)
    heights = strips.heights[rows][row[shown]]
    at = float(np.median(heights))
    spread = max(_spread(heights), abs(strips.heights[0] - strips.heights[1]))
    sigma = 1.25 * spread / math.sqrt(len(heights))  # of a median
    score = float(shown.sum() / max(1, known.sum()))
    return Line(False, at, float(strips.ends[first]), float(strips.ends[last]), sigma, score)
