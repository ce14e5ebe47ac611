"""A scene as MJCF. Bodies are named asset/part, joints and their handle's sites asset/joint.

Each body's frame is its asset's frame with everything closed, so that all numbers are the scene's own.
Collision geoms are in group 3, visual ones in group 2. The solver's settings keep furniture still where the
floor is not level: joint friction is a soft constraint in MuJoCo and creeps under load unless it is made
stiff.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from xml.sax.saxutils import quoteattr as quoted

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.geometry.convex import IDENTITY, BoxPiece, HullPiece, Vec3, cross
from pocketworld.scene import Asset, Base, Joint, JointKind, Part, Pose, Scene
from pocketworld.sim.models.beside import beside
from pocketworld.sim.models.framing import Framing, camera
from pocketworld.sim.models.look import Look, looks
from pocketworld.sim.models.turned import Turned, turned

Array = NDArray[np.float64]
TIMESTEP = 0.004  # s: half of the contacts' time constant below, the least that the solver takes
FURNITURE, THING, HAND = 1, 2, 4  # collision groups, bits
_ALONE = ' usethread="false"'  # a few small hulls are compiled sooner than threads begin
_BOX = '<geom type="box" pos="%.9g %.9g %.9g" size="%.9g %.9g %.9g"/>\n'
_BOX_TURNED = '<geom type="box" pos="%.9g %.9g %.9g" size="%.9g %.9g %.9g" quat="%.9g %.9g %.9g %.9g"/>\n'
_MESH_TURNED = '<geom type="mesh" mesh={} quat="%.9g %.9g %.9g %.9g"/>\n'
# An arm's and a drawer's own moving mass is never zero; it keeps light doors from ringing (kg, kg m²).
ARMATURE = {JointKind.SLIDE: 0.01, JointKind.HINGE: 0.005}


quoteattr = lru_cache(maxsize=1 << 14)(quoted)  # names are the same in all cousins


@dataclass(frozen=True, slots=True)
class Fragment:
    """What is added to a scene's MJCF: bodies, actuators, and the positions of their joints in keyframes.

    defaults, assets   what stands in <default> and <asset>;  files: those that assets name, by their paths
    others             whole sections: equality, tendon, contact
    """

    bodies: str = ""
    actuators: str = ""
    qpos: tuple[float, ...] = ()
    defaults: str = ""
    assets: str = ""
    others: str = ""
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """MJCF and the mesh files it names, by their paths beside it."""

    text: str
    files: dict[str, bytes] = field(default_factory=dict)

    def compile(self) -> mujoco.MjModel:
        """Return the model.

        Raises PocketworldError for what no engine could run, such as a part without mass.
        """
        try:
            return mujoco.MjModel.from_xml_string(self.text, self.files)
        except ValueError as error:
            raise PocketworldError(
                f"MuJoCo refuses the scene: {error}", "each part needs mass and inertia"
            ) from error


def document(scene: Scene, *, visual: bool = True, extra: Fragment | None = None) -> Document:
    """Return a scene as MJCF, keyframes closed, captured and open.

    visual   with what eyes need: looks, lights, the camera "front"
    """
    extra = extra or Fragment()
    seen = looks(scene) if visual else None
    look = seen or Look()
    shared = {f"{a.id}/{part.id}": turned(part.pieces) for a in scene.assets for part in a.parts}
    bodies = "".join(_asset(asset, look, shared) for asset in scene.assets)
    text = (
        f"<mujoco model={quoteattr(scene.name)}>\n"
        f'<compiler angle="radian" autolimits="true" fusestatic="false"{"" if visual else _ALONE}/>\n'
        f"{_option()}{_defaults(extra)}"
        f'<size memory="4M"/>\n{look.visual}'
        f"<asset>\n{look.assets}{''.join(_hulls(scene, shared))}{extra.assets}</asset>\n"
        f"<worldbody>\n{_surroundings(scene, seen)}{bodies}{extra.bodies}</worldbody>\n"
        f"<contact>\n{''.join(_excludes(scene.assets))}</contact>\n"
        f"<actuator>\n{extra.actuators}</actuator>\n"
        f"{extra.others}<keyframe>\n{_keyframes(scene, extra)}</keyframe>\n</mujoco>\n"
    )
    return Document(text, look.files | extra.files)


def write(scene: Scene, folder: Path) -> Path:
    """Write scene.xml and meshes/ into a folder that is there; return the file. Same scene, same bytes."""
    made = document(scene)
    for name, data in sorted(made.files.items()):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    target = folder / "scene.xml"
    target.write_text(made.text)
    return target


def order(asset: Asset) -> Iterator[tuple[Part, Joint | None]]:
    """Go through an asset's parts with the joint that holds each, as their bodies are nested: depth first."""
    root = asset.parts[0]
    stack: list[tuple[Part, Joint | None]] = [(root, None)]
    while stack:
        part, joint = stack.pop()
        yield part, joint
        below = [j for j in asset.joints if j.parent == part.id]
        stack += [(asset.part(j.child), j) for j in reversed(below)]


