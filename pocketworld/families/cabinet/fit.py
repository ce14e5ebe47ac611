"""Cabinets from evidence: what to start a fit from, and how far a cabinet is from what was seen."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from pocketworld.families.cabinet.parameters import Cabinet, Grid, Split
from pocketworld.families.cabinet.plan import Cell, plan
from pocketworld.families.protocol import Array, Elevation, Evidence, Line
from pocketworld.scene import HandleKind

FAR = (
    3.0  # standard deviations: what lies farther is something else (a handle, a neighbour) and pulls no more
)
OTHER = 0.03  # m: surface that is farther from a face belongs to something else
EDGE = 0.003  # m: a picture's pixel on a face; no line is surer
GRIP = 0.006  # m: how sure a handle's place is
NEAR = 0.02  # m: a line belongs to an edge that is not farther
SPANS = 0.6  # of an edge that a line must run along to be its


def propose(evidence: Evidence) -> list[Cabinet]:
    """Return the cabinets of the layouts found on the front, in the size seen, the likeliest first."""
    width, depth, height = evidence.size
    found = sorted(evidence.layouts, key=lambda layout: -layout[0])
    return [replace(p, width=width, depth=depth, height=height) for _, p in found if isinstance(p, Cabinet)]


def residual(p: Cabinet, evidence: Evidence) -> Array:
    """Return residuals (k,), in standard deviations: outer size, points from faces, edges from lines,
    handles.

    k hangs on the evidence and on the cabinet's number of fronts, not on its sizes. What lies far off counts
    FAR.
    """
    size = (np.array([p.width, p.depth, p.height]) - evidence.size) / evidence.size_sigma
    front = next((e for e in evidence.elevations if e.face == "front"), None)
    parts = [size, _points(p, evidence)]
    if front is not None:
        drawn = plan(p).cells
        parts += [_edges(p, front), _handles(p, drawn, front)]
    return np.concatenate(parts)


def _points(p: Cabinet, evidence: Evidence) -> Array:
    """Return how far points are off the outer faces, by their weights; those of handles and neighbours hardly
    pull.
    """
    half = np.array([p.width, p.depth, p.height]) / 2
    beyond = np.abs(evidence.points - (0.0, 0.0, half[2])) - half
    outside = np.linalg.norm(np.maximum(beyond, 0.0), axis=1)
    distance = outside + np.minimum(beyond.max(axis=1, initial=-np.inf), 0.0)
    return np.asarray(OTHER * np.tanh(distance / OTHER) * evidence.weights, float)


def _edges(p: Cabinet, front: Elevation) -> Array:
    """Return how far the middles of gaps are from the nearest line that runs along them."""
    out = []
    for vertical, at, start, end in divisions(p):
        lines = [
            line for line in front.lines if line.vertical == vertical and _along(line, start, end) > SPANS
        ]
        offs = [(line.at - at) / max(line.sigma, EDGE) for line in lines if abs(line.at - at) < NEAR]
        out.append(min(offs, key=abs) if offs else FAR)
    return np.asarray(np.clip(np.array(out, float), -FAR, FAR), float)


def _along(line: Line, start: float, end: float) -> float:
    return (min(line.end, end) - max(line.start, start)) / (end - start)


def divisions(p: Cabinet) -> list[tuple[bool, float, float, float]]:
    """Return the middles of the gaps between fronts on the front face: vertical, at, start, end.

    m from the face's lower left corner.
    """
    cells = {cell.path: cell for cell in plan(p).cells}
    out: list[tuple[bool, float, float, float]] = []
    _divide(p.grid, "", cells, (p.width / 2, 0.0), out)
    return out


def _divide(
    grid: Grid,
    path: str,
    cells: dict[str, Cell],
    corner: tuple[float, float],
    out: list[tuple[bool, float, float, float]],
) -> None:
    if not isinstance(grid, Split):
        return
    boxes = []
    for i, part in enumerate(grid.parts):
        name = f"{path}.{i}" if path else str(i)
        faces = [cell.face for key, cell in cells.items() if key == name or key.startswith(f"{name}.")]
        boxes.append(
            (
                min(f.x0 for f in faces) + corner[0],
                max(f.x1 for f in faces) + corner[0],
                min(f.z0 for f in faces),
                max(f.z1 for f in faces),
            )
        )
        _divide(part, name, cells, corner, out)
    for a, b in pairwise(boxes):
        if grid.rows:
            out.append((False, (a[2] + b[3]) / 2, a[0], a[1]))
        else:
            out.append((True, (a[1] + b[0]) / 2, a[2], a[3]))


def _handles(p: Cabinet, cells: tuple[Cell, ...], front: Elevation) -> Array:
    """Return how far handles are, across and up, from the nearest that was seen."""
    out = []
    for cell in cells:
        handle = cell.front.handle
        if handle.kind is HandleKind.NONE:
            continue
        u = cell.face.x0 + handle.u * cell.face.width + p.width / 2
        v = cell.face.z0 + handle.v * cell.face.height
        offs = [np.array([h.u - u, h.v - v]) / GRIP for h in front.handles]
        nearest = min(offs, key=lambda off: float(off @ off), default=np.array([FAR, FAR]))
        out.append(np.clip(nearest, -FAR, FAR))
    return np.concatenate(out) if out else np.zeros(0)
