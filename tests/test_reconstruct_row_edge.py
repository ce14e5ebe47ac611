"""The lower edge of a run's worktop, and with it the top of its fronts, by pictures of rendered runs."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.rectify import world_from_face
from pocketworld.reconstruct.runs.row_edge import edged
from pocketworld.reconstruct.runs.row_parts import End, EndKind, Plinth, Run, RunKind, Worktop
from pocketworld.reconstruct.runs.row_worktop import THIN
from pocketworld.scan.capture import Camera, Capture

Array = NDArray[np.float64]

CAMERA = Camera(500.0, 500.0, 319.5, 239.5, 640, 480)
WIDTH, DEPTH, UNDER = 1.7, 0.58, 0.84  # m
THICKNESS, OVERHANG, SUNK, GAP = 0.038, 0.022, 0.002, 0.004
FOOT, YAW = (0.4, -0.2, 0.0), 0.6
ENDS = (End(EndKind.PANEL, 0.01), End(EndKind.FREE, 0.02))


def run_of(under: float, top: float = UNDER + THICKNESS, measured: bool = True) -> Run:
    """Return the run with its worktop's edge told to reach from one height to another."""
    box = UprightBox(FOOT, YAW, (WIDTH, DEPTH, under))
    x, y, _, _ = box.world_from_box @ [0, -OVERHANG / 2, 0, 1]
    plate = UprightBox((x, y, under), YAW, (WIDTH, DEPTH + OVERHANG, top - under))
    worktop = Worktop(plate, OVERHANG, None, 0.003, measured)
    return Run("run-1", RunKind.BASE, box, Plinth(0.1, 0.05, True), worktop, ENDS, (0.003, 0.003, 0.003))


def at(u: float, v: float, behind: float, size: tuple[float, float, float]) -> UprightBox:
    x, y, z, _ = world_from_face(run_of(UNDER).box) @ [u, v, -behind, 1]
    return UprightBox((x, y, z), YAW, size)


def scan_of(room: Callable[..., Any], worktop: float, height: float, motion: Array | None = None) -> Capture:
    """Return a walk past three units, the middle one of drawers, under a worktop of a grey."""
    move = np.eye(4) if motion is None else motion
    parts = [(at(WIDTH / 2, 0.1, (DEPTH + SUNK) / 2, (WIDTH, DEPTH - SUNK, UNDER - 0.1)), 40.0)]
    for u0, u1, v0, v1 in (
        (0, 0.5, 0.1, 0.84),
        (0.5, 1.1, 0.1, 0.72),
        (0.5, 1.1, 0.72, 0.84),
        (1.1, 1.7, 0.1, 0.84),
    ):
        size = (u1 - u0 - GAP, SUNK, v1 - v0 - GAP)
        parts.append((at((u0 + u1) / 2, v0 + GAP / 2, SUNK / 2, size), 110.0))
    for u, v in ((0.8, 0.78), (0.8, 0.62)):
        parts.append((at(u, v, -0.024, (0.16, 0.012, 0.012)), 190.0))
    behind = (DEPTH - OVERHANG) / 2
    parts.append((at(WIDTH / 2, UNDER, behind, (WIDTH, DEPTH + OVERHANG, THICKNESS)), worktop))
    poses = []
    for u in np.linspace(0.1, 1.6, 6):
        face = world_from_face(run_of(UNDER).box)
        eye, target = (face @ [u + d, v, h, 1] for d, v, h in ((0.1, height, 1.2), (0, 0.5, 0)))
        poses.append(move @ looking(eye[:3], target[:3]))
    yaw = math.atan2(move[1, 0], move[0, 0])
    moved = [UprightBox(tuple((move @ [*b.foot, 1])[:3]), b.yaw + yaw, b.size) for b, _ in parts]
    floor = UprightBox((0, 0, -0.1), 0.0, (12, 12, 0.1))
    capture: Capture = room((*moved, floor), (*(grey for _, grey in parts), 230.0), CAMERA).capture(poses)
    return capture


@pytest.fixture(scope="module")
def dark(room: Callable[..., Any]) -> Capture:
    return scan_of(room, 60.0, 1.4)


@pytest.mark.parametrize("off", [-0.02, -0.01, 0.0, 0.012])
def test_it_is_found_wherever_depth_has_it(dark: Capture, off: float) -> None:
    told = run_of(UNDER + off)
    found = edged(dark, told, dark.world_from_camera)
    assert found.box.size[2] == pytest.approx(UNDER, abs=0.005)
    assert found.worktop is not None
    assert found.worktop.told == told.box.size[2]
    assert found.worktop.box.foot[2] == pytest.approx(found.box.size[2])
    assert found.worktop.box.foot[2] + found.worktop.box.size[2] == pytest.approx(UNDER + THICKNESS)
    assert (found.id, found.plinth, found.ends, found.sigma) == (told.id, told.plinth, told.ends, told.sigma)
    assert found.box.size[:2] == told.box.size[:2]


@pytest.mark.parametrize(("worktop", "height"), [(60.0, 1.0), (200.0, 1.7)])
def test_from_any_height_and_of_any_grey(room: Callable[..., Any], worktop: float, height: float) -> None:
    """What stands out is seen lower, the more so from above: that is undone."""
    scan = scan_of(room, worktop, height)
    found = edged(scan, run_of(UNDER - 0.015), scan.world_from_camera)
    assert found.box.size[2] == pytest.approx(UNDER, abs=0.006)


def test_the_same_world_turned_ends_alike(room: Callable[..., Any], dark: Capture) -> None:
    motion = se3.exp(np.array([1.0, -0.5, 0, 0, 0, 0])) @ se3.exp(np.array([0, 0, 0, 0, 0, 0.7]))
    turned = scan_of(room, 60.0, 1.4, motion)
    told = run_of(UNDER - 0.015)
    assert told.worktop is not None

    def moved(box: UprightBox) -> UprightBox:
        x, y, z, _ = motion @ [*box.foot, 1]
        return UprightBox((x, y, z), box.yaw + 0.7, box.size)

    there = replace(told, box=moved(told.box), worktop=replace(told.worktop, box=moved(told.worktop.box)))
    here = edged(dark, told, dark.world_from_camera).box.size[2]
    assert edged(turned, there, turned.world_from_camera).box.size[2] == pytest.approx(here, abs=0.001)


def test_a_worktop_is_no_thinner_than_any(dark: Capture) -> None:
    low = UNDER + THIN / 2  # m: depth has a dark plate so low that the edge shows above it
    told = run_of(low - THIN, low)
    found = edged(dark, told, dark.world_from_camera)
    assert found.worktop is not None
    assert found.worktop.box.size[2] >= THIN - 1e-9


def test_where_no_picture_shows_it_or_nothing_was_measured_it_stays(dark: Capture) -> None:
    told = run_of(UNDER - 0.015)
    away = dark.world_from_camera @ se3.exp(np.array([0, 0, 0, 0, math.pi, 0]))
    assert edged(dark, told, away) is told
    assert edged(dark, guess := run_of(UNDER - 0.015, measured=False), dark.world_from_camera) is guess
    assert edged(dark, bare := replace(told, worktop=None), dark.world_from_camera) is bare
