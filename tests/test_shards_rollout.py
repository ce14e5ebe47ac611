"""Shards: what one gives is a function of the shard and the job, however the environments are shared out."""

import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pocketworld.cousins.sequence import Cousins, make, taken
from pocketworld.cousins.spec import preset
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.findings import Finding, Severity
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, JointKind, Scene, Side
from pocketworld.sim import trial
from pocketworld.sim.asked import Asked
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.shards.pools import Here
from pocketworld.sim.shards.rollout import Arrays, Job, Worker, rollout
from pocketworld.sim.shards.shard import Sent, Shard, Some, split
from pocketworld.sim.shards.tally import Evaluation, together
from pocketworld.sim.shards.weights import FILES, Weights
from pocketworld.sim.tasks.observation import PRIVILEGED, policy_names
from pocketworld.sim.training import policy


def chest(number: int) -> Scene:
    fronts = (
        Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR)),
        Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.KNOB, 0.9, 0.5)),
    )
    asset = build(Cabinet(0.5 + 0.05 * number, 0.45, 0.7, Split(True, (1.0, 1.5), fronts)), "chest")
    return Scene(f"s{number}", (asset,), provenance={"cousin": f"test/{number}"})


SCENES = Sent([chest(number) for number in range(3)])
OPTIONS: dict[str, Any] = {"max_steps": 60}
EPISODES = Job(5)
STEPS = Job(5, kind="steps", steps=70, explore=0.2)


def shards(count: int, environments: int = 7) -> list[Shard]:
    return split(SCENES, environments, count, OPTIONS)


def same(a: Arrays, b: Arrays) -> bool:
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


def whole(parts: Sequence[Arrays]) -> str:
    return Evaluation("x", together(parts), len(parts)).digest


