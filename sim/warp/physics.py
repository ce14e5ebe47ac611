"""The backend "warp": every environment's world in one MuJoCo Warp batch, seen as torch tensors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim.arrays import Array, torch_arrays
from pocketworld.sim.cousin import Cousin
from pocketworld.sim.physics import Group, Ids, Look, Write
from pocketworld.sim.robots.robot import Robot
from pocketworld.sim.warp.compiled import Compiled, compiled
from pocketworld.sim.warp.installed import LOG, chosen, library, told
from pocketworld.sim.warp.packed import Packed
from pocketworld.sim.warp.size import check
from pocketworld.sim.warp.upload import data, uploaded

HARMLESS = ("ITERATIONS", "LS_ITERATIONS")  # the solver stopped where it was, as C MuJoCo does
# What all worlds take from together. Warp sets the first two of them in every world, the third in whichever
# comes last.
POOLED = ("BROADPHASE", "NARROWPHASE", "CCD")
# A pair of hulls so deep in each other that the list of its faces was cut: that contact alone is inexact.
COARSE = ("EPA_HORIZON",)
NAMED = 8  # environments in a line of the log


def make(
    scenes: Sequence[Scene], count: int, robot: Robot, device: str | None = None
) -> tuple[list[Cousin], "Warp"]:
    """Return `count` environments, scene i modulo their number in environment i, and their physics.

    Raises PocketworldError for a device that is not there, and for scenes of different twins.
    """
    where = chosen(device)
    made = compiled(scenes, min(len(scenes), count), robot)
    check(made.packed, made.room, count, where)
    cousins = [made.cousins[i % len(made.cousins)] for i in range(count)]
    return cousins, Warp(made, count, where)


class Warp:
    """The physics of `count` environments on a device: environment i has row i modulo the rows' number.

    models       environment i's, as structure alone: its numbers are rows of the batch
    wild (n,)    how often each environment met no finite number, and was put back to its defaults
    coarse (n,)  in how many calls of `step` each had a contact that is inexact (see COARSE)

    On a GPU all work is on torch's current stream, so that tensors may be written and read without waiting;
    the host waits once a step, to hear whether a world went wrong.

    The form of the worlds is the batch's: a cousin alone has another one, and agrees with itself among others
    only as far as single precision carries. On the CPU the same batch gives the same bits again; on a GPU it
    does not: contacts take their places in lists as threads come to them, and sums follow that order.
    """

    def __init__(self, made: Compiled, count: int, device: str) -> None:
        self.lib, self.device, self.arrays = library(), device, torch_arrays(device.replace("cpu:0", "cpu"))
        self.ids = tuple(made.packed.ids[i % len(made.packed.ids)] for i in range(count))
        self.models = (made.packed.base,) * count
        self.packed = made.packed
        self.scene_qpos, self.scene_dof = (
            tuple(of[i % len(of)] for i in range(count)) for of in (made.scene_qpos, made.scene_dof)
        )
        with told(), self.lib.wp.ScopedDevice(device):
            self.model = uploaded(made.packed)
            self.data = data(made.packed, count, made.room)
        self._mask = self.arrays.bools(np.zeros(count))
        self._masked = self.lib.wp.from_torch(self._mask)
        self._unstable = self.arrays.bools(np.zeros(count))
        self.wild, self.coarse = (self.arrays.ints(np.zeros(count)) for _ in range(2))
        self.groups = (self._group(made.packed, count),)
        self._graphs: dict[str, Any] = {}
        self._streams: dict[int, Any] = {}
        self._warm()

    def _group(self, packed: Packed, count: int) -> Group:
        view, d = self.lib.wp.to_torch, self.data
        rows = np.arange(count)
        start = self.arrays.reals(packed.start[rows % len(packed.start)])
        states = (view(d.qpos), view(d.qvel), view(d.ctrl), view(d.site_xpos))
        turns = view(d.site_xmat).reshape(count, -1, 9)
        return Group(self.arrays.ints(rows), d, start, *states, turns, view(d.xanchor), view(d.xaxis))

    def _warm(self) -> None:
        """Load (the first time: compile) every kernel, then put everything back."""
        with self._scope():
            self._substep()
            self._places()
            self._mask[:] = True
            self._put_back()

    def step(self, substeps: int, before: Look, after: Look) -> None:
        """Advance all by some substeps; `before` writes controls, `after` reads the state.

        Raises PocketworldError, with the environment and its cousin, where contacts did not fit. What met no
        finite number is put back to its defaults, counted and logged; `unstable` says so.
        """
        (group,) = self.groups
        before(group)
        # Before as well: of a quaternion without numbers Warp makes an upright one and says nothing.
        lost = self._without_numbers(group)
        self.advance(substeps)
        self._look(group, lost)
        after(group)

    def reset(self, which: Ids, write: Write, after: Look) -> None:
        """Put environments back to their models' defaults; `write` then writes their state, `after` reads."""
        (group,) = self.groups
        rows = self.arrays.ints(np.sort(which))
        self._mask[:] = False
        self._mask[rows] = True
        self._do("put back", self._put_back)
        self._unstable[rows] = False
        write(group, rows)
        self._do("places", self._places)
        after(group)

    def unstable(self) -> Array:
        """Return which (n,) met no finite number since they were last reset."""
        return self._unstable.clone()

    def qpos(self, i: int) -> NDArray[np.float64]:
        """Return environment i's joint positions (nq,), in the order of its scene's MJCF."""
        out: NDArray[np.float64] = self.groups[0].qpos[i].cpu().numpy().astype(np.float64)
        return out[self.scene_qpos[i]]

    def close(self) -> None:
        """Let go of the captured graphs."""
        self._graphs.clear()

    def advance(self, substeps: int) -> None:
        """Advance all by some substeps; nothing is written, read or looked at."""
        # One substep's graph, launched as often: a graph of all would hold that many steps' arrays.
        for _ in range(substeps):
            self._do("substep", self._substep)
        self._do("places", self._places)  # a step leaves poses as they were before it

    def check_room(self) -> None:
        """Raise PocketworldError, as `step` does, where since it was last looked at contacts did not fit."""
        bits = self.lib.wp.to_torch(self.data.overflow) & ~bits_of(*HARMLESS, *COARSE)
        if bool((bits != 0).any()):
            self._raise(bits)

    def _substep(self) -> None:
        self.lib.mjw.step(self.model, self.data)

    def _places(self) -> None:
        self.lib.mjw.kinematics(self.model, self.data)

    def _put_back(self) -> None:
        """Reset the worlds of the mask; until the next step no contact may be read (mujoco issue 3572)."""
        self.lib.mjw.reset_data(self.model, self.data, reset=self._masked)

    def _do(self, name: str, work: Callable[[], None]) -> None:
        """Do some work as a graph, recorded the first time: a thousand launches are one (6 times as fast).

        Recording does nothing itself. It keeps the arrays that the work makes for itself.
        """
        wp = self.lib.wp
        if name not in self._graphs:
            with told(), wp.ScopedDevice(self.device), wp.ScopedCapture() as capture:
                work()
            self._graphs[name] = capture.graph
        wp.capture_launch(self._graphs[name], stream=self._torch_stream() if self._on_gpu else None)

    @contextmanager
    def _scope(self) -> Iterator[None]:
        """Let Warp work on this device, on torch's stream: each sees what the other has written."""
        wp = self.lib.wp
        where = wp.ScopedStream(self._torch_stream()) if self._on_gpu else wp.ScopedDevice(self.device)
        with told(), where:
            yield

    @property
    def _on_gpu(self) -> bool:
        return self.device.startswith("cuda")

    def _torch_stream(self) -> Any:
        """Return torch's stream as Warp's, made once: each is registered with the driver."""
        stream = self.lib.torch.cuda.current_stream(self.device)
        if stream.cuda_stream not in self._streams:
            self._streams[stream.cuda_stream] = self.lib.wp.stream_from_torch(stream)
        return self._streams[stream.cuda_stream]

    def _without_numbers(self, group: Group) -> Array:
        finite = self.lib.torch.isfinite
        return ~(finite(group.qpos).all(1) & finite(group.qvel).all(1))

    def _look(self, group: Group, lost: Array) -> None:
        """Look for worlds that met no number, now or before (`lost`), or had no room for their contacts."""
        torch = self.lib.torch
        told_of = self.lib.wp.to_torch(self.data.overflow)
        passing = bits_of(*HARMLESS, *COARSE)
        bits, coarse = told_of & ~passing, (told_of & bits_of(*COARSE)) != 0
        told_of &= ~passing  # Warp adds to what it told until a world is reset
        wild = lost | self._without_numbers(group)
        full, broken, inexact = torch.stack([(bits != 0).any(), wild.any(), coarse.any()]).tolist()
        if full:
            self._raise(bits)
        if inexact:
            LOG.warning("a contact too deep to be exact: %s", self._named(coarse))
            self.coarse += coarse
        if broken:
            LOG.warning("no finite numbers, put back: %s", self._named(wild))
            self.wild += wild
            self._unstable |= wild
            self._mask[:] = wild
            self._do("put back", self._put_back)
            self._do("places", self._places)

    def _named(self, which: Array) -> str:
        where = self.lib.torch.nonzero(which).flatten().tolist()
        more = f" and {len(where) - NAMED} more" if len(where) > NAMED else ""
        return ", ".join(f"{i} ({self.ids[i]})" for i in where[:NAMED]) + more

    def _raise(self, bits: Array) -> None:
        """Say which world had no room: of what is a world's own, that one; else the fullest."""
        kinds, torch = self.lib.mjw.OverflowType, self.lib.torch
        own = torch.nonzero(bits & ~bits_of(*POOLED)).flatten()
        instead = 'backend="mujoco" has no such limit'
        if len(own):
            i = int(own[0])
            what = kinds(int(bits[i]) & ~bits_of(*POOLED)).name
            raise PocketworldError(
                f"backend warp: environment {i} (cousin {self.ids[i]}): {what} overflows; there is room for "
                f"{self.data.njmax} constraints a world",
                instead,
            )
        i, count = self._fullest()
        raise PocketworldError(
            f"backend warp: {kinds(int(bits[bits != 0][0])).name} overflows: all environments share room for "
            f"{self.data.naconmax} contacts; {count} of them are of environment {i} (cousin {self.ids[i]})",
            instead,
        )

    def _fullest(self) -> tuple[int, int]:
        """Return the environment that has the most contacts in the shared list, and how many."""
        used = min(int(self.data.nacon.numpy()[0]), int(self.data.naconmax))
        counts = np.bincount(self.data.contact.worldid.numpy()[:used], minlength=len(self.ids))
        return int(counts.argmax()), int(counts.max())


def bits_of(*names: str) -> int:
    """Return the bits of kinds of overflow, of those that this version has."""
    kinds = library().mjw.OverflowType
    return int(sum(kinds[name] for name in names if name in kinds.__members__))
