"""Stands are computed once a scene, and anew wherever anything differs that they hang on."""

from dataclasses import replace

import numpy as np
import pytest

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.geometry.convex import BoxPiece
from pocketworld.scene import Asset, HandleKind, Part, Pose, Scene, Side
from pocketworld.sim.robots import known
from pocketworld.sim.robots.description import Arm
from pocketworld.sim.robots.known import known_stands
from pocketworld.sim.robots.panda import panda
from pocketworld.sim.robots.stand import Stands, stands
from pocketworld.sim.robots.standing import ByGrip, ByJoints

DRAWER = Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR))
CABINET = Cabinet(0.5, 0.45, 0.4, DRAWER)
Counted = list[Scene]


def scene(p: Cabinet = CABINET, pose: Pose | None = None, *, visual: bool = False) -> Scene:
    return Scene("s", (replace(build(p, "cab", visual=visual), pose=pose or Pose()),))


def wall(y: float) -> Asset:
    piece = BoxPiece((0.0, y, 1.0), (4.0, 0.1, 2.0))
    return Asset(
        "wall", "solid", {}, (Part("body", "body", (), (piece,), 1.0, piece.centre, (1, 1, 1, 0, 0, 0)),)
    )


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Return the scenes whose stands are really computed, from none that are known."""
    done: Counted = []

    def counted(scene: Scene, arm: Arm) -> Stands:
        done.append(scene)
        return stands(scene, arm)

    known._kept.cache_clear()
    monkeypatch.setattr(known, "stands", counted)
    return done


def test_they_are_what_stands_finds() -> None:
    found, anew = known_stands(scene(), panda()), stands(scene(), panda())
    assert found.missed == anew.missed
    assert found.reached.keys() == anew.reached.keys() == {"cab/0"}
    np.testing.assert_array_equal(found.reached["cab/0"].postures, anew.reached["cab/0"].postures)


def test_a_scene_that_is_built_anew_is_known(computed: Counted) -> None:
    found = known_stands(scene(), panda())
    looks = replace(CABINET, face=replace(CABINET.face, colour=(0.1, 0.2, 0.3)))
    for alike in (scene(), scene(visual=True), replace(scene(), name="other"), scene(looks)):
        assert known_stands(alike, panda()) is found
    assert len(computed) == 1


def test_both_ways_of_leading_an_arm_share_them(computed: Counted) -> None:
    one, other = (way(panda()).fitted(scene()) for way in (ByGrip, ByJoints))
    assert one.reached is other.reached
    assert len(computed) == 1


@pytest.mark.parametrize(
    "changed",
    [
        scene(pose=Pose((1e-9, 0.0, 0.0))),
        scene(replace(CABINET, width=np.nextafter(0.5, 1.0))),
        scene(replace(CABINET, grid=replace(DRAWER, handle=usual(HandleKind.KNOB)))),
        scene(replace(CABINET, grid=replace(DRAWER, opening=0.5))),
        replace(scene(), assets=(*scene().assets, wall(-0.6))),
    ],
    ids=["moved", "wider", "another handle", "opens less", "a wall before it"],
)
def test_what_differs_at_all_is_computed(computed: Counted, changed: Scene) -> None:
    for one in (scene(), changed, scene(), changed):
        known_stands(one, panda())
    assert computed == [scene(), changed]


def test_another_arm_stands_elsewhere(computed: Counted) -> None:
    higher = replace(panda(), home=(*panda().home[:-1], panda().home[-1] + 1e-9))
    for arm in (panda(), higher, replace(panda(), name="twin of it")):
        known_stands(scene(), arm)
    assert len(computed) == 2
