"""Environments as rsl_rl (5.x) wants them: TensorDicts of observations, and which episodes time cut short.

rsl_rl bootstraps what time cut short from the value of the state before, not from the last one seen.
"""

from typing import Any

import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict

from pocketworld.sim.tensor_env import TensorEnv, Tensors


class RslRlEnv(VecEnv):  # type: ignore[misc, unused-ignore]
    """A `TensorEnv` for rsl_rl's runners; observation sets are `policy` and `privileged`."""

    def __init__(self, env: TensorEnv, seed: int | None = None) -> None:
        self.env, self.num_envs, self.num_actions = env, env.num_envs, env.num_actions
        self.max_episode_length, self.device = env.max_steps, env.device
        self.cfg: dict[str, Any] = {}  # rsl_rl logs it
        if seed is not None or not env.seen:
            env.reset(seed=seed)

    @property
    def episode_length_buf(self) -> torch.Tensor:
        """Return the steps of the running episodes (n,)."""
        return torch.as_tensor(self.env.worlds.steps, device=self.device)

    @episode_length_buf.setter
    def episode_length_buf(self, steps: torch.Tensor) -> None:
        # rsl_rl assigns it, so that time limits do not all fall into one step: it must reach the clock.
        arrays = self.env.worlds.arrays
        self.env.worlds.steps[:] = arrays.ints(steps if arrays.on_torch else steps.cpu().numpy())

    def get_observations(self) -> TensorDict:
        """Return what is seen now."""
        return self._dict(self.env.seen)

    def step(
        self, actions: torch.Tensor
    ) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
        """Advance all by a step; return what is seen, rewards, whose episode ended, which ended by time."""
        now = self.env.step(actions.clip(-1, 1))
        extras = {"time_outs": now.truncated}
        return self._dict(now.seen), now.reward, now.done.to(torch.long), extras

    def _dict(self, seen: Tensors) -> TensorDict:
        return TensorDict(dict(seen), batch_size=[self.num_envs], device=self.device)
