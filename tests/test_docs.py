"""What the documents tell people to type works."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from pocketworld.cli.main import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the examples lie as they do in a clone."""
    (tmp_path / "out").mkdir()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readmes_python_runs(home: Path) -> None:
    (code,) = blocks("python")
    space: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), space)
    assert len(space["cousins"]) == 16  # type: ignore[arg-type]
    assert space["reward"].shape == (16,)  # type: ignore[attr-defined]


def test_the_readmes_commands_run(home: Path) -> None:
    (lines,) = blocks("sh")
    activate, *commands = lines.strip().splitlines()
    assert activate == ". .venv/bin/activate"
    for line in commands:
        program, *words = shlex.split(line)
        assert program == "pocketworld"
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, f"{line}: {result.output}"
    assert (home / "out" / "kitchen.world" / "report" / "index.html").is_file()
    assert (home / "out" / "kitchen.mp4").stat().st_size > 10_000
    assert (home / "out" / "kitchen.world" / "mjcf" / "scene.xml").is_file()


def test_links_lead_somewhere() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_extras_are_installed_from_the_clone_and_are_there() -> None:
    """No index has pocketworld: its name alone would not be found."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = [
        words
        for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
        for words in re.findall(r"pip install ([^`#\n]+)", document.read_text())
        if "[" in words or "pocketworld" in words
    ]
    named = [re.fullmatch(r"-e '\.\[(\w+)\]'", words.strip()) for words in asked]
    assert all(named), asked
    assert {"train", "rl", "lerobot", "warp", "ray"} == {found[1] for found in named if found} <= set(extras)


def test_no_document_is_long() -> None:
    assert len(README.splitlines()) < 100
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) < 60
