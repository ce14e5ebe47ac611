"""Depth of many frames becomes one surface: truncated signed distances on a sparse grid.

Curless and Levoy 1996; blocks of voxels are made where depth says that there is surface (Niessner et al.
2013, Open3D's VoxelBlockGrid), so memory grows with the surface, not with the frames.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.surfaces.depth import Depth, points, trusted
from pocketworld.reconstruct.surfaces.grid import BAND, VIEWS, FusionError, Grid, Piece
from pocketworld.reconstruct.surfaces.paint import paint
from pocketworld.reconstruct.surfaces.surface import Surface, in_order
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scan.damage import Damage
from pocketworld.scan.moments import depth_alone

Array = NDArray[np.float64]

SAME = 1e-4  # m, and of a rotation's entries: no hand holds a camera as still as that
COARSER = 2  # times: depth that is several times worse needs no finer voxels


@dataclass(frozen=True, eq=False, slots=True)
class Fusion:
    """The surface, what was noticed while making it, and which frames can't be read."""

    surface: Surface
    findings: tuple[Finding, ...]
    damage: Damage = field(default_factory=Damage)


def fuse(
    capture: Capture,
    voxel: float = 0.01,
    reach: float = 5.0,
    region: UprightBox | None = None,
    scene_from_world: Array | None = None,
) -> Fusion:
    """Return the surface that the depth of all frames agrees on, with colours of the pictures.

    Frames that can't be read are left out, and said: whoever reads on leaves them out too.

    voxel              m;  reach: farthest depth that is used, m
    region             only what lies in this box (in the scene's frame); its frame is then the grid's
    scene_from_world   (4, 4) rigid: surface (and region) are in the scene's frame; None: in the world's
    Raises FusionError where there is no depth, or more surface than memory is meant for.
    """
    scene_from_world = np.eye(4) if scene_from_world is None else scene_from_world
    scene_from_grid = region.world_from_box if region else scene_from_world @ heading(capture)
    grid_from_world = se3.inverse(scene_from_grid) @ scene_from_world
    good, spare = Grid(capture.name, voxel, reach), Grid(capture.name, COARSER * voxel, reach)
    damage = Damage()
    for frame in _looks(damage.sound(depth_alone(capture))):
        assert frame.depth_camera is not None
        grid_from_camera = grid_from_world @ frame.world_from_camera
        seen = trusted(frame, reach)
        for grid, depth in ((good, seen.good), (spare, seen.spare)):
            inside = _inside(depth, frame.depth_camera, grid_from_camera, region) if region else depth
            grid.add(inside, frame.depth_camera, grid_from_camera)
    joined = _joined(good.mesh(), spare.mesh(), voxel)
    if joined is None:
        raise FusionError(f"{capture.name}: no surface in {len(capture)} frames", "see `pocketworld scan`")
    surface = _sorted(joined[0], voxel).moved(scene_from_grid)
    colours, unseen = paint(surface, capture, scene_from_world, damage)
    noticed = _noticed(max(good.frames, spare.frames), joined[1], capture.name)
    found = (*damage.findings(capture), *noticed, *unseen)
    return Fusion(replace(surface, colours=colours), found, damage)


def _looks(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Go through the frames with depth, but only once through those from one and the same place.

    Another look from there is fooled in the same way, so it must not count as one more frame that agrees.
    """
    before: set[tuple[float, ...]] = set()
    for frame in frames:
        if frame.depth is None or frame.depth_camera is None:
            continue
        place = tuple(np.rint(frame.world_from_camera[:3].ravel() / SAME).tolist())
        if place not in before:
            before.add(place)
            yield frame


def heading(capture: Capture) -> Array:
    """Return world_from_grid (4, 4): upright, at the first camera, x to that camera's right.

    A frame that belongs to the capture and not to the world it happens to be given in: grids laid in it give
    the same surface however the world is turned or moved.
    """
    first = capture.world_from_camera[0]
    # A camera held on its side has its x axis upright: then its y axis is level.
    right = max((first[:3, 0], first[:3, 1]), key=lambda axis: float(np.hypot(axis[0], axis[1])))
    x, y = right[:2] / np.hypot(right[0], right[1])
    out = np.eye(4)
    out[:2, :2], out[:3, 3] = [[x, -y], [y, x]], first[:3, 3]
    return out


def _inside(depth: Depth, camera: Camera, box_from_camera: Array, box: UprightBox) -> Depth:
    """Return depth with 0 outside a box."""
    place = points(depth, camera) @ box_from_camera[:3, :3].T + box_from_camera[:3, 3]
    inside = (np.abs(place - [0, 0, box.size[2] / 2]) <= np.array(box.size) / 2).all(-1)
    return np.where(inside, depth, np.float32(0))


def _joined(good: Piece | None, spare: Piece | None, voxel: float) -> tuple[Piece, float] | None:
    """Return the good triangles, the spare ones where there are no good ones, and the share of spare ones."""
    if good is None or spare is None:
        both = good or spare
        return None if both is None else (both, float(good is None))
    alone = ~_covered(spare.vertices, good, COARSER * voxel)
    kept = spare.faces[alone[spare.faces].all(1)]
    used = np.zeros(len(spare.vertices), bool)
    used[kept] = True
    number = np.cumsum(used) - 1 + len(good.vertices)
    joined = Piece(
        np.concatenate([good.vertices, spare.vertices[used]]),
        np.concatenate([good.faces, number[kept].astype(np.int32)]),
        np.concatenate([good.normals, spare.normals[used]]),
        np.concatenate([good.distance, spare.distance[used]]),
    )
    return joined, float(used.sum() / len(joined.vertices))


def _covered(points: Array, good: Piece, beside: float) -> NDArray[np.bool_]:
    """Return which points (n, 3) are in front of or behind good surface: the same place, seen worse.

    Next to good surface, by more than `beside` (m), they carry it on.
    """
    depth = 2 * BAND  # of two surfaces nearer than that, one is an error
    tree = KDTree(good.vertices, balanced_tree=False, compact_nodes=False)
    distance, nearest = map(np.asarray, tree.query(points, distance_upper_bound=depth))
    out = np.isfinite(distance)
    apart = points[out] - good.vertices[nearest[out]]
    through = np.einsum("ni,ni->n", apart, good.normals[nearest[out]])
    out[out] = distance[out] ** 2 - through**2 < beside**2
    return np.asarray(out)


def _sorted(piece: Piece, voxel: float) -> Surface:
    order, faces = in_order(piece.vertices, piece.faces)
    vertices, normals = piece.vertices[order], piece.normals[order]
    return Surface(vertices, faces, normals, None, piece.distance[order], voxel, np.eye(4))


def _noticed(frames: int, share: float, name: str) -> list[Finding]:
    out = []
    if share > 0:
        text = (
            "part of the surface comes from depth of middle confidence or from afar, as there is none better"
        )
        out.append(Finding("surface-doubtful", Severity.NOTE, "reconstruct", name, text, {"share": share}))
    if frames < VIEWS:
        text = "the surface rests on hardly any frames, so errors of one are not seen"
        numbers = {"frames": float(frames)}
        out.append(Finding("surface-thin", Severity.DEGRADED, "reconstruct", name, text, numbers))
    return out
