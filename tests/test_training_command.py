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
from pocketworld.sim.training.policy import WEIGHTS, load
from pocketworld.sim.training.run_folder import CHECKPOINTS, CURVE, SPEC, RunFolder
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
    words = ("--iterations", "3", "--checkpoint-every", "2")
    whole = train(world, "--name", "whole", *words)
    assert whole.exit_code == 0, whole.stderr

    real = learning.train

    def interrupted(*words: Any, **options: Any) -> Any:
        tick = options["tick"]

        def stop(now: str) -> None:
            tick(now)
            if now.startswith("iteration 3"):
                raise KeyboardInterrupt

        return real(*words, **(options | {"tick": stop}))

    monkeypatch.setattr(learning, "train", interrupted)
    stopped = train(world, "--name", "parts", *words)
    assert stopped.exit_code == 130
    assert "--resume goes on" in stopped.stderr
    monkeypatch.setattr(learning, "train", real)

    run = world / "runs" / "parts"
    assert RunFolder(run).last == 2
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
    words = ("--checkpoint-every", "2", "--preset", "near")
    assert train(world, "--name", "whole", "--iterations", "4", *words).exit_code == 0
    assert train(world, "--name", "parts", "--iterations", "3", *words).exit_code == 0
    assert RunFolder(world / "runs" / "parts").last == 2
    more = CliRunner().invoke(
        main, ["train", str(world), "--name", "parts", "--resume", "--iterations", "4", "--no-film"]
    )
    assert more.exit_code == 0, more.stderr
    ours, theirs = (content(world / "runs" / name) for name in ("parts", "whole"))
    for name in (WEIGHTS, "evaluation.json", "config.json", "spec.toml"):
        assert ours[name] == theirs[name]
    again = train(world, "--name", "parts", "--iterations", "4", *words)
    assert "is a training already" in again.stderr


@pytest.mark.usefixtures("quick")
def test_an_interruption_before_a_checkpoint_says_so(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "learn", stopped)
    done = train(world)
    assert done.exit_code == 130
    assert "has come to no checkpoint yet" in done.stderr
    assert "--resume" not in done.stderr


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
    assert [one["where"] for one in judged][3:] == ["the twin on warp"]
    assert judged[3]["all"]["of"] == 1


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
    assert (config["settings"]["place_mm"], config["settings"]["turn_deg"]) == (10.0, 3.0)
    judged = json.loads((run / "evaluation.json").read_text())["evaluations"]
    assert [one["where"] for one in judged] == ["2 cousins learnt in", "1 cousins held out", "the twin"]
    assert "the twin on warp: mujoco_warp is not installed" in done.stderr
    worlds = backends.worlds([api.twin_of(world)], 2, threads=1)
    worlds.start(np.arange(2))
    assert load(run)(worlds).shape == (2, 4)
    worlds.physics.close()


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
        (("--resume", "--preset", "far"), "changed under the training"),
        (("--resume", "--held-out", "3"), "cousins held out changed under the training, from 1 to 3"),
        (("--resume", "--name", "other"), "config.json does not exist"),
        (("--name", "../other"), "--name: name is '../other'"),
        (("--name", "b", "--task", "shake"), "no task 'shake'"),
        (("--name", "b", "--robot", "whale"), "no robot 'whale'"),
        (("--name", "b", "--backend", "physx"), "no backend 'physx'"),
        (("--name", "b", "--preset", "odd"), "no preset 'odd'"),
        (("--name", "b", "--noise-mm", "nan"), "place_mm is nan"),
    ],
)
def test_what_can_not_be_is_one_line(world: Path, words: tuple[str, ...], told: str) -> None:
    run = RunFolder(world / "runs" / "open")
    cousins = api.make_cousins(world, "medium", count=3)
    run.begin(Settings(envs=8), origin(world.name, cousins, 2, 1))
    (run.path / SPEC).write_text(specs.dump(cousins.spec))
    run.keep(25, {}, Hand())
    done = train(world, *words)
    assert done.exit_code == 1
    assert told in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert done.stdout == ""


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
    assert "keeps the last checkpoint: --resume goes on" in told
    assert "Traceback" not in told
    run = RunFolder(world / "runs" / "open")
    assert run.last == 25
    assert torch.load(run.path / CHECKPOINTS / "000025.pt", weights_only=True)["iteration"] == 25
    assert not [p.name for p in run.path.rglob(".*.new*")]
    again = subprocess.run([*command[:-1], "27", "--resume"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "iteration 25," not in again.stderr
    assert "iteration 26," in again.stderr
