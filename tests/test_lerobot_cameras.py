"""A dataset's cameras: each draws a moment as the environments are drawn, and frees what it drew with."""

import gc
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.scene import HandleKind, Pose, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.lerobot.cameras import Cameras, Moment, called
from pocketworld.sim.pictures.sight import Sight
from pocketworld.sim.pictures.views import Views

SIZE = (64, 48)


def chest(number: int) -> Scene:
    front = Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR))
    asset = build(Cabinet(0.5 + 0.1 * number, 0.45, 0.7, front), "chest")
    pose = Pose.upright((0.3 * number, -1.0, 0.0), 0.8 * number)
    return Scene(f"s{number}", (replace(asset, pose=pose),), provenance={"cousin": f"test/{number}"})


SCENES = [chest(0), chest(1)]


@pytest.fixture(scope="module")
def env() -> Iterator[WorldEnv]:
    """Environments in the middle of an episode."""
    env = WorldEnv(SCENES, threads=1, observation="rgbd", picture=SIZE)
    env.reset(seed=1)
    for _ in range(15):
        env.step(expert(env.worlds))
    yield env
    env.close()


@pytest.fixture
def both(env: WorldEnv) -> Iterator[Cameras]:
    cameras = Cameras(("wrist", "front"), SCENES, env.worlds.robot, SIZE)
    yield cameras
    cameras.close()


def test_the_wrist_sees_what_an_environment_with_eyes_sees(env: WorldEnv, both: Cameras) -> None:
    seen = env.worlds.observe()["rgb"]
    for i in (0, 1, 0):
        assert np.array_equal(both.see(i, Moment.of(env.worlds, i))[called("wrist")], seen[i])
    assert not np.array_equal(seen[0], seen[1])


def test_the_front_is_that_of_films(env: WorldEnv, both: Cameras) -> None:
    views = Views(SCENES, env.worlds.robot, SIZE)
    for i in (1, 0):
        moment = Moment.of(env.worlds, i)
        assert np.array_equal(both.see(i, moment)[called("front")], views.draw(i, moment.qpos))
    views.close()


def test_a_moment_lasts(env: WorldEnv, both: Cameras) -> None:
    """It is drawn as it was, whatever has happened since."""
    moment = Moment.of(env.worlds, 0)
    before = {name: image.copy() for name, image in both.see(0, moment).items()}
    for _ in range(5):
        env.step(expert(env.worlds))
    after, now = both.see(0, moment), both.see(0, Moment.of(env.worlds, 0))
    for name, image in before.items():
        assert np.array_equal(after[name], image)
        assert not np.array_equal(now[name], image), name


def test_only_what_is_asked_for_is_drawn(env: WorldEnv) -> None:
    for name in ("front", "wrist"):
        cameras = Cameras((name, name), SCENES, env.worlds.robot, SIZE)
        assert cameras.features == {called(name): (48, 64)}
        (image,) = cameras.see(0, Moment.of(env.worlds, 0)).values()
        assert image.shape == (48, 64, 3)
        cameras.close()


def test_their_order_is_no_matter(env: WorldEnv, both: Cameras) -> None:
    other = Cameras(("front", "wrist"), SCENES, env.worlds.robot, SIZE)
    assert list(other.features) == list(both.features)
    other.close()


def test_one_scene_at_a_time_can_be_drawn(env: WorldEnv, both: Cameras) -> None:
    for i in (0, 1):
        both.see(i, Moment.of(env.worlds, i))
        gc.collect()
        open_now = [one for one in gc.get_objects() if issubclass(type(one), Views | Sight)]
        front = [one for one in open_now if isinstance(one, Views) and one._renderers]
        wrist = [
            one for one in open_now if isinstance(one, Sight) and one is not env.worlds.sight and one._gl
        ]
        assert (len(front), len(wrist)) == (1, 1)


def test_a_camera_that_there_is_not_is_one_line(env: WorldEnv) -> None:
    with pytest.raises(PocketworldError, match=r"^no camera 'back'; there are: front, wrist$"):
        Cameras(("front", "back"), SCENES, env.worlds.robot, SIZE)
