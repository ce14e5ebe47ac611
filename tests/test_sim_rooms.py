"""Whole rooms in the batch: things that stand free are put back, one part opens and the rest stays."""

from collections.abc import Iterator

import numpy as np
import pytest

from pocketworld.bench.replay import batches
from pocketworld.cousins import spec as specs
from pocketworld.cousins.sequence import make
from pocketworld.scene import Base, Scene
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.models import mjcf
from pocketworld.sim.trial import open_each, run

THINGS = ("parcel", "tin", "crate")


@pytest.fixture(scope="module")
def rooms(row_kitchen: Scene) -> list[Scene]:
    return list(make(row_kitchen, specs.preset("medium"), seed=0, count=4))


@pytest.fixture
def env(rooms: list[Scene]) -> Iterator[WorldEnv]:
    made = WorldEnv(rooms, threads=1)
    yield made
    made.close()


def place(env: WorldEnv, i: int, id: str) -> np.ndarray:
    at = int(env.worlds.cousins[i].model.joint(f"{id}/free").qposadr[0])
    return env.worlds.physics.qpos(i)[at : at + 7]


def test_things_are_put_back_where_they_stood(env: WorldEnv, rooms: list[Scene]) -> None:
    env.reset(seed=0)
    physics = batches(env)
    group = physics.groups[physics.group_of[0]]
    at = int(env.worlds.cousins[0].model.joint("tin/free").qposadr[0])
    group.qpos[physics.row_of[0], at : at + 3] += 0.4
    others = [env.worlds.physics.qpos(i) for i in range(1, 4)]
    env.reset(options={"reset_mask": np.array([True, False, False, False])})
    for id in THINGS:
        pose = rooms[0].asset(id).pose
        np.testing.assert_allclose(place(env, 0, id), [*pose.position, *pose.wxyz], atol=1e-8)
    for i, before in enumerate(others, 1):
        np.testing.assert_array_equal(env.worlds.physics.qpos(i), before)


def test_one_part_opens_and_all_else_stays(env: WorldEnv, rooms: list[Scene]) -> None:
    names = [next(f"{a.id}/{j.id}" for a, j in room.joints() if a.id == "unit-2") for room in rooms]
    env.reset(seed=1, options={"joint": names})
    success = np.zeros(4, bool)
    for _ in range(60):
        _, _, success, _, _ = env.step(expert(env.worlds))
        if success.any():
            break
        for i, room in enumerate(rooms):
            q, model = env.worlds.physics.qpos(i), env.worlds.cousins[i].model
            rest = [f"{a.id}/{j.id}" for a, j in room.joints() if f"{a.id}/{j.id}" != names[i]]
            assert max(abs(q[int(model.joint(name).qposadr[0])]) for name in rest) < 1e-3
            for id in THINGS:
                assert np.linalg.norm(place(env, i, id)[:3] - room.asset(id).pose.position) < 1e-3
    assert success.any()


def test_a_room_compiles_quickly_to_a_small_model(row_kitchen: Scene) -> None:
    """What stands fast has no degrees of freedom, so that no step looks at it."""
    model = mjcf.document(row_kitchen, visual=False).compile()
    assert model.nbuffer < 1e6
    fixed = [asset for asset in row_kitchen.assets if asset.base is Base.FIXED]
    assert model.nv == sum(len(asset.movable) for asset in fixed) + 6 * len(THINGS)


@pytest.mark.slow
def test_every_part_of_a_room_and_of_its_cousins_opens(row_kitchen: Scene, rooms: list[Scene]) -> None:
    assert open_each([row_kitchen]).share == 1
    found = open_each(rooms)
    assert found.share >= 0.95, found.failed
    assert found.unstable == 0


@pytest.mark.slow
def test_sixteen_rooms_in_one_batch(row_kitchen: Scene) -> None:
    env = WorldEnv(make(row_kitchen, specs.preset("medium"), seed=1, count=16), threads=2)
    try:
        found = run(env, seed=3)
    finally:
        env.close()
    assert found.share >= 0.9, found.text()
    assert found.unstable == 0
