"""A shelf: open boards between two sides, or on four posts, with a back or without."""

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

from pocketworld.families.block import WOODS, Stuff, check_lengths, check_room, coloured, one_part, within
from pocketworld.families.layers import layers
from pocketworld.families.misfit import misfit
from pocketworld.families.paint import painted
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.convex import BoxPiece, Vec3, span
from pocketworld.scene import Asset, Base, Material

WIDTHS = (0.4, 1.2)  # m: boards of chipboard sag where they are longer (EN 14749 loads them)
DEPTHS = (0.25, 0.45)  # m: books to folders
HEIGHTS = (0.7, 2.0)
BOARDS = (0.016, 0.025)  # m
POSTS = (0.03, 0.045)  # m
STEPS = (0.28, 0.42)  # m between boards: folders need 0.32
LOWEST = (0.04, 0.12)  # m: upper face of the lowest board
BACK = 0.005  # m: hardboard
LEAST = 0.003  # m: least thickness of anything on it
LEAST_SIZE = (0.25, 0.12, 0.4)  # m: what is smaller is no shelf that stands
DEEPEST = 0.8  # m
APART = 0.1  # m between boards: less holds nothing
SHARE = 0.03  # of all points that a board's upper face has
SCALED = ("width", "depth", "height", "board", "side", "density")  # words of a spread
WOOD = Material((0.62, 0.47, 0.32), 0.6)


class Sides(StrEnum):
    """What carries the boards."""

    PANELS = "panels"
    POSTS = "posts"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A shelf of width (x), depth (y), height, m; density in kg/m³.

    boards   heights of the boards' upper faces, from below;  board: their thickness
    sides    closed panels, or posts at the corners;  side: their thickness;  back: of the back, 0: none
    """

    width: float
    depth: float
    height: float
    boards: tuple[float, ...]
    board: float = 0.02
    sides: Sides = Sides.PANELS
    side: float = 0.02
    back: float = 0.0
    density: float = 650.0
    material: Material = WOOD

    @property
    def size(self) -> Vec3:
        """Return width, depth, height, m."""
        return (self.width, self.depth, self.height)


class ShelfFamily:
    """Open shelves (`pocketworld.families.protocol.Family`): fixed, as EN 14749 wants what could tip."""

    name = "shelf"
    parameters = Shelf
    widest = Spread(
        scale=dict.fromkeys(SCALED, 0.4),
        shift={"hue": 0.5, "saturation": 0.5, "value": 0.5, "roughness": 0.5},
        chance={"sides": 1.0, "back": 1.0},
    )

    def sample(self, draw: Draw, site: Site) -> Shelf:
        """Return a shelf of usual size for the place.

        Raises PocketworldError where the place is too small for any.
        """
        usual = zip(("width", "depth", "height"), (WIDTHS, DEPTHS, HEIGHTS), site.free, strict=True)
        width, depth, height = (within(draw, *each, "shelf") for each in usual)
        posts, low = draw("sides").random() < 0.4, float(draw("lowest").uniform(*LOWEST))
        count = max(1, round((height - low) / float(draw("step").uniform(*STEPS))))
        return Shelf(
            width,
            depth,
            height,
            tuple(low + (height - low) * i / count for i in range(count + 1)),
            float(draw("board").uniform(*BOARDS)),
            Sides.POSTS if posts else Sides.PANELS,
            float(draw("side").uniform(*(POSTS if posts else BOARDS))),
            BACK if not posts and draw("back").random() < 0.6 else 0.0,
            material=coloured(draw, "body", WOODS),
        )

    def build(self, p: Shelf, id: str, *, visual: bool = True) -> Asset:
        """Return the shelf as one fixed part; with meshes for the eye if `visual`.

        Raises PocketworldError, in one line, for parameters that make no shelf.
        """
        check(p)
        return one_part(
            id, self.name, p, [Stuff(p.material, p.density, pieces(p))], Base.FIXED, visual=visual
        )

    def propose(self, evidence: Evidence) -> list[Shelf]:
        """Return shelves in the size seen, if shelves have it, with the boards seen and one on top."""
        width, depth, height = evidence.size
        if (
            not all(low <= side for low, side in zip(LEAST_SIZE, evidence.size, strict=True))
            or depth > DEEPEST
        ):
            return []
        thick = min(sum(BOARDS) / 2, height / 8)
        seen = [z for z in layers(evidence, SHARE, APART) if thick < z < height - APART]
        if not seen:  # a top on sides is a table
            return []
        plain = Shelf(width, depth, height, (*seen, height), thick, side=min(thick, width / 5, depth / 5))
        posts = replace(plain, sides=Sides.POSTS, side=min(sum(POSTS) / 2, width / 5, depth / 5))
        return [plain, replace(plain, back=min(BACK, depth / 4)), posts]

    def residual(self, p: Shelf, evidence: Evidence) -> Array:
        """Return residuals (3 + n + m,): size, points, places seen empty; see `misfit`."""
        return misfit(p.size, pieces(p), evidence)

    def mutate(self, p: Shelf, spread: Spread, draw: Draw) -> Shelf | Refusal:
        """Return a shelf of other size, sides and paint, its boards spread alike, or why it can't be."""
        vary = Vary(spread, draw)
        changed: dict[str, Any] = {name: vary.scaled(getattr(p, name), name) for name in SCALED}
        out = replace(p, **changed, material=painted(p.material, "body", vary))
        if out.height != p.height:
            out = replace(out, boards=tuple(min(z * out.height / p.height, out.height) for z in p.boards))
        if vary.happens("sides"):
            other = Sides.PANELS if p.sides is Sides.POSTS else Sides.POSTS
            out = replace(out, sides=other, side=sum(POSTS if other is Sides.POSTS else BOARDS) / 2)
        if vary.happens("back"):
            out = replace(out, back=0.0 if p.back else BACK)
        short = min(_spare(out))
        return Refusal("no-room", {"short_m": -short}) if short < 0 or out.board < LEAST else out


