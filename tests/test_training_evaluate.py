"""What a policy is worth: shares with intervals, by kind, failures by name; policies from folders."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import binom

from pocketworld.cousins import sequence
from pocketworld.cousins.sequence import Cousins
from pocketworld.cousins.spec import preset
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.scene import HandleKind, JointKind, Scene, Side
from pocketworld.sim import backends
from pocketworld.sim.asked import Asked
from pocketworld.sim.expert import expert
from pocketworld.sim.models.mjcf import name_of
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.robots.robot import Fitted
from pocketworld.sim.share import Share
from pocketworld.sim.tasks.observation import POLICY
from pocketworld.sim.training import export as exporting
from pocketworld.sim.training import policy as policies
from pocketworld.sim.training.evaluate import evaluate, eyes, joints, run, spread
from pocketworld.sim.training.export import check, export
from pocketworld.sim.training.policy import SPEC, WEIGHTS, fits, greedy, load, load_for, load_mean, spec_of
from pocketworld.sim.training.ppo import Counted, Learner
from pocketworld.sim.training.settings import Settings
from pocketworld.sim.worlds import Worlds

torch.set_num_threads(1)
SETTINGS = Settings(envs=4, steps=4, iterations=1, hidden=(16,), minibatches=2, max_steps=150)


def chest(width: float, *kinds: tuple[FrontKind, Side, HandleKind]) -> Scene:
    fronts: tuple[Front, ...] = tuple(
        Front(kind, side, usual(handle, 0.5, 0.5)) for kind, side, handle in kinds
    )
    whole = Split(True, tuple(1.0 for _ in fronts), fronts) if kinds[1:] else fronts[0]
    asset = build(Cabinet(width, 0.45, 0.35 * len(fronts), whole), "chest")
    return Scene(f"s{width}", (asset,), provenance={"cousin": f"test/{width}"})


DRAWER = (FrontKind.DRAWER, Side.NONE, HandleKind.BAR)
DOOR = (FrontKind.DOOR, Side.LEFT, HandleKind.BAR)
FLAP = (FrontKind.DOOR, Side.BOTTOM, HandleKind.BAR)
BARE = (FrontKind.DRAWER, Side.NONE, HandleKind.NONE)


def still(worlds: Worlds) -> NDArray[np.float64]:
    return np.zeros((worlds.num_envs, 4))


@pytest.fixture(scope="module")
def learner() -> Iterator[Learner]:
    env = Counted([chest(0.5, DRAWER)], 4, threads=1)
    made = Learner(env, SETTINGS)
    made.actor.obs_normalizer.update(torch.randn(100, len(POLICY)) * 3 + 1)
    yield made
    env.close()


@pytest.fixture(scope="module")
def exported(learner: Learner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    export(learner.actor, Hand(), folder, {"task": "open"})
    return folder


# Shares


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_the_interval_holds_the_true_share_as_often_as_it_says(share: float) -> None:
    of = 200
    holds = [low <= share <= high for low, high in (Share(won, of).interval for won in range(of + 1))]
    assert 0.93 < binom.pmf(np.arange(of + 1), of, share)[holds].sum() < 0.98


def test_an_interval_stays_within_0_and_1_and_narrows_with_more() -> None:
    assert Share(0, 5).interval[0] == 0
    assert Share(5, 5).interval[1] == pytest.approx(1)
    wide, narrow = (np.ptp(Share(n // 2, n).interval) for n in (10, 1000))
    assert narrow < wide / 5
    assert Share(3, 4).text().startswith("0.750 (95 %: 0.301 .. 0.954; 3 of 4)")


# Evaluations


def test_the_expert_opens_all_and_kinds_are_told_apart() -> None:
    done = evaluate(expert, [chest(0.5, DRAWER, DOOR, FLAP), chest(0.6, DRAWER)], SETTINGS, "x", threads=1)
    assert {kind: share.of for kind, share in done.kinds.items()} == {"drawer": 2, "door": 1, "flap": 1}
    assert done.whole == Share(4, 4)
    assert (done.failed, done.unstable, done.unheld) == ((), (), 0)
    assert done.seconds is not None
    assert 1 < done.seconds < 6
    assert done.text().splitlines()[0] == f"x: {done.whole.text()}"
    assert json.loads(json.dumps(done.to_json()))["kinds"]["flap"]["won"] == 1


def test_what_fails_is_named_with_how_far_it_came() -> None:
    done = evaluate(still, [chest(0.5, DRAWER, DOOR)], SETTINGS, "x", threads=1)
    assert done.whole.won == 0
    assert [name for name, _ in done.failed] == ["test/0.5 chest/0", "test/0.5 chest/1"]
    assert all(abs(best) < 0.01 for _, best in done.failed)
    assert done.seconds is None
    assert done.to_json()["median_seconds_to_success"] is None


def test_what_has_no_handle_is_counted_and_not_asked_for() -> None:
    done = evaluate(still, [chest(0.5, DRAWER, BARE)], SETTINGS, "x", threads=1)
    assert (done.whole.of, done.unheld) == (1, 1)
    with pytest.raises(PocketworldError, match="y: no joint has a handle"):
        evaluate(still, [chest(0.5, BARE)], SETTINGS, "y", threads=1)


REACH: Any = None  # how it gets there plays no part


class Short(Hand):
    """A hand that does not get to doors."""

    def fitted(self, scene: Scene) -> Fitted:
        near = {name_of(a, j) for a, j in scene.joints() if j.kind is JointKind.SLIDE}
        return replace(super().fitted(scene), reached=dict.fromkeys(near, REACH))


def test_what_is_out_of_reach_is_counted_and_not_asked_for() -> None:
    scenes = [chest(0.5, DOOR, DRAWER, BARE), chest(0.6, DOOR)]
    there = joints(scenes, Short())
    assert (there.held, there.unheld, there.far) == (((0, "chest/1"),), 1, 2)
    assert joints(scenes, Hand()).far == 0


def test_cousins_stay_unbuilt_and_come_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cousins = sequence.make(chest(0.5, DRAWER, DOOR), preset("near"), count=2)
    expected = evaluate(expert, list(cousins.bare()), SETTINGS, "x", threads=1)
    given: list[Any] = []

    def noted(scenes: Any, **options: Any) -> Worlds:
        given.append(scenes)
        return worlds_of(scenes, **options)

    worlds_of = backends.worlds
    monkeypatch.setattr(backends, "worlds", noted)
    assert evaluate(expert, cousins.bare(), SETTINGS, "x", threads=1) == expected
    assert isinstance(given[0], Cousins)


def test_an_episode_counts_once_and_ends_with_its_first_end() -> None:
    worlds = backends.worlds([chest(0.5, DRAWER)] * 2, threads=1, max_steps=60)
    calls = 0

    def half(worlds: Worlds) -> Any:
        nonlocal calls
        calls += 1
        return np.where(np.array([[True], [False]]), expert(worlds), 0.0)

    won, steps, best, wild = run(half, worlds, ["chest/0", "chest/0"], 0)
    worlds.physics.close()
    assert won.tolist() == [True, False]
    assert steps[1] == calls == 60
    assert 10 < steps[0] < 60
    assert best[0] >= 1 > 0.01 > best[1]
    assert not wild.any()


@pytest.mark.parametrize(("count", "most"), [(3, 5), (5, 5), (100, 7), (1000, 256)])
def test_evenly_chosen_ones_are_all_different_and_reach_both_ends(count: int, most: int) -> None:
    chosen = spread(range(count), most)
    assert len(set(chosen)) == len(chosen) == min(count, most)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    assert np.ptp(np.diff(chosen)) <= 1


def test_eyes_are_in_metres_and_radians() -> None:
    seen = eyes(Settings(noise_mm=10.0, noise_deg=3.0))
    assert [seen.place, seen.turn] == pytest.approx([0.01, 0.05236], rel=1e-4)


# Policies in folders


def test_an_exported_policy_does_what_the_network_does_for_any_number(
    learner: Learner, exported: Path
) -> None:
    scenes = [chest(0.5, DRAWER), chest(0.7, DOOR), chest(0.6, FLAP)]
    worlds = backends.worlds(scenes, 5, threads=1)
    worlds.start(np.arange(5))
    ours, theirs = greedy(learner.actor), load_mean(exported)
    for _ in range(4):
        action = ours(worlds)
        assert theirs(worlds) == pytest.approx(np.clip(action, -1, 1), abs=1e-5)
        worlds.advance(worlds.checked(action))
    worlds.physics.close()


def test_it_is_the_same_file_each_time_and_names_no_folder(
    learner: Learner, exported: Path, tmp_path: Path
) -> None:
    export(learner.actor, Hand(), tmp_path, {"task": "open"})
    content = (tmp_path / WEIGHTS).read_bytes()
    assert content == (exported / WEIGHTS).read_bytes()
    assert str(Path(torch.__file__).parents[1]).encode() not in content
    assert b".py" not in content
    assert (tmp_path / SPEC).read_text() == (exported / SPEC).read_text()


def test_its_spec_names_each_number(exported: Path) -> None:
    spec = json.loads((exported / SPEC).read_text())
    assert spec["observation"] == list(POLICY)
    assert spec["action"] == ["out", "across", "along", "open"]
    assert (spec["task"], spec["robot"], spec["control_hz"]) == ("open", "hand", 25)
    assert spec["input"]["shape"] == ["n", len(POLICY)]
    assert {"torch", "rsl-rl-lib", "mujoco"} <= set(spec["versions"])
    fits(spec, Hand(), exported)


def test_a_network_that_does_other_things_leaves_the_policy_that_was_there(
    learner: Learner, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: (exported / name).read_bytes() for name in (WEIGHTS, SPEC)}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(exporting, "CLOSE", -1.0)  # nothing is close enough
    with pytest.raises(PocketworldError, match="differs from the network"):
        export(learner.actor, Hand(), tmp_path, {"task": "close"})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_file_that_does_other_things_than_the_network_is_found(learner: Learner, exported: Path) -> None:
    module = learner.actor.as_onnx(verbose=False)
    check(module, exported / WEIGHTS)
    module.mlp[0].bias.data[0] += 0.5
    with pytest.raises(PocketworldError, match="differs from the network by"):
        check(module, exported / WEIGHTS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"robot": "panda"}, "the policy's robot is another: 'panda', not 'hand'"),
        ({"control_hz": 50}, "control_hz is another: 50, not 25"),
        ({"observation": [*POLICY, "smell"]}, f"{len(POLICY) + 1} numbers, not {len(POLICY)}.*smell"),
        ({"observation": list(reversed(POLICY))}, f"number 1 of {len(POLICY)} is 'fingers_asked_20', not"),
        ({"action": ["out"]}, "1 numbers, not 4; it differs in across"),
    ],
)
def test_a_policy_of_another_spec_is_one_line(change: dict[str, Any], told: str) -> None:
    with pytest.raises(PocketworldError, match=told):
        fits(spec_of(Hand()) | change, Hand(), Path("run"))


def test_policies_see_numbers_only(exported: Path) -> None:
    """Where there are pictures they are refused, before environments are made and as they act there."""
    line = "^observation rgbd: policies here see numbers only; ask for state$"
    with pytest.raises(PocketworldError, match=line):
        load_for(exported, Asked(observation="rgbd"))
    worlds = backends.worlds([chest(0.5, DRAWER)], threads=1, observation="rgbd", picture=(32, 24))
    worlds.start(np.arange(1))
    with pytest.raises(PocketworldError, match=line):
        load(exported)(worlds)
    worlds.close()
    load_for(exported, Asked())


def test_a_policy_is_refused_as_it_first_acts(exported: Path, tmp_path: Path) -> None:
    spec = json.loads((exported / SPEC).read_text()) | {"control_hz": 10}
    (tmp_path / WEIGHTS).write_bytes((exported / WEIGHTS).read_bytes())
    (tmp_path / SPEC).write_text(json.dumps(spec))
    worlds = backends.worlds([chest(0.5, DRAWER)], threads=1)
    worlds.start(np.arange(1))
    with pytest.raises(PocketworldError, match="control_hz"):
        load(tmp_path)(worlds)
    worlds.physics.close()


def test_a_policy_of_another_task_is_refused_as_it_first_acts(exported: Path) -> None:
    worlds = backends.worlds([chest(0.5, DRAWER)], threads=1, task="close")
    worlds.start(np.arange(1))
    with pytest.raises(PocketworldError, match="the policy's task is another: 'open', not 'close'"):
        load(exported)(worlds)
    worlds.close()


@pytest.mark.parametrize("name", ["observation", "action"])
def test_a_network_of_another_width_than_its_spec_is_one_line(
    exported: Path, tmp_path: Path, name: str
) -> None:
    spec = json.loads((exported / SPEC).read_text())
    spec[name].pop()
    (tmp_path / WEIGHTS).write_bytes((exported / WEIGHTS).read_bytes())
    (tmp_path / SPEC).write_text(json.dumps(spec))
    with pytest.raises(PocketworldError, match=r"policy\.onnx and policy\.json are not of one policy"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (WEIGHTS, None, "policy.onnx does not exist; pocketworld train makes it"),
        (WEIGHTS, b"no network", "policy.onnx is empty or damaged; train again$"),
        (WEIGHTS, b"", "policy.onnx is empty or damaged; train again$"),
        (SPEC, None, "policy.json does not exist"),
        (SPEC, b"{", "policy.json can't be read"),
        (SPEC, b"[]", "policy.json is no policy's spec"),
    ],
)
def test_a_folder_without_a_policy_is_one_line(
    exported: Path, tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    for file in (WEIGHTS, SPEC):
        (tmp_path / file).write_bytes((exported / file).read_bytes())
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PocketworldError, match=told) as caught:
        policies.load(tmp_path)
    assert "\n" not in str(caught.value)
