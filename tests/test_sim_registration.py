"""gymnasium knows our environments by name, however the two are imported."""

import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

import pocketworld as pw
from pocketworld import scene_file
from pocketworld.errors import PocketworldError
from pocketworld.extras import require
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.scene import HandleKind, Scene
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.tensor_env import TensorEnv


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a twin, as far as environments look."""
    folder = tmp_path_factory.mktemp("some") / "some.world"
    asset = build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.BAR))), "chest")
    (folder / "twin").mkdir(parents=True)
    scene_file.save(Scene("some", (asset,)), folder / "twin")
    return folder


@pytest.mark.parametrize(("name", "opened"), [("Open", 0.0), ("Close", 0.5)])
def test_gymnasium_makes_them_by_name(world: Path, name: str, opened: float) -> None:
    env = gym.make_vec(f"pocketworld/{name}-v0", world=world, num_envs=3, threads=1)
    assert isinstance(env.unwrapped, WorldEnv)
    _, info = env.reset(seed=0)
    assert (info["opened"] >= opened).all()
    assert env.num_envs == 3
    env.close()


@pytest.mark.parametrize(
    "lines",
    [
        "import gymnasium as gym, pocketworld, sys; gym.make_vec('pocketworld/Open-v0', world=sys.argv[1])",
        "import pocketworld, gymnasium as gym, sys; "
        "gym.make_vec('pocketworld.sim:pocketworld/Open-v0', world=sys.argv[1])",
        "import pocketworld, sys; assert 'gymnasium' not in sys.modules",
    ],
)
def test_names_are_there_when_asked_for_and_cost_nothing_else(world: Path, lines: str) -> None:
    command = [sys.executable, "-c", lines, str(world)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_public_functions_make_both_faces(world: Path) -> None:
    env = pw.make_env(world, "close", num_envs=2, threads=1, max_steps=7)
    assert (env.worlds.task.name, env.max_steps, env.num_envs) == ("close", 7, 2)
    tensors = pw.make_tensor_env(world, num_envs=2, threads=1, replicas=[5, 3])
    assert isinstance(tensors, TensorEnv)
    assert tensors.worlds.replicas == (5, 3)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"device": "cuda"}, r"^the backend mujoco runs on no 'cuda'; on \"cpu\"; \"warp\" runs on a GPU$"),
        ({"backend": "isaac"}, r"^no backend 'isaac'; there are: mujoco, warp$"),
        ({"robot": "r2d2"}, r"^no robot 'r2d2'"),
        ({"num_envs": 0}, r"^num_envs is 0; at least 1$"),
    ],
)
def test_what_can_not_be_is_one_line(world: Path, options: dict[str, object], line: str) -> None:
    with pytest.raises(PocketworldError, match=line):
        pw.make_env(world, **options)  # type: ignore[arg-type]


def test_a_missing_extra_names_what_to_install() -> None:
    require("train", "numpy", "click")
    line = r"^no_such_thing is not installed; pip install 'pocketworld\[train\]'$"
    with pytest.raises(PocketworldError, match=line):
        require("train", "numpy", "no_such_thing")
