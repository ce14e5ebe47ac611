"""Where everything of a cabinet goes, in the plane of its front: faces, the cavities behind them, dividers.

Rectangles are in the asset's frame (x to the right, z up, m). The fronts and the gaps between them fill the
field exactly: a split's sizes are its parts' faces, scaled together, with one gap between neighbours.
"""

from dataclasses import dataclass
from itertools import pairwise

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Grid, Split
from pocketworld.scene import Side

TRACK = 0.004
"""Free space between two sliding doors that run one behind the other, m."""


@dataclass(frozen=True, slots=True)
class Rect:
    """An upright rectangle: x0..x1 to the right, z0..z1 up, m."""

    x0: float
    x1: float
    z0: float
    z1: float

    @property
    def width(self) -> float:
        """Return the size along x, m."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Return the size along z, m."""
        return self.z1 - self.z0


@dataclass(frozen=True, slots=True)
class Cell:
    """One front of the grid with its place.

    face     the panel's outer face (for an open front: the opening)
    cavity   the free rectangle behind it, between boards or the middles of gaps
    track    0: its outer face lies in the cabinet's front; 1: it runs behind (sliding doors)
    """

    path: str
    front: Front
    face: Rect
    cavity: Rect
    track: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The cells from the top left, the boards between them, and the depths (y, m) at which things begin.

    face_y    outer faces of the fronts
    inner_y   front edges of dividers and shelves
    back_y    inside of the back panel
    """

    cells: tuple[Cell, ...]
    dividers: tuple[Rect, ...]
    face_y: float
    inner_y: float
    back_y: float


def field(p: Cabinet) -> Rect:
    """Return the rectangle that the fronts and the gaps between them fill exactly.

    Fronts that overlay the boards reach to the outer edges; inset ones keep a gap all around, and so does any
    below a worktop, above the bare floor, or above a plinth or feet right below.
    """
    margin = 0.0 if p.overlay else p.board + p.gap
    low = p.feet + p.plinth
    under = p.gap if p.overlay and (low == 0 or p.plinth_setback < p.front) else margin
    over = p.gap if p.worktop else margin
    return Rect(margin - p.width / 2, p.width / 2 - margin, low + under, p.height - p.worktop - over)


def inside(p: Cabinet) -> Rect:
    """Return the rectangle between sides, bottom and top board."""
    half = p.width / 2 - p.board
    top = p.height - (p.worktop or p.board)
    return Rect(-half, half, p.feet + p.plinth + p.board, top)


def plan(p: Cabinet) -> Plan:
    """Return where the fronts, cavities and dividers of a cabinet are.

    Raises PocketworldError where gaps or boards leave no room.
    """
    cells: list[Cell] = []
    dividers: list[Rect] = []
    _place(p, p.grid, "", field(p), inside(p), 0, cells, dividers)
    kinds = {cell.front.kind for cell in cells}
    tracks = 2 if FrontKind.SLIDING in kinds else int(kinds != {FrontKind.OPEN})
    face_y = -p.depth / 2
    # Where no front covers them, boards reach to the front themselves.
    inner_y = face_y + tracks * p.front + max(tracks - 1, 0) * TRACK
    return Plan(tuple(cells), tuple(dividers), face_y, inner_y, p.depth / 2 - p.back)


def divided(a: Grid, b: Grid, rows: bool) -> bool:
    """Say whether a board stands between neighbours.

    It does not between drawers above each other, nor inside a pair of doors that open away from each other,
    nor between sliding doors (or a fixed panel that one slides past).
    """
    if isinstance(a, Split) or isinstance(b, Split):
        return True
    if rows:
        return not a.kind == b.kind == FrontKind.DRAWER
    if a.kind is b.kind is FrontKind.DOOR:
        return (a.side, b.side) != (Side.LEFT, Side.RIGHT)
    kinds = {a.kind, b.kind}
    return not (FrontKind.SLIDING in kinds and kinds <= {FrontKind.SLIDING, FrontKind.FIXED})


def _place(
    p: Cabinet,
    grid: Grid,
    path: str,
    face: Rect,
    cavity: Rect,
    track: int,
    cells: list[Cell],
    dividers: list[Rect],
) -> None:
    """Put a grid into its rectangle: append its cells and dividers."""
    if min(face.width, face.height, cavity.width, cavity.height) <= 0:
        raise PocketworldError(
            f"cabinet: no room for front {path or '0'} of {face.width:.4g} x {face.height:.4g} m",
            "make the cabinet larger, or its gaps and boards smaller",
        )
    if isinstance(grid, Front):
        cells.append(Cell(path or "0", grid, face, cavity, track))
        return
    faces, middles = _faces(grid, face, p.gap)
    boards = [divided(a, b, grid.rows) for a, b in pairwise(grid.parts)]
    cavities = _cavities(grid.rows, cavity, middles, boards, p.board)
    for middle, board in zip(middles, boards, strict=True):
        if board:
            dividers.append(_between(grid.rows, cavity, middle - p.board / 2, middle + p.board / 2))
    tracks = _tracks(grid) if not grid.rows else [0] * len(grid.parts)
    for i, part in enumerate(grid.parts):
        name = f"{path}.{i}" if path else str(i)
        _place(p, part, name, faces[i], cavities[i], tracks[i], cells, dividers)


def _faces(split: Split, face: Rect, gap: float) -> tuple[list[Rect], list[float]]:
    """Return the rectangles of a split's parts and the middles of the gaps between them."""
    extent = face.height if split.rows else face.width
    free = extent - gap * (len(split.sizes) - 1)
    total = sum(split.sizes)
    out: list[Rect] = []
    middles: list[float] = []
    done = 0.0
    for i, size in enumerate(split.sizes):
        # From the running sum, not by adding up: the last face ends at the field's edge to the last bit.
        low = free * (done / total) + gap * i
        done += size
        high = free * (done / total) + gap * i
        if split.rows:
            out.append(_between(True, face, face.z1 - high, face.z1 - low))
            middles.append(face.z1 - high - gap / 2)
        else:
            out.append(_between(False, face, face.x0 + low, face.x0 + high))
            middles.append(face.x0 + high + gap / 2)
    return out, middles[:-1]


