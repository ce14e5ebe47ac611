"""Truth files: JSON in two forms, of one piece of furniture (which people fill in) and of a room (m, rad)."""

import json
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from pocketworld.bench.rectangles import NAMES, corners, from_corners, normal, unit, vec3
from pocketworld.bench.truth import PANEL, TrueBox, TrueHandle, TruePart, Truth, TruthError
from pocketworld.geometry.convex import Vec3
from pocketworld.scene import JointKind, Rectangle, Side

Array = NDArray[np.float64]

UNITS = "metres and radians, in the frame of the capture's own files"
ROOM = 2  # the form of a truth file that holds several assets; the first, of one, has no number


def to_json(truth: Truth) -> dict[str, Any]:
    """Return a form that `load` takes: of one piece that which people fill in, of a room the second."""
    if len(truth.boxes) > 1:
        return {
            "form": ROOM,
            "capture": truth.capture,
            "units": UNITS,
            "how_measured": truth.how,
            "front_panel_thickness_m": truth.thickness,
            "assets": [
                {"name": box.asset, "family": box.family, "box": _box_json(box)} for box in truth.boxes
            ],
            "parts": [_part_json(part) for part in truth.parts],
        }
    doors = [p for p in truth.parts if p.kind is JointKind.HINGE or p.side is not Side.NONE]
    return {
        "capture": truth.capture,
        "units": UNITS,
        "how_measured": truth.how,
        "box": _box_json(truth.box),
        "front_face": {
            "corners_world": _corners_json(truth.box.face),
            "front_panel_thickness_m": truth.thickness,
        },
        "drawers": [_part_json(p) for p in truth.parts if p not in doors],
        "doors": [_part_json(p) for p in doors],
    }


def write(truth: Truth, file: Path) -> None:
    """Write a truth file."""
    file.write_text(json.dumps(to_json(truth), indent=1, allow_nan=False) + "\n")


def load(file: Path) -> Truth:
    """Read a truth file: a form of `to_json`, or a person's survey in the first with less in it.

    Raises TruthError for a file that is missing, damaged, or of another form.
    """
    try:
        text = file.read_bytes()
        form = _Numbered.model_validate_json(text).form
        if form > ROOM:
            raise TruthError(f"{file} has form {form}; we know {ROOM}", "a newer pocketworld reads it")
        truth = _room(text, file) if form == ROOM else _piece(text, file)
    except OSError as error:
        raise TruthError(f"{file}: {error.strerror}", "give a truth JSON file") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise TruthError(
            f"{file} is no truth file: {where}: {first['msg']}",
            "it needs a box and a front_face; drawers and doors are lists of parts",
        ) from None
    for what in ([part.id for part in truth.parts], [box.asset for box in truth.boxes]):
        if len(set(what)) != len(what):
            raise TruthError(f"{file}: a name stands twice in {what}", "name each part once")
    return truth


def _piece(text: bytes, file: Path) -> Truth:
    """Return the truth of one piece of furniture."""
    data = _File.model_validate_json(text)
    parts = tuple(_part(entry, file) for entry in (*data.drawers, *data.doors))
    return Truth(
        data.capture, (_box(data),), parts, data.front_face.front_panel_thickness_m, data.how_measured
    )


def _room(text: bytes, file: Path) -> Truth:
    """Return the truth of a room."""
    data = _Room.model_validate_json(text)
    boxes = tuple(_standing(entry) for entry in data.assets)
    parts = tuple(_part(entry, file) for entry in data.parts)
    return Truth(data.capture, boxes, parts, data.front_panel_thickness_m, data.how_measured)


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


def _direction(value: Vec3) -> Vec3:
    if not np.linalg.norm(value) > 0:
        raise ValueError("a direction has a length above 0")
    return value


_Direction = Annotated[Vec3, AfterValidator(_direction)]


class _Corners(_Form):
    top_left: Vec3
    top_right: Vec3
    bottom_right: Vec3
    bottom_left: Vec3

    @model_validator(mode="after")
    def _span(self) -> Self:
        down, across = (
            np.subtract(self.bottom_left, self.top_left),
            np.subtract(self.top_right, self.top_left),
        )
        if not np.linalg.norm(np.cross(down, across)) > 0:
            raise ValueError("the corners span no rectangle")
        return self

    @property
    def rectangle(self) -> Rectangle:
        return from_corners(np.array([self.top_left, self.top_right, self.bottom_right, self.bottom_left]))


class _Face(_Form):
    corners_world: _Corners
    front_panel_thickness_m: float = Field(PANEL, gt=0)


class _Box(_Form):
    size_xyz_m: Vec3
    centre_world: Vec3
    x_axis_world: _Direction
    y_axis_world: _Direction
    size_sure_m: float = 0.0


