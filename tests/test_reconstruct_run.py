"""Runs of units read from pictures: a rendered one, and a real kitchenette against its truth."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, FrontKind, fronts
from pocketworld.families.protocol import Elevation
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts import grammar
from pocketworld.reconstruct.fronts.face import Face
from pocketworld.reconstruct.fronts.lines import Span
from pocketworld.reconstruct.fronts.rectify import world_from_face
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.room.floor import find_floor
from pocketworld.reconstruct.runs import run
from pocketworld.reconstruct.runs.modules import Module
from pocketworld.reconstruct.runs.mosaic import cropped, mosaic
from pocketworld.reconstruct.runs.row_parts import Ajar, End, EndKind, Patch, Plinth, Run, RunKind
from pocketworld.reconstruct.runs.rows import find_rows
from pocketworld.reconstruct.runs.run import read_run
from pocketworld.reconstruct.runs.run_parts import BORDER, Part
from pocketworld.reconstruct.surfaces.fusion import fuse
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scan import readers
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scene import JointKind, Side

Array = NDArray[np.float64]

CAMERA = Camera(500.0, 500.0, 319.5, 239.5, 640, 480)
LOW, GAP, OUT, SUNK = 0.10, 0.004, 0.030, 0.002
BOX = UprightBox((0.4, -0.2, 0.0), 0.6, (1.7, 0.58, 0.82))
ENDS = (End(EndKind.PANEL, 0.01), End(EndKind.FREE, 0.02))
RUN = Run("run-1", RunKind.BASE, BOX, Plinth(LOW, 0.05, True), None, ENDS, (0.003, 0.003, 0.003))
GAPS = (0.45, 1.1)
# u0, v0, u1, v1, m on the run's front: a stack of drawers, a wide drawer over a front, a door.
PANELS = (
    (0.0, 0.68, 0.45, 0.82),
    (0.0, 0.40, 0.45, 0.68),
    (0.0, 0.10, 0.45, 0.40),
    (0.45, 0.64, 1.1, 0.82),
    (0.45, 0.10, 1.1, 0.64),
    (1.1, 0.10, 1.7, 0.82),
)
GRIPS = ((0.225, 0.75), (0.225, 0.56), (0.225, 0.27), (0.775, 0.73), (1.64, 0.55))  # the last one upright


def at(u: float, v: float, behind: float, size: tuple[float, float, float]) -> UprightBox:
    x, y, z, _ = world_from_face(BOX) @ [u, v, -behind, 1]
    return UprightBox((x, y, z), BOX.yaw, size)


@pytest.fixture(scope="module")
def scan(room: Callable[..., Any]) -> Capture:
    """The run seen by somebody who walks past it, twelve pictures of which none shows it all."""
    width, depth, height = BOX.size
    parts = [(at(width / 2, LOW, depth / 2 + SUNK / 2, (width, depth - SUNK, height - LOW)), 40.0)]
    parts.append((at(width / 2, 0.0, depth / 2 + 0.03, (width, depth - 0.06, LOW)), 40.0))
    for u0, v0, u1, v1 in PANELS:
        size = (u1 - u0 - GAP, SUNK, v1 - v0 - GAP)
        parts.append((at((u0 + u1) / 2, v0 + GAP / 2, SUNK / 2, size), 110.0))
    for u, v in GRIPS:
        bar = (0.012, 0.012, 0.16) if u == GRIPS[-1][0] else (0.16, 0.012, 0.012)
        parts.append((at(u, v - bar[2] / 2, -OUT + 0.006, bar), 190.0))
    floor = (UprightBox((0, 0, -0.1), 0.0, (8, 8, 0.1)), 230.0)
    boxes, greys = zip(*parts, floor, strict=True)
    poses = []
    for u in np.linspace(0.1, 1.6, 12):
        eye, target = (world_from_face(BOX) @ [u + d, v, h, 1] for d, v, h in ((0.1, 1.2, 1.2), (0, 0.42, 0)))
        poses.append(looking(eye[:3], target[:3]))
    return room(boxes, greys, CAMERA).capture(poses)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def units(scan: Capture) -> tuple[Placed, ...]:
    return read_run(scan, RUN, scan.world_from_camera)


def place(placed: Placed, box: UprightBox = BOX) -> tuple[float, float]:
    """Return where a unit begins and ends along the run's front, m."""
    local = se3.inverse(box.world_from_box) @ placed.asset.pose.matrix
    middle, width = local[0, 3] + box.size[0] / 2, float(placed.asset.parameters["width"])  # type: ignore[arg-type]
    return float(middle - width / 2), float(middle + width / 2)


@pytest.mark.slow
def test_a_run_is_parted_into_its_units(units: tuple[Placed, ...]) -> None:
    ends = [place(unit) for unit in units]
    np.testing.assert_allclose([a for a, _ in ends], [0, *GAPS], atol=0.006)
    np.testing.assert_allclose([b for _, b in ends], [*GAPS, 1.7], atol=0.006)
    assert all(0 < b - a < 0.005 for (_, a), (b, _) in pairwise(ends))
    assert [unit.asset.id for unit in units] == ["run-1.1", "run-1.2", "run-1.3"]


