"""What is given to public functions and to environments: what can't be is one line."""

from collections.abc import Callable, Iterator
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import pocketworld as pw
from pocketworld import scene_file
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.options import named_options
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, Scene
from pocketworld.sim import backends
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.tensor_env import TensorEnv

SCENE = Scene("some", (build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.BAR))), "chest"),))
MAKERS: tuple[Callable[..., Any], ...] = (pw.make_env, pw.make_tensor_env)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("given") / "some.world"
    (folder / "twin").mkdir(parents=True)
    scene_file.save(SCENE, folder / "twin")
    return folder


@pytest.fixture(scope="module")
def env() -> Iterator[WorldEnv]:
    made = WorldEnv([SCENE], 2, threads=1)
    made.reset(seed=0)
    yield made
    made.close()


@pytest.fixture(scope="module")
def tensors() -> Iterator[TensorEnv]:
    made = TensorEnv([SCENE], 2, threads=1)
    made.reset(seed=0)
    yield made
    made.close()


def said(call: Callable[[], object]) -> str:
    with pytest.raises(PocketworldError) as caught:
        call()
    return str(caught.value)


# Laws


def test_both_faces_have_the_options_of_the_core_each_named_in_their_signature() -> None:
    core = signature(backends.worlds).parameters
    for make in MAKERS:
        own = signature(make).parameters
        assert not [name for name, one in own.items() if one.kind is Parameter.VAR_KEYWORD]
        assert set(core) - {"scenes"} <= set(own), make
        assert {name: own[name].default for name in core if name != "scenes"} == {
            name: one.default for name, one in core.items() if name != "scenes"
        }


@pytest.mark.parametrize("scale", [1.5, 10.0, 1e6])
def test_actions_beyond_what_is_allowed_are_done_as_if_cut_to_it(scale: float) -> None:
    far = stream(int(scale), "given").uniform(-scale, scale, (20, 2, 4))
    came = []
    for actions in (far, np.clip(far, -1, 1)):
        env = WorldEnv([SCENE], 2, threads=1)
        env.reset(seed=3)
        came.append([env.step(one)[:2] for one in actions])
        env.close()
    for (seen, reward), (other, same) in zip(*came, strict=True):
        assert np.array_equal(reward, same)
        assert np.array_equal(seen["policy"], other["policy"])


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.int64, np.int8, np.uint8])
def test_actions_of_any_type_of_real_numbers_are_done(env: WorldEnv, kind: type[Any]) -> None:
    env.step(np.ones((2, 4), kind))


def test_actions_in_a_list_or_of_torch_are_done(env: WorldEnv, tensors: TensorEnv) -> None:
    env.step([[0.5, 0, 0, 1]] * 2)
    env.step(torch.zeros(2, 4))
    for kind in (torch.float64, torch.bfloat16, torch.int32):
        tensors.step(torch.ones(2, 4, dtype=kind))


# Examples: making


OPTIONS = (
    "cousins, task, num_envs, name, render_mode, backend, device, robot, observation, picture, threads, "
    "replicas, max_steps, eyes, sleep, workers"
)
TENSORS = OPTIONS.replace("render_mode, ", "")


def test_an_option_that_there_is_not_is_named_with_those_that_there_are(world: Path) -> None:
    lines = [said(lambda make=make: make(world, nmu_envs=3)) for make in MAKERS]  # type: ignore[misc]
    assert lines[0] == f"make_env has no option 'nmu_envs', perhaps num_envs; there are: {OPTIONS}"
    assert lines[1] == f"make_tensor_env has no option 'nmu_envs', perhaps num_envs; there are: {TENSORS}"
    named = said(lambda: gym.make_vec("pocketworld/Open-v0", world=world, qqq=3))
    assert named == f"make_env has no option 'qqq'; there are: {OPTIONS}"
    assert said(lambda: pw.make_cousins(world, sed=1)).startswith(  # type: ignore[call-arg]
        "make_cousins has no option 'sed', perhaps seed; there are: twin, preset, spec, seed"
    )


def test_a_function_keeps_its_words_and_its_signature() -> None:
    def some(a: int, *, b: int = 2) -> int:
        """Add."""
        return a + b

    named = named_options(some)
    assert (named(1), named(1, b=3), named(a=4), named.__doc__) == (3, 4, 6, "Add.")
    assert signature(named) == signature(some)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        named()  # type: ignore[call-arg]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"num_envs": 2.5}, "num_envs is 2.5; a whole number, at least 1"),
    ({"num_envs": "4"}, "num_envs is '4'; a whole number, at least 1"),
    ({"num_envs": True}, "num_envs is True; a whole number, at least 1"),
    ({"num_envs": -1}, "num_envs is -1; at least 1"),
    ({"max_steps": 1.0}, "max_steps is 1.0; a whole number, at least 1"),
    ({"threads": "all"}, "threads is 'all'; a whole number, at least 1"),
    ({"workers": 0}, "workers is 0; at least 1"),
    ({"task": 3}, "task is 3; a name, in quotes"),
    ({"backend": None}, "backend is None; a name, in quotes"),
    ({"device": 0}, "device is 0; a name, in quotes"),
    ({"observation": 1}, "observation is 1; a name, in quotes"),
    ({"robot": 3}, "robot is 3; a name, the path of an MJCF file, or a robot"),
    ({"eyes": 0.01}, "eyes is 0.01; give pocketworld.sim.tasks.episode.Eyes"),
    ({"replicas": 1}, "replicas are 1; whole numbers, one an environment"),
    ({"replicas": [0.5]}, "replicas are [0.5]; whole numbers, one an environment"),
    ({"replicas": [0, 1]}, "2 replicas for 1 environments; one each"),
]


