"""A wall: a slab that stands, with rectangular openings for doors, windows and panes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations, pairwise

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.codec import to_json
from pocketworld.families.misfit import misfit
from pocketworld.families.paint import painted
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.convex import BoxPiece, Vec3, span
from pocketworld.geometry.inertia import inertia
from pocketworld.geometry.solids import Triangles, boxes
from pocketworld.scene import Asset, Base, Material, Mesh, Part

PLASTER = (0.82, 0.80, 0.77)  # linear RGB
ROUGH = 0.95
GLASS = Material((0.45, 0.55, 0.56), 0.08)
FRAME = Material((0.80, 0.80, 0.79), 0.4)
MASONRY, PANE_DENSITY = 1200.0, 2500.0  # kg/m³: light masonry or a filled stud wall; glass
PANE = 0.012  # m: laminated safety glass of 2 x 6 mm
WINDOW_FRAME = 0.07  # m: how wide and how deep a window's frame is (DIN 68121: sections of 68 and 78 mm)
LEAST = 1e-6  # m: below it two edges are one
OCTAMETRE = 0.125  # m: masonry is measured in eighths of a metre (DIN 4172)
THICKNESSES = (0.1, 0.125, 0.15, 0.175, 0.24)  # m: stud walls (DIN 18183) and masonry (DIN 4172)
HEIGHTS = (2.4, 2.8)  # m: habitable rooms from 2.40 m (building codes) to usual offices
LONGEST = 8.0  # m: of a sampled wall
WINDOWS = {"width": (6, 16), "height": (8, 12), "sill": (6, 8)}  # octametres of masonry openings
BESIDE = 0.25  # m of wall left beside and above a sampled window


class OpeningKind(StrEnum):
    """What an opening is for: a door's frame, a way without one, a window, a fixed pane."""

    DOOR = "door"
    PASSAGE = "passage"
    WINDOW = "window"
    GLASS = "glass"


@dataclass(frozen=True, slots=True)
class Opening:
    """A rectangular hole through a wall: x of its middle in the wall's frame, height of its lower edge, m.

    A door or passage is free, a window has a frame and a pane, glass is a pane that fills it.
    """

    at: float
    bottom: float
    width: float
    height: float
    kind: OpeningKind = OpeningKind.DOOR

    @property
    def left(self) -> float:
        """Return the x of its left edge, m."""
        return self.at - self.width / 2

    @property
    def right(self) -> float:
        """Return the x of its right edge, m."""
        return self.at + self.width / 2

    @property
    def top(self) -> float:
        """Return the height of its upper edge, m."""
        return self.bottom + self.height


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall along x, seen from the room in front (-y): length, height, thickness in m; linear RGB."""

    length: float
    height: float
    thickness: float = 0.125
    openings: tuple[Opening, ...] = ()
    colour: Vec3 = PLASTER

    @property
    def size(self) -> Vec3:
        """Return length, thickness, height, m: its outer box."""
        return (self.length, self.thickness, self.height)


class WallFamily:
    """Walls of buildings (`pocketworld.families.protocol.Family`): fixed, and nothing of them moves."""

    name = "wall"
    parameters = Wall
    widest = Spread(shift={"hue": 0.5, "saturation": 0.5, "value": 0.5})

    def sample(self, draw: Draw, site: Site) -> Wall:
        """Return a wall as long as the place, of usual thickness and height, every other with a window.

        Raises PocketworldError where the place is thinner or lower than walls are.
        """
        thick = [t for t in THICKNESSES if t <= site.free[1]]
        height = min(float(draw("height").uniform(*HEIGHTS)), site.free[2])
        if not thick or height <= BESIDE or site.free[0] <= BESIDE:
            found = " x ".join(f"{side:.3g}" for side in site.free)
            raise PocketworldError(f"no wall fits into {found} m", "leave it more room")
        length = min(site.free[0], LONGEST)
        thickness = thick[int(draw("thickness").integers(len(thick)))]
        shade = float(draw("shade").uniform(0.55, 0.88))
        wall = Wall(length, height, thickness, (), (shade, 0.98 * shade, 0.94 * shade))
        return replace(wall, openings=_window(wall, draw))

    def build(self, p: Wall, id: str, *, visual: bool = True) -> Asset:
        """Return the wall as one part, "body", at the origin: the middle of its length and thickness.

        visual   whether it has meshes for the eye

        Raises PocketworldError, in one line, for parameters that make no wall.
        """
        check(p)
        groups = (slabs(p), *_filled(p))
        if not any(groups):
            raise PocketworldError("wall: its openings leave nothing of it", "make it longer or higher")
        materials = (Material(p.colour, ROUGH), FRAME, GLASS)
        shown = [(m, g) for m, g in zip(materials, groups, strict=True) if g]
        looks = [(m, _open_behind(boxes(g), p.height)) for m, g in shown] if visual else []
        densities = [PANE_DENSITY if m is GLASS else MASONRY for m, g in shown for _ in g]
        pieces = tuple(piece for _, group in shown for piece in group)
        part = Part(
            "body",
            "body",
            tuple(Mesh(vertices.astype(np.float32), faces, m) for m, (vertices, faces) in looks),
            pieces,
            *inertia(pieces, densities),
        )
        return Asset(id, self.name, to_json(p), (part,), base=Base.FIXED)

    def propose(self, evidence: Evidence) -> list[Wall]:
        """Return the walls of the layouts found, the likeliest first, or a plain one, in the size seen."""
        length, thickness, height = evidence.size
        found = [p for _, p in sorted(evidence.layouts, key=lambda layout: -layout[0]) if isinstance(p, Wall)]
        return [
            replace(p, length=length, thickness=thickness, height=height) for p in found or [Wall(1.0, 1.0)]
        ]

    def residual(self, p: Wall, evidence: Evidence) -> Array:
        """Return residuals (3 + n,): size in its sigmas, then points' distances by their weights."""
        return misfit(p.size, [*slabs(p), *(piece for group in _filled(p) for piece in group)], evidence)

    def mutate(self, p: Wall, spread: Spread, draw: Draw) -> Wall | Refusal:
        """Return the wall in another paint: its sizes and openings are the room's; doors stand in them."""
        return replace(p, colour=painted(Material(p.colour, ROUGH), "wall", Vary(spread, draw)).colour)


