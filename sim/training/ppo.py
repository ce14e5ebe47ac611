"""PPO by rsl_rl over our environments. The actor sees what a robot senses, the critic the facts as well."""

import contextlib
import io
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from rsl_rl.runners import OnPolicyRunner

from pocketworld.errors import PocketworldError
from pocketworld.rng import stream
from pocketworld.scene import Scene
from pocketworld.sim.adapters.rsl_rl import RslRlEnv
from pocketworld.sim.tensor_env import TensorEnv, Tensors, Transition
from pocketworld.sim.training.policy import one_thread
from pocketworld.sim.training.progress import Progress
from pocketworld.sim.training.settings import Settings
from pocketworld.sim.training.success import Success

ACTOR, CRITIC = ("policy",), ("policy", "privileged")
SEEDS = 2**31  # seeds are below
COUNTED = "success"  # what of a checkpoint is not rsl_rl's


class Counted(TensorEnv):
    """Counts how its episodes go; where the physics is, so that a GPU need not be waited for.

    ended    episodes that ended since `forget`, but for those whose time was made shorter
    success  what share succeeds, see Success;  earned: rewards of a step since `forget`, added up
    """

    def __init__(self, scenes: Sequence[Scene], num_envs: int | None = None, **options: Any) -> None:
        super().__init__(scenes, num_envs, **options)
        self.success = Success(self.num_envs, self.max_steps, self.device)
        self.ended: torch.Tensor | int = 0
        self.earned: torch.Tensor | float = 0.0

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        joint: str | Sequence[str | None] | None = None,
    ) -> Tensors:
        """Start an episode everywhere; see `TensorEnv.reset`."""
        self.success.begin()
        return super().reset(seed=seed, joint=joint)

    def step(self, actions: torch.Tensor) -> Transition:
        """Advance all by a step."""
        now = super().step(actions)
        whole = self.success.step(now.terminated, now.unstable, now.done)
        self.ended = self.ended + whole.sum()
        self.earned = self.earned + now.reward.mean().double()
        return now

    def forget(self) -> None:
        """Begin to count anew; how episodes went is remembered for a while, for the share that succeeds."""
        self.success.fade()
        self.ended, self.earned = 0, 0.0


class Learner:
    """A policy that learns in an environment, leg by leg."""

    def __init__(self, env: Counted, settings: Settings) -> None:
        alone()
        self.env, self.settings = env, settings
        self.face = RslRlEnv(env, seed=settings.seed)
        with _seeded(env.device, settings.seed, "policy"), _quiet():
            self.runner = OnPolicyRunner(self.face, config(settings), None, str(env.device))

    @property
    def actor(self) -> Any:
        """Return the policy's network."""
        return self.runner.alg.get_policy()

    def state(self) -> dict[str, Any]:
        """Return all that learning goes on from."""
        state: dict[str, Any] = self.runner.alg.save()
        return state | {COUNTED: self.env.success.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave; raise PocketworldError for that of another network."""
        try:
            self.runner.alg.load(state, None, strict=True)
            self.env.success.restore(state[COUNTED])
        except (RuntimeError, KeyError, ValueError, TypeError) as error:
            why = str(error).split("\n")[-1].strip()
            raise PocketworldError(f"the checkpoint is of another network: {why}", "train anew") from error

    def leg(self, begin: int) -> Iterator[Progress]:
        """Learn up to the next checkpoint, from iteration `begin` on; nothing hangs on what was before.

        The environments begin anew, their clocks spread over an episode, so that time limits fall apart.
        """
        settings = self.settings
        every = settings.checkpoint_every
        end = min(begin - begin % every + every, settings.iterations)
        with _seeded(self.env.device, settings.seed, "leg", begin):
            self.env.reset(seed=_seed(settings.seed, "episodes", begin))
            clocks = stream(settings.seed, "clocks", begin).integers(0, settings.max_steps, settings.envs)
            self.face.episode_length_buf = torch.as_tensor(clocks)
            for iteration in range(begin, end):
                self.env.forget()
                losses = self._iterate()
                yield self._progress(iteration + 1, losses)

    def _iterate(self) -> dict[str, float]:
        """Step all environments, then learn from it."""
        # What `OnPolicyRunner.learn` does, without its bookkeeping of time and its printing.
        algorithm, seen = self.runner.alg, self.face.get_observations()
        algorithm.train_mode()
        with one_thread(), torch.inference_mode():
            for _ in range(self.settings.steps):
                seen, rewards, dones, extras = self.face.step(algorithm.act(seen))
                algorithm.process_env_step(seen, rewards, dones, extras)
            algorithm.compute_returns(seen)
        with one_thread():
            losses: dict[str, float] = algorithm.update()
        self._settle()
        return losses

    def _settle(self) -> None:
        """Let the deviation fall while exploring succeeds: what more of it would hide is met and learnt."""
        settings, share = self.settings, self.env.success.share
        if share is not None and share >= settings.steady:
            with torch.no_grad():
                known = self.actor.distribution.log_std_param
                known.add_(math.log1p(-settings.settling)).clamp_(min=math.log(settings.least))

    def _progress(self, iteration: int, losses: dict[str, float]) -> Progress:
        settings, env = self.settings, self.env
        return Progress(
            iteration,
            iteration * settings.envs * settings.steps,
            int(env.ended),
            env.success.share,
            float(env.earned) / settings.steps,
            losses["value"],
            float(self.actor.output_std.detach().mean()),
            float(self.runner.alg.learning_rate),
        )


def alone() -> None:
    """Raise PocketworldError where torchrun has started several processes: each would learn for itself."""
    if (size := os.environ.get("WORLD_SIZE", "1")) != "1":
        raise PocketworldError(
            f"WORLD_SIZE is {size}; this learns in one process",
            "docs/clusters.md has the script for torchrun",
        )


def config(settings: Settings) -> dict[str, Any]:
    """Return the settings in rsl_rl's words."""
    network = {
        "class_name": "MLPModel",
        "hidden_dims": list(settings.hidden),
        "activation": "elu",
        "obs_normalization": True,
    }
    spread = {"class_name": "GaussianDistribution", "init_std": settings.deviation, "std_type": "log"}
    algorithm = {
        "class_name": "pocketworld.sim.adapters.rsl_rl:ExactPPO",
        "num_learning_epochs": settings.epochs,
        "num_mini_batches": settings.minibatches,
        "clip_param": settings.clip,
        "gamma": settings.gamma,
        "lam": settings.lam,
        "value_loss_coef": 1.0,
        "entropy_coef": settings.entropy,
        "learning_rate": settings.rate,
        "max_grad_norm": 1.0,
        "schedule": "adaptive",
        "desired_kl": settings.divergence,
        "rnd_cfg": None,
        "symmetry_cfg": None,
    }
    return {
        "num_steps_per_env": settings.steps,
        "save_interval": settings.iterations,
        "run_name": "",
        "obs_groups": {"actor": list(ACTOR), "critic": list(CRITIC)},
        "algorithm": algorithm,
        "actor": network | {"distribution_cfg": spread},
        "critic": dict(network),
    }


def _seed(seed: int, *names: str | int) -> int:
    return int(stream(seed, "train", *names).integers(SEEDS))


@contextlib.contextmanager
def _seeded(device: torch.device, seed: int, *names: str | int) -> Iterator[None]:
    """Let torch draw from a stream of its own on the CPU and a device, and from where it was thereafter."""
    # Named, as torch else sets up all GPUs that there are.
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(_seed(seed, *names))
        yield


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep rsl_rl from printing its networks."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
