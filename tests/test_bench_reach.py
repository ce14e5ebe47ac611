"""bench reach: what is reached, from how many places, why not the others, and what the expert opens of it."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from pocketworld import scene_file, workflow
from pocketworld.bench import document, reach
from pocketworld.bench.machine import machine
from pocketworld.bench.reach import FAILED, Place, Reached, Tried, begins_there, compiled, measure, place
from pocketworld.cli.main import main
from pocketworld.cousins import sequence
from pocketworld.cousins.sequence import Cousins
from pocketworld.cousins.spec import preset
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.scene import Asset, HandleKind, Pose, Scene, Side
from pocketworld.sim.robots import stand
from pocketworld.sim.robots.panda import panda
from pocketworld.sim.robots.standing import ByGrip

STEPS = 150
FAR = "no free place to stand is near enough"
BARE = "it has no handle"


@cache
def chest(
    id: str = "chest",
    x: float = 0.0,
    lift: float = 0.3,
    yaw: float = 0.0,
    handle: HandleKind = HandleKind.BAR,
) -> Asset:
    asset = build(Cabinet(0.5, 0.45, 0.4, Front(handle=usual(handle), damping=2.0)), id)
    return replace(asset, pose=Pose.upright((x, 0.0, lift), yaw))


@cache
def cupboard(lift: float = 0.3) -> Asset:
    front = Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.BAR), opening=1.5, damping=2.0)
    asset = build(Cabinet(0.5, 0.45, 0.4, front), "cupboard")
    return replace(asset, pose=Pose.upright((3.0, 0.0, lift), 0.0))


def arm() -> ByGrip:
    return ByGrip(panda())


def nothing(_: str) -> None:
    """Show no progress."""


def tried(*assets: Asset, steps: int = STEPS) -> Place:
    return place("here", [Scene("s", assets)], arm(), nothing, steps, 1)


def one(
    won: bool = True, best: float = 1.0, wild: bool = False, there: bool = True, kind: str = "door"
) -> Tried:
    return Tried("medium/1 a/0", kind, won, best, wild, there)


def result(*episodes: Tried, name: str = "the twin") -> Reached:
    made = Place(name, 6, 4, 2, {FAR: 2}, episodes, 0.25)
    return Reached("ped.world", "panda", "medium", (made,), machine())


# What is counted


def test_each_joint_is_reached_or_missed_for_a_reason() -> None:
    found = tried(
        chest(), cupboard(), chest("high", lift=3.0), chest("bare", 6.0, handle=HandleKind.NONE), steps=2
    )
    assert found.joints == 4
    assert found.own == len(found.tried) == 2
    assert found.own + sum(found.missed.values()) == found.joints
    assert found.missed == {FAR: 1, BARE: 1}
    assert {t.id.split()[1]: t.kind for t in found.tried} == {"chest/0": "drawer", "cupboard/0": "door"}


def test_one_stand_reaches_what_is_near_it_and_no_more() -> None:
    """Two chests six metres apart: each has its stand, no stand has both; one above the other: one stand."""
    apart = tried(chest(), chest("other", 6.0), steps=1)
    assert (apart.own, apart.single) == (2, 1)
    above = tried(chest(lift=0.2), chest("other", lift=0.7), steps=1)
    assert (above.own, above.single) == (2, 2)


@pytest.mark.slow
def test_scenes_are_counted_together() -> None:
    scenes = [
        Scene("a", (chest(),)),
        Scene("b", (chest(lift=3.0),)),
        Scene("c", (chest("x"), chest("y", 6.0))),
    ]
    each = [place("here", [scene], arm(), nothing, 1, 1) for scene in scenes]
    whole = place("here", scenes, arm(), nothing, 1, 1)
    assert (whole.joints, whole.own, whole.single) == (4, 3, 2)
    assert (whole.joints, whole.own, whole.single) == tuple(
        sum(getattr(part, name) for part in each) for name in ("joints", "own", "single")
    )
    assert whole.tried == tuple(t for part in each for t in part.tried), "alone as among others"


def test_where_nothing_is_reached_nothing_is_tried() -> None:
    found = tried(chest(lift=3.0))
    assert (found.own, found.single, found.tried) == (0, 0, ())
    assert "expert" not in "\n".join(found.lines())


# What the expert does


def test_the_expert_opens_what_is_reached() -> None:
    found = tried(chest(), cupboard())
    assert [t.won for t in found.tried] == [True, True]
    assert all(t.best >= 1.0 and t.there and not t.wild for t in found.tried)
    assert found.opened().share == 1.0
    assert not found.failed


def test_where_it_fails_is_told_apart() -> None:
    """Too few steps to get there; enough to begin; a drawer that is stuck."""
    short, begun = tried(chest(), steps=5), tried(chest(), steps=40)
    assert [t.failed for t in short.tried] == [FAILED[0]]
    assert [t.failed for t in begun.tried] == [FAILED[1]]
    assert short.tried[0].best < begun.tried[0].best < 1
    asset = chest()
    stuck = replace(asset, joints=tuple(replace(j, frictionloss=500.0) for j in asset.joints))
    held = tried(stuck)
    assert not held.tried[0].won
    assert held.failed == {FAILED[0]: 1}


def test_an_episode_that_begins_out_of_reach_is_known() -> None:
    scene = Scene("s", (chest(),))
    found = stand.stands(scene, panda())
    cousin = compiled(scene, arm(), found)
    assert begins_there(cousin, "chest/0", arm(), 0)
    (target,) = cousin.targets
    assert target.reach is not None
    for far, there in ((0.16, True), (2.5, False)):  # there, or nearer to the handle
        grip = target.closed.grip + far * target.closed.turn[:, 0]
        joints, came = arm().placed(target.closed, grip, target.reach)
        assert (came == 0) is there
        assert joints == pytest.approx(arm().start(target.closed, grip, target.reach))


# What is said


def test_shares_are_of_all_joints_and_of_those_reached() -> None:
    episodes = one(), one(kind="drawer"), one(False, 0.4), one(False, 0.0, there=False)
    made = result(*episodes)
    (line,) = made.places
    assert line.opened().share == 0.5
    assert line.opened("drawer").share == 1.0
    assert line.opened("door").won == 1
    assert line.failed == {FAILED[0]: 1, FAILED[1]: 1}
    text = made.text()
    for said in ("4 of 6", "2 of 6", f"2 not: {FAR}", "2 of 4", "1 of 3", "1 of 1", "for want of reach: 1"):
        assert said in text
    assert json.loads(json.dumps(made.to_json()))["places"][0]["tried"][0]["id"] == "medium/1 a/0"


@pytest.mark.parametrize(
    ("episode", "where"),
    [
        (one(False, 0.0), FAILED[0]),
        (one(False, -0.5), FAILED[0]),
        (one(False, 0.9), FAILED[1]),
        (one(False, 0.9, wild=True), FAILED[2]),
    ],
)
def test_a_failure_has_one_reason(episode: Tried, where: str) -> None:
    assert episode.failed == where
    assert result(episode, one()).places[0].failed == {where: 1}


def test_it_has_a_place_in_the_page_one_a_world(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    other = replace(result(one(False, 0.0)), world="kitchen.world")
    for made in (result(one()), other, result(one(), one(kind="drawer"))):
        document.put(page, made, f"pocketworld bench reach {made.world} --robot panda")
    text = page.read_text()
    assert text.count("## What a panda reaches in ped.world") == 1
    assert text.count("## What a panda reaches in kitchen.world") == 1
    assert "2 of 2" in text
    assert FAILED[0] in text


# The command


@pytest.fixture
def world(tmp_path: Path) -> Path:
    folder = tmp_path / "some.world"
    (folder / "twin").mkdir(parents=True)
    scene_file.save(Scene("some", (chest(lift=0.0),)), folder / "twin")
    return folder


def few(count: int = 2) -> Cousins:
    return sequence.make(Scene("some", (chest(lift=0.0),)), preset("near"), count=count)


@pytest.mark.slow
def test_twin_and_cousins_are_measured_apart() -> None:
    told: list[str] = []
    made = measure(few(), "panda", told.append, world="some.world", max_steps=1, threads=1)
    assert [p.name for p in made.places] == ["the twin", "2 cousins"]
    assert made.places[0].joints == 1
    assert made.places[1].joints >= 2
    assert {t.id.split()[0] for t in made.places[1].tried} <= {"near/0", "near/1"}
    assert told[0] == "the twin: scene 1 of 1"
    again = measure(few(), "panda", nothing, world="some.world", max_steps=1, threads=2)
    assert [replace(p, fit_s=0) for p in again.places] == [replace(p, fit_s=0) for p in made.places]


def test_the_command_measures_and_documents(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "try_each", lambda asked, *_: tuple(one() for _ in asked))  # tested above
    page = tmp_path / "page.md"
    words = ["bench", "reach", str(world), "--robot", "panda", "--count", "1", "--document", str(page)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.stderr
    assert "of those reached, the expert opens" in done.stdout
    assert "--robot panda --preset medium --count 1" in page.read_text()


@pytest.mark.parametrize(
    ("robot", "said"),
    [
        ("hand", "the hand goes anywhere; an arm"),
        ("panda:joints", "the expert leads no arm by its joints"),
        ("atlas", "no robot 'atlas'"),
        ("gone.xml", "no robot file"),
    ],
)
def test_what_is_no_arm_is_one_line(world: Path, robot: str, said: str) -> None:
    done = CliRunner().invoke(main, ["bench", "reach", str(world), "--robot", robot, "--count", "1"])
    assert done.exit_code == 1
    assert said in done.stderr.splitlines()[-1]


def test_a_world_without_joints_is_one_line() -> None:
    still = Scene("still", (replace(chest(), joints=(), parts=chest().parts[:1]),))
    with pytest.raises(PocketworldError, match="no joint moves"):
        place("the twin", [still], arm(), nothing, 1, 1)


# What `pocketworld sim` says


@pytest.mark.slow
def test_sim_says_what_it_could_not_ask_for(tmp_path: Path) -> None:
    folder = tmp_path / "some.world"
    (folder / "twin").mkdir(parents=True)
    scene_file.save(Scene("some", (chest(lift=0.0), chest("high", lift=3.0))), folder / "twin")
    arm_s, hand_s = (
        workflow.run_sim(folder, None, 1, 0, None, nothing, {"robot": robot}) for robot in ("panda", "hand")
    )
    (said,) = arm_s.findings
    assert said.text == f"1 joints are out of the panda's reach and were not asked for (1: {FAR})"
    assert arm_s.to_json()["out_of_reach"] == {"some high/0": FAR}
    assert not hand_s.findings
