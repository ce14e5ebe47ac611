"""Recording: what is in a dataset was done, can be done again, and is said in words."""

import gc
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from pocketworld import scene_file
from pocketworld.cli.main import main
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import Pose, Scene
from pocketworld.sim.arrays import Array
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.lerobot.cameras import called
from pocketworld.sim.lerobot.checks import check
from pocketworld.sim.lerobot.record import IN_VAIN, Recorded, record
from pocketworld.sim.pictures.views import Views
from pocketworld.sim.tasks.observation import POLICY
from pocketworld.sim.tasks.words import sentence
from pocketworld.sim.worlds import Worlds
from tests.test_lerobot_writer import digests

SIZE = (64, 48)
CAMERA = called("front")


def drawn(number: int) -> Scene:
    asset = build(sample(lambda name: stream(number, "record", name), Site((2.0, 0.9, 2.4))), "cabinet")
    pose = Pose.upright((0.5, -1.0, 0.0), float(stream(number, "yaw").uniform(-3, 3)))
    return Scene(f"drawn {number}", (replace(asset, pose=pose),), provenance={"cousin": f"test/{number}"})


SCENES = [scene for scene in map(drawn, range(8)) if scene.assets[0].movable][:3]


def idle(worlds: Worlds) -> Array:
    return np.zeros((worlds.num_envs, 4))


def lucky(worlds: Worlds) -> Array:
    """The expert, in every second environment."""
    return expert(worlds) * (np.arange(worlds.num_envs) % 2 == 0)[:, None]


def made(target: Path, episodes: int = 5, **options: Any) -> Recorded:
    wishes: dict[str, Any] = {"size": SIZE, "max_steps": 80, "threads": 1} | options
    return record(SCENES, target, episodes, **wishes)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return made(tmp_path_factory.mktemp("record") / "set", seed=4)


def columns(root: Path) -> dict[str, list[Any]]:
    read: dict[str, list[Any]] = pq.read_table(root / "data/chunk-000/file-000.parquet").to_pydict()
    return read


def origins(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "meta/origins.jsonl").read_text().splitlines()]


