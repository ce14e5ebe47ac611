"""Cousins as one batched environment for torch: tensors stay where the physics is.

The same episodes as `environment.py`; on the backend "warp" nothing is copied to the host but who ended.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim import backends
from pocketworld.sim.arrays import Array
from pocketworld.sim.given import numbers
from pocketworld.sim.tasks import episode

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, eq=False, slots=True)
class Transition:
    """What a step came to; (n,) each.

    seen        `policy` and `privileged` (n, ...) now: of the new episode where one ended
    last        likewise, but of the old one where it ended: what a value at a time limit is asked of
    terminated  it succeeded; truncated: was cut short by time or unstable physics
    progress    how far the asked joints were on their way as the step ended
    """

    seen: Tensors
    last: Tensors
    reward: torch.Tensor
    terminated: torch.Tensor
    truncated: torch.Tensor
    unstable: torch.Tensor
    progress: torch.Tensor

    @property
    def done(self) -> torch.Tensor:
        """Return whose episode ended (n,)."""
        return self.terminated | self.truncated


class TensorEnv:
    """Environment i holds scene i modulo their number; what ends starts anew in the same step.

    `options` are those of `backends.worlds`: task, backend, device, robot, max_steps ...
    """

    def __init__(self, scenes: Sequence[Scene], num_envs: int | None = None, **options: Any) -> None:
        self.worlds = backends.worlds(scenes, num_envs, **options)
        self.num_envs, self.max_steps = self.worlds.num_envs, self.worlds.max_steps
        self.num_actions = len(self.worlds.robot.actions)
        self.device = torch.device(self.worlds.arrays.device)
        self.seen: Tensors = {}

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        joint: str | Sequence[str | None] | None = None,
    ) -> Tensors:
        """Start an episode everywhere; seed and joint: one for all, or one each (see `WorldEnv.reset`)."""
        everyone = np.arange(self.num_envs)
        asked = episode.asked_for(self.worlds.cousins, joint)
        self.worlds.seed(everyone, episode.seeds(seed, self.num_envs))
        with _lasting():
            self.worlds.start(everyone, asked)
            return self.look()

    def step(self, actions: torch.Tensor) -> Transition:
        """Advance all by 1/25 s; actions (n, num_actions) in [-1, 1], what is beyond is cut to it."""
        shape = (self.num_envs, self.num_actions)
        if not isinstance(actions, torch.Tensor):
            raise PocketworldError(f"actions are {type(actions).__name__}", f"give a torch.Tensor {shape}")
        given = numbers(actions.detach(), shape)
        with _lasting():
            return self._step(given if self.worlds.arrays.on_torch else given.cpu().double().numpy())

    def look(self) -> Tensors:
        """Return what is seen now, anew: where something other than a step has changed it."""
        self.seen = {name: _tensor(values) for name, values in self.worlds.observe().items()}
        return self.seen

    def _step(self, actions: Array) -> Transition:
        before = self.seen
        out = self.worlds.advance(self.worlds.checked(actions))
        progress, unstable, done = _tensor(self.worlds.progress), _tensor(out.unstable), _tensor(out.done)
        last = self.look()
        ended = np.flatnonzero(done.cpu().numpy())
        if len(ended):
            # What follows where physics blew up is no state: what was seen before is the last that was.
            last = {name: _where(unstable, before[name], now) for name, now in last.items()}
            self.worlds.start(ended)
            self.look()
        reward, success, cut = (_tensor(a) for a in (out.reward, out.success, out.truncated))
        single = torch.float32
        return Transition(self.seen, last, reward.to(single), success, cut, unstable, progress.to(single))

    def close(self) -> None:
        """Free what the physics holds."""
        self.worlds.close()


@contextmanager
def _lasting() -> Iterator[None]:
    """Compute without gradients, but with tensors that may be written later, whatever mode the caller is in.

    Tensors that are made in torch's inference mode can't be written outside of it.
    """
    with torch.inference_mode(False), torch.no_grad():
        yield


def _where(which: torch.Tensor, those: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return rows (n, ...) of `those` where `which` (n,), else of `others`."""
    return torch.where(which.reshape(-1, *(1,) * (others.ndim - 1)), those, others)


def _tensor(values: Array) -> torch.Tensor:
    """Return an array as a tensor on the same memory."""
    return values if isinstance(values, torch.Tensor) else torch.from_numpy(np.ascontiguousarray(values))
