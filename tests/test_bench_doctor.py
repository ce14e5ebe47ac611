"""doctor: every library that is asked for is looked at, and what is missing has the line that brings it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from pocketworld import scene_file
from pocketworld.bench import doctor
from pocketworld.cli.main import main
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.scene import Scene
from pocketworld.sim.robots import panda


def checks() -> dict[str, doctor.Check]:
    return {check.name: check for check in (*doctor._libraries(), *doctor._extras())}


def test_every_library_and_extra_that_is_asked_for_is_looked_at() -> None:
    wanted, seen = doctor.wanted(), checks()
    assert {"train", "rl", "ray", "lerobot", "warp"} == set(wanted) - {doctor.CORE}
    assert set(wanted[doctor.CORE]) | {f"extra {name}" for name in wanted if name} == set(seen)
    assert {"openexr", "mujoco", "array-api-compat"} <= set(wanted[doctor.CORE])
    brought = {"rsl-rl-lib", "matplotlib", "skrl", "stable-baselines3", "ray", "av", "torch"}
    assert brought <= {name for extra in wanted for name in wanted[extra] if extra}
    for extra in set(wanted) - {doctor.CORE}:
        assert all(name in seen[f"extra {extra}"].seen for name in wanted[extra])


def test_what_is_missing_of_an_extra_has_the_line_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [
        "click>=8",
        "no-such-thing>=2",
        'click; extra == "ok"',
        "nor-this<3; extra == 'some'",
        "x; extra == 'dev'",
    ]
    monkeypatch.setattr(doctor, "requires", lambda _: asked)
    seen = checks()
    assert [(name, check.ok) for name, check in seen.items()] == [
        ("click", True),
        ("no-such-thing", False),
        ("extra ok", True),
        ("extra some", False),
    ]
    assert str(seen["no-such-thing"]) == "absent  no-such-thing: not installed; pip install no-such-thing"
    line = "absent  extra some: nor-this is missing; pip install 'pocketworld[some]'"
    assert str(seen["extra some"]) == line


def test_the_panda_s_files_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._panda().ok
    monkeypatch.setattr(panda, "PACKAGE", "no_such_thing")
    check = doctor._panda()
    assert not check.ok
    assert check.mend == panda.INSTALL


def test_it_says_what_it_is_at_before_what_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "twin").mkdir()
    scene_file.save(Scene("some", (build(Cabinet(0.5, 0.45, 0.3, Front()), "chest"),)), tmp_path / "twin")
    for several in ("_pictures", "_libraries", "_extras"):
        monkeypatch.setattr(doctor, several, lambda *_: ())
    for one in ("_gpu", "_batch", "_worlds", "_panda"):
        monkeypatch.setattr(doctor, one, lambda *_: doctor.Check("some", True, "seen"))
    told = CliRunner().invoke(main, ["doctor", str(tmp_path)])
    assert told.exit_code == 0
    assert told.stdout.count("ok      some: seen\n") == 4
    assert [line.split(",")[0] for line in told.stderr.splitlines()] == [
        "doctor: 8 cousins are drawn",
        "doctor: libraries and pictures",
        "doctor: the GPU and the backend warp",
        "doctor: 8 cousins are compiled for the backend warp",
    ]
