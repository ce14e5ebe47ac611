"""The parameters of a cabinet: a box of boards whose front is a recursive grid of drawers, doors and shelves.

The grid is a tree. A `Front` is one opening; a `Split` divides its rectangle into rows (top to bottom) or
columns (left to right) of given sizes. A front's id is its way through the tree, "0", "1", "1.0", from the
top left; a cabinet with one front has the id "0".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pocketworld.errors import PocketworldError
from pocketworld.scene import HandleKind, Material, Side


class FrontKind(StrEnum):
    """What closes an opening, or does not."""

    DRAWER = "drawer"
    DOOR = "door"
    SLIDING = "sliding"
    OPEN = "open"
    FIXED = "fixed"


BODY = Material()
FACE = Material((0.75, 0.72, 0.68))
METAL = Material((0.6, 0.6, 0.62), 0.3, 1.0)
MOVABLE = (FrontKind.DRAWER, FrontKind.DOOR, FrontKind.SLIDING)


@dataclass(frozen=True, slots=True)
class HandleSpec:
    """A handle on a front: its middle at (u, v), as shares of the front's width and height, from below left.

    length     m, along its long side, which runs up if vertical
    thickness  m, across it: what two fingers close on (of a cup its height, of an edge profile that of its
               nose, of a recessed handle that of the lip in the middle of its window); a lever is fixed at
               that of its ends which is nearer to the front's edge
    standoff   m, of the grip from the front's face (of a cup the depth of its shell; a recessed one has none)
    """

    kind: HandleKind = HandleKind.BAR
    u: float = 0.5
    v: float = 0.5
    length: float = 0.13
    thickness: float = 0.010
    standoff: float = 0.030
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class Chance:
    """How probable it is that a front is of this kind, hinged (or sliding towards) that side."""

    kind: FrontKind
    side: Side
    p: float


@dataclass(frozen=True, slots=True)
class Front:
    """One opening of the grid.

    kind, side   what it is; the hinge's side for a door, of a sliding door where it opens to, else none
    chances      what it may be, probabilities sum to 1; empty: it is certain
    evidence     why, in words
    opening      how far it opens: rad (door), a share of the depth inside (drawer) or of its width (sliding)
    state        how far it stood open in the capture, as a share of the whole opening
    damping      N s/m or N m s/rad;  friction: N or N m (at the joint)
    """

    kind: FrontKind = FrontKind.DRAWER
    side: Side = Side.NONE
    handle: HandleSpec = HandleSpec()
    chances: tuple[Chance, ...] = ()
    evidence: tuple[str, ...] = ()
    opening: float = 0.8
    state: float = 0.0
    damping: float = 5.0
    friction: float = 2.0


@dataclass(frozen=True, slots=True)
class Split:
    """A rectangle divided into rows (top to bottom) or columns (left to right).

    sizes: of the parts' faces, m before scaling to fit; between neighbours is one gap.
    """

    rows: bool
    sizes: tuple[float, ...]
    parts: tuple["Front | Split", ...]

    def __post_init__(self) -> None:
        """Refuse what is no division."""
        if len(self.sizes) != len(self.parts) or len(self.parts) < 2 or not min(self.sizes) > 0:
            raise PocketworldError(f"cabinet: a split of sizes {self.sizes} into {len(self.parts)} parts")


Grid = Front | Split


@dataclass(frozen=True, slots=True)
class Cabinet:
    """A cabinet; lengths in m, outer size without handles.

    width, depth, height   outer box, from the floor to the top of the worktop, from back to the fronts' faces
    board, front, back     thickness of boards, of fronts and of the back panel
    plinth                 height of the closed plinth below the fronts (0: none); back by plinth_setback
    feet                   height of feet below everything (0: none)
    worktop                thickness of a top plate above the fronts, reaching to their faces (0: none; a top
                           board then lies behind the fronts if they overlay, above them if inset)
    gap                    between neighbouring fronts
    overlay                fronts cover the boards' edges; else they are inset between them
    density                of boards, kg/m³
    body, face, metal      looks of the body, the fronts and the handles
    sigma                  how sure the fronts' edges are, m
    """

    width: float
    depth: float
    height: float
    grid: Grid = Front()
    board: float = 0.018
    front: float = 0.018
    back: float = 0.006
    plinth: float = 0.0
    plinth_setback: float = 0.04
    feet: float = 0.0
    worktop: float = 0.0
    gap: float = 0.003
    overlay: bool = True
    density: float = 680.0
    body: Material = BODY
    face: Material = FACE
    metal: Material = METAL
    sigma: float = 0.0


def fronts(grid: Grid, path: str = "") -> Iterator[tuple[str, Front]]:
    """Go through the fronts of a grid with their ids, top to bottom and left to right."""
    if isinstance(grid, Front):
        yield path or "0", grid
        return
    for i, part in enumerate(grid.parts):
        yield from fronts(part, f"{path}.{i}" if path else str(i))


def layout(grid: Grid) -> str:
    """Return the tree of front kinds as text: what distinguishes one layout from another, sizes left out.

    r[...] are rows, c[...] columns; a door names its hinge's side: "r[drawer c[door.left door.right]]".
    """
    if isinstance(grid, Front):
        return f"{grid.kind}.{grid.side}" if grid.side is not Side.NONE else str(grid.kind)
    return f"{'r' if grid.rows else 'c'}[{' '.join(layout(part) for part in grid.parts)}]"
