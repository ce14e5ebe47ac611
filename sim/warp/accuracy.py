"""How near the batch is to C MuJoCo's own, unpadded model of each scene: one step from the same state.

Each step begins where C MuJoCo is (teacher forcing), so that what is compared is one step's arithmetic, not
how far two runs of the same chaos have drifted apart. Errors are told apart by group: one maximum over all
would hide a wrong friction behind a tumbling box. Joints are kept in motion, as friction, damping and stops
do nothing in a scene at rest.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.rng import stream
from pocketworld.scene import Scene
from pocketworld.sim.compiling.cousin import compile_cousin
from pocketworld.sim.robots.fingers import REACH
from pocketworld.sim.robots.hand import JOINTS, Hand
from pocketworld.sim.warp.hands import Array, Side, asked, kick, push, script
from pocketworld.sim.warp.physics import Warp, make

GROUPS = ("joints", "hand", "things")
KICK = 40  # steps after which joints are pushed anew: friction stops them in less
# m, rad: where a hand touches nothing, open. What presses hard anywhere in a world costs all of that world
# precision: Warp solves it as one, and looks at one sum of costs in single precision.
AWAY = (0.0, -8.0, 3.0, 0.0, 0.0, 0.0, REACH, REACH)
FREE = int(mujoco.mjtJoint.mjJNT_FREE)
STOP = int(mujoco.mjtConstraint.mjCNSTR_LIMIT_JOINT)
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Record:
    """What C MuJoCo did in k steps of n worlds: states before (qpos, qvel, warm, ctrl) and qpos after.

    All in the batch's order (k, n, ...); group (n, nq) is -1 where a world has no such joint.
    """

    qpos: Array
    qvel: Array
    warm: Array
    ctrl: Array
    after: Array
    group: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Error:
    """|dq| of one step in a group, m, rad or a quaternion's number: median, 99 % and greatest."""

    median: float
    most: float
    worst: float


