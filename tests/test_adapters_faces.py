"""Each RL library takes our environments: its own checks, some hundred steps of its PPO, errors in a line."""

import sys
from dataclasses import replace
from importlib import import_module, reload
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.wrappers.vector import NormalizeReward, RecordEpisodeStatistics
from rsl_rl.runners import OnPolicyRunner
from rsl_rl.utils import check_nan
from skrl.agents.torch.ppo import PPO as SkrlPPO
from skrl.agents.torch.ppo import PPO_CFG
from skrl.memories.torch import RandomMemory
from skrl.models.torch import DeterministicMixin, GaussianMixin, Model
from skrl.trainers.torch import SequentialTrainer, SequentialTrainerCfg
from stable_baselines3 import PPO as Sb3PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecCheckNan, VecMonitor, VecNormalize

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import Pose, Scene
from pocketworld.sim.adapters import rsl_rl, skrl, stable_baselines3
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.tasks.observation import POLICY, PRIVILEGED, TOLD
from pocketworld.sim.tensor_env import TensorEnv

N, LENGTH = 8, 12


def drawn(number: int) -> Scene:
    asset = build(sample(lambda name: stream(number, "adapters", name), Site((1.2, 0.9, 2.0))), "cabinet")
    pose = Pose.upright((0.2, -0.5, 0.0), float(stream(number, "yaw").uniform(-3, 3)))
    return Scene(f"drawn {number}", (replace(asset, pose=pose),), provenance={"cousin": f"test/{number}"})


SCENES = [scene for scene in map(drawn, range(10)) if scene.assets[0].movable][:3]


def worlds(**options: Any) -> WorldEnv:
    wishes: dict[str, Any] = {"max_steps": LENGTH, "threads": 1} | options
    return WorldEnv(SCENES, N, **wishes)


def tensors(**options: Any) -> TensorEnv:
    return TensorEnv(SCENES, N, **({"max_steps": LENGTH, "threads": 1} | options))