def _cavities(
    rows: bool, cavity: Rect, middles: list[float], boards: list[bool], thickness: float
) -> list[Rect]:
    """Cut a cavity at the middles of gaps, less the boards that stand there."""
    halves = [thickness / 2 if board else 0.0 for board in boards]
    if rows:
        tops = [cavity.z1, *(m - h for m, h in zip(middles, halves, strict=True))]
        bottoms = [*(m + h for m, h in zip(middles, halves, strict=True)), cavity.z0]
        return [_between(True, cavity, low, high) for low, high in zip(bottoms, tops, strict=True)]
    lefts = [cavity.x0, *(m + h for m, h in zip(middles, halves, strict=True))]
    rights = [*(m - h for m, h in zip(middles, halves, strict=True)), cavity.x1]
    return [_between(False, cavity, low, high) for low, high in zip(lefts, rights, strict=True)]


def _between(rows: bool, rect: Rect, low: float, high: float) -> Rect:
    """Return the slice low..high of a rectangle: along z for rows, along x for columns."""
    return Rect(rect.x0, rect.x1, low, high) if rows else Rect(low, high, rect.z0, rect.z1)


def _tracks(split: Split) -> list[int]:
    """Return each column's track: sliding doors, and panels they slide past, in turn in front and behind."""
    kinds = [part.kind if isinstance(part, Front) else None for part in split.parts]
    if FrontKind.SLIDING not in kinds:
        return [0] * len(kinds)
    tracks: list[int] = []
    run = 0
    for kind in kinds:
        run = run + 1 if kind in (FrontKind.SLIDING, FrontKind.FIXED) else 0
        tracks.append((run - 1) % 2 if run else 0)
    return tracks
