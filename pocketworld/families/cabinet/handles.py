"""Handles that two fingers can take hold of: their pieces, their looks, and the hole a recessed one needs.

Everything is written in the handle's own frame: a along its long side, c across it (the fingers close along
c), o out of the front's face. A spec's standoff is that of the grip; a cup's is how deep its shell is, and a
recessed handle, which lies flush with the face, has none.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.parameters import HandleSpec
from pocketworld.families.cabinet.plan import Rect
from pocketworld.geometry.convex import BoxPiece, HullPiece, Piece, Vec3, span
from pocketworld.geometry.solids import Triangles, merge, prism, surfaces
from pocketworld.scene import Handle, HandleKind

CLEAR = 0.012
"""Free space on each side of what is gripped and behind it, m: a finger of 5 mm opens and closes in it."""
SLOT = 0.014
"""Height of each slot beside the lip of a recessed handle, m."""
RIM = 0.006
"""What must be left of the panel around a recessed handle, m."""
LIP = 0.010
"""Depth of a recessed handle's lip, m."""
SHEET = 0.003
"""Thickness of sheet metal (cup, edge profile), m."""
NOSE = 0.006
"""Depth of the nose at the outer end of an edge profile, m."""
HEAD = 0.016
"""Depth of a knob's head, m."""
ROSE = 0.006
"""Depth of the disc around a lever's neck, m."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a gripper opening 50 mm with 22 mm wide fingers can take: m, and what is usual."""

    length: tuple[float, float]
    thickness: tuple[float, float]
    standoff: tuple[float, float]
    usual: tuple[float, float, float]


LIMITS = {
    HandleKind.BAR: Limits((0.05, 2.0), (0.004, 0.040), (0.016, 0.08), (0.130, 0.010, 0.032)),
    HandleKind.BOW: Limits((0.06, 2.0), (0.004, 0.040), (0.016, 0.08), (0.120, 0.009, 0.030)),
    HandleKind.KNOB: Limits((0.010, 0.045), (0.010, 0.045), (0.021, 0.08), (0.030, 0.030, 0.024)),
    HandleKind.CUP: Limits((0.05, 0.30), (0.022, 0.042), (0.024, 0.06), (0.090, 0.032, 0.026)),
    HandleKind.RECESSED: Limits((0.05, 2.0), (0.006, 0.030), (-1.0, 1.0), (0.110, 0.012, 0.0)),
    HandleKind.EDGE: Limits((0.04, 4.0), (0.006, 0.030), (0.016, 0.06), (0.300, 0.010, 0.020)),
    HandleKind.LEVER: Limits((0.07, 0.30), (0.008, 0.030), (0.020, 0.08), (0.130, 0.020, 0.050)),
}
"""Sizes within which each kind can be built and gripped, without regard to the panel."""


@dataclass(frozen=True, eq=False, slots=True)
class Fitting:
    """A handle built onto a panel, in the asset's frame.

    shown   makes its triangles, which are for eyes only;  hole: the window it needs in the panel
    """

    handle: Handle
    pieces: tuple[Piece, ...]
    shown: Callable[[], Triangles]
    hole: Rect | None = None

    @property
    def surface(self) -> Triangles:
        """Return what one sees of it."""
        return self.shown()


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a handle's own frame lies: its middle on the face, and whether a runs up, not to the right."""

    x: float
    y: float
    z: float
    vertical: bool

    def point(self, a: float, c: float, o: float) -> Vec3:
        """Return in the asset's frame a point of the handle's."""
        if self.vertical:
            return (self.x + c, self.y - o, self.z + a)
        return (self.x + a, self.y - o, self.z + c)

    def box(self, a: tuple[float, float], c: tuple[float, float], o: tuple[float, float]) -> BoxPiece:
        """Return the box between two values each of a, c and o."""
        return span(self.point(a[0], c[0], o[1]), self.point(a[1], c[1], o[0]))


def usual(kind: HandleKind, u: float = 0.5, v: float = 0.5, vertical: bool = False) -> HandleSpec:
    """Return a handle of a kind in its usual size at a place."""
    if kind is HandleKind.NONE:
        return HandleSpec(kind, u, v)
    length, thickness, standoff = LIMITS[kind].usual
    return HandleSpec(kind, u, v, length, thickness, standoff, vertical and kind is not HandleKind.CUP)