def episodes(root: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(root / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    return rows


def test_it_is_a_lerobot_dataset_of_what_was_asked_for(recorded: Recorded) -> None:
    seen = check(recorded.folder)
    assert (seen.episodes, seen.frames, seen.tasks) == (5, recorded.frames, recorded.tasks)
    features = json.loads((recorded.folder / "meta/info.json").read_text())["features"]
    assert features["observation.state"]["names"] == list(POLICY), "not what only a teacher knows"
    assert features["action"]["shape"] == [4]
    assert features[CAMERA]["shape"] == [48, 64, 3]


def test_what_was_done_does_the_same_again(recorded: Recorded) -> None:
    """Each episode alone, from its origin: the same senses and rewards to the bit, success at its end."""
    data, scenes = columns(recorded.folder), {f"test/{scene.name[6:]}": scene for scene in SCENES}
    for origin, row in zip(origins(recorded.folder), episodes(recorded.folder), strict=True):
        env = WorldEnv([scenes[origin["cousin"]]], replicas=[origin["replica"]], max_steps=80, threads=1)
        seen, info = env.reset(seed=origin["seed"])
        assert info["joint"] == [origin["joint"]]
        success = np.array([False])
        for frame in range(row["dataset_from_index"], row["dataset_to_index"]):
            assert not success.any()
            assert np.array_equal(seen["policy"][0], np.float32(data["observation.state"][frame]))
            seen, reward, success, _, _ = env.step(np.array([data["action"][frame]], np.float64))
            assert np.float32(reward[0]) == np.float32(data["next.reward"][frame])
            assert success[0] == data["next.success"][frame] == data["next.done"][frame]
        assert success.all()
        env.close()


def test_pictures_are_those_of_the_frames(recorded: Recorded) -> None:
    """Drawn before the action: an episode's first shows everything closed, its last nearly all open."""
    first = episodes(recorded.folder)[0]
    origin = origins(recorded.folder)[0]
    env = WorldEnv(SCENES, 5, render_mode="rgb_array", max_steps=80, threads=1)
    env.reset(seed=origin["seed"])
    which = [cousin.id for cousin in env.worlds.cousins].index(origin["cousin"]) + 3 * origin["replica"]
    with av.open(str(recorded.folder / f"videos/{CAMERA}/chunk-000/file-000.mp4")) as source:
        images = [np.asarray(frame.to_ndarray(format="rgb24"), float) for frame in source.decode(video=0)]
    given = env.draw([which])[0].reshape(48, 5, 64, 5, 3).mean((1, 3))
    env.close()
    own = images[first["dataset_from_index"] : first["dataset_to_index"]]
    far = [float(np.abs(image - given).mean()) for image in own]
    assert far[0] < 4  # of 255
    assert far[-1] > far[0]
    moved = [float(np.abs(b - a).mean()) for a, b in pairwise(own)]
    assert max(moved) < np.abs(images[first["dataset_to_index"]] - own[-1]).mean(), "then another episode"


@pytest.mark.slow  # pictures
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(recorded: Recorded, tmp_path: Path) -> None:
    made(tmp_path / "again", seed=4, threads=2)
    assert digests(tmp_path / "again") == digests(recorded.folder)
    made(tmp_path / "other", seed=5)
    assert digests(tmp_path / "other") != digests(recorded.folder)


@pytest.mark.slow  # pictures
def test_only_what_succeeds_is_kept_unless_asked_for(tmp_path: Path) -> None:
    good = made(tmp_path / "good", 4, policy=lucky)
    rows = columns(good.folder)
    assert sum(rows["next.success"]) == good.episodes == 4
    assert good.tried > good.succeeded >= 4
    every = made(tmp_path / "all", 4, policy=lucky, failed=True)
    rows = columns(every.folder)
    assert sum(rows["next.done"]) == every.episodes == every.tried == 4
    assert sum(rows["next.success"]) == every.succeeded < 4
    assert max(row["length"] for row in episodes(every.folder)) == 80


@pytest.mark.slow  # pictures
def test_closing_is_recorded_too(tmp_path: Path) -> None:
    closed = made(tmp_path / "set", 2, task="close")
    assert all(task.startswith("close the ") for task in closed.tasks)
    check(closed.folder)


def test_a_policy_that_never_succeeds_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(PocketworldError, match=r"kept 0 of 200 episodes, and none .*; --failed keeps"):
        made(tmp_path / "set", 50, policy=idle, max_steps=2)
    assert list(tmp_path.iterdir()) == []


def test_one_that_succeeds_no_more_is_given_up_too(tmp_path: Path) -> None:
    """Of one that succeeds once, in the first of many rounds."""
    rounds = 0

    def once(worlds: Worlds) -> Array:
        nonlocal rounds
        rounds += int(worlds.steps[0] == 0)
        first = rounds == 1 and np.arange(worlds.num_envs) == 0
        if not np.any(first):
            worlds.steps[:] = worlds.max_steps  # to be cut short at once
        return expert(worlds) * np.reshape(first, (-1, 1))

    with pytest.raises(PocketworldError, match=rf"kept 1 of \d+ episodes, and none of the last {IN_VAIN};"):
        made(tmp_path / "set", 50, policy=once)
    assert rounds == 5
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_is_no_dataset_leaves_nothing(tmp_path: Path) -> None:
    """Damaged as it is read back."""

    def damage(now: str) -> None:
        if now == "reading it back":
            (new,) = tmp_path.glob(".set.new-*")
            info = new / "meta/info.json"
            info.write_text(info.read_text().replace('"v3.0"', '"v2.1"'))

    with pytest.raises(PocketworldError, match=r"^not a LeRobot v3\.0 dataset: version v2\.1"):
        made(tmp_path / "set", 1, tick=damage)
    assert list(tmp_path.iterdir()) == []


def test_what_has_come_there_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    def other(now: str) -> None:
        if now == "reading it back":
            (tmp_path / "set").mkdir()
            (tmp_path / "set" / "of another").write_text("kept")

    with pytest.raises(PocketworldError, match="is there already"):
        made(tmp_path / "set", 1, tick=other)
    assert [file.name for file in tmp_path.rglob("*")] == ["set", "of another"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"episodes": 0}, "0 episodes"),
        ({"task": "fly"}, "no task 'fly'"),
        ({"size": (63, 48)}, "even"),
        ({"robot": "octopus"}, "no robot"),
        ({"backend": "octopus"}, "no backend"),
        ({"cameras": ("front", "back")}, "no camera 'back'; there are: front, wrist"),
    ],
)
def test_wrong_wishes_are_one_line_and_leave_nothing(
    options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(PocketworldError, match=said):
        made(tmp_path / "set", **options)
    assert list(tmp_path.iterdir()) == []


def test_what_draws_one_scene_is_freed_before_the_next(tmp_path: Path) -> None:
    most = 0

    def look(_: str) -> None:
        nonlocal most
        gc.collect()
        views = [one for one in gc.get_objects() if issubclass(type(one), Views)]
        most = max(most, sum(len(one._models) for one in views))

    made(tmp_path / "set", 2, tick=look)
    assert most == 1


@pytest.mark.slow  # an arm's meshes
def test_a_panda_is_recorded_with_its_own_senses(tmp_path: Path) -> None:
    kept = made(tmp_path / "set", 1, robot="panda", failed=True, max_steps=4)
    info = json.loads((kept.folder / "meta/info.json").read_text())
    assert info["robot_type"] == "panda"
    assert info["features"]["observation.state"]["shape"][0] > len(POLICY)
    check(kept.folder)


# Words


def test_parts_that_are_alike_are_told_apart_by_where_they_are() -> None:
    for scene in [drawn(number) for number in range(60)]:
        asset = scene.assets[0]
        said = [sentence("open", asset, joint) for joint in asset.movable]
        assert len(set(said)) == len(said)
        assert all(line.startswith("open the ") and line.endswith(" of cabinet") for line in said)


def test_where_a_part_is_said_to_be_it_is() -> None:
    tops = lefts = 0
    for scene in [drawn(number) for number in range(60)]:
        asset = scene.assets[0]
        centre = {j.id: np.array(asset.part(j.child).com) for j in asset.movable}
        said = {j.id: sentence("open", asset, j).split() for j in asset.movable}
        for a in asset.movable:
            for b in asset.movable:
                alike = asset.part(a.child).role == asset.part(b.child).role
                if alike and "top" in said[a.id] and "bottom" in said[b.id]:
                    assert centre[a.id][2] > centre[b.id][2]
                    tops += 1
                row = said[a.id][:-4] == said[b.id][:-4]
                if alike and row and "left" in said[a.id] and "right" in said[b.id]:
                    assert centre[a.id][0] < centre[b.id][0]
                    lefts += 1
    assert tops > 5
    assert lefts > 5


# The command


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A world of one cabinet, with a twin and no cousins."""
    twin = tmp_path / "small.world" / "twin"
    twin.mkdir(parents=True)
    scene_file.save(SCENES[0], twin)
    return tmp_path / "small.world"


def said(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_the_command_records_a_world(world: Path, tmp_path: Path) -> None:
    words = ["record", str(world), "-o", str(tmp_path / "set"), "--episodes", "1", "--size", "64x48"]
    done = said("--json", *words, "--camera", "wrist", "--camera", "front")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["episodes"], told["folder"]) == (1, str(tmp_path / "set"))
    assert check(tmp_path / "set").episodes == 1
    features = json.loads((tmp_path / "set/meta/info.json").read_text())["features"]
    assert [features[called(name)]["shape"] for name in ("front", "wrist")] == [[48, 64, 3]] * 2
    again = said(*words)
    assert again.exit_code == 1
    assert again.stderr == f"Error: {tmp_path / 'set'} is there already; name another folder, or delete it\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--policy", "none"], "none is no training: neither a folder nor a name in "),
        (["--backend", "octopus"], "no backend 'octopus'; there are: mujoco, warp"),
        (["--device", "cuda:7"], "the backend mujoco runs on no 'cuda:7'"),
        (["--camera", "back"], "no camera 'back'; there are: front, wrist"),
        (["--name", "none"], "has no cousins 'none'"),
    ],
)
def test_what_is_wrong_is_one_line(words: list[str], told: str, world: Path, tmp_path: Path) -> None:
    done = said("record", str(world), "-o", str(tmp_path / "set"), *words)
    assert done.exit_code == 1
    assert told in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("size", ["64", "x", "64x", "64x48x3", "wide"])
def test_a_size_that_is_none_is_wrong_usage(size: str, tmp_path: Path) -> None:
    done = said("record", "w", "-o", str(tmp_path / "set"), "--size", size)
    assert done.exit_code == 2
    assert "WIDTHxHEIGHT" in done.stderr
