"""Kitchen appliances as cabinets with thick walls: fronts above each other, built and mutated as a cabinet's.

An appliance's parameters say what is usual to say of it; its box is the same in a cabinet's words. The two
tell each other all that they share: nothing is lost on the way there and back, a front's chances least.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet import build as cabinets
from pocketworld.families.cabinet import fit
from pocketworld.families.cabinet.feasible import gripped, made, unreachable
from pocketworld.families.cabinet.grips import grip
from pocketworld.families.cabinet.mutate import WIDEST, mutate
from pocketworld.families.cabinet.parameters import MOVABLE, Cabinet, Front, Grid, HandleSpec, Split
from pocketworld.families.cabinet.plan import field
from pocketworld.families.cabinet.regrid import map_fronts
from pocketworld.families.codec import to_json
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Spread
from pocketworld.geometry.convex import BoxPiece, Vec3
from pocketworld.geometry.inertia import Inertia, inertia
from pocketworld.geometry.solids import Triangles
from pocketworld.scene import Asset, Material, Mesh, Part

MOST = 6
"""Fronts above each other that an appliance may have."""
OUTER = dict.fromkeys(("width", "depth", "height"), 0.3)
"""Kitchens are made in modules, and appliances for them: none is half as wide as another."""
HANDLES = ("bar", "bow", "edge")
"""What appliances are opened by; a recess would be a hole through the insulation."""
SCALE = ("sizes", "density", "damping", "friction")
GRIPS = ("handle_length", "handle_thickness", "handle_standoff")
SHIFT = ("opening", "swing", "hue", "saturation", "value", "roughness")
WIDE = Spread(
    scale={**OUTER, **{word: WIDEST.scale[word] for word in (*SCALE, *GRIPS)}},
    shift={word: WIDEST.shift[word] for word in SHIFT},
    choices={"handle": HANDLES},
    chance={"handle": 1.0},
)
"""A cabinet's words that leave an appliance what it is: its fronts stay as many, of the same kinds."""
SHARED = ("width", "depth", "height", "density", "body", "face", "metal", "sigma")
"""What an appliance and its box call by the same name and one may take from the other."""
P = TypeVar("P")


class ApplianceFamily(ABC, Generic[P]):
    """What families of appliances share (`pocketworld.families.protocol.Family`); P: their parameters."""

    name: str
    parameters: type[P]
    plain: P
    """What is proposed where nothing is known but a size."""
    widest = WIDE

    @abstractmethod
    def box(self, p: P) -> Cabinet:
        """Return the cabinet that has the appliance's walls and fronts."""

    def unbox(self, p: P, box: Cabinet, fronts: tuple[Front, ...], heights: tuple[float, ...]) -> P:
        """Return appliance p as another box has it; fronts of these heights are above each other.

        Of a single front no height is told: p keeps its own.
        """
        shared = {word: getattr(box, word) for word in SHARED}
        several = {} if len(fronts) == 1 else {"heights": heights}
        change: Any = replace
        changed: P = change(p, fronts=fronts, **shared, **several)
        return changed

    def finished(self, p: P, asset: Asset) -> Asset:
        """Return the built box with what makes it this appliance."""
        return asset

    def build(self, p: P, id: str, *, visual: bool = True) -> Asset:
        """Return the asset at the origin: parts "body" and role_number of each front, from the top, closed.

        visual   whether its parts have meshes for the eye

        Raises PocketworldError, in one line, for parameters that make none.
        """
        try:
            asset = cabinets.build(self.box(p), id, visual=visual)
        except PocketworldError as error:
            raise PocketworldError(str(error).replace("cabinet:", f"{self.name}:", 1)) from None
        made = self.finished(p, replace(asset, family=self.name, parameters=to_json(p)))
        if visual:
            return made
        return replace(made, parts=tuple(replace(part, meshes=()) for part in made.parts))

    def propose(self, evidence: Evidence) -> list[P]:
        """Return the appliances, and cabinets of fronts above each other, of the layouts, likeliest first.

        All are of the size seen; where none was found, it is a plain one.
        """
        found = [
            layout if isinstance(layout, self.parameters) else self._taken(layout)
            for _, layout in sorted(evidence.layouts, key=lambda layout: -layout[0])
        ]
        width, depth, height = evidence.size
        change: Any = replace
        known = [p for p in found if p is not None] or [self.plain]
        return [change(p, width=width, depth=depth, height=height) for p in known]

    def residual(self, p: P, evidence: Evidence) -> Array:
        """Return residuals (k,) in standard deviations: those of the cabinet that has its box and fronts."""
        return fit.residual(self.box(p), evidence)

    def mutate(self, p: P, spread: Spread, draw: Draw) -> P | Refusal:
        """Return another one with the same fronts, drawn from their chances first, or why it can't be."""
        out = mutate(self.box(p), _only(spread), draw)
        if isinstance(out, Refusal):
            return out
        rows = parts(out.grid)
        assert rows is not None
        q = self.unbox(p, out, *rows)
        only_drawn = not (spread.scale or spread.shift or spread.chance)
        # Knobs and the like may stand where the cabinet's fingers had room.
        return q if only_drawn else unreachable(self.build(q, self.name, visual=False)) or q

    def held(self, p: P, spec: HandleSpec) -> P | None:
        """Return it with such handles, where they pull best, and frictions that hold all fronts still.

        None where it can't be built or no hand could open it.
        """
        box = self.box(p)
        room = field(box)

        def change(front: Front, path: str, width: float, height: float) -> Front:
            if front.kind not in MOVABLE:
                return front
            return replace(front, handle=grip(spec, front.kind, front.side, width, height))

        out = made(gripped(replace(box, grid=map_fronts(box.grid, change, room.width, room.height))))
        if isinstance(out, Refusal):
            return None
        rows = parts(out[0].grid)
        assert rows is not None
        q = self.unbox(p, out[0], *rows)
        return None if unreachable(self.build(q, self.name, visual=False)) else q

    def _taken(self, layout: object) -> P | None:
        """Return the appliance with the fronts of a cabinet where these are above each other."""
        rows = parts(layout.grid) if isinstance(layout, Cabinet) else None
        if rows is None:
            return None
        change: Any = replace
        taken: P = change(self.plain, fronts=rows[0], heights=rows[1])
        return taken


