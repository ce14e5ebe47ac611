"""Cousins in which an arm reaches nothing: left out, said, and nothing else is changed by it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pocketworld import api, scene_file
from pocketworld.cli.main import main
from pocketworld.cousins import sequence, table
from pocketworld.cousins.sequence import Cousins
from pocketworld.cousins.spec import preset
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.findings import Severity
from pocketworld.scene import HandleKind, Pose, Scene
from pocketworld.sim.compiling.in_reach import CODE, in_reach, places
from pocketworld.sim.robots import named

# m above the floor that the chest hangs: a Panda on its cart reaches the handle of most cousins; of few
MOST, FEW, NONE = 1.9, 1.95, 3.0


@cache
def cousins(lift: float, count: int = 6) -> Cousins:
    asset = build(Cabinet(0.5, 0.45, 0.4, Front(handle=usual(HandleKind.BAR))), "chest")
    hung = replace(asset, pose=Pose.upright((0.0, 0.0, lift), 0.0))
    return sequence.make(Scene("s", (hung,)), preset("far"), seed=0, count=count)


def ids(scenes: Sequence[Scene]) -> list[str]:
    return [scene.provenance["cousin"] for scene in scenes]


@pytest.mark.parametrize("lift", [MOST, pytest.param(FEW, marks=pytest.mark.slow)])
def test_those_are_kept_in_which_something_is_reached(lift: float) -> None:
    some, arm = cousins(lift), named("panda")
    reached = [i for i, scene in enumerate(some) if arm.fitted(scene).reached]
    kept, found = in_reach(some, arm, "train")
    assert 0 < len(reached) < len(some), "else this shows nothing"
    assert isinstance(kept, Cousins), "still to be built"
    assert list(kept.ids) == [some.ids[i] for i in reached]
    (one,) = found
    assert (one.code, one.severity, one.stage) == (CODE, Severity.DEGRADED, "train")
    assert one.numbers == {"left_out": len(some) - len(reached)}
    out = [id for id in some.ids if id not in kept.ids]
    assert out[0] in one.text
    assert not any(id in one.text for id in kept.ids)


def test_scenes_in_a_list_are_as_cousins() -> None:
    some, arm = cousins(MOST)[2:4], named("panda")
    assert places(list(some), arm, "train") == places(some, arm, "train")
    assert len(places(some, arm, "train")[0]) == 1


def test_no_more_than_wanted_are_looked_at() -> None:
    some, arm = cousins(MOST), named("panda")
    looked: list[str] = []
    kept, found = in_reach(some, arm, "film", 2, looked.append)
    assert (len(kept), len(looked), found) == (2, 2, ())
    assert looked[1] == "what the panda reaches: scene 2 of 6"
    assert places(some[2:4], arm, "film", 99)[0] == [0]


def test_what_goes_anywhere_loses_nothing_and_builds_nothing() -> None:
    class Unbuilt(list[Scene]):
        def __getitem__(self, index: object) -> Scene:  # type: ignore[override]
            raise AssertionError(index)

    some = Unbuilt(cousins(NONE))
    assert in_reach(some, named("hand"), "train") == (some, ())
    assert places(some, named("hand"), "train", 2) == (range(2), ())


def test_a_world_out_of_reach_is_one_line() -> None:
    told = r"the panda reaches nothing in any of 2 scenes \(of far/0's 1 joints, 1: no free place"
    with pytest.raises(PocketworldError, match=told):
        in_reach(cousins(NONE, 2), named("panda"), "train")
    with pytest.raises(PocketworldError, match="there is no scene"):
        in_reach([], named("panda"), "train")


# The commands


def world(folder: Path, lift: float) -> Path:
    """Return a folder with a twin, as far as the commands look."""
    made = folder / "high.world"
    (made / "twin").mkdir(parents=True)
    scene_file.save(cousins(lift).twin, made / "twin")
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["--json", *words])


def with_cousins(folder: Path, lift: float) -> Path:
    made, some = world(folder, lift), cousins(lift)
    kept = made / "cousins" / some.name
    kept.mkdir(parents=True)
    table.save(some, kept)
    return made


def left_out(done: Result) -> int:
    assert done.exit_code == 0, done.stderr
    found = [one for one in json.loads(done.stdout)["findings"] if one["code"] == CODE]
    return int(sum(one["numbers"]["left_out"] for one in found))


@pytest.mark.slow
def test_commands_leave_them_out_and_say_so(tmp_path: Path) -> None:
    made = with_cousins(tmp_path, MOST)
    some = api.scenes_of(made)
    kept, _ = places(some, named("panda"), "x")
    out = len(some) - len(kept)
    assert out > 0
    robot = ("--robot", "panda")
    tried = run("sim", str(made), *robot, "--envs", str(len(kept)))
    assert left_out(tried) == out
    judged = run("evaluate", str(made), *robot, "--shards", "2")
    assert left_out(judged) == out
    alone = run("evaluate", str(made), *robot, "--shards", "1", "--send")
    assert left_out(alone) == out
    assert json.loads(alone.stdout)["episodes"] == len(kept)
    assert json.loads(alone.stdout)["digest"] == json.loads(judged.stdout)["digest"]


@pytest.mark.slow
def test_a_training_goes_on_without_them(tmp_path: Path) -> None:
    """The twin is out of reach, and of the cousins most: what can't be judged is a finding too."""
    made = world(tmp_path, FEW)
    words = ("--robot", "panda", "--preset", "far", "--train", "5", "--held-out", "1", "--iterations", "1")
    done = run("train", str(made), *words, "--envs", "4", "--threads", "1", "--no-film")
    kept, _ = places(api.make_cousins(made, "far", count=6)[1:], named("panda"), "x")
    assert left_out(done) == 5 - len(kept)
    codes = [(one["code"], one["text"]) for one in json.loads(done.stdout)["findings"]]
    assert ("not-evaluated", "the twin: the panda reaches none of 1; nothing can be asked for") in codes
    assert (made / "runs" / "open" / "policy.onnx").exists()
