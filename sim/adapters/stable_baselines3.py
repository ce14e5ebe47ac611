"""Environments as Stable-Baselines3 wants them: a VecEnv, with the last state seen of what time cut short."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.extras import require
from pocketworld.sim.environment import Observation, WorldEnv

require("rl", "stable_baselines3")
from stable_baselines3.common.vec_env import VecEnv  # noqa: E402

Seen = NDArray[np.float32] | dict[str, NDArray[np.float32]]
ALL = ("policy", "privileged")


def wrap(env: WorldEnv, keys: Sequence[str] = ("policy",)) -> "Sb3Env":
    """Return environments for Stable-Baselines3's algorithms.

    keys   what is seen: "policy" alone, an array for an MlpPolicy; or several, a dict for a MultiInputPolicy.
           Its actor and its critic see the same: with "privileged" the policy sees what no robot senses.
    """
    return Sb3Env(env, keys)


class Sb3Env(VecEnv):  # type: ignore[misc, unused-ignore]
    """See `wrap`. What ends starts anew in the same step; `terminal_observation` is what was seen last."""

    def __init__(self, env: WorldEnv, keys: Sequence[str]) -> None:
        known: dict[str, Any] = dict(env.single_observation_space.items())  # type: ignore[attr-defined]
        if not keys or any(key not in known for key in keys) or len(set(keys)) < len(keys):
            raise PocketworldError(f"observations {list(keys)}", f"some of {', '.join(known)}, each once")
        self.env, self.keys = env, tuple(keys)
        self._actions: NDArray[np.float64] = np.zeros((0, 0))
        self._begun = time.perf_counter()
        boxes = {key: known[key] for key in self.keys}
        space: Box | Dict = boxes[self.keys[0]] if len(boxes) == 1 else Dict(boxes)
        super().__init__(env.num_envs, space, env.single_action_space)

    def reset(self) -> Seen:
        """Start an episode everywhere, with the seeds and options that were set since the last time."""
        joints = [options.get("joint") for options in self._options]
        if unknown := {name for options in self._options for name in options} - {"joint"}:
            raise PocketworldError(f"reset has no option {min(unknown)!r}", "there is: joint")
        seen, info = self.env.reset(seed=self._seeds, options={"joint": joints})
        self._reset_seeds()
        self._reset_options()
        told = ("cousin", "joint", "opened")
        self.reset_infos = [{name: info[name][i] for name in told} for i in range(self.num_envs)]
        return self._shown(seen)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take note of actions (n, m)."""
        self._actions = np.asarray(actions, np.float64)

    def step_wait(self) -> tuple[Seen, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Do them; return what is seen, rewards, whose episode ended, and how."""
        seen, rewards, success, cut, info = self.env.step(self._actions)
        done, infos = success | cut, [dict[str, Any]() for _ in range(self.num_envs)]
        for i in np.flatnonzero(done).tolist():
            infos[i] = self._ended(info, i, bool(success[i]))
        return self._shown(seen), rewards.astype(np.float32), done, infos

    def _ended(self, info: dict[str, Any], i: int, success: bool) -> dict[str, Any]:
        facts, episode = info["final_info"], info["final_info"]["episode"]
        passed = round(time.perf_counter() - self._begun, 6)
        return {
            "terminal_observation": self._shown(info["final_obs"][i]),
            "TimeLimit.truncated": not success,
            "is_success": success,
            "episode": {"r": float(episode["r"][i]), "l": int(episode["l"][i]), "t": passed},
            **{name: facts[name][i] for name in ("cousin", "joint", "opened", "unstable")},
        }

    def _shown(self, seen: Observation) -> Seen:
        return seen[self.keys[0]] if len(self.keys) == 1 else {key: seen[key] for key in self.keys}

    def close(self) -> None:
        """Free what the environments hold."""
        self.env.close()

    def get_images(self) -> list[NDArray[np.uint8] | None]:
        """Return a picture of each."""
        return list(self.env.render())

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute, the same for each: it is that of all."""
        return [getattr(self.env, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of all; raise PocketworldError where some only are asked for."""
        if len(list(self._get_indices(indices))) < self.num_envs:
            raise PocketworldError(f"{attr_name} is that of all environments", "set it without indices")
        setattr(self.env, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **options: Any) -> list[Any]:
        """Call a method of all once; return what it returns for each."""
        out = getattr(self.env, method_name)(*args, **options)
        return [out] * len(list(self._get_indices(indices)))

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Say that none is wrapped in one of gymnasium's wrappers of a single environment."""
        return [False] * len(list(self._get_indices(indices)))
