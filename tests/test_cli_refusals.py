"""What commands refuse before they begin, in one line; and what is left by those that are told to end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pocketworld import scene_file, world
from pocketworld.cli.main import COMMANDS, main
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.scene import HandleKind, Scene

NOWHERE = "/proc"  # a folder in which nobody, root neither, can make anything
NOBODY = 65534  # who owns nothing
NO_WORLD = "is no world folder; pocketworld run CAPTURE -o WORLD makes one"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with kitchen.world, a chest with a drawer, in which commands are typed."""
    twin = tmp_path / "kitchen.world" / "twin"
    twin.mkdir(parents=True)
    asset = build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.BAR))), "chest")
    scene_file.save(Scene("kitchen", (asset,)), twin)
    (tmp_path / "README.md").write_text("words")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(*words: str) -> str:
    """Return the one line of a command that ends with 1."""
    done = CliRunner().invoke(main, ["--quiet", *words])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr.removeprefix("Error: ").rstrip("\n")


# What is no world


@pytest.mark.parametrize("command", ["train", "sim", "record -o d", "evaluate", "cousins", "doctor"])
def test_what_is_no_world_is_named_with_what_makes_one(home: Path, command: str) -> None:
    name, *words = command.split()
    for place, called in (("README.md", "README.md"), ("none", "none"), (".", str(home))):
        assert refusal(name, place, *words) == f"{called} {NO_WORLD}"


def test_a_file_in_place_of_a_twin_is_one_line(home: Path) -> None:
    truth = home / "truth.json"
    line = refusal("bench", "score", "README.md", "--truth", str(truth))
    assert line == "README.md/twin/scene.json does not exist; pocketworld run CAPTURE -o WORLD makes a world"


# What can't be written


@pytest.mark.skipif(not Path(NOWHERE).is_dir(), reason="Linux has it")
def test_where_nothing_can_be_written_is_said_before_anything_is_done(home: Path) -> None:
    """By the name that was given, not that of a file beside it."""
    step = "name one in a folder that you may write to"
    for words in (("sim", "--record", f"{NOWHERE}/x.mp4"), ("record", "-o", f"{NOWHERE}/x")):
        line = refusal(words[0], "none.world", *words[1:])  # a world that is not there comes after
        assert line == f"{words[2]} can't be written: No such file or directory; {step}"


@contextmanager
def no_root() -> Iterator[None]:
    """Be nobody meanwhile where this is root, who may write anywhere."""
    who = os.geteuid()
    os.seteuid(who or NOBODY)
    try:
        yield
    finally:
        os.seteuid(who)


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_is_shut_is_one_line(tmp_path: Path, mode: int) -> None:
    """One in which nothing can be made, and one that can't even be looked into."""
    (shut := tmp_path / "shut").mkdir(mode=mode)
    line = f"^{re.escape(str(shut))}/in/x can't be written: Permission denied; name one in a folder"
    with no_root(), pytest.raises(PocketworldError, match=line):
        world.check_writable(shut / "in" / "x")


# Ray's addresses


@pytest.mark.parametrize("address", ["lcoal", "1.2.3.4", "1.2.3.4:", ":8000", "host:port", "ray://x", ""])
def test_what_is_no_address_is_told_the_forms(home: Path, address: str) -> None:
    forms = "give local, auto, HOST:PORT or ray://HOST:PORT"
    line = f"no Ray cluster at {address!r}: that is no address; {forms}"
    assert refusal("evaluate", "kitchen.world", "--ray", address) == line


# Help


@pytest.mark.parametrize("command", ["sim", "record", "evaluate", "train"])
def test_help_names_every_robot(command: str) -> None:
    told = " ".join(CliRunner().invoke(main, [command, "--help"]).stdout.split())
    assert "hand, panda, panda:joints (led joint by joint), or the MJCF of a robot of your own" in told


# Being told to end


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_ends_on_sigterm_as_on_ctrl_c(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it was at cleans up, it says so, and the process ends with 143; the signal is as it was then."""
    left = tmp_path / "left"

    def works(*_: object, **__: object) -> None:
        left.touch()
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        finally:
            left.unlink()

    before = signal.getsignal(signal.SIGTERM)
    group = main.get_command(main.make_context("pw", ["doctor"]), command)
    assert group is not None
    monkeypatch.setattr(type(group), "invoke", works)
    needs = {"run": ["c", "-o", "w"], "reconstruct": ["c", "-o", "w"], "scan": ["c"], "bench": ["sim", "w"]}
    needs |= {"record": ["w", "-o", "d"], "demo": [], "doctor": []}
    done = CliRunner().invoke(main, [command, *needs.get(command, ["w"])])
    assert done.exit_code == 143, done.stderr
    assert done.stderr.startswith("interrupted")
    assert not left.exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_asked_to_end_twice_it_still_cleans_up(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned = []

    def works(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)  # in which a signal would come
            cleaned.append(True)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(click.Command, "invoke", works)
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 143
    assert cleaned == [True]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.slow  # a process of its own, which films
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_film_that_is_stopped_leaves_nothing(home: Path, number: signal.Signals, code: int) -> None:
    words = ["sim", "kitchen.world", "--envs", "16", "--record", "film.mp4"]
    with subprocess.Popen([sys.executable, "-m", "pocketworld.cli", *words], stderr=subprocess.PIPE) as one:
        while not list(home.glob(".film*")) and one.poll() is None:
            time.sleep(0.01)
        one.send_signal(number)
        assert one.stderr is not None
        told = one.stderr.read().decode()
        assert one.wait(60) == code, told
    assert told.splitlines()[-1] == "interrupted"
    assert sorted(p.name for p in home.iterdir()) == ["README.md", "kitchen.world"]


@pytest.mark.slow  # processes of its own
@pytest.mark.skipif(not Path(NOWHERE).is_dir(), reason="Linux tells a process's children there")
def test_processes_that_were_begun_for_the_work_end_too(home: Path) -> None:
    words = ["cousins", "kitchen.world", "--count", "50000", "--workers", "2"]
    (home / "kitchen.world" / ".lock").touch()
    with subprocess.Popen([sys.executable, "-m", "pocketworld.cli", *words], stderr=subprocess.PIPE) as one:
        listed = Path(NOWHERE, str(one.pid), "task", str(one.pid), "children")
        while len(children := listed.read_text().split()) < 3:  # with the one that Python watches them by
            assert one.poll() is None, one.stderr and one.stderr.read()
            time.sleep(0.1)
        one.send_signal(signal.SIGTERM)
        assert one.wait(20) == 143
    until = time.monotonic() + 10
    while any(Path(NOWHERE, child).exists() for child in children) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [child for child in children if Path(NOWHERE, child).exists()]
    assert not list((home / "kitchen.world" / "cousins").iterdir())
