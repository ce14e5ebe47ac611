"""Cousins as a sequence: lazy, immutable, the same for any order and number of processes; and its bars."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest

from pocketworld import scene_file
from pocketworld.cousins import sequence
from pocketworld.cousins import spec as specs
from pocketworld.cousins.sequence import Cousins, draw_parallel, make
from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, Split, layout
from pocketworld.findings import Severity
from pocketworld.geometry.sweep import clean
from pocketworld.scene import HandleKind, Scene

DRAWER = Front(handle=replace(usual(HandleKind.BOW), length=0.165))
PEDESTAL = Cabinet(
    0.438,
    0.784,
    0.559,
    Split(True, (0.052, 0.151, 0.1525, 0.1815), (DRAWER,) * 4),
    plinth=0.010,
    worktop=0.0145,
    sigma=0.003,
)
TWIN = Scene("office", (registry.family("cabinet").build(PEDESTAL, "cabinet_0"),))
MEDIUM = specs.preset("medium")


@pytest.fixture(scope="module")
def cousins() -> Cousins:
    return make(TWIN, MEDIUM, seed=0, count=64)


def digests(scenes: Sequence[Scene]) -> list[str]:
    return [scene_file.digest(scene) for scene in scenes]


def test_it_is_a_sequence(cousins: Cousins) -> None:
    assert isinstance(cousins, Sequence)
    assert len(cousins) == 64
    scene = cousins[7]
    assert scene.provenance["cousin"] == "medium/7" == cousins.ids[7]
    assert cousins[-1].provenance["cousin"] == "medium/63"
    with pytest.raises(IndexError):
        cousins[64]
    with pytest.raises(FrozenInstanceError):
        cousins.seed = 3  # type: ignore[misc]


def test_slices_and_permutations_are_cousins(cousins: Cousins) -> None:
    few = cousins[4:8]
    assert isinstance(few, Cousins)
    assert few.ids == ("medium/4", "medium/5", "medium/6", "medium/7")
    assert cousins[::-1].ids == tuple(reversed(cousins.ids))
    taken = cousins.take([3, 1, 3])
    assert taken.ids == ("medium/3", "medium/1", "medium/3")
    assert digests(taken) == digests([cousins[3], cousins[1], cousins[3]])
    assert len(cousins.take([])) == 0


def test_one_by_one_and_in_another_order_they_are_the_same(cousins: Cousins) -> None:
    whole = digests(cousins)
    assert len(set(whole)) == 64
    order = [5, 63, 0, 17, 31]
    assert digests([cousins[i] for i in order]) == [whole[i] for i in order]
    fewer = make(TWIN, MEDIUM, seed=0, count=6)
    assert digests(fewer) == whole[:6]
    assert digests(make(TWIN, MEDIUM, seed=1, count=3)) != whole[:3]


def test_processes_change_nothing(cousins: Cousins) -> None:
    """Two new processes, each making every other piece of the same ten."""
    found = draw_parallel(TWIN, MEDIUM, 0, [9, *range(9)], 2)
    again = replace(cousins, drawn=(*found[1:], found[0]))
    assert again.drawn == cousins.drawn[:10]
    assert digests(again) == digests(cousins[:10])


def test_processes_are_used_where_they_pay(monkeypatch: pytest.MonkeyPatch, cousins: Cousins) -> None:
    used = []

    def parallel(*args: object) -> list[object]:
        used.append(args[3])
        return []

    monkeypatch.setattr(sequence, "draw_parallel", parallel)
    assert len(make(TWIN, MEDIUM, count=10, workers=2)) == 10
    assert not used
    monkeypatch.setattr(sequence, "START", 0.0)
    assert len(make(TWIN, MEDIUM, count=10, workers=1)) == 10
    assert not used
    assert len(make(TWIN, MEDIUM, count=10, workers=2)) == 8
    assert used == [range(8, 10)]


def test_a_script_that_can_not_be_imported_is_told_so(tmp_path: Path) -> None:
    """New processes import the script that started them; one from standard input is nowhere to be found."""
    code = """
