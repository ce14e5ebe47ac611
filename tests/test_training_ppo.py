"""Learning: the same from the same seed, the same with a stop between; it sees what it may, and learns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from rsl_rl.algorithms import PPO

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.scene import HandleKind, Scene, Side
from pocketworld.sim.adapters.rsl_rl import RslRlEnv
from pocketworld.sim.tasks.observation import POLICY, PRIVILEGED
from pocketworld.sim.training import train as training
from pocketworld.sim.training.evaluate import evaluate
from pocketworld.sim.training.policy import greedy
from pocketworld.sim.training.ppo import Counted, Learner, config
from pocketworld.sim.training.progress import Progress
from pocketworld.sim.training.settings import Settings

torch.set_num_threads(1)
SMALL = Settings(
    envs=8, steps=8, iterations=4, checkpoint_every=2, max_steps=16, hidden=(16, 8), minibatches=2, epochs=2
)


def drawer(width: float, kind: FrontKind = FrontKind.DRAWER, side: Side = Side.NONE) -> Scene:
    front = Front(kind, side, usual(HandleKind.BAR))
    asset = build(Cabinet(width, 0.45, 0.3, front), "chest")
    return Scene(f"s{width}", (asset,), provenance={"cousin": f"test/{width}"})


SCENES = [drawer(0.5), drawer(0.6)]


@contextmanager
def learning(settings: Settings, scenes: list[Scene] = SCENES) -> Iterator[Learner]:
    env = Counted(scenes, settings.envs, threads=1, max_steps=settings.max_steps)
    try:
        yield Learner(env, settings)
    finally:
        env.close()


def weights(learner: Learner) -> dict[str, Any]:
    return {name: value.clone() for name, value in learner.actor.state_dict().items()}


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def learnt(settings: Settings) -> tuple[dict[str, Any], list[Progress]]:
    with learning(settings) as learner:
        told = [
            now
            for begin in range(0, settings.iterations, settings.checkpoint_every)
            for now in learner.leg(begin)
        ]
        return weights(learner), told


def test_the_same_seed_learns_the_same_to_the_bit_and_another_one_does_not() -> None:
    first, told = learnt(SMALL)
    torch.rand(7)  # what else torch drew before plays no part
    again, told_again = learnt(SMALL)
    assert same(first, again)
    assert told == told_again
    assert not same(first, learnt(replace(SMALL, seed=1))[0])


def test_learning_takes_one_thread_and_leaves_their_number_to_others() -> None:
    torch.set_num_threads(2)
    training.needs()
    seen = []
    with learning(SMALL) as learner:
        step = learner.env.step

        def noted(actions: torch.Tensor) -> Any:
            seen.append(torch.get_num_threads())
            return step(actions)

        learner.env.step = noted  # type: ignore[method-assign]
        next(learner.leg(0))
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_several_processes_of_torchrun_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(PocketworldError, match=r"WORLD_SIZE is 4.*docs/clusters\.md"), learning(SMALL):
        pass


def test_what_is_counted_halves_between_iterations() -> None:
    """So it tells of the last few iterations; what a policy did long ago it forgets."""
    with learning(SMALL) as learner:
        env = learner.env
        seen = []
        forget = env.forget

        def noted() -> None:
            before = env.success.came.sum()
            forget()
            seen.append((float(before), float(env.success.came.sum())))

        env.forget = noted  # type: ignore[method-assign]
        list(learner.leg(0))
    steps = SMALL.envs * SMALL.steps  # counted in an iteration
    assert seen == [(0, 0), (steps, steps / 2)]
    assert (env.ended, env.earned) != (0, 0.0)  # of the last iteration


def test_success_is_unknown_where_no_episode_ended() -> None:
    _, told = learnt(replace(SMALL, max_steps=8000, checkpoint_every=1000, iterations=1))
    assert (told[0].episodes, told[0].success) == (0, None)
    assert told[0].text().endswith(": no episode ended yet")


def test_learning_leaves_what_else_draws_from_torch_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    learnt(SMALL)
    assert torch.equal(torch.rand(5), expected)


def test_going_on_from_a_checkpoint_is_as_if_it_had_never_stopped() -> None:
    whole, told = learnt(SMALL)
    with learning(SMALL) as learner:
        before = list(learner.leg(0))
        # Kept before the interruption: what is learnt after the checkpoint is lost with the process.
        kept = {name: _copied(value) for name, value in learner.state().items()}
        next(learner.leg(2))
    with learning(SMALL) as learner:
        learner.restore(kept)
        after = list(learner.leg(2))
        assert same(weights(learner), whole)
    assert before + after == told


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def test_a_leg_ends_at_its_checkpoint_and_at_the_last_iteration() -> None:
    with learning(replace(SMALL, iterations=3)) as learner:
        assert [now.iteration for now in learner.leg(0)] == [1, 2]
        assert [now.iteration for now in learner.leg(1)] == [2]
        assert [now.iteration for now in learner.leg(2)] == [3]
        assert [now.env_steps for now in learner.leg(2)] == [3 * 8 * 8]


def test_the_actor_sees_the_policys_numbers_only_the_critic_all() -> None:
    with learning(SMALL) as learner:
        assert learner.actor.obs_dim == len(POLICY)
        assert learner.runner.alg.critic.obs_dim == len(POLICY) + len(PRIVILEGED)
        seen = learner.face.get_observations()
        acted = learner.actor(seen)
        seen["privileged"] += 1.0
        assert torch.equal(learner.actor(seen), acted)
        seen["policy"] += 1.0
        assert not torch.equal(learner.actor(seen), acted)


def test_a_checkpoint_of_another_network_is_one_line() -> None:
    with learning(replace(SMALL, hidden=(4,))) as other:
        state = other.state()
    with learning(SMALL) as learner, pytest.raises(PocketworldError, match="of another network") as caught:
        learner.restore(state)
    assert "\n" not in str(caught.value)
    with learning(SMALL) as learner, pytest.raises(PocketworldError, match="of another network"):
        learner.restore({})


def test_episodes_are_counted_as_they_end() -> None:
    env = Counted(SCENES, 6, threads=1, max_steps=4)
    env.reset(seed=0)
    for _ in range(8):
        env.step(torch.zeros(6, 4))
    assert (int(env.ended), env.success.share) == (12, 0)
    env.forget()
    assert (env.ended, env.earned) == (0, 0.0)
    env.close()


def test_clocks_that_rsl_rl_assigns_reach_the_environment() -> None:
    env = Counted(SCENES, 4, threads=1, max_steps=10)
    face = RslRlEnv(env, seed=0)
    face.episode_length_buf = torch.tensor([9, 0, 9, 3])
    _, _, done, extras = face.step(torch.zeros(4, 4))
    assert done.tolist() == [1, 0, 1, 0]
    assert extras["time_outs"].tolist() == [True, False, True, False]
    assert face.episode_length_buf.tolist() == [0, 1, 0, 4]
    env.close()


def test_time_limits_are_spread_over_an_episode_as_a_leg_begins() -> None:
    """Else all environments would end in the same step, and a batch would show one part of episodes only."""
    settings = Settings(envs=64, steps=20, iterations=1, max_steps=20, hidden=(8,), minibatches=2, epochs=1)
    with learning(settings) as learner:
        ends: list[int] = []
        step = learner.env.step

        def counted(actions: torch.Tensor) -> Any:
            now = step(actions)
            ends.append(int(now.done.sum()))
            return now

        learner.env.step = counted  # type: ignore[method-assign]
        list(learner.leg(0))
    assert np.count_nonzero(ends) > 15
    assert max(ends) < 16


def test_what_a_shorter_time_cuts_is_worth_what_the_critic_makes_of_it_and_no_failure() -> None:
    """As a leg begins: nothing else is learnt from such an end, and it does not count."""
    settings = replace(SMALL, envs=32, steps=8, max_steps=64, checkpoint_every=8)
    with learning(settings) as learner:
        cut: list[torch.Tensor] = []
        worth: list[torch.Tensor] = []
        step, process = learner.env.step, PPO.process_env_step

        def noted(actions: torch.Tensor) -> Any:
            now = step(actions)
            cut.append(now.truncated)
            worth.append(now.reward)
            return now

        given: list[torch.Tensor] = []

        def seen(self: Any, obs: Any, rewards: torch.Tensor, dones: Any, extras: Any) -> None:
            assert "time_outs" not in extras  # rsl_rl would add what the state before was worth
            given.append(rewards)
            process(self, obs, rewards, dones, extras)

        learner.env.step = noted  # type: ignore[method-assign]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(PPO, "process_env_step", seen)
            first = next(learner.leg(0))
    ended, added = torch.stack(cut), torch.stack(given) - torch.stack(worth)
    assert int(ended.sum()) > 0
    assert bool((added[ended] != 0).all())
    assert bool((added[~ended] == 0).all())
    assert (first.episodes, first.success) == (0, None)


def test_its_settings_reach_rsl_rl() -> None:
    told = config(SMALL)
    assert told["num_steps_per_env"] == SMALL.steps
    assert told["obs_groups"] == {"actor": ["policy"], "critic": ["policy", "privileged"]}
    assert told["actor"]["hidden_dims"] == list(SMALL.hidden)
    assert told["algorithm"]["num_mini_batches"] == SMALL.minibatches


@pytest.mark.slow
def test_it_learns_to_open_a_drawer_it_never_saw() -> None:
    # After 20 iterations exploring hands open nearly all, after 40 to 50 steady ones do, too (three seeds).
    settings = Settings(envs=64, iterations=60, checkpoint_every=60, hidden=(64, 64), max_steps=120)
    with learning(settings, [drawer(0.45 + 0.05 * i) for i in range(4)]) as learner:
        policy = greedy(learner.actor)
        others = [drawer(0.48), drawer(0.57), drawer(0.66)] * 4
        before = evaluate(policy, others, settings, "before", threads=1).whole
        told = list(learner.leg(0))
        after = evaluate(policy, others, settings, "after", threads=1).whole
    assert before.share == 0
    assert after.share >= 0.9
    assert told[-1].success is not None
    assert told[-1].success > 0.8
