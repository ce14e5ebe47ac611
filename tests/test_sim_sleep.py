"""What has come to rest sleeps: faster, and no environment's results depend on its neighbours' sleep."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.cousins import spec
from pocketworld.cousins.sequence import make
from pocketworld.rng import stream
from pocketworld.scene import Scene
from pocketworld.sim.batch import SLEEP
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert

Step = tuple[NDArray[Any], ...]
Run = tuple[list[Step], int]
REPLICAS = [0, 0, 0, 1]


@pytest.fixture(scope="module")
def rooms(row_kitchen: Scene) -> list[Scene]:
    """Rows of units with things on their tops: three cousins, the first one twice."""
    cousins = list(make(row_kitchen, spec.preset("medium"), seed=0, count=3))
    return [*cousins, cousins[0]]


def episodes(
    scenes: Sequence[Scene], replicas: Sequence[int], *, threads: int = 1, sleep: bool = True
) -> Run:
    """Let the expert drive through several episodes; return all that was seen, and the successes."""
    env = WorldEnv(scenes, replicas=replicas, threads=threads, max_steps=45, sleep=sleep)
    env.reset(seed=2)
    out: list[Step] = []
    for _ in range(100):
        seen, reward, success, cut, _ = env.step(expert(env.worlds))
        out.append((seen["policy"], seen["privileged"], reward, success, cut))
    env.close()
    return out, int(sum(step[3].sum() for step in out))


def same(a: list[Step], b: list[Step], which: Sequence[int] | NDArray[np.int64]) -> bool:
    return all(
        np.array_equal(x[which], y)
        for one, other in zip(a, b, strict=True)
        for x, y in zip(one, other, strict=True)
    )


@pytest.fixture(scope="module")
def together(rooms: list[Scene]) -> Run:
    return episodes(rooms, REPLICAS, threads=2)


def test_permuted_environments_give_permuted_results(rooms: list[Scene], together: Run) -> None:
    order = stream(0, "order").permutation(4)
    permuted, _ = episodes([rooms[i] for i in order], [REPLICAS[i] for i in order])
    assert same(together[0], permuted, order)


@pytest.mark.parametrize("i", [1, 3])
def test_one_taken_out_replays_to_the_bit_through_resets(rooms: list[Scene], together: Run, i: int) -> None:
    alone, _ = episodes([rooms[i]], [REPLICAS[i]])
    assert same(together[0], alone, [i])
    assert sum(int((step[3] | step[4]).sum()) for step in alone) >= 2, "it was reset in between"


def test_what_is_seen_is_the_same_asleep_as_awake(rooms: list[Scene], together: Run) -> None:
    """To the bit here: what lies still is an island of its own, and what is pulled open was awake before.

    Not in every room: in one of four of another draw a hand is 1e-9 m off where things awake crept 9e-6 m.
    """
    awake, opened = episodes(rooms, REPLICAS, sleep=False)
    assert together[1] == opened >= 4
    assert same(together[0], awake, range(4))


def test_settled_things_sleep_and_what_is_pulled_wakes(rooms: list[Scene]) -> None:
    """All but the hand sleep at first; what is pulled open is awake meanwhile."""
    env = WorldEnv(rooms[:1], threads=1, max_steps=1000)
    env.reset(seed=2)
    batch = env.worlds.physics.groups[0].handle
    awake = []
    for _ in range(70):
        env.step(expert(env.worlds))
        awake.append((int(batch.get_data(0).ntree_awake), float(env.worlds.progress[0])))
    trees = env.worlds.cousins[0].model.ntree
    before = [count for count, progress in awake[15:] if progress < 0.01]
    during = [count for count, progress in awake if 0.1 < progress < 0.9]
    assert trees > 8
    assert min(before) == 1
    assert min(during) >= 2
    env.close()


def test_nothing_sleeps_where_it_is_not_let(rooms: list[Scene]) -> None:
    for sleep in (True, False):
        env = WorldEnv(rooms[:1], threads=1, sleep=sleep)
        assert bool(env.worlds.cousins[0].model.opt.enableflags & SLEEP) is sleep
        env.close()