@pytest.mark.parametrize(("options", "line"), WRONG)
def test_an_option_of_the_wrong_type_is_one_line(options: dict[str, Any], line: str) -> None:
    for make in MAKERS:
        assert said(lambda make=make: make([SCENE], **options)) == line  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (None, "environments are made of scenes, not NoneType; or name a world's path"),
        (7, "environments are made of scenes, not int; or name a world's path"),
        (SCENE, "environments are made of several scenes, this is one; give [scene]"),
        ([SCENE, "b"], "environments are made of scenes, not str; load them"),
        ([], "an environment needs at least one cousin; make some"),
    ],
)
def test_what_are_no_scenes_is_one_line(given: Any, line: str) -> None:
    for make in MAKERS:
        assert said(lambda make=make: make(given)) == line  # type: ignore[misc]


def test_what_is_no_twin_or_no_world_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "a twin is a scene or a world's path, not None; build_twin makes one"
    assert said(lambda: pw.make_cousins(None)) == line  # type: ignore[arg-type]
    monkeypatch.chdir(tmp_path)
    Path("README.md").write_text("words")
    hint = "is no world folder; pocketworld run CAPTURE -o WORLD makes one"
    for place, name in (("README.md", "README.md"), (".", str(tmp_path)), ("none", "none")):
        for make in (pw.make_cousins, *MAKERS):
            assert said(lambda make=make, place=place: make(place)) == f"{name} {hint}"  # type: ignore[misc]


def test_gymnasium_is_told_what_to_call(world: Path) -> None:
    needs = 'gymnasium.make_vec needs a world to make environments of; world="kitchen.world"'
    assert said(lambda: gym.make_vec("pocketworld/Open-v0")) == needs
    line = 'environments come in batches; gymnasium.make_vec("pocketworld/Close-v0", world=...)'
    for options in ({"world": world}, {}):
        assert said(lambda options=options: gym.make("pocketworld/Close-v0", **options)) == line  # type: ignore[misc]


def test_a_robot_may_be_named_by_a_path(world: Path) -> None:
    line = "no robot file none.xml; give the path of an MJCF file"
    assert said(lambda: pw.make_env(world, robot=Path("none.xml"))) == line


# Examples: running


@pytest.mark.parametrize("seed", [1.5, "7", True, [0, 1.5], [0, "1"], {"a": 1}])
def test_a_seed_that_is_none_is_one_line(env: WorldEnv, tensors: TensorEnv, seed: Any) -> None:
    line = f"seed is {seed!r}; a whole number from 0 on, or one an environment"
    assert said(lambda: env.reset(seed=seed)) == line
    assert said(lambda: tensors.reset(seed=seed)) == line


def test_a_joint_that_is_none_is_one_line(env: WorldEnv) -> None:
    line = 'joint is 3; "asset/joint", or one an environment'
    assert said(lambda: env.reset(options={"joint": 3})) == line


@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        (np.full((2, 4), "0.5"), "<U3"),
        (np.zeros((2, 4), complex), "complex128"),
        (np.zeros((2, 4), bool), "bool"),
        (np.full((2, 4), None), "object"),
        (None, "object"),
        ("0.5", "<U3"),
    ],
)
def test_actions_that_are_no_real_numbers_are_one_line(env: WorldEnv, actions: Any, kind: str) -> None:
    assert said(lambda: env.step(actions)) == f"actions are {kind}; give real numbers in -1..1, (2, 4)"


def test_rows_of_different_lengths_are_one_line(env: WorldEnv) -> None:
    assert said(lambda: env.step([[0.0], [0.0, 1.0]])) == "actions are no array; give (2, 4)"


def test_torch_s_face_takes_tensors_of_real_numbers_only(tensors: TensorEnv) -> None:
    given: Any = np.zeros((2, 4))
    assert said(lambda: tensors.step(given)) == "actions are ndarray; give a torch.Tensor (2, 4)"
    for kind, name in ((torch.complex64, "complex64"), (torch.bool, "bool")):
        line = f"actions are {name}; give real numbers in -1..1, (2, 4)"
        assert said(lambda kind=kind: tensors.step(torch.zeros(2, 4, dtype=kind))) == line  # type: ignore[misc]
