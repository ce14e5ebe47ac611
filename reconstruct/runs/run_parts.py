"""A run of units cut up: each unit with its own box and its own part of the run's picture, read by itself."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import SeenHandle
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.bright import bars
from pocketworld.reconstruct.fronts.elevation import Blend, brightness
from pocketworld.reconstruct.fronts.face import Face, face_of
from pocketworld.reconstruct.fronts.grammar import STRIP
from pocketworld.reconstruct.fronts.lines import Span, find_upright
from pocketworld.reconstruct.runs.makes import joined, of_one_make, within_reach
from pocketworld.reconstruct.runs.modules import Front, Module, modules
from pocketworld.reconstruct.runs.mosaic import cropped, mosaic
from pocketworld.reconstruct.runs.row_parts import Patch, Run, RunKind
from pocketworld.scan.capture import Capture

Array = NDArray[np.float64]

ABOVE = 0.03  # m: fronts are looked for so far above a box whose worktop's underside is only roughly known
BORDER = 0.01  # m: lines are looked for inside of this
WIDE = 0.06  # m: gaps are narrower, with the boards' edges that are seen in them
PLACED = 0.012  # m: standard error of a place in one picture, whose pose is as it was told


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """One unit of a run: its module, its id, its own box (of the run's depth), and its front as read.

    face     from the plinth up, to a little above the box;  seen: share of it that pictures show
    dark     appliances on it, m from its lower left corner;  handles: all that was seen as such, before the
             make of its row told which to believe
    """

    id: str
    module: Module
    box: UprightBox
    face: Face
    seen: float
    dark: tuple[Patch, ...]
    handles: tuple[SeenHandle, ...] = ()


def plinth(run: Run) -> float:
    """Return where the fronts of a run begin above its box's foot, m."""
    return run.plinth.height if run.plinth else 0.0


def _read_to(run: Run) -> float:
    """Return the height up to which a run's fronts are looked for, m: its top by depth."""
    height = run.box.size[2]
    if run.worktop is not None and run.worktop.told is not None:
        height = run.worktop.told
    return height + (ABOVE if run.kind is RunKind.BASE else 0.0)


def parts(capture: Capture, run: Run, poses: Array) -> tuple[Part, ...]:
    """Return the units of a run, from the left; none where no picture shows it.

    poses   (n, 4, 4) scene_from_camera of the capture's frames
    """
    width, depth, _ = run.box.size
    read = replace(run.box, size=(width, depth, _read_to(run)))
    made = mosaic(capture, read, poses)
    if made is None:
        return ()
    found = modules(_front(made, run))
    return _alike([_part(made, run, module, f"{run.id}.{i}", poses) for i, module in enumerate(found, 1)])


def _front(made: Blend, run: Run) -> Front:
    """Return what the whole front says of where it is parted."""
    grid, grey = made.grid, brightness(made.colour)
    span = Span(BORDER, grid.width - BORDER, plinth(run), grid.height - BORDER)
    lines = find_upright(grey, grid, np.zeros(grid.shape, bool), span)
    edge = round(grid.margin / grid.pixel)
    rows = (grid.v > span.v0) & (grid.v < span.v1)
    part = grey[rows, edge:-edge]
    known = np.isfinite(part).mean(0)
    shade, level = _shade(part, grid.pixel)
    parted = [
        at + grid.width / 2
        for ajar in run.ajar
        for at in (ajar.place.left, ajar.place.right)
        if abs(at) < grid.width / 2 - STRIP
    ]
    ends = (run.ends[0].sigma, run.ends[1].sigma)
    return Front(grid.width, span.v1 - span.v0, lines, known, shade, level, ends, tuple(parted))


def _shade(grey: NDArray[np.float32], pixel: float) -> tuple[Array, Array]:
    """Return how much darker each column of a picture is than what is beside it, and how bright: medians."""
    filled = np.where(np.isfinite(grey), grey, np.float32(0))
    # What is narrower than this is closed by what is beside it.
    beside = cv2.morphologyEx(filled, cv2.MORPH_CLOSE, np.ones((1, round(WIDE / pixel)), np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns that no picture shows
        shade = np.nanmedian(np.where(np.isfinite(grey), beside - filled, np.nan), axis=0)
        level = np.nanmedian(grey, axis=0)
    return np.nan_to_num(shade).astype(float), np.nan_to_num(level).astype(float)


def _part(made: Blend, run: Run, module: Module, id: str, poses: Array) -> Part:
    low, height = plinth(run), made.grid.height
    piece = cropped(made, module.left, module.right, low, height)
    middle = (module.left + module.right - run.box.size[0]) / 2
    x, y, z = (float(v) for v in (run.box.world_from_box @ [middle, 0, low, 1])[:3])
    depth = run.box.size[1]
    box = UprightBox((x, y, z), run.box.yaw, (module.width, depth, height - low))
    dark = tuple(_dark(run, module, low))
    edge = round(piece.grid.margin / piece.grid.pixel)
    seen = float(np.isfinite(piece.colour[edge:-edge, edge:-edge, 0]).mean())
    read = face_of(piece, box, poses, "front", PLACED)
    face = _read(_hung(read) if run.kind is RunKind.WALL else read, piece, dark)
    own = replace(run.box, foot=(x, y, run.box.foot[2]), size=(module.width, depth, run.box.size[2]))
    return Part(id, module, own, face, seen, dark, face.elevation.handles)


def _dark(run: Run, module: Module, low: float) -> Iterator[Patch]:
    """Yield the appliances on a unit's front, m from its lower left corner."""
    shift = run.box.size[0] / 2 - module.left
    for patch in run.dark:
        left, right = max(0.0, patch.left + shift), min(module.width, patch.right + shift)
        if right - left > STRIP:
            yield Patch(left, right, patch.low - low, patch.high - low)


def _hung(face: Face) -> Face:
    """Return the face of a unit that hangs, without handles out of reach."""
    seen = face.elevation
    return replace(face, elevation=replace(seen, handles=within_reach(seen.handles, seen.height)))


def _read(face: Face, piece: Blend, dark: Sequence[Patch]) -> Face:
    """Return a face with the handles that shine, without what lies on an appliance or in the gaps."""
    seen = face.elevation
    handles = joined(seen.handles, bars(brightness(piece.colour), piece.grid, piece.shots))
    lines = tuple(line for line in seen.lines if not line.vertical or STRIP < line.at < seen.width - STRIP)
    free = tuple(h for h in handles if not any(_on(h, patch) for patch in dark))
    return replace(face, elevation=replace(seen, lines=lines, handles=free))


def _on(handle: SeenHandle, patch: Patch) -> bool:
    return patch.left < handle.u < patch.right and patch.low < handle.v < patch.high


def _alike(found: Sequence[Part]) -> tuple[Part, ...]:
    """Return units with the handles that the make of their row explains."""
    makes = of_one_make([(part.module.width, part.face.elevation.handles) for part in found])
    return tuple(
        replace(part, face=replace(part.face, elevation=replace(part.face.elevation, handles=handles)))
        for part, handles in zip(found, makes, strict=True)
    )
