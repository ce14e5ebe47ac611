"""Lines on a face that may part two fronts: dark gaps and steps of brightness, level and upright, whole or
in part.

A gap between two fronts is 3 mm wide and often only a few grey levels darker than the fronts, so no
threshold on brightness would do. The face is cut into short pieces along the line; in each, a valley or step
either stands out of the noise of this very picture or it does not. A line is a run of pieces in which so
many do that chance would hardly ever make one like it on the whole face (a contrario: Desolneux, Moisan and
Morel 2000; the best run by its log-likelihood: Karlin and Altschul 1990).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from pocketworld.families.protocol import Line
from pocketworld.reconstruct.fronts.rectify import FaceGrid

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

PIECE = 0.008  # m along the line: about as far as a picture's noise hangs together (blocks of JPEG)
# Half the width of what is compared, m: from a closed gap to a groove with its shadow.
REACHES = (0.003, 0.005, 0.008)
# A step of brightness is seen this near, and this far off, to either side, m.
NEARBY, AWAY = 0.002, 0.010
# A sharp edge, blurred by a picture's pixel of 3 mm, changes by 0.6 of itself that near; even shading by 0.2.
SHARP = 0.33
FINE = 0.0012  # m: smoothing across the line
WANDER = 0.002  # m: how far a real line strays, by registration and lens
APART = 0.006  # m: two lines nearer than this are one
# What stands out of the noise, in standard deviations: faint lines need more pieces than clear ones.
LEVELS = (2.0, 4.0, 8.0)
PRESENT = 0.8  # share of a real line's pieces in which it shows
ALARMS = 0.1  # false lines on a face, expected by chance
CLOSE = 5.0  # nats: a gap and a step that differ by less are as sure as each other
LEAST = 0.5  # grey levels: an eight-bit picture shows no less, however little noise it has
SHORTEST = 0.05  # m: no front is smaller


@dataclass(frozen=True, eq=False, slots=True)
class Strips:
    """A face cut into rows and, along them, pieces.

    valley     (rows, pieces): by how many standard deviations of noise it is darker there than above and
               below
    step       (rows, pieces): by how many brightness changes there, for good
    unknown    (rows, pieces): what was not seen or is hidden
    heights    (rows,) m from the face's lower edge;  ends: (pieces + 1,) m from its left edge
    """

    valley: Array
    step: Array
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
    """Return the lines of a face from its blended brightness (h, w), nan where unseen: level ones, then
    upright ones.

    hidden   (h, w): what hides the face (handles): neither for nor against a line
    span     where lines may lie: the face as seen, without its own edges
    """
    level = _runs(_strips(brightness, hidden, grid, span), grid.pixel)
    return (*level, *find_upright(brightness, grid, hidden, span))


def find_upright(
    brightness: NDArray[np.float32], grid: FaceGrid, hidden: Flags, span: Span
) -> tuple[Line, ...]:
    """Return the upright lines alone, as `find_lines` does."""
    # Turned by 90 degrees, rows are counted from the left edge, and along them one goes from top to bottom.
    turned = FaceGrid(grid.height, grid.width, grid.margin, grid.pixel)
    beside = Span(grid.height - span.v1, grid.height - span.v0, span.u0, span.u1)
    upright = _runs(_strips(np.rot90(brightness), np.rot90(hidden), turned, beside), grid.pixel)
    height = grid.height
    return tuple(
        Line(True, each.at, height - each.end, height - each.start, each.sigma, each.score)
        for each in upright
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
    unknown = np.isnan(means)
    smooth = gaussian_filter1d(np.where(unknown, 0, means), fine, axis=0)
    weight = gaussian_filter1d((~unknown).astype(float), fine, axis=0)
    smooth = np.where(unknown, np.nan, smooth / np.maximum(weight, 1e-9))
    valley, step = _valley(smooth, grid.pixel), _step(smooth, grid.pixel)
    lost = ~np.isfinite(valley) | ~np.isfinite(step)
    inside = (grid.v > span.v0) & (grid.v < span.v1)
    # A step so near the border may be that of the face against what is behind it.
    outer = (grid.v < span.v0 + AWAY) | (grid.v > span.v1 - AWAY)
    step[outer] = 0.0
    shown = [np.where(lost, 0.0, contrast)[inside] for contrast in (valley, step)]
    return Strips(shown[0], shown[1], lost[inside], grid.v[inside], ends)


def _valley(smooth: Array, pixel: float) -> Array:
    """Return how much darker each row is than what is above and below it."""
    best = np.full(smooth.shape, -np.inf)
    for reach in REACHES:
        k = max(1, round(reach / pixel))
        above, below = _shifted(smooth, k), _shifted(smooth, -k)
        noise = max(_spread((above + below) / 2 - smooth), LEAST)
        best = np.fmax(best, (np.minimum(above, below) - smooth) / noise)
    return best


def _step(smooth: Array, pixel: float) -> Array:
    """Return how much brightness changes for good across each row: some way off, and most of that close by.

    Beside a gap it changes close by only; in a shadow's soft edge little by little.
    """
    near, away = (
        _shifted(smooth, max(2, round(reach / pixel))) - _shifted(smooth, -max(2, round(reach / pixel)))
        for reach in (NEARBY, AWAY)
    )
    least = np.minimum(*(np.abs(change) / max(_spread(change), LEAST) for change in (near, away)))
    return np.where(np.abs(near) < SHARP * np.abs(away), 0.0, least)


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


@dataclass(frozen=True, eq=False, slots=True)
class Search:
    """Where one sort of line may still be found.

    contrast   (rows, pieces);  hits: (levels, rows, pieces) where it stands out
    evidence   (levels, rows, pieces) log-likelihood ratio of a line against chance; minus infinity where it
               is used up
    """

    contrast: Array
    hits: Flags
    evidence: Array


@dataclass(frozen=True, slots=True)
class Run:
    """Pieces [first, last) of one row, seen at one level: its score in nats, and its mean contrast."""

    score: float
    contrast: float
    level: int
    row: int
    first: int
    last: int


def _runs(strips: Strips, pixel: float) -> list[Line]:
    """Return the runs of pieces that chance does not explain, from the lowest up."""
    wander, apart = (max(1, round(size / pixel)) for size in (WANDER, APART))
    # Both sides of a gap are steps as well, if one looks closely, and beside a step there may be a shadow:
    # what is explained by one sort is closed to the other.
    beside = max(1, round((AWAY + max(REACHES)) / pixel))
    gaps, steps = _sorts(strips, wander)
    needed = _needed(gaps.evidence.shape)
    out: list[Line] = []
    while True:
        found = [(_best_run(sort, wander), sort) for sort in (gaps, steps)]
        best = max(run.score for run, _ in found)
        if best < needed:
            return sorted(out, key=lambda line: (line.at, line.start))
        # Of two that are about as sure, the one that stands out more is what is there; the other is its
        # border.
        run, sort = max((f for f in found if f[0].score >= best - CLOSE), key=lambda f: f[0].contrast)
        level, row, first, last = run.level, run.row, run.first, run.last
        if strips.ends[last] - strips.ends[first] >= SHORTEST:
            close = slice(max(0, row - wander), row + wander + 1)
            out.append(_line(strips, sort.contrast, sort.hits[level], close, first, last))
        for each in (gaps, steps):
            reach = apart if each is sort else beside
            each.evidence[:, max(0, row - reach) : row + reach + 1, first:last] = -np.inf


def _sorts(strips: Strips, wander: int) -> tuple[Search, Search]:
    """Return the search for gaps and that for steps."""
    out = []
    for contrast in (strips.valley, strips.step):
        evidence, hits = _evidence(contrast, strips.unknown, wander)
        out.append(Search(contrast, hits, evidence))
    return out[0], out[1]


def _needed(shape: tuple[int, ...]) -> float:
    """Return the score that chance reaches ALARMS times on a face: as many runs as there are may do it."""
    levels, rows, pieces = shape
    return math.log(max(1, 2 * levels * rows * pieces * (pieces + 1) / 2) / ALARMS)


def _evidence(contrast: Array, unknown: Flags, wander: int) -> tuple[Array, Flags]:
    """Return (levels, rows, pieces): the log-likelihood ratio of a line against chance, and which pieces show
    it.
    """
    peak = contrast >= maximum_filter1d(contrast, 3, axis=0)
    known = ~unknown
    ratios, hits = [], []
    for level in LEVELS:
        hit = peak & (contrast > level)
        near = np.asarray(maximum_filter1d(hit, 2 * wander + 1, axis=0), bool)
        # How often chance (texture, noise, JPEG) does this is counted on the face itself.
        p = min(max(float(near[known].mean()) if known.any() else 0.5, 0.01), 0.5)
        gain, loss = math.log(PRESENT / p), math.log((1 - PRESENT) / (1 - p))
        ratios.append(np.where(known, np.where(near, gain, loss), 0.0))
        hits.append(hit)
    return np.stack(ratios), np.stack(hits)


def _best_run(sort: Search, wander: int) -> Run:
    """Return the run of pieces of one row whose evidence sums highest (Kadane's algorithm, on all rows at
    once).
    """
    running = np.zeros(sort.evidence.shape[:2])
    start = np.zeros(running.shape, int)
    best, first, last = np.full(running.shape, -np.inf), start.copy(), start.copy()
    for j in range(sort.evidence.shape[2]):
        anew = running <= 0
        start = np.where(anew, j, start)
        running = np.where(anew, 0.0, running) + sort.evidence[:, :, j]
        better = running > best
        best, first = np.where(better, running, best), np.where(better, start, first)
        last = np.where(better, j + 1, last)
    level, row = (int(n) for n in np.unravel_index(np.argmax(best), best.shape))
    return _sharpest(sort, level, row, slice(int(first[level, row]), int(last[level, row])), wander)


def _sharpest(sort: Search, level: int, row: int, run: slice, wander: int) -> Run:
    """Return a run in the row where it has most contrast: rows next to each other are hit as often."""
    near = slice(max(0, row - wander), row + wander + 1)
    score = float(sort.evidence[level, row, run].sum())
    alike = sort.evidence[level, near, run].sum(1) >= score - 1
    contrast = np.where(alike, sort.contrast[near, run].mean(1), -np.inf)
    return Run(
        score, float(contrast.max()), level, near.start + int(np.argmax(contrast)), run.start, run.stop
    )


def _line(strips: Strips, contrast: Array, hits: Flags, rows: slice, first: int, last: int) -> Line:
    """Return the line in some rows and pieces: where its pieces lie in the middle, and how sure that is."""
    found = hits[rows, first:last] * np.maximum(contrast[rows, first:last], 0)
    row, shown = np.argmax(found, 0), found.max(0) > 0
    known = ~strips.unknown[rows, first:last].all(0)
    heights = strips.heights[rows][row[shown]]
    at = float(np.median(heights))
    spread = max(_spread(heights), abs(strips.heights[0] - strips.heights[1]))
    sigma = 1.25 * float(spread) / math.sqrt(len(heights))  # of a median
    score = float(shown.sum() / max(1, known.sum()))
    return Line(False, at, float(strips.ends[first]), float(strips.ends[last]), sigma, min(1.0, score))