def check(p: Wall) -> None:
    """Raise PocketworldError, in one line, for sizes that are none, openings that stick out or overlap."""
    outer = " x ".join(f"{side:.4g}" for side in p.size)
    if not all(map(math.isfinite, p.size)) or min(p.size) <= LEAST:
        raise PocketworldError(f"wall: it is {outer} m", "length, thickness and height are above 0")
    if not all(0 <= c <= 1 for c in p.colour):
        raise PocketworldError(f"wall: its colour is {p.colour}", "linear RGB, 0 to 1 each")
    for i, one in enumerate(p.openings):
        numbers = (one.at, one.bottom, one.width, one.height)
        if not all(map(math.isfinite, numbers)) or min(one.width, one.height) <= LEAST:
            raise PocketworldError(
                f"wall: opening {i} is {one.width:.4g} x {one.height:.4g} m", "numbers, above 0"
            )
        outside = max(-p.length / 2 - one.left, one.right - p.length / 2, -one.bottom, one.top - p.height)
        if outside > LEAST:
            raise PocketworldError(
                f"wall: opening {i} sticks out by {outside:.3g} m", f"keep it inside {outer} m"
            )
    for (i, a), (j, b) in combinations(enumerate(p.openings), 2):
        wide = min(a.right, b.right) - max(a.left, b.left)
        high = min(a.top, b.top) - max(a.bottom, b.bottom)
        if min(wide, high) > LEAST:
            raise PocketworldError(
                f"wall: openings {i} and {j} overlap by {wide:.3g} x {high:.3g} m", "move them apart"
            )


def _open_behind(solid: Triangles, height: float) -> Triangles:
    """Return a solid without its back and its top at a height: one looks in as into a doll's house.

    No capture of a room has seen them either.
    """
    vertices, faces = solid
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    half = np.linalg.norm(normals, axis=1) / 2
    top = (normals[:, 2] > half) & (a[:, 2] > height - LEAST)
    return vertices, faces[(normals[:, 1] < half) & ~top]


def slabs(p: Wall) -> list[BoxPiece]:
    """Return the upright boxes that the wall is made of around its openings; they touch, none overlap.

    The wall is cut at the upright edges of its openings; each strip is whole but for the openings in it.
    """
    half, deep = p.length / 2, p.thickness / 2
    cuts = sorted({-half, half, *(x for o in p.openings for x in (o.left, o.right) if -half < x < half)})
    out = []
    for x0, x1 in pairwise(cuts):
        middle = (x0 + x1) / 2
        inside = sorted((o.bottom, o.top) for o in p.openings if o.left < middle < o.right)
        if x1 - x0 > LEAST:
            out += [span((x0, -deep, z0), (x1, deep, z1)) for z0, z1 in _rest(inside, p.height)]
    return out


def _rest(taken: Sequence[tuple[float, float]], height: float) -> Iterator[tuple[float, float]]:
    """Go through what ranges of height, in order, leave of 0..height."""
    low = 0.0
    for z0, z1 in [*taken, (height, height)]:
        if z0 - low > LEAST:
            yield low, z0
        low = z1


def _filled(p: Wall) -> tuple[list[BoxPiece], list[BoxPiece]]:
    """Return the frames of windows, and the panes of windows and glass, in the middle of the wall."""
    frames: list[BoxPiece] = []
    panes: list[BoxPiece] = []
    for one in p.openings:
        x0, x1, z0, z1 = one.left, one.right, one.bottom, one.top
        if one.kind is OpeningKind.WINDOW:
            b = min(WINDOW_FRAME, one.width / 4, one.height / 4)
            y = min(WINDOW_FRAME, p.thickness) / 2
            frames += [
                span((x0, -y, z0), (x1, y, z0 + b)),
                span((x0, -y, z1 - b), (x1, y, z1)),
                span((x0, -y, z0 + b), (x0 + b, y, z1 - b)),
                span((x1 - b, -y, z0 + b), (x1, y, z1 - b)),
            ]
            x0, x1, z0, z1 = x0 + b, x1 - b, z0 + b, z1 - b
        if one.kind in (OpeningKind.WINDOW, OpeningKind.GLASS):
            y = min(PANE, p.thickness) / 2
            panes.append(span((x0, -y, z0), (x1, y, z1)))
    return frames, panes


def _window(p: Wall, draw: Draw) -> tuple[Opening, ...]:
    """Return a window of usual size somewhere in a wall, or none: at the toss of a coin, or without room."""
    steps = {name: int(draw(f"window/{name}").integers(a, b + 1)) for name, (a, b) in WINDOWS.items()}
    width, height, sill = (steps[name] * OCTAMETRE for name in ("width", "height", "sill"))
    play = (p.length - width) / 2 - BESIDE
    at = play * float(draw("window/at").uniform(-1, 1))
    if draw("window").random() < 0.5 or play < 0 or sill + height + BESIDE > p.height:
        return ()
    return (Opening(at, sill, width, height, OpeningKind.WINDOW),)
