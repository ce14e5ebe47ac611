"""Environments as rsl_rl (5.x) wants them: TensorDicts of observations, and which episodes time cut short.

rsl_rl's PPO bootstraps what time cut short from the value of the state before; `ExactPPO` from the last one
that was seen.
"""

from typing import Any

from pocketworld.errors import PocketworldError
from pocketworld.extras import require

require("train", "rsl_rl", "tensordict", "torch")
import torch  # noqa: E402
from rsl_rl.algorithms import PPO  # noqa: E402
from rsl_rl.env import VecEnv  # noqa: E402
from tensordict import TensorDict  # noqa: E402

from pocketworld.sim.tensor_env import TensorEnv, Tensors  # noqa: E402

# Which of them the actor sees, and which the critic: `obs_groups` of a runner's settings.
GROUPS = {"actor": ["policy"], "critic": ["policy", "privileged"]}


def wrap(env: TensorEnv, seed: int | None = None) -> "RslRlEnv":
    """Return environments for rsl_rl's runners."""
    return RslRlEnv(env, seed)


class RslRlEnv(VecEnv):  # type: ignore[misc, unused-ignore]
    """A `TensorEnv` for rsl_rl's runners; observation sets are `policy` and `privileged`."""

    def __init__(self, env: TensorEnv, seed: int | None = None) -> None:
        self.env, self.num_envs, self.num_actions = env, env.num_envs, env.num_actions
        self.max_episode_length, self.device = env.max_steps, env.device
        self.cfg = dict[str, Any]()  # rsl_rl logs it
        if seed is not None or not env.seen:
            env.reset(seed=seed)

    @property
    def episode_length_buf(self) -> torch.Tensor:
        """Return the steps of the running episodes (n,)."""
        return torch.as_tensor(self.env.worlds.steps, device=self.device)

    @episode_length_buf.setter
    def episode_length_buf(self, steps: torch.Tensor) -> None:  # pyright: ignore
        # rsl_rl assigns it, so that time limits do not all fall into one step: it must reach the clock.
        arrays = self.env.worlds.arrays
        self.env.worlds.steps[:] = arrays.ints(steps if arrays.on_torch else steps.cpu().numpy())
        self.env.look()  # the critic sees the time

    def get_observations(self) -> TensorDict:
        """Return what is seen now."""
        return self._dict(self.env.seen)

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Advance all by a step.

        Returns what is seen, rewards, whose episode ended; which ended by time, and what was seen last.
        """
        now = self.env.step(actions.clip(-1, 1))
        extras = {"time_outs": now.truncated, "last": self._dict(now.last)}
        return self._dict(now.seen), now.reward, now.done.to(torch.long), extras

    def _dict(self, seen: Tensors) -> TensorDict:
        return TensorDict(dict(seen), batch_size=[self.num_envs], device=self.device)


class ExactPPO(PPO):  # type: ignore[misc, unused-ignore]
    """PPO to which what time cut short is worth what the critic makes of the last state seen.

    Settings name it as algorithm.class_name: "pocketworld.sim.adapters.rsl_rl:ExactPPO".
    """

    def process_env_step(
        self, obs: TensorDict, rewards: torch.Tensor, dones: torch.Tensor, extras: dict[str, Any]
    ) -> None:
        """Record a step; rewards (n,) of what time cut short are made whole."""
        if self.critic.is_recurrent:
            raise PocketworldError("ExactPPO asks its critic out of turn", "take one without memory, or PPO")
        cut = extras["time_outs"]
        if bool(cut.any()):
            worth = self.critic(extras["last"]).detach()[:, 0]
            rewards = rewards + self.gamma * worth * cut
        others = {name: values for name, values in extras.items() if name != "time_outs"}
        super().process_env_step(obs, rewards, dones, others)