def taught(folder: Path, seed: int = 0) -> Weights:
    """Return a random policy, one layer and tanh, as a training run would have left it."""
    spec = policy.spec_of(Hand()) | {"task": "open", policy.DEVIATION: [0.1] * 4}
    matrix = stream(seed, "matrix").normal(size=(len(spec["observation"]), 4)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", [policy.SEEN, "w"], ["sum"]),
            helper.make_node("Tanh", ["sum"], [policy.DONE]),
        ],
        "policy",
        [helper.make_tensor_value_info(policy.SEEN, TensorProto.FLOAT, ["n", matrix.shape[0]])],
        [helper.make_tensor_value_info(policy.DONE, TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(matrix, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    folder.mkdir()
    onnx.save(model, str(folder / policy.WEIGHTS))
    (folder / policy.SPEC).write_text(json.dumps(spec))
    return Weights.read(folder)


# Laws


@pytest.mark.parametrize("job", [EPISODES, STEPS], ids=["episodes", "steps"])
def test_a_rollout_is_a_function_of_shard_and_job(job: Job) -> None:
    """Also where both were sent, and in a worker that has done other things before."""
    shard = shards(2)[1]
    first = rollout(shard, job)
    assert same(first, rollout(*pickle.loads(pickle.dumps((shard, job)))))
    worker = Worker()
    worker.do(0, shard, Job(9))
    worker.do(0, shard, replace(STEPS, steps=11))
    assert same(first, worker.do(0, shard, job))
    worker.close()


@pytest.mark.parametrize("count", [2, 3, 7])
def test_episodes_are_the_same_in_any_number_of_shards(count: int) -> None:
    one, many = Here(shards(1)), Here(shards(count))
    assert whole(many.do(EPISODES)) == whole(one.do(EPISODES))
    one.close()
    many.close()


def test_steps_of_an_environment_are_the_same_in_any_company() -> None:
    """Noise and all: environment 4 alone, and among seven."""
    among, alone = rollout(shards(1)[0], STEPS), rollout(Shard(SCENES, (4,), OPTIONS), STEPS)
    for name in set(among) - {"environment"}:
        assert np.array_equal(among[name][:, 4], alone[name][:, 0])


def test_another_call_or_other_weights_are_another_rollout(tmp_path: Path) -> None:
    shard = shards(1)[0]
    seen = [
        rollout(shard, job)["policy"]
        for job in (
            STEPS,
            replace(STEPS, call=6),
            replace(STEPS, explore=0.1),
            replace(STEPS, weights=taught(tmp_path / "a")),
            replace(STEPS, weights=taught(tmp_path / "b", 1)),
        )
    ]
    assert not any(np.array_equal(a, b) for i, a in enumerate(seen) for b in seen[:i])


def test_a_learnt_policy_travels_as_bytes(tmp_path: Path) -> None:
    job = replace(STEPS, weights=taught(tmp_path / "run"), explore=0.0)
    first = rollout(shards(1)[0], job)
    assert same(first, rollout(*pickle.loads(pickle.dumps((shards(1)[0], job)))))
    act = policy.load(tmp_path / "run")
    env = WorldEnv(SCENES.scenes, 7, threads=1, **OPTIONS)
    env.reset(seed=5)
    assert np.array_equal(act(env.worlds), first["actions"][0])
    env.close()


# What is in it


def test_episodes_are_those_of_a_trial() -> None:
    env = WorldEnv(SCENES.scenes, 7, threads=1, **OPTIONS)
    tried = trial.run(env, seed=5)
    env.close()
    got = Evaluation("the expert opened", together([rollout(shard, EPISODES) for shard in shards(2)]), 2)
    assert got.failed == tried.failed
    assert got.text().splitlines()[0] == tried.text()
    assert got.share == tried.share
    assert got.arrays["environment"].tolist() == list(range(7))
    assert ((got.arrays["opened"] >= 0.8) == got.arrays["success"]).all()
    assert (got.arrays["steps"] <= 60).all()


def test_steps_are_those_of_the_environment() -> None:
    """What ends starts anew, and what is seen then is of the new episode."""
    got = rollout(shards(1)[0], replace(STEPS, explore=0.0))
    env = WorldEnv(SCENES.scenes, 7, threads=1, **OPTIONS)
    seen, _ = env.reset(seed=5)
    for step in range(70):
        assert np.array_equal(seen["policy"], got["policy"][step])
        actions = expert(env.worlds)
        assert np.array_equal(actions, got["actions"][step])
        seen, reward, success, truncated, _ = env.step(actions)
        assert np.array_equal(reward, got["reward"][step])
        assert np.array_equal(success, got["success"][step])
        assert np.array_equal(truncated, got["truncated"][step])
    assert np.array_equal(seen["privileged"], got["privileged"][70])
    assert got["success"].sum() > 7  # of these some began anew
    assert got["policy"].shape == (71, 7, len(policy_names(Hand())))
    assert got["privileged"].shape == (71, 7, len(PRIVILEGED))
    env.close()


def test_kinds_are_those_of_the_joints_that_were_asked_for() -> None:
    """The chest has a drawer above a door; kinds add up to the whole."""
    arrays = together([rollout(shard, EPISODES) for shard in shards(2, 12)])
    made = SCENES.scenes[0]
    kinds = {mjcf.name_of(a, j): "drawer" if j.kind is JointKind.SLIDE else "door" for a, j in made.joints()}
    assert arrays["kind"].tolist() == [kinds[joint] for joint in arrays["joint"].tolist()]
    got = Evaluation("x", arrays, 2)
    assert set(got.kinds) == {"drawer", "door"}
    assert sum(share.won for share in got.kinds.values()) == got.whole.won
    assert sum(share.of for share in got.kinds.values()) == got.whole.of == 12
    assert all(f"  {kind}" in got.text() for kind in got.kinds)


def test_cousins_stay_cousins_in_a_shard_and_give_what_their_scenes_do() -> None:
    """None is built to be shared out; their spec goes along, which says what form a batch on warp has."""
    cousins = make(chest(0), preset("medium"), count=5)
    parts = split(Sent(cousins), 8, 2, OPTIONS)
    for part in parts:
        some = taken(cousins, part.environments)
        assert isinstance(some, Cousins)
        assert some.spec is cousins.spec
        assert some.ids == tuple(f"medium/{i % 5}" for i in part.environments)
    listed = split(Sent(list(cousins)), 8, 2, OPTIONS)
    for a, b in zip(parts, listed, strict=True):
        assert same(rollout(a, EPISODES), rollout(b, EPISODES))


def test_every_environment_is_in_one_shard_and_each_has_some_of_everything() -> None:
    parts = split(SCENES, 7, 3, {})
    assert sorted(i for part in parts for i in part.environments) == list(range(7))
    assert [len(part.environments) for part in parts] == [3, 2, 2]
    assert [part.gpus for part in split(SCENES, 2, 2, {"backend": "warp"})] == [1, 1]
    assert split(SCENES, 2, 1, {"backend": "warp", "device": "cpu"})[0].gpus == 0
    assert parts[0].gpus == 0


def test_a_digest_hears_of_every_bit() -> None:
    arrays = rollout(shards(1)[0], EPISODES)
    digests = {Evaluation("x", arrays, 1).digest}
    for name in arrays:
        other = arrays[name].copy()
        other[3] = "else" if other.dtype.kind == "U" else other[3] + 1 if other.dtype != bool else ~other[3]
        digests.add(Evaluation("x", arrays | {name: other}, 1).digest)
    assert len(digests) == len(arrays) + 1


def test_an_evaluation_is_json_and_says_what_was_lost() -> None:
    arrays = rollout(shards(1)[0], EPISODES)
    fine, lossy = Evaluation("x", arrays, 2), Evaluation("x", arrays, 2, lost=1)
    data = json.loads(json.dumps(fine.to_json()))
    assert (data["episodes"], data["share"], data["shards"]) == (7, fine.share, 2)
    assert data["all"] == fine.whole.to_json()
    low, high = data["all"]["interval"]
    assert low < fine.share <= high
    assert fine.findings == ()
    assert lossy.findings[0].code == "worker-lost"
    assert lossy.digest == fine.digest


# Bad input


@pytest.mark.parametrize("count", [0, 8])
def test_no_shard_is_empty(count: int) -> None:
    with pytest.raises(PocketworldError, match=f"{count} shards of 7 environments; 1 to 7 shards"):
        split(SCENES, 7, count, {})


def test_results_are_put_together_once() -> None:
    part = rollout(shards(7)[0], EPISODES)
    with pytest.raises(PocketworldError, match="an environment is in two shards"):
        together([part, part])
    with pytest.raises(PocketworldError, match="no results of episodes"):
        together([rollout(shards(7)[0], replace(STEPS, steps=3))])


def test_a_shard_without_scenes_says_so() -> None:
    with pytest.raises(PocketworldError, match="a shard without scenes"):
        rollout(Shard(Sent([]), (0,)), EPISODES)


def test_a_run_that_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PocketworldError, match=r"policy.onnx does not exist; name a run"):
        Weights.read(tmp_path)
    assert Weights.read("expert") == Weights()


def test_a_policy_that_does_not_fit_is_refused_before_anything_starts(tmp_path: Path) -> None:
    good = taught(tmp_path / "run")
    good.check(Asked())
    Weights().check(Asked("close", replace(Hand(), actions=("out",)), observation="rgbd"))
    with pytest.raises(PocketworldError, match=r"run: the policy's task is another: 'open', not 'close'"):
        good.check(Asked("close"))
    with pytest.raises(PocketworldError, match="observation rgbd: policies here see numbers only"):
        good.check(Asked(observation="rgbd"))
    with pytest.raises(PocketworldError, match=r"run: the policy's observation is another"):
        good.check(Asked(robot=replace(Hand(), seen=("joint_1",))))
    spec = json.loads(good.files[FILES[1]])
    other = json.dumps(spec | {"action": ["out"]}).encode()
    odd = replace(good, files={**good.files, FILES[1]: other})
    with pytest.raises(PocketworldError, match="run: the policy's action is another"):
        odd.check(Asked())
    old = json.dumps({name: it for name, it in spec.items() if name != policy.DEVIATION}).encode()
    for text, told in (
        (b"{", r"run/policy.json can't be read"),
        (b"[]", r"run/policy.json is no policy's"),
        (old, r"^run/policy.json: deviation is None, not 4 numbers from 0 on; train again$"),
    ):
        with pytest.raises(PocketworldError, match=told):
            replace(good, files={**good.files, FILES[1]: text}).check(Asked())


def test_what_is_said_of_an_evaluation_stays_with_it() -> None:
    arrays = together([rollout(shards(7)[0], EPISODES)])
    said = Finding("some", Severity.NOTE, "evaluate", "x", "y")
    assert Evaluation("x", arrays, 1).findings == ()
    assert Evaluation("x", arrays, 1, said=(said,)).findings == (said,)
    one, other = Evaluation("x", arrays, 1, 2, (said,)).findings
    assert one is said
    assert other.code == "worker-lost"


def test_some_of_a_source_are_a_source() -> None:
    some = Some(SCENES, (2, 0))
    names = [SCENES()[2].name, SCENES()[0].name]
    assert [scene.name for scene in some()] == names
    assert [scene.name for scene in pickle.loads(pickle.dumps(some))()] == names
    same_ones = Sent([SCENES()[2], SCENES()[0]])
    ours, theirs = (rollout(Shard(one, (0, 1, 2, 3), OPTIONS), EPISODES) for one in (some, same_ones))
    assert same(ours, theirs)
