"""What time cut short is worth what the critic makes of the last state seen: in each RL library's returns.

The reference is worked out by hand from what the environments gave; so are four wrong ways, and each
library's own way where it is one of them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from rsl_rl.runners import OnPolicyRunner
from skrl.agents.torch.ppo import PPO as SkrlPPO
from stable_baselines3 import PPO as Sb3PPO
from stable_baselines3.common.callbacks import BaseCallback

from pocketworld.errors import PocketworldError
from pocketworld.sim.adapters import rsl_rl, skrl, stable_baselines3
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.tensor_env import TensorEnv, Transition
from tests.test_adapters_faces import SCENES, skrl_agent, skrl_train

ENVS, LENGTH, STEPS, GAMMA, LAMBDA = 6, 7, 16, 0.9, 0.8
Values = NDArray[np.float64]
Critic = Callable[[Any], torch.Tensor]


class Taped(TensorEnv):
    """Keeps what it gave. Every second environment's episodes end for good, so that both ways occur."""

    def __init__(self) -> None:
        super().__init__(SCENES, ENVS, max_steps=LENGTH, threads=1)
        self.before: list[dict[str, torch.Tensor]] = []
        self.gave: list[Transition] = []

    def step(self, actions: torch.Tensor) -> Transition:
        self.before.append(self.seen)
        now = super().step(actions)
        even = torch.arange(ENVS) % 2 == 0
        self.gave.append(replace(now, terminated=now.truncated & even, truncated=now.truncated & ~even))
        return self.gave[-1]


class TapedWorlds(WorldEnv):
    """The same with numpy."""

    def __init__(self) -> None:
        super().__init__(SCENES, ENVS, max_steps=LENGTH, threads=1)
        self.tape: list[tuple[Any, ...]] = []
        self.now: Any = None

    def reset(self, **options: Any) -> Any:
        self.now, info = super().reset(**options)
        return self.now, info

    def step(self, actions: Any) -> Any:
        before = self.now
        self.now, reward, _, cut, info = super().step(actions)
        even = np.arange(ENVS) % 2 == 0
        last = {name: values.copy() for name, values in self.now.items()}
        for i in np.flatnonzero(cut):
            for name in last:
                last[name][i] = info["final_obs"][i][name]
        out = (self.now, reward, cut & even, cut & ~even)
        self.tape.append((before, last, *out))
        return (*out, info)


def numbers(value: Critic, parts: list[Any]) -> Values:
    with torch.no_grad():
        return np.stack([value(part).double().numpy().reshape(ENVS) for part in parts])


def returns(gave: dict[str, Values], way: str) -> Values:
    """Return what each step's return (t, n) is in a way: `exact`, or one that is wrong.

    gave   reward, terminated, truncated, and of values: here, last, next (t, n)
    """
    reward, ended, cut, here = (gave[name] for name in ("reward", "terminated", "truncated", "here"))
    follows = {"exact": gave["last"], "next": gave["next"], "before": here, "through": gave["next"]}
    worth = np.where(cut > 0, follows.get(way, np.zeros_like(here)), gave["next"])
    done = ended if way == "through" else np.maximum(ended, cut)
    out, advantage = np.zeros_like(here), np.zeros(ENVS)
    for t in reversed(range(len(reward))):
        delta = reward[t] + GAMMA * worth[t] * (1 - ended[t]) - here[t]
        advantage = delta + GAMMA * LAMBDA * (1 - done[t]) * advantage
        out[t] = here[t] + advantage
    return out


WAYS = ("exact", "next", "before", "none", "through")


def way_of(got: Values, gave: dict[str, Values]) -> str:
    """Return the one way in which these returns were made."""
    far = {way: np.abs(returns(gave, way) - got).max() for way in WAYS}
    same = [way for way, distance in far.items() if distance < 1e-4]
    assert len(same) == 1, far
    assert min(distance for way, distance in far.items() if way not in same) > 1e-2, far
    return same[0]


def gave_of(env: Taped, value: Critic) -> dict[str, Values]:
    steps = env.gave
    ends = {
        name: np.stack([getattr(s, name).double().numpy() for s in steps])
        for name in ("reward", "terminated", "truncated")
    }
    assert ends["terminated"].sum() == ends["truncated"].sum() == STEPS // LENGTH * ENVS / 2
    values = {"here": env.before, "last": [s.last for s in steps], "next": [s.seen for s in steps]}
    return ends | {name: numbers(value, parts) for name, parts in values.items()}


# rsl_rl