def fitted(spec: HandleSpec, width: float, height: float) -> HandleSpec:
    """Return the nearest handle that can be built on a panel of that size (m) and gripped.

    Sizes are brought within LIMITS and the panel, the place so that the handle lies on the panel; it becomes
    none where there is no room.
    """
    if spec.kind is HandleKind.NONE:
        return spec
    limits = LIMITS[spec.kind]
    vertical = spec.vertical and spec.kind is not HandleKind.CUP
    along, across = (height, width) if vertical else (width, height)
    most = min(limits.thickness[1], across - _margin(spec.kind, 0.0))
    longest = along - 2 * RIM if spec.kind is HandleKind.RECESSED else along
    if longest < limits.length[0] or most < limits.thickness[0]:
        return replace(spec, kind=HandleKind.NONE, vertical=False)
    length = _clip(spec.length, limits.length[0], min(limits.length[1], longest))
    thickness = _clip(spec.thickness, limits.thickness[0], most)
    standoff = _clip(spec.standoff, _least(spec.kind, thickness), limits.standoff[1])
    out = replace(spec, vertical=vertical, length=length, thickness=thickness, standoff=standoff)
    half_a, half_c = _extent(out)
    a, c = (spec.v, spec.u) if vertical else (spec.u, spec.v)
    a, c = _inside(a, half_a / along), _inside(c, half_c / across)
    return replace(out, u=c, v=a) if vertical else replace(out, u=a, v=c)


def fit(spec: HandleSpec, face: Rect, y: float, panel: float, subject: str) -> Fitting | None:
    """Return the handle on a panel's face (at depth y, of thickness panel; m), or None where there is none.

    subject: whose it is, as an error begins: "cabinet: front 0".
    Raises PocketworldError where it does not lie on the panel or no two fingers could take it.
    """
    if spec.kind is HandleKind.NONE:
        return None
    _check(spec, face, subject)
    frame = _frame(spec, face, y)
    pieces, shown, standoff = _BUILD[spec.kind](spec, frame, panel)
    along = (0.0, 0.0, 1.0) if spec.vertical else (1.0, 0.0, 0.0)
    grip = frame.point(0.0, 0.0, standoff)
    handle = Handle(spec.kind, grip, along, (0.0, -1.0, 0.0), spec.length, spec.thickness, standoff)
    hole = None
    if spec.kind is HandleKind.RECESSED:
        a, c = _extent(spec)
        a, c = a - RIM, c - RIM
        low, high = frame.point(-a, -c, 0.0), frame.point(a, c, 0.0)
        hole = Rect(low[0], high[0], low[2], high[2])
    return Fitting(handle, tuple(pieces), shown, hole)


def _frame(spec: HandleSpec, face: Rect, y: float) -> _Frame:
    """Return where the handle is; an edge profile is put at the panel's nearest edge across it."""
    x, z = face.x0 + spec.u * face.width, face.z0 + spec.v * face.height
    if spec.kind is HandleKind.EDGE:
        half = spec.thickness / 2
        if spec.vertical:
            x = face.x1 - half if spec.u >= 0.5 else face.x0 + half
        else:
            z = face.z1 - half if spec.v >= 0.5 else face.z0 + half
    return _Frame(x, y, z, spec.vertical)


def _clip(value: float, low: float, high: float) -> float:
    """Return the value, brought between two others."""
    return min(max(value, low), high)


def _inside(share: float, half: float) -> float:
    """Return the share of a side, brought so far inside that half a handle fits on either side."""
    return 0.5 if half >= 0.5 else _clip(share, half, 1 - half)


def _margin(kind: HandleKind, thickness: float) -> float:
    """Return the panel's height across that a handle of a thickness needs, m."""
    return thickness + (2 * (SLOT + RIM) if kind is HandleKind.RECESSED else 0.0)


def _extent(spec: HandleSpec) -> tuple[float, float]:
    """Return half of what a handle takes of its panel along and across, m."""
    rim = RIM if spec.kind is HandleKind.RECESSED else 0.0
    return spec.length / 2 + rim, _margin(spec.kind, spec.thickness) / 2


