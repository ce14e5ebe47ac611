"""From a box-like thing to furniture: its faces read, its front found, a family fitted to it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.families.box import Box
from pocketworld.families.cabinet.fit import divisions
from pocketworld.families.cabinet.parameters import MOVABLE, Cabinet, FrontKind, fronts
from pocketworld.families.cabinet.plan import plan
from pocketworld.families.protocol import Elevation, Evidence
from pocketworld.families.registry import family
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.geometry.convex import Vec3
from pocketworld.reconstruct.fronts.buildable import believable, left_out
from pocketworld.reconstruct.fronts.cabinets import Behind, cabinet
from pocketworld.reconstruct.fronts.colours import painted
from pocketworld.reconstruct.fronts.face import FACES, Face, read_face
from pocketworld.reconstruct.fronts.fit import fitted
from pocketworld.reconstruct.fronts.grammar import Cell, explain
from pocketworld.reconstruct.fronts.outline import Known
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scan.capture import Capture

Array = NDArray[np.float64]

STAGE = "reconstruct"
NEAR = 0.05  # m: surface that may belong to a box's faces
DEPTH = 0.015  # m: what depth is worth on a face: alike over the whole of it
POINTS = 600  # of the surface are as good as all of it
LIKELY = 0.02  # explanations this much less probable than the best are not told


@dataclass(frozen=True, eq=False, slots=True)
class Furnished:
    """What a thing is.

    parameters     of its family: a Cabinet where something on it opens or lies open, else a Box
    box            its outer box, turned so that -y is its front
    alternatives   (probability, parameters) of all layouts considered, its own among them, if there are
                   several
    elevations     all four faces with what was found on them, named as seen from its front
    """

    parameters: Cabinet | Box
    box: UprightBox
    alternatives: tuple[tuple[float, Cabinet | Box], ...]
    elevations: tuple[Elevation, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """A face and the cabinets that it may be the front of, the likeliest first; read: before what can't be
    built was left out.
    """

    face: Face
    options: tuple[tuple[float, Cabinet], ...]
    read: tuple[tuple[float, Cabinet], ...]

    @property
    def opening(self) -> float:
        """Return how many of its fronts are expected to open."""
        return sum(p * sum(f.kind in MOVABLE for _, f in fronts(c.grid)) for p, c in self.options)


def furnish(
    capture: Capture,
    box: UprightBox,
    poses: Array,
    surface: Surface,
    subject: str,
    size_sigma: Vec3 = (0.015, 0.015, 0.015),
    lower_edge: float | None = None,
) -> Furnished:
    """Return what a box-like thing is, by the pictures and depth of its four upright faces.

    box, surface   in the scene's frame;  poses: (n, 4, 4) scene_from_camera of the capture's frames
    subject        what findings are about: the thing's id;  size_sigma: of the box's width, depth and
                   height, m
    lower_edge     how far above the floor its faces end (feet, castors or a plinth are below), m; None:
                   unknown
    """
    known = [Known(sigma, lower_edge, size_sigma[2]) for sigma in size_sigma[:2]]
    readings = [
        _reading(read_face(capture, box, poses, k, known[k % 2]), box.turned(k).size) for k in range(4)
    ]
    front = int(np.argmax([r.opening for r in readings]))
    turned = box.turned(front)
    order = [(front + k) % 4 for k in range(4)]
    elevations = tuple(
        replace(readings[k].face.elevation, face=name) for k, name in zip(order, FACES, strict=True)
    )
    points, normals, weights = _points(surface, turned)
    evidence = Evidence(
        points,
        normals,
        weights,
        np.zeros((0, 3)),
        turned.size,
        size_sigma if front % 2 == 0 else _swapped(size_sigma),
        elevations,
        tuple((p, c) for p, c in readings[front].options if _opens(c)),
    )
    weighed = _weighed(evidence)
    best = weighed[0][1]
    painted_all = tuple((p, painted(q, elevations)) for p, q in weighed)
    findings = _findings(best, readings, order, subject)
    return Furnished(
        painted_all[0][1], turned, painted_all if len(painted_all) > 1 else (), elevations, findings
    )


def _swapped(sigma: Vec3) -> Vec3:
    return (sigma[1], sigma[0], sigma[2])


def _reading(face: Face, size: Vec3) -> Reading:
    seen, span = face.elevation, face.span
    width, height = span.u1 - span.u0, span.v1 - span.v0
    # The grammar's corner is that of the face as seen, which is not quite the box's.
    lines = [
        replace(
            line,
            at=line.at - (span.u0 if line.vertical else span.v0),
            start=line.start - (span.v0 if line.vertical else span.u0),
            end=line.end - (span.v0 if line.vertical else span.u0),
        )
        for line in seen.lines
    ]
    handles = [replace(h, u=h.u - span.u0, v=h.v - span.v0) for h in seen.handles]
    layouts = explain(width, height, lines, handles)
    read = tuple((found.p, cabinet(found.tree, size, span.v0, behind_of(face))) for found in layouts)
    return Reading(face, merged(read), read)


def merged(options: Sequence[tuple[float, Cabinet]]) -> tuple[tuple[float, Cabinet], ...]:
    """Return options without those that differ only in what does not matter: the likelier keeps both
    probabilities. What leaves a front no room is no option, and no front is believed to be what can't be
    built.
    """
    out: list[tuple[float, Cabinet]] = []
    for p, each in ((p, believable(one)) for p, one in options if _has_room(one)):
        same = next((i for i, (_, other) in enumerate(out) if _alike(other, each)), None)
        if same is None:
            out.append((p, each))
        else:
            out[same] = (out[same][0] + p, out[same][1])
    return tuple(sorted(out, key=lambda option: -option[0]))


def _has_room(p: Cabinet) -> bool:
    try:
        return bool(plan(p).cells)
    except PocketworldError:
        return False


def _alike(a: Cabinet, b: Cabinet) -> bool:
    """Say whether two cabinets have the same fronts in the same places, within a line's width."""
    one, other = divisions(a), divisions(b)
    kinds = [f.kind for _, f in fronts(a.grid)] == [f.kind for _, f in fronts(b.grid)]
    return kinds and len(one) == len(other) and bool(np.allclose(np.array(one), np.array(other), atol=0.006))