import test_twin
from pocketworld.cousins import sequence, spec
sequence.draw_parallel(test_twin.TWIN, spec.preset("near"), 0, [0, 1], 2)
"""
    (tmp_path / "test_twin.py").write_text(
        "from pocketworld.families.box import Box, BoxFamily\n"
        "from pocketworld.scene import Scene\n"
        "TWIN = Scene('t', (BoxFamily().build(Box(0.4, 0.3, 0.2), 'box'),))\n"
    )
    done = subprocess.run(
        [sys.executable, "-"],
        input=code,
        text=True,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "one of 2 processes ended early; a script needs" in last


def test_names_and_counts() -> None:
    named = make(TWIN, MEDIUM, count=2, name="mine")
    assert named.ids == ("mine/0", "mine/1")
    assert [scene.provenance["cousin"] for scene in named] == ["mine/0", "mine/1"]
    for count in (-1, 0, 2.5, "4"):
        line = rf"^cousins: count {re.escape(repr(count))}, workers 1; whole numbers >= 1$"
        with pytest.raises(PocketworldError, match=line):
            make(TWIN, MEDIUM, count=count)  # type: ignore[arg-type]
    with pytest.raises(PocketworldError, match="workers 0"):
        make(TWIN, MEDIUM, count=1, workers=0)
    with pytest.raises(PocketworldError, match=r"count 1\.5"):
        make(TWIN, MEDIUM, count=1.5)  # type: ignore[arg-type]
    for seed in (-1, 0.5, True, "7"):
        with pytest.raises(PocketworldError, match=rf"seed is {seed!r}; a whole number >= 0"):
            make(TWIN, MEDIUM, seed=seed, count=1)  # type: ignore[arg-type]
    assert type(make(TWIN, MEDIUM, seed=np.int64(3), count=1).seed) is int  # type: ignore[arg-type]
    for name in ("../out", "a/b", ".", "a.b", "", "a b", "-a", "a\n", "a" * 65):
        with pytest.raises(PocketworldError, match=r"cousins: name is .*; letters, digits"):
            make(TWIN, MEDIUM, count=1, name=name)


def test_findings_count_refusals_and_name_what_was_not_varied() -> None:
    spec = specs.parse(
        'name = "x"\n[cabinet.choices]\nkind = ["open"]\n[cabinet.chance]\nswap = 1\nequal = 1', "here"
    )
    found = make(TWIN, spec, count=2).findings
    assert [f.code for f in found] == ["cousins-refused", "cousin-not-varied", "cousin-not-varied"]
    assert found[0].severity is Severity.NOTE
    assert found[0].numbers == {"nothing-opens": 48.0}
    assert found[0].text == "48 of 50 draws were refused and drawn again"
    assert [f.subject for f in found[1:]] == ["0/cabinet_0", "1/cabinet_0"]
    assert make(TWIN, specs.preset("twin"), count=2).findings == ()


def test_sixty_four_at_medium_meet_the_bars(cousins: Cousins) -> None:
    """Issue 12, item 4: varied widths, layouts and handles, few refusals, all sweeps clean."""
    cabinets = [registry.rebuild(scene.assets[0]) for scene in cousins]
    widths = np.array([p.width for p in cabinets])
    assert widths.std() / widths.mean() >= 0.08
    assert len({layout(p.grid) for p in cabinets}) >= 8
    kinds = Counter(
        part.handle.kind.value
        for scene in cousins
        for part in scene.assets[0].parts
        if part.handle is not None
    )
    assert set(kinds) >= set(MEDIUM.spread("cabinet").choices["handle"])
    refused = sum(len(drawn.refused) for drawn in cousins.drawn)
    assert refused <= 0.2 * (refused + len(cousins))
    assert {f.severity for f in cousins.findings} <= {Severity.NOTE}
    for scene in cousins:
        assert clean(scene.assets[0])
        assert scene.assets[0].movable


def test_sixty_four_at_medium_are_made_in_under_five_seconds() -> None:
    """CPU seconds of one process, drawn and swept; on a loaded machine wall time says little."""
    start = time.process_time()
    make(TWIN, MEDIUM, seed=5, count=64)
    assert time.process_time() - start < 5


def test_at_the_preset_twin_what_is_certain_stays() -> None:
    twin = make(TWIN, specs.preset("twin"), count=32)
    cabinets = [registry.rebuild(scene.assets[0]) for scene in twin]
    assert {layout(p.grid) for p in cabinets} == {"r[drawer drawer drawer drawer]"}
    assert all(abs(p.width - PEDESTAL.width) < 5 * 2**0.5 * PEDESTAL.sigma for p in cabinets)
    assert {joint.belief.p(joint.kind) for scene in twin for joint in scene.assets[0].joints} == {1.0}


def test_bare_cousins_are_the_same_without_meshes(cousins: Cousins) -> None:
    bare = cousins.bare()
    assert not any(part.meshes for asset in bare.twin.assets for part in asset.parts)
    assert bare.ids == cousins.ids
    assert bare.bare().twin is bare.twin
    for place in (0, 7):
        seen = sequence.without_meshes(cousins[place])
        assert bare[place] == seen
        assert any(part.meshes for part in cousins[place].assets[0].parts)
