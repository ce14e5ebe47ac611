"""What docs/learning.md tells people to type works."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from pocketworld import scene_file
from pocketworld.cli.main import main
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.scene import HandleKind, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.pictures.sight import FAR, SIZE, spaces_of
from pocketworld.sim.robots import named
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.worlds import RATE

TEXT = (Path(__file__).parents[1] / "docs" / "learning.md").read_text()
SHORT = {"train": ["--iterations", "1", "--train", "2", "--held-out", "2", "--envs", "8", "--no-film"]}
SHORT |= {"record": ["--episodes", "2", "--size", "64x48"], "sim": ["--envs", "2"]}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with kitchen.world: a chest with a drawer and a door."""
    bar = usual(HandleKind.BAR)
    fronts = Split(True, (1.0, 1.5), (Front(handle=bar), Front(FrontKind.DOOR, Side.LEFT, bar)))
    twin = tmp_path / "kitchen.world" / "twin"
    twin.mkdir(parents=True)
    scene_file.save(Scene("kitchen", (build(Cabinet(0.6, 0.45, 0.7, fronts), "chest"),)), twin)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_commands_run(home: Path) -> None:
    """As they stand, but for how long."""
    for line in "".join(blocks("sh")).splitlines():
        program, *words = shlex.split(line)
        assert program == "pocketworld"
        result = CliRunner().invoke(main, [*words, *SHORT[words[0]]])
        assert result.exit_code == 0, f"{line}: {result.output}"
    run = home / "kitchen.world" / "runs" / "open"
    for name in ("policy.onnx", "policy.json", "evaluation.json", "curve.png"):
        assert (run / name).is_file(), f"{name} is told of"
    assert (home / "policy.mp4").stat().st_size > 1000
    assert (home / "demonstrations" / "meta" / "origins.jsonl").is_file()
    assert {file.name[19:] for file in (home / "closeups" / "videos").iterdir()} == {"front", "wrist"}


def test_sizes_and_strides_are_told_as_they_are(home: Path) -> None:
    for robot, told in ((Hand(), "moves by {:.0f} mm in a step"), (named("panda"), "a Panda's by {:.0f} mm")):
        assert told.format(robot.stride * 1000) in " ".join(TEXT.split())
    assert f"{RATE} steps a second" in TEXT
    spaces = spaces_of(SIZE)
    assert f"`rgb` (n, {', '.join(map(str, spaces['rgb'].shape))}), {spaces['rgb'].dtype}" in TEXT
    assert f"`depth` (n, {', '.join(map(str, spaces['depth'].shape))}), {spaces['depth'].dtype}" in TEXT
    assert f"{FAR} where nothing is nearer" in TEXT
    envs = WorldEnv([scene_file.load(home / "kitchen.world" / "twin")], 2, render_mode="rgb_array")
    _, info = envs.reset(seed=0)
    assert {"cousin", "joint", "opened", "success", "unstable"} <= set(info)
    assert [picture.shape for picture in envs.render()] == [(240, 320, 3)] * 2
    envs.close()


def test_the_python_runs_from_top_to_bottom(home: Path) -> None:
    space: dict[str, object] = {}
    for code in blocks("python"):
        exec(compile(code, "learning.md", "exec"), space)
    assert space["model"].num_timesteps == 1024  # type: ignore[attr-defined]
    assert space["ours"].num_envs == space["theirs"].num_envs == 16  # type: ignore[attr-defined]