def check(p: Shelf) -> None:
    """Raise PocketworldError, in one line, for sizes that are none and boards that are not within."""
    own = {name: getattr(p, name) for name in SCALED}
    check_lengths("shelf", LEAST, **own)
    check_lengths("shelf", 0.0, back=p.back)
    for i, z in enumerate(p.boards):
        check_lengths("shelf", p.board, **{f"board {i}": z})
        check_room("shelf", f"board {i}", z, p.height)
    beside, between = _spare(p)
    check_room("shelf", "side", p.side, p.side + beside)
    check_room("shelf", "board", p.board, p.board + between)


def _spare(p: Shelf) -> tuple[float, float]:
    """Return how much room is left between sides, posts and back, and between boards, m."""
    gaps = [b - a - p.board - LEAST for a, b in pairwise((0.0, *p.boards))]
    deep = 2 * p.side if p.sides is Sides.POSTS else 0.0
    beside = min(p.width - 2 * p.side, p.depth - deep - p.back) / 2 - LEAST
    return beside, min([*(gap for gap in gaps[1:]), p.height])


def pieces(p: Shelf) -> list[BoxPiece]:
    """Return all pieces; no two overlap."""
    x, y, s = p.width / 2, p.depth / 2, p.side
    if p.sides is Sides.PANELS:
        frame = [span((a, -y, 0.0), (a + s, y, p.height)) for a in (-x, x - s)]
    else:
        frame = [span((a, b, 0.0), (a + s, b + s, p.height)) for a in (-x, x - s) for b in (-y, y - s)]
    boards = [span((s - x, -y, z - p.board), (x - s, y - p.back, z)) for z in p.boards]
    if not p.back:
        return [*frame, *boards]
    return [*frame, *boards, span((s - x, y - p.back, 0.0), (x - s, y, p.height))]