def behind_of(face: Face) -> Behind:
    """Return the function that tells how far behind a face a cell of it lies."""
    seen, span = face.elevation, face.span

    def behind(cell: Cell) -> float | None:
        if seen.relief is None:
            return None
        # The inner half: beside its edges depth is that of the neighbours.
        u, v = span.u0 + (cell.u0 + cell.u1) / 2, span.v0 + (cell.v0 + cell.v1) / 2
        rows = _pixels(seen.height - v, cell.height / 4, seen.pixel)
        part = seen.relief[rows, _pixels(u, cell.width / 4, seen.pixel)]
        known = np.isfinite(part)
        return -float(np.median(part[known])) if part.size and known.mean() > 0.5 else None

    return behind


def _pixels(middle: float, half: float, pixel: float) -> slice:
    return slice(max(0, round((middle - half) / pixel)), max(1, round((middle + half) / pixel)))


def _opens(p: Cabinet) -> bool:
    return any(front.kind in (*MOVABLE, FrontKind.OPEN) for _, front in fronts(p.grid))


def _points(surface: Surface, box: UprightBox) -> tuple[Array, Array, Array]:
    """Return points of a surface near a box's faces, with normals and weights (1 / sigma), in its frame."""
    local = surface.moved(se3.inverse(box.world_from_box))
    half = np.array(box.size) / 2
    beyond = np.abs(local.vertices - (0.0, 0.0, half[2])) - half
    near = np.flatnonzero((beyond < NEAR).all(1) & (beyond.max(1) > -NEAR) & (local.vertices[:, 2] > NEAR))
    some = near[np.linspace(0, len(near) - 1, min(POINTS, len(near))).astype(int)] if len(near) else near
    # Depth errs alike all over a thing: together its points weigh as much as one.
    weight = 1 / (DEPTH * math.sqrt(max(1, len(some))))
    return local.vertices[some], local.normals[some], np.full(len(some), weight)


def _weighed(evidence: Evidence) -> list[tuple[float, Cabinet | Box]]:
    """Return the fitted cabinets and the plain box with their probabilities, the likeliest first.

    The grammar's probability is the price of a layout's description; what a cabinet explains worse than a
    plain box of the same size (edges where no line is, handles where none was seen) counts against it.
    """
    plain = family("box")
    box, least = fitted(plain.propose(evidence)[0], lambda p: plain.residual(p, evidence))
    out: list[tuple[float, Cabinet | Box]] = [(max(0.0, 1 - sum(p for p, _ in evidence.layouts)), box)]
    made = family("cabinet")
    for (prior, _), start in zip(evidence.layouts, made.propose(evidence), strict=True):
        best, cost = fitted(start, lambda p: made.residual(p, evidence))
        out.append((prior * math.exp(-max(0.0, cost - least)), best))
    most = max(p for p, _ in out)
    out = sorted((option for option in out if option[0] > LIKELY * most), key=lambda option: -option[0])
    total = sum(p for p, _ in out)
    return [(p / total, q) for p, q in out]


def _findings(
    best: Cabinet | Box, readings: list[Reading], order: list[int], subject: str
) -> tuple[Finding, ...]:
    out = []
    unseen = [FACES[i] for i, k in enumerate(order) if readings[k].face.elevation.frames == 0]
    if unseen:
        text = f"no picture shows its {' and '.join(unseen)}: fronts there would be missed"
        out.append(
            Finding("face-unseen", Severity.DEGRADED, STAGE, subject, text, {"faces": float(len(unseen))})
        )
    for i, k in enumerate(order[1:], 1):
        if readings[k].opening > 0.5:
            text = f"its {FACES[i]} seems to have fronts too; they are left out, a cabinet has one front"
            out.append(
                Finding("second-front", Severity.LOST, STAGE, subject, text, {"fronts": readings[k].opening})
            )
    if isinstance(best, Cabinet):
        out += left_out(readings[order[0]].read, best, STAGE, subject)
        text = "how far its parts open, and its boards, are not seen while it is closed: usual ones are taken"
        out.append(Finding("inside-guessed", Severity.NOTE, STAGE, subject, text, {"board_m": best.board}))
    else:
        text = "nothing on it opens: no front with a handle was found"
        out.append(Finding("no-fronts", Severity.NOTE, STAGE, subject, text))
    return tuple(out)