def actions(step: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return stream(step, "actions").uniform(-1, 1, (N, 4)).astype(np.float32)


# One and the same episodes through every face


def test_all_faces_show_the_same() -> None:
    plain, sb3 = worlds(), stable_baselines3.wrap(worlds(), stable_baselines3.ALL)
    rsl, skr = rsl_rl.wrap(tensors(), seed=3), skrl.wrap(tensors(), seed=3)
    sb3._seeds = [3] * N
    seen, third = plain.reset(seed=3)[0], skr.reset()[0]
    also: Any = sb3.reset()
    fourth = rsl.get_observations()
    for step in range(2 * LENGTH + 3):
        for name in ("policy", "privileged"):
            assert np.array_equal(seen[name], also[name])
            assert np.array_equal(seen[name], fourth[name].numpy())
        assert np.array_equal(seen["policy"], third.numpy())
        assert np.array_equal(np.concatenate(list(seen.values()), 1), skr.state().numpy())
        act = actions(step)
        given = torch.from_numpy(act)
        seen, reward, success, cut, info = plain.step(act.astype(np.float64))
        also, reward_2, done, infos = sb3.step(act)
        third, reward_3, ended_3, cut_3, infos_3 = skr.step(given)
        fourth, reward_4, done_4, extras = rsl.step(given)
        for other in (reward_2, reward_3.numpy()[:, 0], reward_4.numpy()):
            assert np.array_equal(reward.astype(np.float32), other)
        assert np.array_equal(success | cut, done)
        assert np.array_equal(success | cut, done_4.numpy() > 0)
        assert np.array_equal(cut, extras["time_outs"].numpy())
        assert np.array_equal(np.stack([success, cut], 1), torch.cat([ended_3, cut_3], 1).numpy())
        for i in np.flatnonzero(done):
            last = info["final_obs"][i]
            told = infos[i]["terminal_observation"]
            assert all(np.array_equal(told[name], last[name]) for name in last)
            assert np.array_equal(infos_3[skrl.LAST][i].numpy(), last["policy"])
            assert np.array_equal(extras["last"]["privileged"][i].numpy(), last["privileged"])
            assert not np.array_equal(last["policy"], seen["policy"][i]), (
                "the next episode's first is another"
            )
    for face in (plain, sb3, skr):
        face.close()


# gymnasium's own wrappers of vectors


def test_gymnasiums_wrappers_take_it() -> None:
    env = NormalizeReward(RecordEpisodeStatistics(worlds()))
    env.reset(seed=1)
    ended = 0
    for step in range(2 * LENGTH):
        *_, info = env.step(actions(step).astype(np.float64))
        if "episode" in info:
            ended += int(info["_episode"].sum())
            assert (info["episode"]["l"][info["_episode"]] == LENGTH).all()
    assert ended == 2 * N
    env.close()


# Stable-Baselines3


def test_stable_baselines3_learns_through_its_own_checks() -> None:
    face = stable_baselines3.wrap(worlds(), stable_baselines3.ALL)
    checked = VecCheckNan(VecNormalize(VecMonitor(face, info_keywords=("is_success",))), raise_exception=True)
    model = Sb3PPO("MultiInputPolicy", checked, n_steps=32, batch_size=64, n_epochs=2, seed=0, device="cpu")
    before = model.policy.state_dict()["action_net.weight"].clone()
    model.learn(300 * N)
    assert not torch.equal(before, model.policy.state_dict()["action_net.weight"])
    assert model.ep_info_buffer is not None
    assert {episode["l"] for episode in model.ep_info_buffer} == {LENGTH}
    assert len(model.ep_success_buffer or ()) > 0
    _, lengths = evaluate_policy(model, checked, n_eval_episodes=N, return_episode_rewards=True)
    assert lengths == [LENGTH] * N
    checked.close()


def test_stable_baselines3_learns_the_same_from_the_same_seed() -> None:
    def learnt(seed: int) -> dict[str, torch.Tensor]:
        face = stable_baselines3.wrap(worlds())
        model = Sb3PPO("MlpPolicy", face, n_steps=16, batch_size=64, n_epochs=1, seed=seed, device="cpu")
        model.learn(16 * N)
        face.close()
        return model.policy.state_dict()

    one, again, other = learnt(0), learnt(0), learnt(1)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_stable_baselines3_asks_and_sets() -> None:
    env = worlds(render_mode="rgb_array")
    face = stable_baselines3.wrap(env)
    assert face.observation_space.shape == (len(POLICY),)
    assert face.get_attr("max_steps", [0, 2]) == [LENGTH, LENGTH]
    assert face.has_attr("unstable_count")
    assert not face.has_attr("nothing")
    assert face.env_is_wrapped(NormalizeReward) == [False] * N
    face.set_attr("unstable_count", np.ones(N))
    assert env.unstable_count.sum() == N
    with pytest.raises(PocketworldError, match="without indices"):
        face.set_attr("unstable_count", 0, [1])
    face.seed(5)
    face.reset()
    drawn = face.reset_infos[0]["joint"]
    joint = next(target.id for target in env.worlds.cousins[0].targets if target.id != drawn)
    face.set_options([{"joint": joint} if i == 0 else {} for i in range(N)])
    face.seed(5)
    face.reset()
    assert face.reset_infos[0]["joint"] == joint
    face.seed(5)
    face.reset()
    assert face.reset_infos[0]["joint"] == drawn, "what is asked for is asked for once"
    assert len(face.env_method("reset", indices=[0])) == 1
    assert len(face.get_images()) == N
    face.set_options({"weather": "rain"})
    with pytest.raises(PocketworldError, match="no option 'weather'"):
        face.reset()
    face.close()


@pytest.mark.parametrize("keys", [(), ("secrets",), ("policy", "policy")])
def test_stable_baselines3_is_shown_what_there_is(keys: tuple[str, ...]) -> None:
    env = worlds()
    with pytest.raises(PocketworldError, match="some of policy, privileged, each once"):
        stable_baselines3.wrap(env, keys)
    env.close()


# rsl_rl


def test_rsl_rl_learns_through_its_own_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.test_adapters_bootstrap import rsl_settings

    torch.manual_seed(0)
    face = rsl_rl.wrap(tensors(), seed=1)
    runner = OnPolicyRunner(face, rsl_settings("pocketworld.sim.adapters.rsl_rl:ExactPPO"), None, "cpu")
    before = [parameter.clone() for parameter in runner.alg.actor.parameters()]
    runner.learn(20, init_at_random_ep_len=True)  # 16 steps each; `check_nan` looks at each
    assert any(not torch.equal(a, b) for a, b in zip(before, runner.alg.actor.parameters(), strict=True))
    runner.save(str(tmp_path / "policy.pt"))
    runner.load(str(tmp_path / "policy.pt"))
    face.env.close()


def test_rsl_rl_gives_what_its_check_wants_and_sets_the_clock() -> None:
    face = rsl_rl.wrap(tensors(), seed=1)
    seen, reward, done, extras = face.step(torch.zeros(N, 4))
    check_nan(seen, reward, done)
    assert seen.batch_size == torch.Size([N])
    assert {v.dtype for v in (*seen.values(), reward)} == {torch.float32}
    assert (done.dtype, extras["time_outs"].dtype) == (torch.long, torch.bool)
    face.episode_length_buf = torch.arange(N)
    *_, extras = face.step(torch.zeros(N, 4))
    assert not extras["time_outs"].any()
    assert (face.episode_length_buf == torch.arange(N) + 1).all()
    face.episode_length_buf = torch.full((N,), LENGTH - 1)
    *_, extras = face.step(torch.zeros(N, 4))
    assert extras["time_outs"].all()
    assert (face.episode_length_buf == 0).all()
    face.env.close()


def test_rsl_rl_asks_no_critic_with_a_memory_out_of_turn(capsys: pytest.CaptureFixture[str]) -> None:
    from tests.test_adapters_bootstrap import rsl_settings

    face = rsl_rl.wrap(tensors(), seed=1)
    settings = rsl_settings("pocketworld.sim.adapters.rsl_rl:ExactPPO")
    memory = {"class_name": "RNNModel", "rnn_type": "gru", "rnn_hidden_dim": 8, "rnn_num_layers": 1}
    for name in ("actor", "critic"):
        settings[name] |= memory
    learner = OnPolicyRunner(face, settings, None, "cpu").alg
    seen = face.get_observations()
    with torch.inference_mode():
        step = face.step(learner.act(seen))
        with pytest.raises(PocketworldError, match="without memory"):
            learner.process_env_step(*step)
    face.env.close()


# skrl


class Actor(GaussianMixin, Model):  # type: ignore[misc]
    def __init__(self, face: skrl.SkrlEnv) -> None:
        seen = face.observation_space
        Model.__init__(self, observation_space=seen, action_space=face.action_space, device=face.device)
        GaussianMixin.__init__(self, clip_actions=False, clip_log_std=True)
        self.net = torch.nn.Sequential(
            torch.nn.Linear(len(POLICY), 16), torch.nn.ELU(), torch.nn.Linear(16, 4)
        )
        self.spread = torch.nn.Parameter(torch.full((4,), -0.5))

    def compute(self, inputs: dict[str, Any], role: str = "") -> Any:  # pyright: ignore
        return self.net(inputs["observations"]), {"log_std": self.spread}


class Critic(DeterministicMixin, Model):  # type: ignore[misc]
    """Sees the facts as well."""

    def __init__(self, face: skrl.SkrlEnv) -> None:
        seen = face.observation_space
        Model.__init__(self, observation_space=seen, action_space=face.action_space, device=face.device)
        DeterministicMixin.__init__(self)
        width = len(POLICY) + len(PRIVILEGED)
        self.net = torch.nn.Sequential(torch.nn.Linear(width, 16), torch.nn.ELU(), torch.nn.Linear(16, 1))

    def compute(self, inputs: dict[str, Any], role: str = "") -> Any:  # pyright: ignore
        return self.net(inputs["states"]), {}


def skrl_agent(kind: Any, face: skrl.SkrlEnv, **settings: Any) -> Any:
    config = PPO_CFG()
    config.learning_epochs, config.mini_batches = 2, 2
    config.experiment.write_interval = config.experiment.checkpoint_interval = 0
    for name, value in settings.items():
        assert hasattr(config, name)
        setattr(config, name, value)
    return kind(
        models={"policy": Actor(face), "value": Critic(face)},
        memory=RandomMemory(memory_size=config.rollouts, num_envs=face.num_envs, device=face.device),
        cfg=config,
        observation_space=face.observation_space,
        state_space=face.state_space,
        action_space=face.action_space,
        device=face.device,
    )


def skrl_train(agent: Any, face: skrl.SkrlEnv, steps: int) -> None:
    config = SequentialTrainerCfg(
        timesteps=steps, headless=True, disable_progressbar=True, close_environment_at_exit=False
    )
    SequentialTrainer(cfg=config, env=face, agents=agent).train()


def test_skrl_is_told_how_much_who_has_eyes_sees() -> None:
    """With pictures the numbers of the handle are left out of `policy`: its space has the others alone."""
    face = skrl.wrap(TensorEnv(SCENES[:1], 2, threads=1, observation="rgbd", picture=(8, 8)), seed=1)
    seen, _ = face.reset()
    assert face.observation_space.shape == (len(POLICY) - TOLD,)
    assert tuple(seen.shape) == (2, len(POLICY) - TOLD)
    assert face.state_space.shape == tuple(face.state().shape[1:])
    face.close()


@pytest.mark.parametrize("count", [N, 1])
def test_skrl_learns(count: int) -> None:
    torch.manual_seed(0)
    face = skrl.wrap(TensorEnv(SCENES, count, max_steps=LENGTH, threads=1), seed=1)
    agent = skrl_agent(skrl.exact(SkrlPPO), face, rollouts=25, time_limit_bootstrap=True)
    before = [parameter.clone() for parameter in agent.policy.parameters()]
    skrl_train(agent, face, 300)
    after = list(agent.policy.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(torch.isfinite(parameter).all() for parameter in after)
    face.close()


# What is missing


@pytest.mark.parametrize(
    ("adapter", "library", "extra"),
    [("rsl_rl", "rsl_rl", "train"), ("skrl", "skrl", "rl"), ("stable_baselines3", "stable_baselines3", "rl")],
)
def test_without_its_library_an_adapter_says_what_to_install(
    adapter: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module(f"pocketworld.sim.adapters.{adapter}")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(PocketworldError, match=rf"pip install 'pocketworld\[{extra}\]'"):
        reload(module)
