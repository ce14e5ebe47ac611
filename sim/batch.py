"""Many different models stepped together: one `mujoco.batch.Batch` per exact signature, without padding.

Padding would let a neighbour's joints into a model's arithmetic; without it each environment's physics is
that of its model alone, to the bit, whoever stands beside it.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import mujoco
import numpy as np
from mujoco.batch import Batch
from numpy.typing import NDArray

from pocketworld.sim import memory
from pocketworld.sim.arrays import numpy_arrays
from pocketworld.sim.physics import Group, Ids, Look, Write

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

# What gives MjData its layout (mjxmacro.h); flexes, tendons, plugins: a scene has none.
SIZES = (
    "nq", "nv", "na", "nu", "nbody", "njnt", "ngeom", "nsite", "ncam", "nlight", "neq", "nmocap", "ntendon",
    "nuserdata", "nsensordata", "ntree", "nbvh", "nbvhdynamic", "nC", "nD", "nJmom", "narena",
)  # fmt: skip
BOUND = ("qpos", "qvel", "ctrl", "site_xpos", "site_xmat", "xanchor", "xaxis")
SLEEP = int(mujoco.mjtEnableBit.mjENBL_SLEEP)
# m/s and m rad/s: what moves no faster for a while falls asleep. Things at rest on a level top are slower by
# two orders, doors that a hand has let go of fast are not.
TOLERANCE = 0.005
CURRENT = int(mujoco.mjtStage.mjSTAGE_VEL)  # poses and velocities are those after the last substep
NOTHING = int(mujoco.mjtStage.mjSTAGE_NONE)
PIECES = 2  # groups a thread at least: so that one that is done early can take another


def signature(model: mujoco.MjModel) -> tuple[int, ...]:
    """Return the sizes of mjData: models that share them can share a batch."""
    return tuple(int(getattr(model, name)) for name in SIZES)


def let_sleep(model: mujoco.MjModel) -> None:
    """Let what has come to rest in a compiled model sleep until something touches it.

    A kitchen with things on its tops then steps three to five times as fast. An environment still replays to
    the bit, alone as among others.
    """
    model.opt.enableflags |= SLEEP
    model.opt.sleep_tolerance = TOLERANCE


def sleeps(model: mujoco.MjModel) -> bool:
    """Say whether what has come to rest in a model sleeps."""
    return bool(model.opt.enableflags & SLEEP)


class Batches:
    """The physics of all environments: `models[i]` is environment i's own.

    Each group runs on one thread and several groups at once: with a hundred layouts most groups are too
    small to be shared out among threads themselves. A thread that is done with a group takes the next one.

    Raises PocketworldError for more environments than fit into memory.
    """

    def __init__(self, models: Sequence[mujoco.MjModel], threads: int) -> None:
        self.models: tuple[mujoco.MjModel, ...] = tuple(models)
        self.arrays = numpy_arrays()
        shares = divide(self.models, threads)
        self.threads = min(threads, len(shares))
        _check_memory(shares, self.models)
        self.groups = tuple(_group(ids, self.models) for ids in shares)
        self.group_of = np.zeros(len(models), int)
        self.row_of = np.zeros(len(models), int)
        for k, group in enumerate(self.groups):
            self.group_of[group.ids], self.row_of[group.ids] = k, np.arange(len(group.ids))
        self._pool = ThreadPoolExecutor(self.threads - 1) if self.threads > 1 else None

    def step(self, substeps: int, before: Look, after: Look) -> None:
        """Advance all by some substeps; `before` writes a group's controls, `after` reads its state."""

        left = iter(self.groups)

        def some() -> None:
            for group in left:  # shared: the interpreter hands each group to one thread only
                before(group)
                group.handle.step(nstep=substeps, stage=CURRENT)
                after(group)

        others = [self._pool.submit(some) for _ in range(self.threads - 1)] if self._pool else []
        try:
            some()
        finally:
            wait(others)
        for other in others:
            other.result()

    def unstable(self) -> Bools:
        """Return which (n,) met no finite number, or more contacts than fit, since they were last reset."""
        out = np.zeros(len(self.models), bool)
        for group in self.groups:
            # MuJoCo looks at a state as the next step begins: what the last one made is looked at here.
            wild = ~(np.isfinite(group.qpos).all(1) & np.isfinite(group.qvel).all(1))
            out[group.ids] = group.handle.warning[:, :, 1].any(1) | wild
        return out

    def qpos(self, i: int) -> Array:
        """Return environment i's joint positions (nq,), in the order of its scene's MJCF."""
        out: Array = self.groups[self.group_of[i]].qpos[self.row_of[i]].copy()
        return out

    def reset(self, which: Ids, write: Write, after: Look) -> None:
        """Put environments back to their models' defaults.

        `write(group, rows)` then writes their state, and `after(group)` reads what follows from it.
        """
        for k in np.unique(self.group_of[which]):
            group = self.groups[k]
            rows = np.sort(self.row_of[which[self.group_of[which] == k]])
            group.handle.reset(rows, stage=NOTHING)
            write(group, rows)
            group.handle.forward(rows, stage=CURRENT)
            after(group)

    def close(self) -> None:
        """End the threads."""
        if self._pool:
            self._pool.shutdown()


def divide(models: Sequence[mujoco.MjModel], threads: int) -> list[Ids]:
    """Return the environments of each group, the largest first; none is so large that a thread would idle."""
    together: dict[tuple[int, ...], list[int]] = {}
    for i, model in enumerate(models):
        together.setdefault(signature(model), []).append(i)
    most = -(-len(models) // (PIECES * threads)) if threads > 1 else len(models)
    out = [np.array(ids[k : k + most]) for ids in together.values() for k in range(0, len(ids), most)]
    return sorted(out, key=len, reverse=True)


def batch_of(models: Sequence[mujoco.MjModel], threads: int) -> Batch:
    """Return a batch of models that share a signature."""
    # What sleeps is no part of MuJoCo's state: each environment then keeps its own MjData.
    batch = Batch(models[0], len(models), threads, persistent=sleeps(models[0]))
    batch.set_models(list(models))
    return batch


def _group(ids: Ids, models: Sequence[mujoco.MjModel]) -> Group:
    own = [models[i] for i in ids]
    batch = batch_of(own, threads=1)
    closed = mujoco.mj_name2id(own[0], mujoco.mjtObj.mjOBJ_KEY, "closed")
    start = np.array([model.key_qpos[closed] for model in own])
    made = Group(ids, batch, start, *(batch.bind(name) for name in BOUND))
    # An MjData that the batch keeps to know its fields' shapes: as large as a model, and of no more use.
    vars(batch).pop("_data", None)
    return made


def _check_memory(shares: Sequence[Ids], models: Sequence[mujoco.MjModel]) -> None:
    """Refuse more environments than fit into memory, beside their models."""
    needed = sum(memory.batch_bytes(models[ids[0]], len(ids), sleeps(models[ids[0]])) for ids in shares)
    memory.check(needed, f"{len(models)} environments")