def name_of(asset: Asset, part_or_joint: Part | Joint) -> str:
    """Return the name in MJCF."""
    return f"{asset.id}/{part_or_joint.id}"


def _option() -> str:
    return (
        f'<option timestep="{TIMESTEP}" integrator="implicitfast" solver="Newton" cone="elliptic" '
        'impratio="10">'
        '<flag multiccd="enable" island="enable"/></option>\n'
    )


def _defaults(extra: Fragment) -> str:
    everything = FURNITURE | THING | HAND
    contact = 'solref="0.01 1" solimp="0.95 0.99 0.001"'
    joint = (
        f'solreffriction="{2 * TIMESTEP} 1" solimpfriction="0.9999 0.9999 0.001" solreflimit="0.01 1" '
        'solimplimit="0.95 0.99 0.001"'
    )
    return (
        f'<default>\n<geom {contact} conaffinity="{everything}" group="3"/><joint {joint}/>\n'
        f'<default class="floor"><geom contype="0" conaffinity="{THING | HAND}" friction="0.6 0.005 0.0001" '
        'group="0"/></default>\n'
        f'<default class="furniture"><geom contype="{FURNITURE}" friction="0.6 0.005 0.0001"/></default>\n'
        f'<default class="thing"><geom contype="{THING}" condim="4" friction="0.6 0.005 0.0001"/></default>\n'
        f'<default class="hand"><geom contype="{HAND}" condim="4" friction="1.2 0.01 0.0001"/></default>\n'
        '<default class="visual"><geom contype="0" conaffinity="0" group="2"/></default>\n'
        f"{extra.defaults}</default>\n"
    )


def _surroundings(scene: Scene, look: Look | None) -> str:
    """Return the floor, and what eyes need: lights and a camera."""
    floor = f'<geom name="floor" class="floor" type="plane" size="0 0 0.5"{look.floor if look else ""}/>\n'
    if look is None:
        return floor
    front: Framing = camera(scene)
    return (
        floor
        + look.lights
        + f'<camera name="front" pos="{row(front.position)}" xyaxes="{row((*front.right, *front.up))}" '
        f'fovy="{front.fovy:.9g}"/>\n'
    )


def _asset(asset: Asset, look: Look, shared: Mapping[str, Mapping[int, Turned]]) -> str:
    below: dict[str, list[Joint]] = {}
    for joint in asset.joints:
        below.setdefault(joint.parent, []).append(joint)
    parts = {part.id: part for part in asset.parts}
    group = "furniture" if asset.base is Base.FIXED else "thing"

    def body(part: Part, joint: Joint | None) -> str:
        inner = "".join(body(parts[j.child], j) for j in below.get(part.id, ()))
        place = "" if joint else f' pos="{row(asset.pose.position)}" quat="{row(asset.pose.wxyz)}"'
        free = asset.base is Base.FREE and joint is None
        hold = f'<freejoint name="{asset.id}/free"/>' if free else _joint(asset, joint)
        seen = "".join(look.geoms.get(f"{asset.id}/{part.id}", ()))
        return (
            f"<body name={quoteattr(name_of(asset, part))}{place} childclass={quoteattr(group)}>\n"
            f"{hold}{_inertial(part)}{_geoms(asset, part, shared)}{seen}"
            f"{_site(asset, part, joint)}{inner}</body>\n"
        )

    return body(asset.parts[0], None)


def _joint(asset: Asset, joint: Joint | None) -> str:
    if joint is None or not joint.movable:
        return ""
    return (
        f'<joint name={quoteattr(name_of(asset, joint))} type="{joint.kind}" axis="{row(joint.axis)}" '
        f'pos="{row(joint.origin)}" range="{row(joint.range)}" damping="{joint.damping:.9g}" '
        f'frictionloss="{joint.frictionloss:.9g}" armature="{ARMATURE[joint.kind]}"/>\n'
    )


def _inertial(part: Part) -> str:
    return f'<inertial pos="{row(part.com)}" mass="{part.mass:.9g}" fullinertia="{row(part.inertia)}"/>\n'


def _geoms(asset: Asset, part: Part, shared: Mapping[str, Mapping[int, Turned]]) -> str:
    """Return a part's collision geoms; written by one pattern, as a room has hundreds."""
    patterns: list[str] = []
    numbers: list[float] = []
    others = shared[f"{asset.id}/{part.id}"]
    for i, piece in enumerate(part.pieces):
        if isinstance(piece, BoxPiece):
            x, y, z = piece.size
            numbers += (*piece.centre, x / 2, y / 2, z / 2)
            if piece.wxyz == IDENTITY:
                patterns.append(_BOX)
            else:
                patterns.append(_BOX_TURNED)
                numbers += piece.wxyz
            continue
        first, wxyz = others.get(i, (i, None))
        name = _hull_name(asset, part, first).replace("%", "%%")
        patterns.append(f'<geom type="mesh" mesh={name}/>\n' if wxyz is None else _MESH_TURNED.format(name))
        numbers += wxyz or ()
    return "".join(patterns) % tuple([number + 0.0 for number in numbers])


