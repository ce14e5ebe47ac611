"""Appliances in runs, from rendered pictures to assets."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.rectify import world_from_face
from pocketworld.reconstruct.runs.fridges import Beside
from pocketworld.reconstruct.runs.row_parts import End, EndKind, Plinth, Run, RunKind
from pocketworld.reconstruct.runs.run import read_run
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scene import JointKind, Side

pytestmark = pytest.mark.slow
Array = NDArray[np.float64]

CAMERA = Camera(500.0, 500.0, 319.5, 239.5, 640, 480)
LOW, GAP, SUNK = 0.10, 0.004, 0.002
ENDS = (End(EndKind.PANEL, 0.01), End(EndKind.FREE, 0.02))
SIGMA = (0.003, 0.003, 0.003)
PLINTH = Plinth(LOW, 0.05, True)
BASE = Run(
    "run-1",
    RunKind.BASE,
    UprightBox((0.4, -0.2, 0), 0.6, (0.6, 0.58, 0.82)),
    PLINTH,
    None,
    ENDS,
    SIGMA,
)
TALL = Run(
    "run-2", RunKind.TALL, UprightBox((0.4, -0.2, 0), 0.6, (0.6, 0.63, 1.8)), PLINTH, None, ENDS, SIGMA
)
Rect = tuple[float, float, float, float]  # u0, v0, u1, v1, m on the front


def at(box: UprightBox, rect: Rect, before: float, thick: float) -> UprightBox:
    """A plate on a front, of which the face is so far before that of the front."""
    u0, v0, u1, v1 = rect
    x, y, z, _ = world_from_face(box) @ [(u0 + u1) / 2, v0, before - thick / 2, 1]
    return UprightBox((x, y, z), box.yaw, (u1 - u0, thick, v1 - v0))


def seen(
    room: Callable[..., Any], run: Run, fronts: list[Rect], plates: list[tuple[Rect, float, float, float]]
) -> Capture:
    """Pictures of one unit: its body, its fronts, and plates (where, how far out, how thick, how bright)."""
    box = run.box
    width, depth, height = box.size
    x, y, z, _ = world_from_face(box) @ [width / 2, LOW, -(depth + SUNK) / 2, 1]
    parts = [(UprightBox((x, y, z), box.yaw, (width, depth - SUNK, height - LOW)), 40.0)]
    for u0, v0, u1, v1 in fronts:
        rect = (u0 + GAP / 2, v0 + GAP / 2, u1 - GAP / 2, v1 - GAP / 2)
        parts.append((at(box, rect, 0.0, SUNK), 170.0))
    parts += [(at(box, rect, out, thick), grey) for rect, out, thick, grey in plates]
    floor = (UprightBox((0, 0, -0.1), 0.0, (8, 8, 0.1)), 230.0)
    boxes, greys = zip(*parts, floor, strict=True)
    poses = []
    for u in np.linspace(0.0, width, 8):
        eye, target = (
            world_from_face(box) @ [u + d, v, h, 1] for d, v, h in ((0.1, 1.3, 1.6), (0, height / 2, 0))
        )
        poses.append(looking(eye[:3], target[:3]))
    return room(boxes, greys, CAMERA).capture(poses)  # type: ignore[no-any-return]


def test_a_window_in_a_run_is_an_oven_that_opens_downwards(room: Callable[..., Any]) -> None:
    window: Rect = (0.06, 0.18, 0.54, 0.52)
    bar: Rect = (0.1, 0.62, 0.5, 0.635)
    capture = seen(
        room,
        BASE,
        [(0, LOW, 0.6, 0.69), (0, 0.69, 0.6, 0.82)],
        [(window, 0.0005, SUNK, 40.0), (bar, 0.04, 0.012, 220.0)],
    )
    (unit,) = read_run(capture, BASE, capture.world_from_camera)
    assert unit.asset.family == "oven"
    (joint,) = unit.asset.movable
    assert (joint.kind, joint.belief.best.side) == (JointKind.HINGE, Side.BOTTOM)
    front = unit.asset.part(joint.child).front
    assert front is not None
    assert front.centre[2] + front.height / 2 == pytest.approx(0.69, abs=0.012)
    assert "family-chosen" in [f.code for f in unit.findings]


def test_the_same_fronts_without_a_window_are_a_cabinet(room: Callable[..., Any]) -> None:
    bar: Rect = (0.1, 0.62, 0.5, 0.635)
    fronts: list[Rect] = [(0, LOW, 0.6, 0.69), (0, 0.69, 0.6, 0.82)]
    capture = seen(room, BASE, fronts, [(bar, 0.04, 0.012, 220.0)])
    (unit,) = read_run(capture, BASE, capture.world_from_camera)
    assert unit.asset.family == "cabinet"


@pytest.fixture(scope="module")
def tall(room: Callable[..., Any]) -> Capture:
    """Two doors above each other, their handles at the right."""
    bars: list[Rect] = [(0.53, 0.9, 0.545, 1.2), (0.53, 0.4, 0.545, 0.65)]
    fronts: list[Rect] = [(0, LOW, 0.6, 0.75), (0, 0.75, 0.6, 1.8)]
    return seen(room, TALL, fronts, [(bar, 0.04, 0.012, 60.0) for bar in bars])


def test_what_stands_out_of_its_row_is_a_fridge(tall: Capture) -> None:
    (unit,) = read_run(tall, TALL, tall.world_from_camera, Beside(0.04, -0.3))
    assert unit.asset.family == "fridge"
    assert [j.kind for j in unit.asset.movable] == [JointKind.HINGE] * 2
    assert {j.belief.best.side for j in unit.asset.movable} == {Side.LEFT}


@pytest.mark.parametrize("stands", [Beside(0.0, 0.0), None])
def test_what_is_in_line_with_its_row_stays_a_cabinet(tall: Capture, stands: Beside | None) -> None:
    (unit,) = read_run(tall, TALL, tall.world_from_camera, stands)
    assert unit.asset.family == "cabinet"
    assert "family-chosen" not in [f.code for f in unit.findings]


def test_what_nobody_can_tell_is_told(tall: Capture) -> None:
    (unit,) = read_run(tall, TALL, tall.world_from_camera, Beside(0.014, None))
    assert "family-open" in [f.code for f in unit.findings]


def test_half_of_a_front_is_no_evidence(tall: Capture) -> None:
    away = replace(TALL, box=replace(TALL.box, foot=(5.0, 5.0, 0.0)))
    (unit,) = read_run(tall, away, tall.world_from_camera, Beside(0.04, -0.3))
    assert unit.asset.family == "cabinet"
