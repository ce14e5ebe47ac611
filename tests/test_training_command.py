"""pocketworld train: from a world to a policy, going on after an interruption, one line where it can't."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from pocketworld import api, learning, scene_file
from pocketworld.cli.main import main
from pocketworld.cousins import sequence
from pocketworld.cousins import spec as specs
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.scene import HandleKind, Scene
from pocketworld.sim import backends
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.training import evaluate as evaluation
from pocketworld.sim.training import train as training
from pocketworld.sim.training.origin import origin
from pocketworld.sim.training.policy import WEIGHTS, load, spec_of
from pocketworld.sim.training.progress import Progress
from pocketworld.sim.training.run_folder import CHECKPOINTS, CURVE, SPEC, Row, RunFolder
from pocketworld.sim.training.settings import Settings

SMALL = ("--train", "2", "--held-out", "1", "--envs", "8", "--threads", "1", "--no-film")


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with a twin, as far as training looks."""
    folder = tmp_path / "some.world"
    (folder / "twin").mkdir(parents=True)
    asset = build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.BAR))), "chest")
    scene_file.save(Scene("some", (asset,)), folder / "twin")
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes long and is tested elsewhere: Warp's kernels."""
    monkeypatch.setitem(sys.modules, "mujoco_warp", None)


def train(world: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["train", str(world), *SMALL, *words])


def content(run: Path) -> dict[str, bytes]:
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in sorted(run.rglob("*")) if p.is_file()}


