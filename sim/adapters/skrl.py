"""Environments as skrl (2.x) wants them, and what makes its agents faithful about time limits.

As it comes skrl lets an episode that time cut short run on into the next one; with its time_limit_bootstrap
it takes the value of the next episode's first state. `exact` gives it the last state that was seen.
"""

from typing import Any

import numpy as np
from gymnasium.spaces import Box

from pocketworld.errors import PocketworldError
from pocketworld.extras import require
from pocketworld.sim.tasks.observation import PRIVILEGED

require("rl", "skrl", "torch")
import torch  # noqa: E402
from skrl.envs.wrappers.torch import Wrapper  # noqa: E402

from pocketworld.sim.tensor_env import TensorEnv, Tensors  # noqa: E402

Step = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]
LAST, LAST_STATES = "last_observations", "last_states"  # in a step's infos


def wrap(env: TensorEnv, seed: int | None = None) -> "SkrlEnv":
    """Return environments for skrl's trainers: observations are `policy`, states `policy` and `privileged`.

    Give agents `env.state_space` too where their value is to see what only a teacher knows.
    """
    return SkrlEnv(env, seed)


class SkrlEnv(Wrapper):  # type: ignore[misc, unused-ignore]
    """See `wrap`. What ends starts anew in the same step; infos hold what was seen last of all."""

    def __init__(self, env: TensorEnv, seed: int | None) -> None:
        super().__init__(env)
        self._seed, self._fresh = seed, True
        self._device, self._count = env.device, env.num_envs
        seen = len(env.worlds.policy_names)
        self._observation_space, self._state_space = _box(seen), _box(seen + len(PRIVILEGED))
        self._action_space = Box(-1.0, 1.0, (env.num_actions,), np.float32)

    @property
    def num_envs(self) -> int:
        """Return how many there are."""
        return self._count

    @property
    def observation_space(self) -> Box:
        """Return the space of `policy`."""
        return self._observation_space

    @property
    def state_space(self) -> Box:
        """Return the space of `policy` and `privileged`, one after the other."""
        return self._state_space

    @property
    def action_space(self) -> Box:
        """Return the space of actions."""
        return self._action_space

    def reset(self) -> tuple[torch.Tensor, dict[str, Any]]:
        """Start an episode everywhere, the first time; then all have one always, and this is what is seen."""
        if self._fresh:
            self._env.reset(seed=self._seed)
            self._fresh = False
        return self._env.seen["policy"], {}

    def step(self, actions: torch.Tensor) -> Step:
        """Advance all; return observations, rewards, terminated, truncated (n, 1), infos."""
        now = self._env.step(actions.clip(-1, 1))
        infos = {LAST: now.last["policy"], LAST_STATES: _states(now.last), "progress": now.progress}
        # A copy of the rewards: agents add values to what they are given.
        columns = (now.reward.clone(), now.terminated, now.truncated)
        reward, terminated, truncated = (values[:, None] for values in columns)
        return now.seen["policy"], reward, terminated, truncated, infos

    def state(self) -> torch.Tensor:
        """Return what a teacher knows now."""
        return _states(self._env.seen)

    def render(self, *args: Any, **kwargs: Any) -> None:
        """Draw nothing: see `WorldEnv`."""

    def close(self) -> None:
        """Free what the environments hold."""
        self._env.close()


def exact(agent: type[Any]) -> type[Any]:
    """Return a class of skrl's agents that is given the last state seen of an episode, not the next's first.

    Its agents are made like those of the class itself, with cfg.time_limit_bootstrap where there is one.
    """

    class Exact(agent):  # type: ignore[misc]
        def record_transition(
            self, *, next_observations: torch.Tensor, next_states: torch.Tensor, infos: Any, **others: Any
        ) -> None:
            if not getattr(self.cfg, "time_limit_bootstrap", True):
                raise PocketworldError(
                    "skrl lets what time cut short run on into the next episode",
                    "set cfg.time_limit_bootstrap = True",
                )
            last = {"next_observations": infos[LAST], "next_states": infos[LAST_STATES]}
            super().record_transition(**last, infos=infos, **others)

    Exact.__name__ = Exact.__qualname__ = f"Exact{agent.__name__}"
    return Exact


def _states(seen: Tensors) -> torch.Tensor:
    return torch.cat([seen["policy"], seen["privileged"]], 1)


def _box(width: int) -> Box:
    return Box(-np.inf, np.inf, (width,), np.float32)
