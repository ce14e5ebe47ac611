"""World folders by the commands: kept, continued after a kill, equal to the byte."""

import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from pocketworld import api, scene_file, workflow
from pocketworld.cli.main import main
from pocketworld.errors import PocketworldError, WorldError
from pocketworld.review.report import gather

ROOT = Path(__file__).parents[1]
STAGES = ("scan", "twin", "mjcf")


def quiet(_: str) -> None:
    """Tick for nobody."""


def contents(folder: Path, *names: str) -> dict[str, bytes]:
    files = [p for name in names for p in (folder / name).rglob("*") if p.is_file()]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def made(demo_capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worlds") / "demo.world"
    result = CliRunner().invoke(main, ["run", str(demo_capture), "-o", str(folder)])
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("capture: 1 cabinet; 4 drawers that open, ")
    assert lines[2] == f"report: {folder / 'report' / 'index.html'}"
    assert lines[3].startswith("open it: python -m mujoco.viewer --mjcf=")
    assert lines[4] == f"make cousins: pocketworld cousins {folder}"
    return folder


def test_a_world_holds_what_the_readme_says(made: Path) -> None:
    names = {p.name for p in made.iterdir()} - {".lock"}
    assert names == {"scan", "twin", "mjcf", "report", "cache", "world.json", "origin.json"}
    summary = json.loads((made / "world.json").read_text())
    assert set(summary["stages"]) == set(STAGES)
    assert all(cost["seconds"] > 0 for cost in summary["costs"].values())


def test_the_same_run_keeps_all_and_other_frames_remake(made: Path, demo_capture: Path) -> None:
    before = contents(made, *STAGES)
    again = workflow.run(demo_capture, made, None, quiet)
    assert again.data["reused"] == dict.fromkeys(STAGES, True)
    assert again.lines[-1] == "kept, as nothing that they are made of has changed: scan, twin, mjcf"
    assert contents(made, *STAGES) == before


@pytest.mark.slow
def test_a_world_says_of_what_and_how_it_was_made(made: Path, demo_capture: Path, tmp_path: Path) -> None:
    copy = tmp_path / "my capture"
    shutil.copytree(demo_capture, copy)
    (copy / "LICENSE.txt").write_text("MIT License\n")
    place = tmp_path / "w"
    workflow.reconstruct(copy, place, "0:40:2", quiet)
    spec = tmp_path / "mine.toml"
    spec.write_text((ROOT / "cousins" / "presets" / "near.toml").read_text().replace('"near"', '"mine"'))
    workflow.run_cousins(place, "a", "twin", None, 3, 2, 1, quiet)
    workflow.run_cousins(place, "b", "medium", spec, 0, 2, 1, quiet)
    said = json.loads((place / "world.json").read_text())
    assert said["capture"]["capture"] == "my capture"
    assert said["capture"]["licence"] == "MIT License (LICENSE.txt)"
    assert said["commands"] == [
        "pocketworld run 'my capture' -o w --frames 0:40:2",
        "pocketworld cousins w --name a --preset twin --count 2 --seed 3",
        "pocketworld cousins w --name b --spec mine.toml --count 2 --seed 0",
    ]


def test_a_spec_is_named_as_the_file_that_was_given(made: Path, tmp_path: Path) -> None:
    """Its command makes the very same again from there, whatever the spec calls itself."""
    spec = tmp_path / "my kitchen's.toml"
    spec.write_text((ROOT / "cousins" / "presets" / "near.toml").read_text())
    copy = shutil.copytree(made, tmp_path / "w")
    workflow.run_cousins(copy, "c", "medium", spec, 0, 2, 1, quiet)
    said = json.loads((copy / "world.json").read_text())["commands"][-1]
    assert str(tmp_path) not in said
    before = contents(copy, "cousins/c")
    shutil.rmtree(copy / "cousins")
    command = shlex.split(said.replace("pocketworld", f"{sys.executable} -m pocketworld.cli", 1))
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert contents(copy, "cousins/c") == before


def test_another_capture_is_refused(made: Path, captures: Path) -> None:
    with pytest.raises(WorldError, match="is the world of another capture, capture; name another folder"):
        workflow.run(captures / "3dscannerapp_chair", made, "0:3", quiet)


def test_cousins_are_kept_and_chosen_by_name(made: Path) -> None:
    first = workflow.run_cousins(made, None, "medium", None, 0, 4, 1, quiet)
    assert first.data["reused"] == {"cousins/medium": False}
    assert workflow.run_cousins(made, None, "medium", None, 0, 4, 1, quiet).data["reused"] == {
        "cousins/medium": True
    }
    workflow.run_cousins(made, "sure", "twin", None, 0, 2, 1, quiet)
    assert len(api.scenes_of(made, "sure")) == 2
    with pytest.raises(PocketworldError, match="has several sets of cousins: medium, sure; name one"):
        api.scenes_of(made)
    with pytest.raises(PocketworldError, match="has no cousins 'far'; it has medium, sure"):
        api.scenes_of(made, "far")


def test_cousins_of_a_world_are_those_of_its_twin(made: Path) -> None:
    workflow.run_cousins(made, None, "medium", None, 0, 4, 1, quiet)
    stored = api.scenes_of(made, "medium")
    drawn = api.make_cousins(made, "medium", seed=0, count=4)
    assert [scene_file.digest(s) for s in stored] == [scene_file.digest(s) for s in drawn]


def test_cousins_of_an_older_twin_are_a_finding_not_an_end(made: Path) -> None:
    workflow.run_cousins(made, "old", "twin", None, 0, 2, 1, quiet)
    scene = made / "twin" / "scene.json"
    text = scene.read_text()
    try:
        scene.write_text(text.replace('"width": 0.', '"width": 0.1', 1))
        data = gather.gather(made)
    finally:
        scene.write_text(text)
    assert "cousins-unread" in {finding.code for finding in data.findings}


@pytest.mark.parametrize("name", ["../twin", "a/b", "", "..", "twin\n"])
def test_a_set_of_cousins_has_a_plain_name(made: Path, name: str) -> None:
    before = contents(made, "twin")
    with pytest.raises(PocketworldError) as caught:
        workflow.run_cousins(made, name or "/", "twin", None, 0, 2, 1, quiet)
    assert "\n" not in str(caught.value)
    assert contents(made, "twin") == before


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(made: Path) -> None:
    def nothing_fits() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    before = contents(made, *STAGES, "report")
    command = [sys.executable, "-m", "pocketworld.cli", "-q", "cousins", str(made), "--name", "big"]
    # Coverage, where it measures the tests, would write files of its own, and be heard to fail.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=plain, preexec_fn=nothing_fits
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.endswith("; make room: the same command goes on where it stopped\n")
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((made / "cousins").glob("*big*"))
    assert contents(made, *STAGES, "report") == before


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["scan", "twin"])
def test_a_run_killed_between_stages_ends_the_same(
    made: Path, demo_capture: Path, tmp_path: Path, stage: str
) -> None:
    folder = tmp_path / "killed.world"
    command = [sys.executable, "-m", "pocketworld.cli", "run", str(demo_capture), "-o", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (folder / stage).is_dir():
            assert process.poll() is None
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    workflow.run(demo_capture, folder, None, quiet)
    assert contents(folder, "twin", "mjcf") == contents(made, "twin", "mjcf")
    for place in (folder, made):
        workflow.run_cousins(place, "after", "medium", None, 3, 8, 1, quiet)
    assert contents(folder, "cousins/after") == contents(made, "cousins/after")