@pytest.mark.usefixtures("quick")
def test_it_goes_on_after_an_interruption_as_if_there_had_been_none(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte of the policy. The first run is interrupted in its second leg."""
    words = ("--iterations", "9", "--checkpoint-every", "7")
    whole = train(world, "--name", "whole", *words)
    assert whole.exit_code == 0, whole.stderr

    real = learning.train

    def interrupted(*words: Any, **options: Any) -> Any:
        tick = options["tick"]

        def stop(now: str) -> None:
            tick(now)
            if now.startswith("iteration 8"):
                raise KeyboardInterrupt

        return real(*words, **(options | {"tick": stop}))

    monkeypatch.setattr(learning, "train", interrupted)
    stopped = train(world, "--name", "parts", *words)
    assert stopped.exit_code == 130
    told = "stopped after iteration 8; checkpoint 7 is kept: --resume goes on from there"
    assert told in stopped.stderr.splitlines()
    monkeypatch.setattr(learning, "train", real)

    run = world / "runs" / "parts"
    assert RunFolder(run).last == 7
    assert not (run / WEIGHTS).exists()
    done = train(world, "--name", "parts", "--resume")
    assert done.exit_code == 0, done.stderr
    ours, theirs = content(run), content(world / "runs" / "whole")
    assert ours[WEIGHTS] == theirs[WEIGHTS]
    assert ours["evaluation.json"] == theirs["evaluation.json"]
    assert [r[:-1] for r in _rows(ours)] == [r[:-1] for r in _rows(theirs)]  # but for the CPU time


@pytest.mark.usefixtures("quick")
def test_more_iterations_are_as_if_asked_for_at_first(world: Path) -> None:
    """Also where the first ones ended within a leg. What it began with need not be said again."""
    words = ("--checkpoint-every", "7", "--preset", "near")
    assert train(world, "--name", "whole", "--iterations", "9", *words).exit_code == 0
    assert train(world, "--name", "parts", "--iterations", "8", *words).exit_code == 0
    assert RunFolder(world / "runs" / "parts").last == 7
    more = CliRunner().invoke(
        main, ["train", str(world), "--name", "parts", "--resume", "--iterations", "9", "--no-film"]
    )
    assert more.exit_code == 0, more.stderr
    ours, theirs = (content(world / "runs" / name) for name in ("parts", "whole"))
    for name in (WEIGHTS, "evaluation.json", "config.json", "spec.toml"):
        assert ours[name] == theirs[name]
    again = train(world, "--name", "parts", "--iterations", "9", *words)
    assert "is a training already" in again.stderr


@pytest.mark.usefixtures("quick")
def test_an_interruption_before_a_checkpoint_says_so(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "learn", stopped)
    done = train(world)
    assert done.exit_code == 130
    assert "stopped before the first iteration: the same command begins anew" in done.stderr.splitlines()
    assert not (world / "runs").exists()
    run = RunFolder(world / "runs" / "open")
    run.begin(Settings(), {})
    run.write_rows([Row(Progress(3, 768, 0, None, 0.1, 0.1, 0.6, 1e-3), 1.5)])
    told = "stopped after iteration 3, before a checkpoint: the same command begins anew"
    assert told in train(world).stderr.splitlines()


def test_what_fails_on_the_other_backend_degrades_the_evaluation(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = evaluation.evaluate

    def fails(*words: Any, **options: Any) -> Any:
        if options["backend"] == "warp":
            raise PocketworldError("contacts overflow", "more room")
        return real(*words, **options)

    monkeypatch.setattr(training, "evaluate", fails)
    done = CliRunner().invoke(main, ["--json", "train", str(world), *SMALL, "--iterations", "1"])
    assert done.exit_code == 0, done.stderr
    (found,) = json.loads(done.stdout)["findings"]
    assert (found["code"], found["severity"]) == ("not-evaluated", "degraded")
    assert "the twin on warp: contacts overflow" in found["text"]


@pytest.mark.slow
def test_the_twin_is_judged_on_warp_too(world: Path) -> None:
    done = train(world, "--iterations", "1", "--device", "cpu")
    assert done.exit_code == 0, done.stderr
    judged = json.loads((world / "runs" / "open" / "evaluation.json").read_text())["evaluations"]
    assert [one["where"] for one in judged][-1:] == ["the twin on warp"]
    assert judged[-1]["all"]["of"] == 1


def _rows(files: dict[str, bytes]) -> list[list[str]]:
    return list(csv.reader(files[CURVE].decode().splitlines()))


@pytest.mark.usefixtures("quick")
def test_what_it_leaves_is_whole_and_acts(world: Path) -> None:
    done = train(world, "--name", "some", "--iterations", "1", "--noise-mm", "10", "--noise-deg", "3")
    assert done.exit_code == 0, done.stderr
    run = world / "runs" / "some"
    names = {"config.json", CURVE, "curve.png", "policy.onnx", "policy.json", "evaluation.json", ".lock"}
    assert set(content(run)) == names | {"spec.toml"}
    config = json.loads((run / "config.json").read_text())
    assert (config["settings"]["noise_mm"], config["settings"]["noise_deg"]) == (10.0, 3.0)
    judged = json.loads((run / "evaluation.json").read_text())["evaluations"]
    held = "1 cousin held out"
    assert [one["where"] for one in judged] == [
        "2 cousins learnt in",
        held,
        f"{held}, without its deviation",
        "the twin",
    ]
    assert "the twin on warp: mujoco_warp is not installed" in done.stderr
    worlds = backends.worlds([api.twin_of(world)], 2, threads=1)
    worlds.start(np.arange(2))
    assert load(run)(worlds).shape == (2, 4)
    worlds.physics.close()
    tried = CliRunner().invoke(main, ["--quiet", "evaluate", str(world), "--policy", str(run)])
    assert tried.stdout.startswith("the policy some opened ")


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_film_is_made_where_asked_for(world: Path) -> None:
    words = [word for word in SMALL if word != "--no-film"]
    done = CliRunner().invoke(main, ["--json", "train", str(world), *words, "--iterations", "1"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["run"] == str(world / "runs" / "open")
    assert (world / "runs" / "open" / "film.mp4").stat().st_size > 1000


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "is a training already; --resume goes on"),
        (("--resume", "--seed", "4"), "cousins' seed changed under the training, from 0 to 4"),
        (("--resume", "--envs", "16"), "envs was 8, is 16"),
        (("--resume", "--iterations", "24"), "has learnt 25 iterations, 24 are asked for"),
        (
            ("--resume", "--preset", "far"),
            'the spec changed under the training: name was "medium", is "far" (and 115 more)',
        ),
        (("--resume", "--held-out", "3"), "cousins held out changed under the training, from 1 to 3"),
        (("--resume", "--name", "other"), "config.json does not exist"),
        (("--name", "../other"), "--name: name is '../other'"),
        (("--name", "b", "--task", "shake"), "no task 'shake'"),
        (("--name", "b", "--robot", "whale"), "no robot 'whale'"),
        (("--name", "b", "--backend", "physx"), "no backend 'physx'"),
        (("--name", "b", "--preset", "odd"), "no preset 'odd'"),
        (("--name", "b", "--noise-mm", "nan"), "noise_mm is nan; from 0 to 1000"),
        (("--name", "b", "--noise-mm", "1e9"), "noise_mm is 1000000000.0; from 0 to 1000"),
        (("--name", "b", "--noise-deg", "181"), "noise_deg is 181.0; from 0 to 180"),
        (("--name", "b", "--checkpoint-every", "1"), "checkpoint_every is 1; at least 7"),
        (("--name", "b", "--device", "cuda"), "the backend mujoco runs on no 'cuda'"),
        (("--name", "b", "--envs", "100000000"), "100000000 environments need about"),
        (("--resume", "--robot", "panda"), 'robot was "hand", is "panda"'),
    ],
)
def test_what_can_not_be_is_one_line(
    world: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    run = RunFolder(world / "runs" / "open")
    cousins = api.make_cousins(world, "medium", count=3)
    run.begin(Settings(envs=8), origin(world.name, cousins, 2, 1))
    (run.path / SPEC).write_text(specs.dump(cousins.spec))
    run.keep(25, {}, Hand())
    drawn: list[int] = []
    real = sequence.make

    def noted(*of: Any, count: int, **options: Any) -> Any:
        drawn.append(count)
        return real(*of, count=count, **options)

    monkeypatch.setattr(sequence, "make", noted)
    done = train(world, *words)
    assert done.exit_code == 1
    assert drawn in ([], [1])  # it is said before cousins are
    assert not (world / "runs" / "b").exists()
    assert told in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert done.stdout == ""


@pytest.fixture
def trained(world: Path) -> RunFolder:
    """A training as it stands after its first checkpoint; what is in it has not been learnt."""
    run = RunFolder(world / "runs" / "open")
    cousins = api.make_cousins(world, "medium", count=3)
    run.begin(Settings(envs=8), origin(world.name, cousins, 2, 1))
    (run.path / SPEC).write_text(specs.dump(cousins.spec))
    run.write_rows([Row(Progress(i, i * 256, 3, 0.1, 0.1, 0.1, 0.6, 1e-3), 1.0 * i) for i in range(1, 61)])
    run.keep(25, {}, Hand())
    return run


def test_what_is_gone_or_damaged_is_told_before_cousins_are_drawn_and_nothing_is_changed(
    world: Path, trained: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "make_cousins", None)
    file = trained.path / CHECKPOINTS / "000025.pt"
    file.write_bytes(file.read_bytes()[:1000])
    before = content(trained.path)
    told = f"Error: {file} is damaged; delete it to go on from the one before\n"
    assert train(world, "--resume").stderr == told
    assert content(trained.path) == before
    file.unlink()
    before = content(trained.path)
    told = f"Error: {file.parent} holds none, the curve says 60 iterations; train anew under another name\n"
    assert train(world, "--resume").stderr == told
    assert content(trained.path) == before


def test_a_world_that_is_renamed_and_moved_is_the_same(
    world: Path, trained: RunFolder, tmp_path: Path
) -> None:
    """It is asked for another number of cousins, so that it says what it finds changed and learns nothing."""
    moved = tmp_path / "deeper" / "wörld's other.world"
    moved.parent.mkdir()
    world.rename(moved)
    done = train(moved, "--resume", "--held-out", "3")
    assert "cousins held out changed under the training, from 1 to 3; put it back" in done.stderr
    assert train(moved, "--resume", "--envs", "16").stderr.startswith(f"Error: {moved}/runs/open: envs was 8")


def test_a_spec_that_was_changed_by_hand_is_named(world: Path, trained: RunFolder) -> None:
    spec = world / "mine.toml"
    text = (trained.path / SPEC).read_text()
    assert text.endswith("yaw = 0.1\n")
    spec.write_text(text.removesuffix("yaw = 0.1\n") + "yaw = 0.2\n")
    told = "the spec changed under the training: placement.shift.yaw was 0.1, is 0.2; put it back"
    assert told in train(world, "--resume", "--spec", str(spec)).stderr
    (trained.path / SPEC).write_text(spec.read_text())
    assert "spec changed under the training; put it back" in train(world, "--resume").stderr


@pytest.mark.usefixtures("quick")
def test_of_one_that_never_learnt_settings_are_not_compared(world: Path, trained: RunFolder) -> None:
    (trained.path / CHECKPOINTS / "000025.pt").unlink()
    (trained.path / CURVE).unlink()
    done = train(world, "--resume", "--iterations", "1", "--seed", "3")
    assert done.exit_code == 0, done.stderr
    assert trained.config[0].seed == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--robot", "whale"), "no robot 'whale'; there are: hand, panda, panda:joints"),
        (("--task", "shake"), "no task 'shake'"),
        (("--backend", "physx"), "no backend 'physx'"),
        (("--device", "cuda"), "the backend mujoco runs on no 'cuda'"),
        (("--spec", "none.toml"), "none.toml does not exist"),
        (("--envs", "100000000"), "need about"),
    ],
)
def test_a_start_that_fails_leaves_nothing(world: Path, words: tuple[str, ...], told: str) -> None:
    done = train(world, *words)
    assert done.exit_code == 1
    assert told in done.stderr
    assert "to learn in" not in done.stderr
    assert not (world / "runs").exists()


def test_an_empty_policy_is_one_line(world: Path, trained: RunFolder) -> None:
    (trained.path / WEIGHTS).write_bytes(b"")
    (trained.path / "policy.json").write_text(json.dumps(spec_of(Hand()) | {"task": "open"}))
    done = CliRunner().invoke(main, ["sim", str(world), "--policy", str(trained.path)])
    assert done.stderr == f"Error: {trained.path / WEIGHTS} is empty or damaged; train again\n"


def test_a_world_that_is_none_is_one_line(tmp_path: Path) -> None:
    done = train(tmp_path / "none")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


def test_nothing_is_left_of_a_training_that_could_not_begin(tmp_path: Path) -> None:
    train(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_what_is_not_installed_is_one_line(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rsl_rl", None)
    done = train(world)
    assert done.exit_code == 1
    assert done.stderr == ("Error: rsl_rl is not installed; pip install 'pocketworld[train]'\n")


def test_help_loads_nothing_heavy() -> None:
    lines = (
        "import sys; from pocketworld.cli.main import main; main(['train', '--help'], standalone_mode=False)"
    )
    heavy = "; print({'torch', 'mujoco', 'matplotlib', 'scipy'} & set(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", lines + heavy], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"
    assert "--held-out" in done.stdout


@pytest.mark.slow
def test_an_interrupted_process_leaves_a_folder_that_goes_on(world: Path) -> None:
    command = [sys.executable, "-m", "pocketworld.cli", "train", str(world), *SMALL, "--iterations", "400"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as one:
        assert one.stderr is not None
        for line in one.stderr:
            if "iteration 26" in line:
                break
        one.send_signal(signal.SIGINT)
        told = one.stderr.read()
        assert one.wait(60) == 130
    assert "; checkpoint 25 is kept: --resume goes on from there" in told
    assert "Traceback" not in told
    run = RunFolder(world / "runs" / "open")
    assert run.last == 25
    assert torch.load(run.path / CHECKPOINTS / "000025.pt", weights_only=True)["iteration"] == 25
    assert not [p.name for p in run.path.rglob(".*.new*")]
    again = subprocess.run([*command[:-1], "27", "--resume"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "iteration 25," not in again.stderr
    assert "iteration 26," in again.stderr