def rsl_settings(algorithm: str) -> dict[str, Any]:
    network = {"class_name": "MLPModel", "hidden_dims": [16], "activation": "elu", "obs_normalization": False}
    spread = {"class_name": "GaussianDistribution", "init_std": 0.5, "std_type": "log"}
    learning = {"class_name": algorithm, "gamma": GAMMA, "lam": LAMBDA, "rnd_cfg": None, "symmetry_cfg": None}
    return {
        "num_steps_per_env": STEPS,
        "save_interval": 10**9,
        "run_name": "",
        "obs_groups": rsl_rl.GROUPS,
        "algorithm": learning,
        "actor": network | {"distribution_cfg": spread},
        "critic": dict(network),
    }


@pytest.mark.parametrize(
    ("algorithm", "way"), [("pocketworld.sim.adapters.rsl_rl:ExactPPO", "exact"), ("PPO", "before")]
)
def test_rsl_rl(algorithm: str, way: str, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    env = Taped()
    face = rsl_rl.wrap(env, seed=1)
    learner = OnPolicyRunner(face, rsl_settings(algorithm), None, "cpu").alg
    seen = face.get_observations()
    with torch.inference_mode():
        for _ in range(STEPS):
            seen, reward, done, extras = face.step(learner.act(seen))
            learner.process_env_step(seen, reward, done, extras)
        learner.compute_returns(seen)
    got = learner.storage.returns[..., 0].double().numpy()
    assert way_of(got, gave_of(env, lambda part: learner.critic(face._dict(part)))) == way


# skrl


@pytest.mark.parametrize(
    ("faithful", "bootstrap", "way"),
    [(True, True, "exact"), (False, True, "next"), (False, False, "through")],
)
def test_skrl(faithful: bool, bootstrap: bool, way: str) -> None:
    torch.manual_seed(0)
    env = Taped()
    face = skrl.wrap(env, seed=1)
    kind = skrl.exact(SkrlPPO) if faithful else SkrlPPO
    settings = {"discount_factor": GAMMA, "gae_lambda": LAMBDA, "learning_rate": 0.0, "rollouts": STEPS}
    agent = skrl_agent(kind, face, **settings, time_limit_bootstrap=bootstrap)
    skrl_train(agent, face, STEPS)
    got = agent.memory.get_tensor_by_name("returns")[..., 0].double().numpy()

    def value(part: dict[str, torch.Tensor]) -> torch.Tensor:
        whole = torch.cat([part["policy"], part["privileged"]], 1)
        out: torch.Tensor = agent.value.act({"observations": part["policy"], "states": whole})[0]
        return out

    assert way_of(got, gave_of(env, value)) == way


def test_skrl_says_that_its_default_is_not_faithful() -> None:
    face = skrl.wrap(TensorEnv(SCENES, 2, max_steps=LENGTH, threads=1), seed=1)
    agent = skrl_agent(skrl.exact(SkrlPPO), face, rollouts=4, time_limit_bootstrap=False)
    with pytest.raises(PocketworldError, match=r"set cfg\.time_limit_bootstrap = True"):
        skrl_train(agent, face, 4)


# Stable-Baselines3


class Keep(BaseCallback):
    """Keeps a rollout's returns."""

    def _on_rollout_end(self) -> None:
        self.got = self.model.rollout_buffer.returns.astype(float).copy()  # type: ignore[attr-defined]

    def _on_step(self) -> bool:
        return True


@pytest.mark.parametrize("keys", [("policy",), stable_baselines3.ALL])
def test_stable_baselines3(keys: tuple[str, ...]) -> None:
    env = TapedWorlds()
    face = stable_baselines3.wrap(env, keys)
    kind = "MlpPolicy" if len(keys) == 1 else "MultiInputPolicy"
    model = Sb3PPO(kind, face, 0.0, STEPS, 8, 1, GAMMA, LAMBDA, seed=1, device="cpu")
    kept = Keep()
    model.learn(STEPS * ENVS, callback=kept)

    def value(part: dict[str, NDArray[np.float32]]) -> torch.Tensor:
        given = face._shown(part)
        return model.policy.predict_values(model.policy.obs_to_tensor(given)[0])

    before, last, after, reward, ended, cut = (list(column) for column in zip(*env.tape, strict=True))
    gave = {name: np.array(v, float) for name, v in
            (("reward", reward), ("terminated", ended), ("truncated", cut))}  # fmt: skip
    assert gave["terminated"].sum() == gave["truncated"].sum() > 0
    parts = {"here": before, "last": last, "next": after}
    assert way_of(kept.got, gave | {name: numbers(value, each) for name, each in parts.items()}) == "exact"
