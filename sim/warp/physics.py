"""The backend "warp": every environment's world in one MuJoCo Warp batch, seen as torch tensors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim.arrays import Array, torch_arrays
from pocketworld.sim.physics import Group, Ids, Look, Write
from pocketworld.sim.robots.robot import Robot
from pocketworld.sim.task import Cousin
from pocketworld.sim.warp.compiled import Compiled, compiled
from pocketworld.sim.warp.library import LOG, chosen, library, told
from pocketworld.sim.warp.packed import Packed
from pocketworld.sim.warp.size import check
from pocketworld.sim.warp.upload import data, uploaded

HARMLESS = ("ITERATIONS", "LS_ITERATIONS")  # the solver stopped where it was, as C MuJoCo does


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

    models     environment i's, as structure alone: its numbers are rows of the batch
    wild (n,)  how often each environment met no finite number, and was put back to its defaults
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
        self.wild = self.arrays.ints(np.zeros(count))
        self.groups = (self._group(made.packed, count),)
        self._graphs: dict[str, Any] = {}
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
            self._advance(1)
            self._mask[:] = True
            self._put_back()

    def step(self, substeps: int, before: Look, after: Look) -> None:
        """Advance all by some substeps; `before` writes controls, `after` reads the state.

        Raises PocketworldError, with the environment and its cousin, where contacts did not fit. What met no
        finite number is put back to its defaults, counted and logged; `unstable` says so.
        """
        (group,) = self.groups
        before(group)
        self.advance(substeps)
        self._look(group)
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
        self._do(f"{substeps} substeps", lambda: self._advance(substeps))

    def _advance(self, substeps: int) -> None:
        for _ in range(substeps):
            self.lib.mjw.step(self.model, self.data)
        self._places()  # a step leaves poses as they were before it

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
        return self.lib.wp.stream_from_torch(self.lib.torch.cuda.current_stream(self.device))

    def _look(self, group: Group) -> None:
        """Look for worlds that met no number, or had no room for their contacts."""
        torch = self.lib.torch
        bits = self.lib.wp.to_torch(self.data.overflow) & ~harmless()
        wild = ~(torch.isfinite(group.qpos).all(1) & torch.isfinite(group.qvel).all(1))
        full, broken = torch.stack([(bits != 0).any(), wild.any()]).tolist()
        if full:
            self._raise(bits)
        if broken:
            where = torch.nonzero(wild).flatten().tolist()
            LOG.warning("no finite numbers, put back: %s", ", ".join(f"{i} ({self.ids[i]})" for i in where))
            self.wild += wild
            self._unstable |= wild
            self._mask[:] = wild
            self._do("put back", self._put_back)
            self._do("places", self._places)

    def _raise(self, bits: Array) -> None:
        i = int(self.lib.torch.nonzero(bits).flatten()[0])
        what = self.lib.mjw.OverflowType(int(bits[i])).name
        have = f"room for {self.data.naconmax} contacts in all, {self.data.njmax} constraints a world"
        raise PocketworldError(
            f"backend warp: environment {i} (cousin {self.ids[i]}): {what} overflows; there is {have}",
            'backend="mujoco" has no such limit',
        )


def harmless() -> int:
    """Return the bits of what is no overflow of room."""
    kinds = library().mjw.OverflowType
    return int(sum(kinds[name] for name in HARMLESS))