def grid(what: str, fronts: tuple[Front, ...], heights: tuple[float, ...]) -> Grid:
    """Return fronts above each other as a cabinet's; PocketworldError where heights don't go with them."""
    if not 1 <= len(fronts) <= MOST or len(heights) != len(fronts) or not min(heights) > 0:
        found = f"{len(fronts)} fronts of heights {', '.join(f'{h:.4g}' for h in heights)}"
        raise PocketworldError(f"{what}: {found}", f"1 to {MOST} fronts, each with a height above 0")
    return fronts[0] if len(fronts) == 1 else Split(True, heights, fronts)


def parts(grid: Grid) -> tuple[tuple[Front, ...], tuple[float, ...]] | None:
    """Return the fronts above each other, and their heights, that a cabinet's grid is; None for any other."""
    if isinstance(grid, Front):
        return (grid,), (1.0,)
    rows = tuple(part for part in grid.parts if isinstance(part, Front))
    return (rows, grid.sizes) if grid.rows and len(rows) == len(grid.parts) <= MOST else None


def added(
    part: Part, pieces: Sequence[BoxPiece], density: float, looks: Sequence[tuple[Material, Triangles]]
) -> Part:
    """Return a part with further pieces of one density (kg/m³), and with further looks."""
    shown = (Mesh(vertices.astype(np.float32), faces, material) for material, (vertices, faces) in looks)
    part = replace(part, meshes=(*part.meshes, *shown), pieces=(*part.pieces, *pieces))
    if not pieces:
        return part
    bodies = [(part.mass, part.com, part.inertia), inertia(pieces, [density] * len(pieces))]
    mass, com, moments = together(bodies)
    return replace(part, mass=mass, com=com, inertia=moments)


def together(bodies: Sequence[tuple[float, Vec3, Inertia]]) -> tuple[float, Vec3, Inertia]:
    """Return mass, centre of mass and inertia about it of several bodies as one (parallel axis theorem)."""
    masses = np.array([mass for mass, _, _ in bodies])
    centres = np.array([com for _, com, _ in bodies])
    x, y, z = (float(c) for c in masses @ centres / masses.sum())
    off = centres - (x, y, z)
    squares = (masses[:, None, None] * off[:, :, None] * off[:, None, :]).sum(0)
    moved = np.trace(squares) * np.eye(3) - squares
    own = np.sum([moments for _, _, moments in bodies], axis=0)
    xx, yy, zz, xy, xz, yz = own + moved[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    return float(masses.sum()), (x, y, z), (float(xx), float(yy), float(zz), float(xy), float(xz), float(yz))


def _only(spread: Spread) -> Spread:
    """Return a spread without words that are not an appliance's."""

    def kept(name: str) -> dict[str, float]:
        return {word: v for word, v in getattr(spread, name).items() if word in getattr(WIDE, name)}

    kinds = tuple(kind for kind in spread.choices.get("handle", ()) if kind in HANDLES)
    choices = {"handle": kinds} if kinds else {}
    return Spread(kept("scale"), kept("shift"), choices, kept("chance"), spread.doubt)


def attempt(draw: Draw, number: int) -> Draw:
    """Return the streams of one of several tries."""

    def named(name: str) -> np.random.Generator:
        return draw(f"{number}/{name}")

    return named
