"""Pictures of the backend warp: every world's own, where C MuJoCo's are; looking changes nothing.

The comparison with C MuJoCo takes some seconds and stays in `make test`: it is what shows that both backends
have the same eyes.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pocketworld import api
from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError
from pocketworld.sim.arrays import to_numpy
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.pictures.sight import FAR, GAZE
from pocketworld.sim.tasks.observation import POLICY, TOLD
from pocketworld.sim.warp.sight import WarpSight, turned

SIZE = (48, 32)  # no square: width and height can't be mistaken for each other
STEPS = 12  # of an environment: the hand is at the handle
EYES: dict[str, Any] = {"observation": "rgbd", "picture": SIZE}
WARP: dict[str, Any] = {"backend": "warp", "device": "cpu"}
Seen = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def sighted(warp_cousins: Cousins) -> Iterator[WorldEnv]:
    """Environments on Warp's CPU device that look."""
    with closing(api.make_env(warp_cousins, **WARP, **EYES)) as env:
        yield env


def run(env: WorldEnv, steps: int = STEPS) -> list[Seen]:
    """Return what is seen while the expert works."""
    out = [env.reset(seed=3)[0]]
    out += [env.step(np.asarray(expert(env.worlds)))[0] for _ in range(steps)]
    return out


def near(its: NDArray[Any], mine: NDArray[Any]) -> NDArray[np.float64]:
    """Return in each picture the share of depths (n, h, w) within 1 % and 1 mm: edges fall elsewhere."""
    share: NDArray[np.float64] = (np.abs(its - mine) < 0.01 * mine + 1e-3).mean((1, 2))
    return share


def test_depths_are_those_that_c_mujoco_draws(warp_cousins: Cousins, sighted: WorldEnv) -> None:
    """As an episode begins and at the handle; another world's picture is far from it."""
    with closing(api.make_env(warp_cousins, threads=1, **EYES)) as env:
        mine = run(env)
    its = run(sighted)
    for step in (0, STEPS):
        share = near(its[step]["depth"], mine[step]["depth"])
        others = near(np.roll(its[step]["depth"], 1, 0), mine[step]["depth"])
        assert share.min() > 0.95
        assert share.mean() > 0.99
        assert others.mean() < 0.8
    assert np.abs(its[STEPS]["depth"] - its[0]["depth"]).max() > 0.05


def test_pictures_are_of_their_space_and_show_the_hand(sighted: WorldEnv) -> None:
    seen, _ = sighted.reset(seed=0)
    assert sighted.observation_space.contains(seen)
    assert seen["rgb"].shape == (16, 32, 48, 3)
    assert seen["policy"].shape == (16, len(POLICY) - TOLD)
    assert (seen["depth"] > 0).all()
    assert (seen["depth"] <= FAR).all()
    rgb = seen["rgb"].astype(int)
    orange = (rgb[..., 0] > 2 * rgb[..., 2] + 40) & (rgb[..., 0] > 1.3 * rgb[..., 1])
    assert (orange[:, 24:].mean((1, 2)) > 0.15).all()
    assert (orange[:, :8].mean((1, 2)) < 0.02).all()
    assert (rgb.std((1, 2)).mean(1) > 5).all()


def test_the_same_episode_gives_the_same_bytes_and_what_was_seen_stays(sighted: WorldEnv) -> None:
    first = run(sighted, 3)
    kept = first[0]["rgb"].copy()
    again = run(sighted, 3)
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(first, again, strict=True) for name in a)
    assert np.array_equal(first[0]["rgb"], kept)


def test_pictures_stay_where_the_physics_is(sighted: WorldEnv) -> None:
    sighted.reset(seed=1)
    seen = sighted.worlds.observe()
    assert isinstance(seen["rgb"], torch.Tensor)
    assert seen["rgb"].device == seen["policy"].device
    again = sighted.worlds.observe()
    assert seen["depth"].data_ptr() != again["depth"].data_ptr()  # the next picture is not written over it
    assert torch.equal(seen["depth"], again["depth"])


@pytest.mark.slow
def test_looking_changes_nothing(warp_cousins: Cousins, sighted: WorldEnv) -> None:
    """The same numbers as without eyes, but for those of the handle, which are left out."""
    with closing(api.make_env(warp_cousins, **WARP)) as env:
        blind = run(env)
    for a, b in zip(blind, run(sighted), strict=True):
        assert np.array_equal(a["policy"][:, TOLD:], b["policy"])
        assert np.array_equal(a["privileged"], b["privileged"])


@pytest.mark.slow
def test_one_that_is_put_back_is_seen_anew_and_the_others_as_they_were(sighted: WorldEnv) -> None:
    run(sighted, 5)
    before = to_numpy(sighted.worlds.observe()["depth"])
    sighted.worlds.start(np.array([3]))
    after = to_numpy(sighted.worlds.observe()["depth"])
    changed = np.abs(after - before).max((1, 2)) > 0
    assert changed.tolist() == [i == 3 for i in range(16)]


def test_the_camera_looks_along_the_gaze_upright() -> None:
    turn = turned()
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)
    assert np.allclose(-turn[:, 2], GAZE / np.linalg.norm(GAZE))
    assert turn[2, 1] > 0  # up is up


@pytest.mark.parametrize("size", [(0, 64), (64, 2000), (64,)])
def test_pictures_of_a_size_that_can_not_be_are_one_line(size: Any) -> None:
    with pytest.raises(PocketworldError, match=r"pictures of .* pixels; \(width, height\), each 1 to 1024"):
        WarpSight(size)
