"""An MjSpec's arm as MJCF of our own: what it compiles to, written out number by number.

So defaults, includes and mesh folders of the file it came from are resolved once, nothing of it can clash
with a scene, and of its meshes only the hulls are left that things bump into.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.models.mjcf import row

Array = NDArray[np.float64]
# Before all names of the file: it may have a body "hand" or a joint "left" of its own.
OWN = "robot/arm/"
CORNERS = 32  # of a hull: with more, contacts cost more and say no more
MESH = int(mujoco.mjtGeom.mjGEOM_MESH)
SHAPES = {
    int(getattr(mujoco.mjtGeom, f"mjGEOM_{name.upper()}")): (name, sizes)
    for name, sizes in (("sphere", 1), ("capsule", 2), ("ellipsoid", 3), ("cylinder", 2), ("box", 3))
}


@dataclass(slots=True)
class Written:
    """MJCF as it grows: bodies' text is returned, what they refer to is kept here."""

    model: mujoco.MjModel
    drawn: bool
    assets: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def bodies(written: Written, root: int, keep: Callable[[int], bool], inside: dict[int, str]) -> str:
    """Return body `root` and those in it that are kept; `inside`: more to put into some of them."""
    model = written.model
    moves = any(model.body_jntnum[b] for b in _up(model, root))
    kind = "robot/arm" if moves else "robot/base"
    geoms = "".join(_geom(written, g) for g in _own(model.body_geomadr[root], model.body_geomnum[root]))
    below = "".join(
        bodies(written, b, keep, inside)
        for b in range(root + 1, model.nbody)
        if model.body_parentid[b] == root and keep(b)
    )
    return (
        f"<body name={_body(model, root)} pos={_q(model.body_pos[root])} "
        f'quat={_q(model.body_quat[root])} gravcomp="1" childclass="{kind}">\n'
        f"{''.join(_joint(model, j) for j in _own(model.body_jntadr[root], model.body_jntnum[root]))}"
        f"{_inertial(model, root)}{geoms}{inside.get(root, '')}{below}</body>\n"
    )


def name(own: str) -> str:
    """Return a name of the file's as ours, quoted."""
    return quoteattr(OWN + own)


def _body(model: mujoco.MjModel, b: int) -> str:
    own = model.body(b).name
    return name(own) if own else f'"robot/unnamed/{b}"'


def _up(model: mujoco.MjModel, body: int) -> Iterator[int]:
    while body:
        yield body
        body = int(model.body_parentid[body])


def _own(first: int, count: int) -> range:
    return range(int(first), int(first) + int(count))


def _q(values: Array) -> str:
    return f'"{row(values)}"'


def _joint(model: mujoco.MjModel, j: int) -> str:
    kind = "slide" if model.jnt_type[j] == mujoco.mjtJoint.mjJNT_SLIDE else "hinge"
    dof = model.jnt_dofadr[j]
    limits = f" range={_q(model.jnt_range[j])}" if model.jnt_limited[j] else ""
    return (
        f'<joint name={name(model.joint(j).name)} type="{kind}" axis={_q(model.jnt_axis[j])} '
        f"pos={_q(model.jnt_pos[j])}{limits} "
        f'damping="{model.dof_damping[dof]:.9g}" frictionloss="{model.dof_frictionloss[dof]:.9g}" '
        f'armature="{max(model.dof_armature[dof], 1e-3):.9g}"/>\n'
    )


def _inertial(model: mujoco.MjModel, b: int) -> str:
    if model.body_mass[b] <= 0:
        return ""
    return (
        f"<inertial pos={_q(model.body_ipos[b])} quat={_q(model.body_iquat[b])} "
        f'mass="{model.body_mass[b]:.9g}" diaginertia={_q(model.body_inertia[b])}/>\n'
    )


def _geom(written: Written, g: int) -> str:
    """Return a geom: what is only for the eye, if it is to be drawn."""
    model, kind = written.model, int(written.model.geom_type[g])
    solid = bool(model.geom_contype[g] or model.geom_conaffinity[g])
    if (not solid and not written.drawn) or (kind != MESH and kind not in SHAPES):
        return ""
    if kind == MESH:
        id = int(model.geom_dataid[g])
        shape = f'type="mesh" mesh={_mesh(written, id, solid)}'
    else:
        named, sizes = SHAPES[kind]
        shape = f'type="{named}" size={_q(model.geom_size[g][:sizes])}'
    look = f" rgba={_q(_colour(model, g))}"
    return (
        f"<geom {shape} pos={_q(model.geom_pos[g])} quat={_q(model.geom_quat[g])}{look}"
        f"{'' if solid else ' class=' + chr(34) + 'robot/seen' + chr(34)}/>\n"
    )


def _colour(model: mujoco.MjModel, g: int) -> Array:
    material = int(model.geom_matid[g])
    out: Array = model.geom_rgba[g] if material < 0 else model.mat_rgba[material]
    return out


def _mesh(written: Written, id: int, solid: bool) -> str:
    """Return the name of a mesh: of its hull where one bumps into it, else of all of it."""
    model = written.model
    named = f'"robot/{"hull" if solid else "mesh"}/{id}"'
    if named not in written.assets:
        start, count = model.mesh_vertadr[id], model.mesh_vertnum[id]
        points = model.mesh_vert[start : start + count].astype(float)
        if solid:
            written.assets[named] = f"<mesh name={named} vertex={_q(_hull(model, id, points).ravel())}/>\n"
        else:
            first, faces = model.mesh_faceadr[id], model.mesh_facenum[id]
            file = f"robot/{len(written.files)}.stl"
            written.files[file] = _stl(points, model.mesh_face[first : first + faces])
            written.assets[named] = f'<mesh name={named} file="{file}"/>\n'
    return named


def _hull(model: mujoco.MjModel, id: int, points: Array) -> Array:
    """Return the corners (n, 3) of a mesh's hull as MuJoCo has found it; all points where it has none."""
    at = int(model.mesh_graphadr[id])
    if at < 0:
        return points
    count = int(model.mesh_graph[at])
    out: Array = points[np.sort(model.mesh_graph[at + 2 + count : at + 2 + 2 * count])]
    return out


def _stl(points: Array, faces: NDArray[np.int32]) -> bytes:
    """Return triangles as a binary STL file: normal (left to the reader), three corners, a spare word."""
    out = np.zeros(len(faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("spare", "<u2")])
    out["corners"] = points[faces]
    return bytes(80) + len(faces).to_bytes(4, "little") + out.tobytes()