class Rig:
    """Scenes twice: each alone in C MuJoCo, and all in one batch."""

    def __init__(self, scenes: Sequence[Scene], device: str | None = None, seed: int = 0) -> None:
        self.scenes, self.seed = scenes, seed
        self.placed, self.warp = make(scenes, len(scenes), Hand(), device)
        self.sides = [_side(scene, i, self.warp) for i, scene in enumerate(scenes)]
        self.scripts: dict[int, Callable[[float], Array]] = {}

    def begin(self) -> None:
        """Put C MuJoCo's worlds to their start: all half open, hands on handles, or pressing from above."""
        for i, side in enumerate(self.sides):
            mujoco.mj_resetDataKeyframe(side.cousin.model, side.data, 0)
            rng = stream(self.seed, "accuracy", i)
            for target in side.cousin.targets:
                side.data.qpos[target.qpos] = rng.uniform(0, 0.9) * target.range
            mujoco.mj_kinematics(side.cousin.model, side.data)
            self.scripts[i] = script(side, self.scenes[i], i)
            self._hand(i)[:] = self.scripts[i](-1.0)

    def _hand(self, i: int) -> Array:
        side = self.sides[i]
        hand: Array = side.data.qpos[side.cousin.robot_qpos :][: len(JOINTS)]
        return hand

    def run(self, steps: int, every: int) -> Record:
        """Run C MuJoCo and note what every so many steps begin with and come to."""
        self.begin()
        rows: list[list[Array]] = []
        for k in range(steps):
            for i, side in enumerate(self.sides):
                side.data.ctrl[:] = self.scripts[i](k * side.cousin.model.opt.timestep)
                if k % KICK == 0:
                    kick(side, asked(side, i), stream(self.seed, "accuracy", i, "kick", k))
            noted = self._state() if k % every == 0 else None
            for side in self.sides:
                mujoco.mj_step(side.cousin.model, side.data)
            if noted is not None:
                rows.append([*noted, self._state()[0]])
        qpos, qvel, warm, ctrl, after = (np.array(column) for column in zip(*rows, strict=True))
        return Record(qpos, qvel, warm, ctrl, after, self._groups())

    def _state(self) -> list[Array]:
        base, n = self.warp.models[0], len(self.sides)
        qpos, qvel, warm = np.zeros((n, base.nq)), np.zeros((n, base.nv)), np.zeros((n, base.nv))
        for i, side in enumerate(self.sides):
            qpos[i, side.qpos], qvel[i, side.dof] = side.data.qpos, side.data.qvel
            warm[i, side.dof] = side.data.qacc_warmstart
        return [qpos, qvel, warm, np.array([side.data.ctrl for side in self.sides])]

    def _groups(self) -> NDArray[np.int64]:
        out = np.full((len(self.sides), self.warp.models[0].nq), -1)
        for i, side in enumerate(self.sides):
            out[i, side.qpos] = side.group
        return out

    def steps(self, record: Record) -> Array:
        """Return the batch's own |dq| (k, n, nq) after each of the record's steps.

        Raises PocketworldError where contacts did not fit.
        """
        wp, d = self.warp.lib.wp, self.warp.data
        views = [wp.to_torch(a) for a in (d.qpos, d.qvel, d.qacc_warmstart, d.ctrl)]
        out = np.zeros(record.after.shape)
        for k in range(len(record.qpos)):
            for view, rows in zip(views, (record.qpos, record.qvel, record.warm, record.ctrl), strict=True):
                view[:] = self.warp.arrays.reals(rows[k])
            self.warp.advance(1)
            out[k] = np.abs(views[0].cpu().numpy() - record.after[k])
        self.warp.check_room()
        return out

    def errors(self, record: Record) -> dict[str, Error]:
        """Return each group's error of one step; a sample is one world's greatest of one step."""
        found = self.steps(record)
        return {
            name: _error(np.where(record.group == g, found, 0.0).max(2)[:, (record.group == g).any(1)])
            for g, name in enumerate(GROUPS)
            if (record.group == g).any()
        }

    def free(self, steps: int) -> tuple[Array, Array]:
        """Return |dq| of joints after a run of both from the same start, all pushed once, hands away.

        Of those that met nothing (k,), and of those that met their stops (m,): when a drawer bounces off its
        stop, a step earlier or later, is told by less than single precision holds.
        """
        self.begin()
        for i, side in enumerate(self.sides):
            self._hand(i)[:] = AWAY
            push(side, stream(self.seed, "accuracy", i, "free"))
            side.data.ctrl[:] = self._hand(i)
        self._put(self._state())
        touched = [np.zeros(side.cousin.model.nbody, bool) for side in self.sides]
        stopped = [np.zeros(side.cousin.model.njnt, bool) for side in self.sides]
        for _ in range(steps):
            self.warp.advance(1)
            for side, bodies, joints in zip(self.sides, touched, stopped, strict=True):
                mujoco.mj_step(side.cousin.model, side.data)
                bodies[side.cousin.model.geom_bodyid[side.data.contact.geom]] = True
                joints[side.data.efc_id[side.data.efc_type == STOP]] = True
        self.warp.check_room()
        return self._apart(touched, stopped)

    def _apart(self, touched: Sequence[Bools], stopped: Sequence[Bools]) -> tuple[Array, Array]:
        """Return |dq| of joints whose bodies touched nothing: of those that met no stop, and the others."""
        q = self.warp.groups[0].qpos.cpu().numpy()
        alone: list[float] = []
        bounced: list[float] = []
        for i, side in enumerate(self.sides):
            for target in side.cousin.targets:
                gap = abs(q[i, side.qpos[target.qpos]] - side.data.qpos[target.qpos])
                if not touched[i][side.cousin.model.jnt_bodyid[target.joint]]:
                    (bounced if stopped[i][target.joint] else alone).append(gap)
        return np.array(alone), np.array(bounced)

    def _put(self, state: Sequence[Array]) -> None:
        wp, d = self.warp.lib.wp, self.warp.data
        for array, rows in zip((d.qpos, d.qvel, d.qacc_warmstart, d.ctrl), state, strict=True):
            wp.to_torch(array)[:] = self.warp.arrays.reals(rows)


def _side(scene: Scene, i: int, warp: Warp) -> Side:
    cousin = compile_cousin(scene, Hand())
    model = cousin.model
    qpos = warp.scene_qpos[i]
    robot = range(cousin.robot_qpos, cousin.robot_qpos + len(JOINTS))
    asked = {model.joint(j).qposadr[0] for j in range(model.njnt) if model.jnt_type[j] != FREE}
    group = [1 if q in robot else 0 if q in asked else 2 for q in range(model.nq)]
    return Side(cousin, mujoco.MjData(model), qpos, warp.scene_dof[i], np.array(group))


def _error(samples: Array) -> Error:
    return Error(float(np.median(samples)), float(np.quantile(samples, 0.99)), float(samples.max()))