def _hull_name(asset: Asset, part: Part, index: int) -> str:
    return quoteattr(f"{asset.id}/{part.id}/{index}")


def _hulls(scene: Scene, shared: Mapping[str, Mapping[int, Turned]]) -> Iterator[str]:
    for asset in scene.assets:
        for part in asset.parts:
            others = shared[f"{asset.id}/{part.id}"]
            for i, piece in enumerate(part.pieces):
                if not isinstance(piece, BoxPiece) and i not in others:
                    yield f'<mesh name={_hull_name(asset, part, i)} vertex="{_points(piece)}"/>\n'


@lru_cache(maxsize=4096)
def _points(piece: HullPiece) -> str:
    """Return a hull's points; kept, as scanned things are the same in all cousins."""
    return row([number for point in piece.points for number in point])


def _site(asset: Asset, part: Part, joint: Joint | None) -> str:
    """Return the site where a hand takes hold: x away from the front, z along the handle."""
    if joint is None or not joint.movable:
        return ""
    place = grasp(part)
    return (
        f'<site name={quoteattr(name_of(asset, joint))} pos="{row(place[:3, 3])}" size="0.004" group="4" '
        f'xyaxes="{row((*place[:3, 0], *place[:3, 1]))}"/>\n'
    )


def grasp(part: Part) -> Array:
    """Return asset_from_grasp (4, 4), closed: x away from the front, y across the handle, z along it.

    A part without a handle has it in the middle of its front, one without a front at its centre of mass. z
    points up, or to the right where the handle lies: a handle turned by 180 degrees is the same handle.
    """
    out: Vec3 = (0.0, -1.0, 0.0)
    along: Vec3 = (1.0, 0.0, 0.0)
    grip = part.com
    if part.handle is not None:
        grip, out, along = part.handle.grip, part.handle.out, part.handle.along
    elif part.front is not None:
        grip, along = part.front.centre, part.front.right
        out = cross(along, part.front.up)
    x = _unit(out)
    z = _unit(_less(along, x, along[0] * x[0] + along[1] * x[1] + along[2] * x[2]))
    if 1e-3 * z[0] + z[2] < 0:
        z = (-z[0], -z[1], -z[2])
    y = cross(z, x)
    return np.array([*zip(x, y, z, grip, strict=True), (0.0, 0.0, 0.0, 1.0)])


def _unit(v: Vec3) -> Vec3:
    length = math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
    return (v[0] / length, v[1] / length, v[2] / length)


def _less(v: Vec3, axis: Vec3, much: float) -> Vec3:
    return (v[0] - much * axis[0], v[1] - much * axis[1], v[2] - much * axis[2])


def _excludes(assets: Sequence[Asset]) -> Iterator[str]:
    """Give each pair of parts of one asset, and of furniture that closed is no further apart than BESIDE.

    That they clear each other is proved by the sweeps: of an asset where it is made, of neighbours where a
    cousin is drawn; where those of a twin do not, a finding says so (`reconstruct.clearance`). A front
    that is measured to touch its neighbour would else rub on it.
    """
    for asset in assets:
        for one, other in combinations(asset.parts, 2):
            yield _exclude(asset, one, asset, other)
    for a, one, b, other in beside(assets):
        yield _exclude(a, one, b, other)


def _exclude(a: Asset, one: Part, b: Asset, other: Part) -> str:
    return f"<exclude body1={quoteattr(name_of(a, one))} body2={quoteattr(name_of(b, other))}/>\n"


def _keyframes(scene: Scene, extra: Fragment) -> str:
    out = ""
    joints = _joints(scene)
    for name in ("closed", "captured", "open"):
        qpos = row((*_positions(joints, name), *extra.qpos))
        out += f'<key name="{name}" qpos="{qpos}"/>\n' if qpos else f'<key name="{name}"/>\n'
    return out


def positions(scene: Scene, state: str) -> tuple[float, ...]:
    """Return qpos with each joint "closed", as "captured", or "open"."""
    return tuple(_positions(_joints(scene), state))


def _joints(scene: Scene) -> list[Pose | Joint]:
    """Return what qpos holds, in its order: where free assets are, and joints that move."""
    out: list[Pose | Joint] = []
    for asset in scene.assets:
        if asset.base is Base.FREE:
            out.append(asset.pose)
        out += [joint for _, joint in order(asset) if joint is not None and joint.movable]
    return out


def _positions(joints: Sequence[Pose | Joint], state: str) -> Iterator[float]:
    for one in joints:
        if isinstance(one, Pose):
            yield from (*one.position, *one.wxyz)
        elif state != "closed":
            yield one.state if state == "captured" else one.range[1]
        else:
            yield 0.0


def row(values: Sequence[float] | Array | Vec3) -> str:
    """Return numbers as MJCF has them: 9 digits, nanometres."""
    numbers = values.tolist() if isinstance(values, np.ndarray) else values
    return _pattern(len(numbers)) % tuple([value + 0.0 for value in numbers])


@lru_cache(maxsize=1 << 10)
def _pattern(count: int) -> str:
    return " ".join(["%.9g"] * count)