@pytest.mark.slow
def test_each_unit_has_its_fronts_where_they_are(units: tuple[Placed, ...]) -> None:
    stack, _, door = (unit.asset for unit in units)
    assert [j.kind for j in stack.movable] == [JointKind.SLIDE] * 3
    tops = [f.centre[2] + f.height / 2 for p in stack.parts if (f := p.front)]
    np.testing.assert_allclose(tops, [0.82, 0.68, 0.40], atol=0.008)
    (hinge,) = door.movable
    assert (hinge.kind, hinge.belief.hypotheses[0].side) == (JointKind.HINGE, Side.LEFT)


@pytest.mark.slow
def test_handles_are_where_they_are(units: tuple[Placed, ...]) -> None:
    found = []
    for unit in units:
        left = place(unit)[0] + (place(unit)[1] - place(unit)[0]) / 2
        found += [(left + p.handle.grip[0], p.handle.grip[2]) for p in unit.asset.parts if p.handle]
    assert len(found) == len(GRIPS)
    np.testing.assert_allclose(sorted(found), sorted(GRIPS), atol=0.015)


@pytest.mark.slow
def test_units_stand_side_by_side_on_the_floor(units: tuple[Placed, ...]) -> None:
    said = [(r.kind, r.a, r.b) for unit in units for r in unit.relations]
    assert said.count(("on", "run-1.2", "floor")) == 1
    assert ("flush_with", "run-1.1", "run-1.2") in said
    assert ("flush_with", "run-1.2", "run-1.3") in said
    assert len(said) == 5


@pytest.mark.slow
def test_an_appliance_does_not_open(scan: Capture) -> None:
    dark = replace(RUN, dark=(Patch(1.1 - 0.85, 0.85, LOW, 0.82),))
    *_, last = read_run(scan, dark, scan.world_from_camera)
    assert last.asset.movable == ()
    assert [f.code for f in last.findings] == ["appliance-fixed"]


@pytest.mark.slow
def test_a_run_that_no_picture_shows_is_one_unit_that_does_not_open(scan: Capture) -> None:
    away = se3.exp(np.array([50.0, 0, 0, 0, 0, 0])) @ scan.world_from_camera
    (only,) = read_run(scan, RUN, away)
    assert only.asset.movable == ()
    assert only.asset.parameters["width"] == pytest.approx(1.7, abs=0.005)
    made = registry.rebuild(only.asset)
    assert isinstance(made, Cabinet)
    assert [front.kind for _, front in fronts(made.grid)] == [FrontKind.FIXED]
    (unseen,) = only.findings
    assert (unseen.code, unseen.subject) == ("front-unseen", only.asset.id)
    assert "nothing of it opens" in unseen.text


@pytest.mark.slow
def test_a_front_that_stands_open_nobody_knows_how_is_told_of_its_unit_alone(scan: Capture) -> None:
    points, up = np.eye(3) * 0.01, np.tile([0, 0, 1.0], (3, 1))
    speck = Surface(points, np.array([[0, 1, 2]], np.int32), up, None, np.ones(3), 0.01, np.eye(4))
    ajar = Ajar(Patch(0.45 - 0.85, 1.1 - 0.85, 0.0, 0.82), speck)
    units = read_run(scan, replace(RUN, ajar=(ajar,)), scan.world_from_camera)
    codes = [[f.code for f in unit.findings] for unit in units]
    assert ["front-ajar" in each for each in codes] == [False, True, False]


@pytest.mark.slow
def test_what_is_told_of_a_unit_s_layouts_is_all_of_it() -> None:
    width, _, height = BOX.size
    face = Face(Elevation("front", width, height - LOW, BORDER), Span(0.0, width, 0.0, height))
    part = Part("run-1.1", Module(0.0, width, (0.0, 0.0)), BOX, face, 1.0, ())
    built = run._closed(part, run._hull(part, RUN, 0.0))
    options = [(p, *built) for p in (0.55, 0.42, *[0.01] * 3)]  # the last ones are too unlikely to be told
    told = [p for p, _ in run._standing(part, RUN, options, ()).asset.alternatives]
    assert told == pytest.approx([0.55 / 0.97, 0.42 / 0.97])