class _Handle(_Form):
    centre_world_at_the_face: Vec3
    width_m: float
    z_sure_m: float = 0.0


class _Part(_Form):
    name: str
    kind: str
    front_corners_world: _Corners
    axis_world_open_direction: _Direction
    axis_origin_world: Vec3 | None = None
    side: Side = Side.NONE
    # A survey says in words what it does not know.
    range_m: float | str | None = None
    state: float | None = None
    handle: _Handle | None = None
    sure_m: float = 0.0


class _Numbered(_Form):
    form: int = 1


class _Asset(_Form):
    name: str
    family: str = ""
    box: _Box


class _Room(_Form):
    capture: str
    how_measured: str = ""
    front_panel_thickness_m: float = Field(PANEL, gt=0)
    assets: tuple[_Asset, ...] = Field(min_length=2)
    parts: tuple[_Part, ...] = ()


class _File(_Form):
    capture: str
    how_measured: str = ""
    box: _Box
    front_face: _Face
    drawers: tuple[_Part, ...] = ()
    doors: tuple[_Part, ...] = ()


def _part(entry: _Part, file: Path) -> TruePart:
    name, (kind, *words) = entry.name.split(" ")[0], entry.kind.replace("(", " ").replace(")", " ").split()
    if kind not in (JointKind.SLIDE, JointKind.HINGE):
        raise TruthError(f"{file}: part {name} has kind {entry.kind!r}", "allowed: slide, hinge")
    if kind == JointKind.HINGE and entry.axis_origin_world is None:
        raise TruthError(
            f"{file}: part {name} is a hinge without axis_origin_world", "give a point on its axis"
        )
    seen, handle = entry.handle, None
    if seen is not None:
        handle = TrueHandle(seen.centre_world_at_the_face, seen.width_m, seen.z_sure_m)
    return TruePart(
        name,
        JointKind(kind),
        entry.front_corners_world.rectangle,
        vec3(unit(np.array(entry.axis_world_open_direction))),
        entry.side,
        entry.axis_origin_world,
        None if isinstance(entry.range_m, str) else entry.range_m,
        0.0 if entry.state is None and "closed" in words else entry.state,
        handle,
        entry.sure_m,
    )


def _standing(entry: _Asset) -> TrueBox:
    """Return an asset's box, whose axes a file of ours names as the asset has them."""
    box = entry.box
    x = unit(np.array(box.x_axis_world))
    up = unit(np.cross(x, box.y_axis_world))
    foot = np.array(box.centre_world) - up * box.size_xyz_m[2] / 2
    into = vec3(np.cross(up, x))
    return TrueBox(vec3(foot), vec3(x), into, box.size_xyz_m, box.size_sure_m, entry.name, entry.family)


def _box(data: _File) -> TrueBox:
    """Turn a box so that its y axis points from the front face inwards."""
    box, face = data.box, data.front_face.corners_world.rectangle
    x = unit(np.array(box.x_axis_world))
    up = unit(np.cross(x, box.y_axis_world))
    axes = np.stack([x, np.cross(up, x), up])
    cosines = axes[:2] @ -normal(face)
    which = int(np.argmax(np.abs(cosines)))
    into: Array = axes[which] * np.sign(cosines[which])
    width, depth = (box.size_xyz_m[1 - which], box.size_xyz_m[which])
    size = (width, depth, box.size_xyz_m[2])
    foot = np.array(box.centre_world) - up * size[2] / 2
    return TrueBox(vec3(foot), vec3(np.cross(into, up)), vec3(into), size, box.size_sure_m)


def _corners_json(face: Rectangle) -> dict[str, Vec3]:
    return {name: vec3(point) for name, point in zip(NAMES, corners(face), strict=True)}


def _box_json(box: TrueBox) -> dict[str, Any]:
    up = np.cross(box.right, box.into)
    return {
        "size_xyz_m": box.size,
        "size_sure_m": box.sure,
        "centre_world": vec3(np.array(box.foot) + up * box.size[2] / 2),
        "x_axis_world": box.right,
        "y_axis_world": box.into,
    }


def _part_json(part: TruePart) -> dict[str, Any]:
    handle = part.handle and {
        "centre_world_at_the_face": part.handle.centre,
        "width_m": part.handle.length,
        "z_sure_m": part.handle.sure,
    }
    return {
        "name": part.id,
        "kind": str(part.kind),
        "side": str(part.side),
        "front_corners_world": _corners_json(part.front),
        "axis_world_open_direction": part.axis,
        "axis_origin_world": part.origin,
        "range_m": part.range,
        "state": part.state,
        "handle": handle,
        "sure_m": part.sure,
    }
