"""From pictures and a box to furniture: rendered pieces of many layouts, read whole; and the real pedestal's
face.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.errors import PocketworldError
from pocketworld.families.box import Box
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split, fronts, layout
from pocketworld.families.cabinet.plan import plan
from pocketworld.families.protocol import Elevation, SeenHandle
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.assemble import Furnished, furnish, merged
from pocketworld.reconstruct.fronts.colours import linear, painted
from pocketworld.reconstruct.fronts.face import FACES, read_face
from pocketworld.reconstruct.fronts.outline import Known
from pocketworld.reconstruct.fronts.rectify import world_from_face
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream
from pocketworld.scan import readers
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scene import HandleKind, JointKind, Side

Array = NDArray[np.float64]
Panel = tuple[float, float, float, float]  # u0, v0, u1, v1 on the face, m
Grip = tuple[float, float, bool]  # u, v, upright

MM = 1e-3
CAMERA = Camera(560.0, 560.0, 319.5, 239.5, 640, 480)
GAP, OUT, SUNK = 0.004, 0.030, 0.002
SIGMA = (0.002, 0.002, 0.002)


@dataclass(frozen=True)
class Piece:
    """A piece of furniture made of boxes: panels on its front, bars on the panels, all above `foot` m of
    nothing.
    """

    box: UprightBox
    panels: tuple[Panel, ...] = ()
    grips: tuple[Grip, ...] = ()
    foot: float = 0.0

    def boxes(self) -> tuple[tuple[UprightBox, ...], tuple[float, ...]]:
        """Return its boxes and their greys; gaps are dark, since panels are hardly thicker than paint."""
        width, depth, height = self.box.size
        sunk = SUNK if self.panels else 0.0
        middle = (width / 2, self.foot, depth / 2 + sunk / 2)
        out = [(self._at(*middle, (width, depth - sunk, height - self.foot)), 45.0 if self.panels else 100.0)]
        for u0, v0, u1, v1 in self.panels:
            size = (u1 - u0 - GAP, SUNK, v1 - v0 - GAP)
            out.append((self._at((u0 + u1) / 2, v0 + GAP / 2, SUNK / 2, size), 100.0))
        for u, v, upright in self.grips:
            size = (0.012, 0.012, 0.15) if upright else (0.15, 0.012, 0.012)
            out.append((self._at(u, v - size[2] / 2, -OUT + 0.006, size), 170.0))
        return tuple(b for b, _ in out), tuple(g for _, g in out)

    def _at(self, u: float, v: float, behind: float, size: tuple[float, float, float]) -> UprightBox:
        x, y, z, _ = world_from_face(self.box) @ [u, v, -behind, 1]
        return UprightBox((x, y, z), self.box.yaw, size)


def around(box: UprightBox, count: int, far: float, faces: tuple[int, ...] = (0, 1, 2, 3)) -> list[Array]:
    """Return poses of cameras before some of the faces, a few to each."""
    out = []
    for face in faces:
        turned = box.turned(face)
        pose = world_from_face(turned)
        for across in np.linspace(-0.5, 0.5, count):
            eye = pose @ [turned.size[0] / 2 + across, turned.size[2] / 2 + 0.35, far, 1]
            target = pose @ [turned.size[0] / 2, turned.size[2] / 2, 0, 1]
            out.append(looking(eye[:3], target[:3]))
    return out


def shaken(poses: list[Array]) -> list[Array]:
    """Return poses off by 2 mm and 0.1 degrees, as they are once a box has corrected them."""
    rng = stream(2, "shake")
    return [p @ se3.exp(np.concatenate([rng.normal(0, 2e-3, 3), rng.normal(0, 2e-3, 3)])) for p in poses]


NO_SURFACE = Surface(
    np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros((0, 3)), None, np.zeros(0), 0.01, np.eye(4)
)


def surface_of(box: UprightBox, out: float = 0.0) -> Surface:
    """Return points on the upright faces of a box, `out` m outside of them."""
    rng = stream(4, "surface")
    half = np.array(box.size[:2]) / 2
    places = np.column_stack([rng.uniform(-half, half, (900, 2)), rng.uniform(0, box.size[2], 900)])
    axis, side = rng.integers(0, 2, 900), rng.choice([-1, 1], 900)
    normals = np.zeros((900, 3))
    normals[np.arange(900), axis] = side
    places[np.arange(900), axis] = side * (half[axis] + out)
    plain = Surface(places, np.zeros((0, 3), np.int32), normals, None, np.ones(900), 0.01, np.eye(4))
    return plain.moved(box.world_from_box)


def furnished(
    room: Callable[..., Any], piece: Piece, count: int = 3, far: float = 1.3, faces: tuple[int, ...] = (0,)
) -> Furnished:
    parts, greys = piece.boxes()
    floor = UprightBox((0, 0, -0.1), 0.0, (8, 8, 0.1))
    poses = around(piece.box, count, far, faces)
    scan = room((floor, *parts), (235.0, *greys), CAMERA).capture(poses, shaken(poses))
    return furnish(scan, piece.box, scan.world_from_camera, surface_of(piece.box), "thing", SIGMA, piece.foot)


def middle(piece: Panel) -> tuple[float, float]:
    return (piece[0] + piece[2]) / 2, (piece[1] + piece[3]) / 2


HALL = UprightBox((0.2, 0.1, 0.0), 0.5, (0.46, 0.6, 0.6))
WIDE = UprightBox((0.2, 0.1, 0.0), -0.8, (0.9, 0.45, 0.7))
DRAWERS = (
    (0.0, 0.52, 0.46, 0.58),
    (0.0, 0.36, 0.46, 0.52),
    (0.0, 0.19, 0.46, 0.36),
    (0.0, 0.012, 0.46, 0.19),
)
PIECES = {
    "unequal drawers": Piece(HALL, DRAWERS, tuple((*middle(p), False) for p in DRAWERS), 0.012),
    "two doors": Piece(
        WIDE, ((0.0, 0.0, 0.45, 0.7), (0.45, 0.0, 0.9, 0.7)), ((0.40, 0.35, True), (0.50, 0.35, True))
    ),
    "columns": Piece(
        WIDE,
        ((0.0, 0.35, 0.4, 0.7), (0.0, 0.0, 0.4, 0.35), (0.4, 0.0, 0.9, 0.7)),
        ((0.2, 0.52, False), (0.2, 0.2, False), (0.45, 0.4, True)),
    ),
}
LAYOUTS = {
    "unequal drawers": "r[drawer drawer drawer drawer]",
    "two doors": "c[door.left door.right]",
    "columns": "c[r[drawer drawer] door.right]",
}


@pytest.fixture(scope="module", params=PIECES)
def read_piece(request: pytest.FixtureRequest, room: Callable[..., Any]) -> tuple[str, Piece, Furnished]:
    piece = PIECES[request.param]
    return request.param, piece, furnished(room, piece)


def test_its_fronts_are_where_they_are_and_open_as_they_do(
    read_piece: tuple[str, Piece, Furnished],
) -> None:
    name, piece, found = read_piece
    p = found.parameters
    assert isinstance(p, Cabinet)
    assert layout(p.grid) == LAYOUTS[name]
    faces = [cell.face for cell in plan(p).cells]
    half = piece.box.size[0] / 2
    for face, (u0, v0, u1, v1) in zip(faces, piece.panels, strict=True):
        low = 0.01 if v0 == 0 else 5 * MM  # fronts are kept off the floor
        np.testing.assert_allclose([face.x0 + half, face.x1 + half], [u0, u1], atol=5 * MM)
        assert abs(face.z1 - v1) < 5 * MM
        assert abs(face.z0 - v0) <= low
    np.testing.assert_allclose([p.width, p.depth, p.height], piece.box.size, atol=5 * MM)


def test_its_handles_are_where_they_are(read_piece: tuple[str, Piece, Furnished]) -> None:
    _, piece, found = read_piece
    assert isinstance(found.parameters, Cabinet)
    asset = build(found.parameters, "thing")
    grips = [part.handle for part in asset.parts if part.front is not None]
    for handle, (u, v, upright) in zip(grips, piece.grips, strict=True):
        assert handle is not None
        assert math.hypot(handle.grip[0] + piece.box.size[0] / 2 - u, handle.grip[2] - v) < 15 * MM
        assert (abs(handle.along[2]) > 0.5) == upright
    assert all(joint.range[1] > 0.25 for joint in asset.movable)


def test_faces_that_nobody_saw_are_told_and_what_is_inside_is_a_guess(
    read_piece: tuple[str, Piece, Furnished],
) -> None:
    _, _, found = read_piece
    codes = {f.code: f for f in found.findings}
    assert codes["face-unseen"].severity is Severity.DEGRADED
    assert codes["face-unseen"].numbers["faces"] == 3
    assert codes["inside-guessed"].severity is Severity.NOTE
    assert [e.face for e in found.elevations] == list(FACES)
    assert [e.frames > 0 for e in found.elevations] == [True, False, False, False]


@pytest.mark.slow
def test_the_front_is_the_face_with_handles_whichever_way_the_box_is_turned(room: Callable[..., Any]) -> None:
    piece = PIECES["unequal drawers"]
    parts, greys = piece.boxes()
    poses = around(piece.box, 3, 1.3)
    floor = UprightBox((0, 0, -0.1), 0.0, (8, 8, 0.1))
    scan = room((floor, *parts), (235.0, *greys), CAMERA).capture(poses, shaken(poses))
    found = [
        furnish(scan, piece.box.turned(quarters), scan.world_from_camera, NO_SURFACE, "thing", SIGMA, 0.012)
        for quarters in (1, 2)
    ]
    for one in found:
        np.testing.assert_allclose(one.box.world_from_box, piece.box.world_from_box, atol=1e-9)
        assert isinstance(one.parameters, Cabinet)
        assert layout(one.parameters.grid) == "r[drawer drawer drawer drawer]"
        assert {f.code for f in one.findings} == {"inside-guessed"}
        assert [len(e.handles) for e in one.elevations] == [4, 0, 0, 0]


def test_a_plain_box_is_a_box(room: Callable[..., Any]) -> None:
    found = furnished(room, Piece(HALL), count=3, faces=(0, 2))
    assert isinstance(found.parameters, Box)
    np.testing.assert_allclose(found.parameters.size, HALL.size, atol=5 * MM)
    assert "no-fronts" in {f.code for f in found.findings}
    assert found.alternatives == ()
    assert found.box == HALL
    # 100 of 255, lit from above and the side: somewhere between black and white, and grey.
    r, g, b = found.parameters.material.colour
    assert 0.01 < r < 0.9
    assert r == pytest.approx(g)
    assert g == pytest.approx(b)


def test_fronts_on_two_faces_are_one_too_many(room: Callable[..., Any]) -> None:
    front, back = PIECES["unequal drawers"], replace(PIECES["unequal drawers"], box=HALL.turned(2))
    (body, *rest), (grey, *greys) = front.boxes()
    others, other_greys = back.boxes()
    poses = around(HALL, 3, 1.3, (0, 2))
    thin = replace(body, size=(body.size[0], body.size[1] - SUNK, body.size[2]))
    boxes = (UprightBox((0, 0, -0.1), 0.0, (8, 8, 0.1)), thin, *rest, *others[1:])
    scan = room(boxes, (235.0, grey, *greys, *other_greys[1:]), CAMERA).capture(poses, shaken(poses))
    found = furnish(scan, HALL, scan.world_from_camera, NO_SURFACE, "thing", SIGMA, 0.012)
    assert isinstance(found.parameters, Cabinet)
    lost = [f for f in found.findings if f.severity is Severity.LOST]
    assert [f.code for f in lost] == ["second-front"]
    assert lost[0].numbers["fronts"] > 3


def test_depth_that_is_a_centimetre_too_large_hardly_moves_a_sure_box(room: Callable[..., Any]) -> None:
    piece = Piece(HALL)
    parts, greys = piece.boxes()
    poses = around(HALL, 2, 1.3, (0,))
    scan = room(parts, greys, CAMERA).capture(poses)
    found = furnish(scan, HALL, scan.world_from_camera, surface_of(HALL, out=0.012), "thing", SIGMA)
    assert isinstance(found.parameters, Box)
    np.testing.assert_allclose(found.parameters.size, HALL.size, atol=2 * MM)


# --- colours -----------------------------------------------------------------------------------------------


@given(st.floats(0, 255))
def test_colours_are_made_linear_as_the_standard_says(value: float) -> None:
    c = linear(np.array([value]))[0]
    assert 0 <= c <= 1
    back = 12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055
    assert back * 255 == pytest.approx(value, abs=0.05)


def plain_face(name: str, rgb: tuple[int, int, int], *handles: SeenHandle) -> Elevation:
    colour = np.full((60, 40, 3), rgb, np.uint8)
    return Elevation(name, 0.4, 0.6, 0.01, colour, handles=handles, frames=1)


def test_body_fronts_and_handles_have_the_colours_of_their_faces() -> None:
    grip = SeenHandle(HandleKind.BAR, 0.2, 0.3, 0.2, 0.06, 0.03, False, 1.0)
    front, side = plain_face("front", (200, 100, 50), grip), plain_face("left", (20, 30, 40))
    assert front.colour is not None
    front.colour[27:33, 10:30] = (5, 6, 7)
    p = painted(Cabinet(0.4, 0.5, 0.6), (front, side))
    assert isinstance(p, Cabinet)
    np.testing.assert_allclose(p.face.colour, linear(np.array([200, 100, 50])))
    np.testing.assert_allclose(p.body.colour, linear(np.array([20, 30, 40])))
    np.testing.assert_allclose(p.metal.colour, linear(np.array([5, 6, 7])))
    alone = painted(Cabinet(0.4, 0.5, 0.6), (front,))
    assert isinstance(alone, Cabinet)
    assert alone.body.colour == alone.face.colour
    post = replace(grip, vertical=True)
    upright = painted(Cabinet(0.4, 0.5, 0.6), (plain_face("front", (9, 9, 9), post),))
    assert isinstance(upright, Cabinet)
    assert upright.metal.colour == upright.face.colour


def test_what_was_not_seen_keeps_its_usual_colour() -> None:
    usual = Cabinet(0.4, 0.5, 0.6)
    assert painted(usual, (Elevation("front", 0.4, 0.6, 0.01),)) == usual
    box = Box(0.4, 0.5, 0.6)
    assert painted(box, ()) == box


# --- the real pedestal's front -----------------------------------------------------------------------------

# Its box by colour edges, and the heights of its gaps (shared truth, z of the capture's world).
REAL = UprightBox((-1.5238, 0.455, 0.0027), math.radians(-2.49), (0.7839, 0.4379, 0.5587)).turned(1)
GAPS = (0.547, 0.4948, 0.344, 0.1915)
FEET = 0.010 - 0.0027
HANDLES = (0.5225, 0.448, 0.2955, 0.1445)


@pytest.fixture(scope="module")
def pedestal(captures: Path) -> Capture:
    return readers.read(captures / "tum_fr3_cabinet")


@pytest.mark.captures
def test_gaps_and_handles_of_the_real_pedestal_are_found_in_spite_of_raw_poses(pedestal: Capture) -> None:
    face = read_face(pedestal, REAL, pedestal.world_from_camera, 0, Known(0.003, FEET, 0.003))
    seen = face.elevation
    long = [line.at for line in seen.lines if not line.vertical and line.end - line.start > 0.6 * seen.width]
    for z in GAPS:
        assert min(abs(at - (z - 0.0027)) for at in long) < 8 * MM
    assert len(long) <= 5
    assert len(seen.handles) == 4
    for handle, z in zip(seen.handles, HANDLES, strict=True):
        assert math.hypot(handle.u - 0.219, handle.v - (z - 0.0027)) < 20 * MM
        assert handle.standoff == pytest.approx(0.03, abs=0.015)


@pytest.mark.captures
@pytest.mark.parametrize("number", [1, 2, 3])
def test_plain_faces_of_the_real_pedestal_are_plain(pedestal: Capture, number: int) -> None:
    seen = read_face(pedestal, REAL, pedestal.world_from_camera, number, Known(0.003, FEET, 0.003)).elevation
    assert seen.frames >= 3
    assert seen.handles == ()
    inner = [
        line
        for line in seen.lines
        if not line.vertical and 0.05 < line.at < 0.53 and line.end - line.start > 0.6 * seen.width
    ]
    assert inner == []


def over(frame_colour: NDArray[np.uint8], corners: Array) -> NDArray[np.bool_]:
    mask = np.zeros(frame_colour.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    return mask.astype(bool)


@pytest.mark.slow
@pytest.mark.captures
def test_painted_over_and_flattened_nothing_on_it_opens(pedestal: Capture) -> None:
    width, _, height = REAL.size

    def load(i: int) -> Any:
        frame = pedestal.load(i)
        pose = world_from_face(REAL)
        camera = frame.colour_camera
        assert camera is not None
        assert frame.colour is not None
        assert frame.depth is not None
        eye = se3.inverse(pose) @ [*frame.world_from_camera[:3, 3], 1]
        if eye[2] < 0.3:
            return frame
        rim = [(0.006, 0.01), (width - 0.006, 0.01), (width - 0.006, height - 0.006), (0.006, height - 0.006)]
        face = se3.apply(se3.inverse(frame.world_from_camera) @ pose, np.array([[u, v, 0] for u, v in rim]))
        pixels = face[:, :2] / face[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
        inside = over(frame.colour, pixels)
        colour, depth = frame.colour.copy(), frame.depth.copy()
        colour[inside] = np.median(colour[inside], axis=0)
        v, u = np.nonzero(inside)
        rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(len(u))], -1)
        normal = (se3.inverse(frame.world_from_camera) @ pose)[:3, 2]
        # Depth shows the whole face 12 mm before where colour has it: flat means flush with its rim.
        depth[inside] = ((face[0] + 0.012 * normal) @ normal) / (rays @ normal)
        return replace(frame, colour=colour, depth=depth.astype(np.float32))

    flat = replace(pedestal, load=load)
    found = furnish(flat, REAL, flat.world_from_camera, NO_SURFACE, "pedestal", SIGMA, FEET)
    assert isinstance(found.parameters, Box)


def test_hinge_sides_follow_the_handles(read_piece: tuple[str, Piece, Furnished]) -> None:
    name, _, found = read_piece
    assert isinstance(found.parameters, Cabinet)
    asset = build(found.parameters, "thing")
    for joint, (_, front) in zip(asset.joints, fronts(found.parameters.grid), strict=True):
        if front.kind is FrontKind.DOOR:
            assert joint.kind is JointKind.HINGE
            assert joint.belief.best.side is front.side
            assert joint.belief.best.side in (Side.LEFT, Side.RIGHT)
        assert joint.belief.evidence, name


def test_an_explanation_that_leaves_a_front_no_room_is_none() -> None:
    halves = Cabinet(0.5, 0.5, 0.7, Split(True, (0.3, 0.3), (Front(), Front())))
    sliver = replace(halves, grid=Split(False, (0.48, 0.01), (Front(), Front())))
    with pytest.raises(PocketworldError, match="no room"):
        plan(sliver)
    ((p, kept),) = merged([(0.7, sliver), (0.2, halves), (0.1, halves)])
    assert p == pytest.approx(0.3)
    assert kept == halves
    assert merged([(1.0, sliver)]) == ()