def test_each_unit_s_front_is_divided_once(scan: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    divided: list[float] = []

    def counted(width: float, *rest: Any) -> Any:
        divided.append(width)
        return grammar.explain(width, *rest)

    monkeypatch.setattr(run, "explain", counted)
    units = read_run(scan, RUN, scan.world_from_camera)
    assert len(divided) == len(units)


@pytest.mark.slow
def test_a_piece_of_a_long_picture_is_what_the_piece_alone_shows(scan: Capture) -> None:
    whole = mosaic(scan, BOX, scan.world_from_camera)
    assert whole is not None
    piece = cropped(whole, 0.45, 1.1, 0.1, 0.82)
    x, y, z, _ = world_from_face(BOX) @ [0.775, 0.1, -0.29, 1]
    alone = mosaic(scan, UprightBox((x, y, z), BOX.yaw, (0.65, 0.58, 0.72)), scan.world_from_camera)
    assert alone is not None
    edge = round(alone.grid.margin / alone.grid.pixel)
    rows, columns = (min(a, b) for a, b in zip(piece.grid.shape, alone.grid.shape, strict=True))
    part = slice(edge, rows - edge), slice(edge, columns - edge)
    if piece.grid.pixel == alone.grid.pixel:
        assert np.nanmedian(np.abs(piece.colour[part] - alone.colour[part])) < 3


# --- the real kitchenette ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def truth(captures: Path) -> dict[str, Any]:
    return dict(json.loads((captures / "truth" / "hololens_kitchenette.json").read_text()))


@pytest.fixture(scope="module")
def kitchenette(captures: Path, truth: dict[str, Any]) -> list[dict[str, Any]]:
    """What was read of its base run: each unit's fronts in the truth's row frame."""
    capture = readers.read(captures / "hololens_kitchenette")
    fusion = fuse(capture)
    scene_from_world = find_floor(fusion.surface, capture.name).scene_from_world
    surface = fusion.surface.moved(scene_from_world)
    floor = find_floor(fusion.surface, capture.name)
    rows = find_rows(surface, floor, (), capture.name)
    units = read_run(capture, rows.runs[0], scene_from_world @ capture.world_from_camera)
    capture_from_scene = se3.inverse(scene_from_world @ capture.world_from_capture)
    normal, up = (
        np.array(v) for v in (truth["base_front_plane"]["normal_out_of_cabinet"], truth["world_up"])
    )
    along = np.cross(up, normal) / np.linalg.norm(np.cross(up, normal))
    out = []
    for unit in units:
        pose = capture_from_scene @ unit.asset.pose.matrix
        for part in unit.asset.parts:
            if part.front is None:
                continue
            x = float((pose @ [*part.front.centre, 1])[:3] @ along)
            joint = next(j for j in unit.asset.joints if j.child == part.id)
            grip = None if part.handle is None else (pose @ [*part.handle.grip, 1])[:3]
            out.append(
                {
                    "unit": unit.asset.id,
                    "x": (x - part.front.width / 2, x + part.front.width / 2),
                    "z": part.front.centre[2] + np.array([-0.5, 0.5]) * part.front.height,
                    "grip": None if grip is None else (float(grip @ along), float(grip @ up)),
                    "joint": joint,
                }
            )
    return out


def between(found: list[dict[str, Any]], low: float, high: float) -> list[dict[str, Any]]:
    return [f for f in found if low < (f["x"][0] + f["x"][1]) / 2 < high]


@pytest.mark.slow
@pytest.mark.captures
def test_the_gaps_of_the_kitchenette(kitchenette: list[dict[str, Any]], truth: dict[str, Any]) -> None:
    units = sorted({f["unit"] for f in kitchenette})
    starts = [min(f["x"][0] for f in kitchenette if f["unit"] == unit) for unit in units][1:]
    np.testing.assert_allclose(starts, truth["vertical_gaps_x"], atol=0.020)


@pytest.mark.slow
@pytest.mark.captures
def test_the_drawers_of_the_kitchenette(kitchenette: list[dict[str, Any]], truth: dict[str, Any]) -> None:
    stack = between(kitchenette, 2.8, 3.4)
    assert [f["joint"].kind for f in stack] == [JointKind.SLIDE] * 3
    assert all(f["joint"].belief.p(JointKind.SLIDE) > 0.6 for f in stack)
    edges = [y - truth["floor_y"] for y in (-0.7625, -1.0)]
    np.testing.assert_allclose([f["z"][0] for f in stack[:2]], edges, atol=0.020)


@pytest.mark.slow
@pytest.mark.captures
def test_the_handles_of_the_kitchenette(kitchenette: list[dict[str, Any]], truth: dict[str, Any]) -> None:
    told = [f["handle"] for f in truth["fronts"] if "handle" in f]
    shut = [f["grip"] for f in kitchenette if f["grip"] and f["joint"].state == 0]
    assert len(shut) == len(told)
    for handle in told:
        true = np.array([np.mean(handle["x"]), handle["y"]])
        assert min(np.linalg.norm(np.array(grip) - true) for grip in shut) < 0.025, handle


@pytest.mark.slow
@pytest.mark.captures
def test_the_dishwasher_stands_open_about_its_bottom(kitchenette: list[dict[str, Any]]) -> None:
    (door,) = between(kitchenette, 1.6, 2.18)
    joint = door["joint"]
    assert (joint.kind, joint.belief.hypotheses[0].side) == (JointKind.HINGE, Side.BOTTOM)
    assert 5 < np.degrees(joint.state) < 25


@pytest.mark.slow
@pytest.mark.captures
def test_nobody_can_know_what_the_sink_front_is(kitchenette: list[dict[str, Any]]) -> None:
    (front,) = between(kitchenette, 2.19, 2.795)
    chances = [(h.p, h.kind, h.side) for h in front["joint"].belief.hypotheses]
    assert max(chances)[0] < 0.7
    assert sum(p > 0.05 for p, _, _ in chances) >= 3
