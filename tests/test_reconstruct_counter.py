"""A run's worktop lies where it was found, on its units, with a sink that lies within it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.worktop import Worktop as Parameters
from pocketworld.findings import Severity
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.colours import linear
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.runs.counter import worktop
from pocketworld.reconstruct.runs.row_parts import End, EndKind, Plinth, Run, RunKind, Worktop
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scene import Relation

UP = 0.85  # m: the plate's top
END = End(EndKind.PANEL, 0.01)
UNITS = tuple(Placed(registry.family("cabinet").build(Cabinet(0.6, 0.5, 0.8), f"run-1.{i}")) for i in (1, 2))
PLATE = Worktop(UprightBox((1.0, 2.0, 0.82), 0.4, (1.2, 0.6, 0.03)), 0.02, None, 0.005, True)


def run(plate: Worktop | None) -> Run:
    box = UprightBox((1.0, 2.0, 0.0), 0.4, (1.2, 0.58, 0.82))
    return Run("run-1", RunKind.BASE, box, Plinth(0.1, 0.05, True), plate, (END, END), (0.01, 0.02, 0.01))


def plain(z: float, colour: tuple[int, int, int] | None = (90, 60, 30)) -> Surface:
    """A level patch of surface at the run, at a height."""
    x, y = np.meshgrid(np.linspace(0.8, 1.2, 9), np.linspace(1.9, 2.1, 9))
    points = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, z)])
    count = len(points)
    colours = None if colour is None else np.tile(np.array(colour, np.uint8), (count, 1))
    faces = np.array([[0, 1, 9]], np.int32)
    return Surface(points, faces, np.tile([0, 0, 1.0], (count, 1)), colours, np.ones(count), 0.01, np.eye(4))


def placed(plate: Worktop) -> Placed:
    found = worktop(run(plate), UNITS, plain(UP))
    assert found is not None
    return found


def parameters(found: Placed) -> Parameters:
    p = registry.rebuild(found.asset)
    assert isinstance(p, Parameters)
    return p


def test_a_run_without_one_has_none() -> None:
    assert worktop(run(None), UNITS, plain(UP)) is None


@given(st.floats(-3, 3), st.floats(-math.pi, math.pi), st.floats(0.5, 4.0), st.floats(0.015, 0.08))
def test_it_lies_where_it_was_found(x: float, yaw: float, width: float, thickness: float) -> None:
    box = UprightBox((x, 2.0, 0.85 - thickness), yaw, (width, 0.6, thickness))
    asset = placed(replace(PLATE, box=box)).asset
    assert np.allclose(asset.pose.matrix, box.world_from_box)
    corners = np.concatenate([piece.vertices for piece in asset.parts[0].pieces])
    assert np.allclose(np.ptp(corners, axis=0), box.size)
    assert corners[:, 2].max() + asset.pose.position[2] == pytest.approx(0.85)
    assert asset.joints == ()


def test_it_lies_on_all_its_units_and_ends_with_them() -> None:
    expected = {
        Relation(kind, "run-1.worktop", id) for kind in ("on", "flush_with") for id in ("run-1.1", "run-1.2")
    }
    assert set(placed(PLATE).relations) == expected


def test_a_sink_is_cut_out_where_it_was_seen() -> None:
    found = placed(replace(PLATE, sink=(-0.4, 0.1, -0.2, 0.2)))
    sink = parameters(found).cutout
    assert sink is not None
    assert (sink.at, sink.width, sink.depth, sink.setback) == pytest.approx((-0.15, 0.5, 0.4, 0.1))
    assert [f.code for f in found.findings] == ["basin-guessed"]
    hole = np.array([-0.15, 0.0, 0.02])
    for piece in found.asset.parts[0].pieces:
        assert not (piece.vertices.min(0) < hole).all() or not (hole < piece.vertices.max(0)).all()


@pytest.mark.parametrize(
    "sink", [(-0.7, 0.1, -0.2, 0.2), (-0.4, 0.1, -0.2, 0.31), (0.1, 0.1, -0.2, 0.2), (0.2, 0.1, 0.2, -0.2)]
)
def test_a_sink_that_can_t_be_is_left_out_and_said(sink: tuple[float, float, float, float]) -> None:
    found = placed(replace(PLATE, sink=sink))
    assert parameters(found).cutout is None
    (lost,) = found.findings
    assert (lost.code, lost.severity) == ("sink-left-out", Severity.LOST)
    assert lost.subject == found.asset.id


def test_it_has_the_colour_of_what_lies_there() -> None:
    def colour(surface: Surface) -> tuple[float, float, float]:
        found = worktop(run(PLATE), UNITS, surface)
        assert found is not None
        return parameters(found).top.colour

    usual = Parameters(1.0, 0.6).top.colour
    seen = colour(plain(UP))
    assert seen == pytest.approx(tuple(linear(np.array([90.0, 60.0, 30.0]))))
    assert seen[0] > seen[1] > seen[2]
    for surface in (plain(UP, None), plain(UP + 0.1), plain(UP - 0.1)):
        assert colour(surface) == usual


def test_what_was_guessed_is_said() -> None:
    assert placed(PLATE).findings == ()
    (guessed,) = placed(replace(PLATE, measured=False)).findings
    assert guessed.code == "thickness-guessed"
    assert "picture" not in guessed.text  # none was looked at for it