def _least(kind: HandleKind, thickness: float) -> float:
    """Return the smallest standoff that leaves CLEAR behind what is gripped, m."""
    half = NOSE / 2 if kind is HandleKind.EDGE else 0.0
    if kind in (HandleKind.BAR, HandleKind.BOW, HandleKind.LEVER):
        half = thickness / 2
    return max(LIMITS[kind].standoff[0], half + CLEAR)


def _check(spec: HandleSpec, face: Rect, subject: str) -> None:
    """Refuse a handle that can't be built there or gripped."""
    limits, what = LIMITS[spec.kind], f"{subject}: {spec.kind} handle"
    least = -1.0 if spec.kind is HandleKind.RECESSED else _least(spec.kind, spec.thickness)
    allowed = {
        "length": limits.length,
        "thickness": limits.thickness,
        "standoff": (least, limits.standoff[1]),
    }
    for name, (low, high) in allowed.items():
        value = getattr(spec, name)
        if not low - 1e-9 <= value <= high + 1e-9:
            raise PocketworldError(
                f"{what} has {name} {value:.4g} m", f"{low:.4g} to {high:.4g} can be gripped"
            )
    if spec.kind is HandleKind.CUP and spec.vertical:
        raise PocketworldError(f"{what} stands upright", "a cup lies across: vertical=False")
    a, c = _extent(spec)
    half_x, half_z = (c, a) if spec.vertical else (a, c)
    free_x = min(spec.u, 1 - spec.u) * face.width - half_x
    free_z = min(spec.v, 1 - spec.v) * face.height - half_z
    if spec.kind is HandleKind.EDGE:  # put at the edge whatever its place across
        free_x, free_z = (
            (face.width - 2 * half_x, free_z) if spec.vertical else (free_x, face.height - 2 * half_z)
        )
    if min(free_x, free_z) < -1e-9:
        raise PocketworldError(
            f"{what} of {2 * half_x:.3g} x {2 * half_z:.3g} m at ({spec.u:.3g}, {spec.v:.3g})",
            f"it must lie on its panel of {face.width:.3g} x {face.height:.3g} m",
        )


_Shape = tuple[list[Piece], Callable[[], Triangles], float]


def _rod(frame: _Frame, half: float, radius: float, out: float) -> Triangles:
    """Return a round rod along a."""
    return prism(frame.point(-half, 0.0, out), frame.point(half, 0.0, out), (radius, radius))


def _stud(frame: _Frame, a: float, radii: tuple[float, float], o: tuple[float, float]) -> Triangles:
    """Return a round stud along o; radii along a and c."""
    across = (radii[1], radii[0]) if frame.vertical else radii
    return prism(frame.point(a, 0.0, o[0]), frame.point(a, 0.0, o[1]), across)


def _bar(spec: HandleSpec, frame: _Frame, panel: float) -> _Shape:
    """Return a straight bar on two posts that stand 12 % of its length from its ends."""
    half, radius, out = spec.length / 2, spec.thickness / 2, spec.standoff
    post = min(0.8 * radius, 0.006)
    at = half - max(0.24 * half, post)
    bar = frame.box((-half, half), (-radius, radius), (out - radius, out + radius))
    posts = [frame.box((a - post, a + post), (-post, post), (0.0, out - radius)) for a in (-at, at)]

    def studs() -> list[Triangles]:
        return [_stud(frame, a, (post, post), (0.0, out)) for a in (-at, at)]

    return [bar, *posts], lambda: merge([_rod(frame, half, radius, out), *studs()]), out


def _bow(spec: HandleSpec, frame: _Frame, panel: float) -> _Shape:
    """Return a bar whose ends slope down to feet on the face."""
    half, radius, out = spec.length / 2, spec.thickness / 2, spec.standoff
    bend, foot = 0.6 * half, min(2 * radius, 0.3 * half)
    pieces: list[Piece] = [frame.box((-bend, bend), (-radius, radius), (out - radius, out + radius))]
    for side in (-1, 1):
        ring = [(half - foot, 0.0), (half, 0.0), (bend, out + radius), (bend, out - radius)]
        pieces.append(
            HullPiece(tuple(frame.point(side * a, c, o) for a, o in ring for c in (-radius, radius)))
        )
    return pieces, lambda: surfaces(pieces), out


