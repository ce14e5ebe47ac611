"""What an environment told its physics, and others that do the same again: bare batches, and ours."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.sim.batch import CURRENT, NOTHING, Batches, batch_of
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.physics import Group, Ids, Look, Write
from pocketworld.sim.senses import Places, Senses
from pocketworld.sim.tasks.observation import policy_view

Array = NDArray[np.float64]
SEED = 0


@dataclass(frozen=True, eq=False, slots=True)
class Put:
    """Environments `which` (k,) are put into a state: controls (k, nu), and each one's qpos."""

    which: Ids
    controls: Array
    qpos: list[Array]


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """What our environment told its batches in one step: controls (n, nu), then who was put where."""

    controls: Array
    resets: list[Put] = field(default_factory=list)


class Recorder(Batches):
    """Our batches, writing down all that they are told."""

    def __init__(self, batches: Batches) -> None:
        super().__init__(batches.models, batches.threads)
        self.starts: list[Put] = []
        self.steps: list[Step] = []

    def step(self, substeps: int, before: Look, after: Look) -> None:
        """Write the controls down on the way."""
        controls = np.zeros((len(self.models), self.models[0].nu))

        def noted(group: Group) -> None:
            before(group)
            controls[group.ids] = group.ctrl

        super().step(substeps, noted, after)
        self.steps.append(Step(controls))

    def reset(self, which: Ids, write: Write, after: Look) -> None:
        """Write down where the environments are put; the first time, where they start."""
        super().reset(which, write, after)
        controls = [self.groups[self.group_of[i]].ctrl[self.row_of[i]] for i in which]
        put = Put(which, np.array(controls), [self.qpos(int(i)) for i in which])
        (self.steps[-1].resets if self.steps else self.starts).append(put)


def record(env: WorldEnv, steps: int) -> tuple[list[Array], list[Put], list[Step]]:
    """Let the expert drive; return its actions (n, 4) each step, where all started, and what was told."""
    own = batches(env)
    recorder = Recorder(own)
    env.worlds.physics = recorder
    try:
        env.reset(seed=SEED)
        actions = []
        for _ in range(steps):
            actions.append(expert(env.worlds))
            env.step(actions[-1])
    finally:
        recorder.close()
        env.worlds.physics = own
    return actions, recorder.starts, recorder.steps


class Seen:
    """Our batches, told what is recorded, and what the policy sees of them: no rewards, no episodes."""

    def __init__(self, env: WorldEnv) -> None:
        worlds = env.worlds
        self.physics = Batches(worlds.physics.models, batches(env).threads)
        self.robot, self.aim, self.facts, arrays = worlds.robot, worlds.aim, worlds.facts, worlds.arrays
        self.places = Places.of(worlds.cousins, arrays)
        asked = [cousin.targets[0] for cousin in worlds.cousins]
        self.places.ask(np.arange(env.num_envs), asked, arrays)
        self.senses = Senses.empty(env.num_envs, len(self.robot.joints), self.robot.arm, True, arrays)
        self.seen = np.zeros((env.num_envs, 0), np.float32)

    def step(self, substeps: int, step: Step) -> None:
        """Write controls, advance, put back what our environment put back, and see all."""

        def write(group: Group) -> None:
            group.ctrl[:] = step.controls[group.ids]

        self.physics.step(substeps, write, self._read)
        for put in step.resets:
            self.put(put)
        self.senses.look(self.places)
        self.seen = policy_view(self.robot, self.senses, self.facts, self.aim)

    def put(self, put: Put) -> None:
        """Start environments anew."""
        place = {int(i): j for j, i in enumerate(put.which)}

        def write(group: Group, rows: Ids) -> None:
            for row in rows:
                j = place[int(group.ids[row])]
                group.qpos[row], group.ctrl[row] = put.qpos[j], put.controls[j]

        self.physics.reset(put.which, write, self._read)

    def states(self) -> list[Array]:
        """Return qpos of each environment."""
        return [self.physics.qpos(i) for i in range(len(self.physics.models))]

    def close(self) -> None:
        """End the threads."""
        self.physics.close()

    def _read(self, group: Group) -> None:
        self.senses.read(group, self.places)


class Bare:
    """Nothing but `mujoco.batch`: groups of environments, one batch each."""

    def __init__(self, models: Sequence[Any], groups: Sequence[Ids], *, threads: int, pool: int) -> None:
        self.count, self.groups = len(models), tuple(groups)
        self.batches = [batch_of([models[i] for i in ids], threads) for ids in groups]
        self.views = [(batch.bind("qpos"), batch.bind("ctrl")) for batch in self.batches]
        self.place = {int(i): (k, row) for k, ids in enumerate(groups) for row, i in enumerate(ids)}
        self.pool = ThreadPoolExecutor(pool) if pool > 1 else None

    def step(self, substeps: int, step: Step) -> None:
        """Write controls, advance, and put back what our environment put back."""

        def one(k: int) -> None:
            self.views[k][1][:] = step.controls[self.groups[k]]
            self.batches[k].step(nstep=substeps, stage=CURRENT)

        for _ in (
            self.pool.map(one, range(len(self.groups))) if self.pool else map(one, range(len(self.groups)))
        ):
            pass
        for put in step.resets:
            self.put(put)

    def put(self, put: Put) -> None:
        """Start environments anew."""
        where = [self.place[int(i)] for i in put.which]
        for k in sorted({k for k, _ in where}):
            chosen = [j for j, (group, _) in enumerate(where) if group == k]
            rows = np.array([where[j][1] for j in chosen])
            order = np.argsort(rows)
            batch, (places, controls) = self.batches[k], self.views[k]
            batch.reset(rows[order], stage=NOTHING)
            for j, row in zip(chosen, rows, strict=True):
                places[row], controls[row] = put.qpos[j], put.controls[j]
            batch.forward(rows[order], stage=CURRENT)

    def states(self) -> list[Array]:
        """Return qpos of each environment."""
        where = (self.place[i] for i in range(self.count))
        return [self.views[k][0][row].copy() for k, row in where]

    def close(self) -> None:
        """End the threads."""
        if self.pool:
            self.pool.shutdown()


def batches(env: WorldEnv) -> Batches:
    """Return the physics of an environment on C MuJoCo.

    Raises PocketworldError for another backend.
    """
    if not isinstance(env.worlds.physics, Batches):
        raise PocketworldError("bench sim compares C MuJoCo with itself", 'take backend="mujoco"')
    return env.worlds.physics


def states(env: WorldEnv) -> list[Array]:
    """Return qpos of each environment."""
    return [env.worlds.physics.qpos(i) for i in range(env.num_envs)]