def _knob(spec: HandleSpec, frame: _Frame, panel: float) -> _Shape:
    """Return a round head on a stem; its collision pieces are boxes."""
    a, c, out = spec.length / 2, spec.thickness / 2, spec.standoff
    stem = 0.4 * min(a, c)
    head = frame.box((-a, a), (-c, c), (out - HEAD / 2, out + HEAD / 2))
    neck = frame.box((-stem, stem), (-stem, stem), (0.0, out - HEAD / 2))

    def shown() -> list[Triangles]:
        return [
            _stud(frame, 0.0, (a, c), (out - HEAD / 2, out + HEAD / 2)),
            _stud(frame, 0.0, (stem, stem), (0.0, out - HEAD / 2)),
        ]

    return [head, neck], lambda: merge(shown()), out


def _cup(spec: HandleSpec, frame: _Frame, panel: float) -> _Shape:
    """Return a shell that is open below; the fingers close on its top and its lower rim."""
    half, c, deep = spec.length / 2, spec.thickness / 2, spec.standoff
    top, low = c - SHEET, -c
    pieces: list[Piece] = [
        frame.box((-half, half), (top, c), (0.0, deep)),
        frame.box((-half, half), (low, top), (deep - SHEET, deep)),
        frame.box((-half, SHEET - half), (low, top), (0.0, deep - SHEET)),
        frame.box((half - SHEET, half), (low, top), (0.0, deep - SHEET)),
    ]
    return pieces, lambda: surfaces(pieces), deep / 2


def _recessed(spec: HandleSpec, frame: _Frame, panel: float) -> _Shape:
    """Return the lip across the middle of a window in the panel, flush with its face."""
    half, c = spec.length / 2, spec.thickness / 2
    pieces: list[Piece] = [frame.box((-half, half), (-c, c), (-min(LIP, panel), 0.0))]
    return pieces, lambda: surfaces(pieces), -min(LIP, panel) / 2


def _edge(spec: HandleSpec, frame: _Frame, panel: float) -> _Shape:
    """Return a sheet that stands out of the panel's edge with a nose at its end: the nose is gripped."""
    half, c, out = spec.length / 2, spec.thickness / 2, spec.standoff
    outer = 1 if (spec.u if spec.vertical else spec.v) >= 0.5 else -1
    low, high = sorted((outer * c, outer * (c - SHEET)))
    pieces: list[Piece] = [
        frame.box((-half, half), (low, high), (0.0, out - NOSE / 2)),
        frame.box((-half, half), (-c, c), (out - NOSE / 2, out + NOSE / 2)),
    ]
    return pieces, lambda: surfaces(pieces), out


def _lever(spec: HandleSpec, frame: _Frame, panel: float) -> _Shape:
    """Return a bar fixed at that end which is nearer to the panel's edge; it is pulled at its middle."""
    half, radius, out = spec.length / 2, spec.thickness / 2, spec.standoff
    neck = 0.8 * radius
    at = (half - neck) * (1 if (spec.v if spec.vertical else spec.u) >= 0.5 else -1)
    pieces: list[Piece] = [
        frame.box((-half, half), (-radius, radius), (out - radius, out + radius)),
        frame.box((at - neck, at + neck), (-neck, neck), (0.0, out - radius)),
    ]

    def shown() -> list[Triangles]:
        return [
            _rod(frame, half, radius, out),
            _stud(frame, at, (neck, neck), (0.0, out)),
            _stud(frame, at, (2 * neck, 2 * neck), (0.0, ROSE)),
        ]

    return pieces, lambda: merge(shown()), out


_BUILD = {
    HandleKind.BAR: _bar,
    HandleKind.BOW: _bow,
    HandleKind.KNOB: _knob,
    HandleKind.CUP: _cup,
    HandleKind.RECESSED: _recessed,
    HandleKind.EDGE: _edge,
    HandleKind.LEVER: _lever,
}
