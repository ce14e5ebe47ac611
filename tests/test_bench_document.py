"""The page of figures: the same result leaves the same bytes, and what people wrote stays."""

from dataclasses import replace
from pathlib import Path

import pytest

from pocketworld.bench import truth as truths
from pocketworld.bench.document import HEAD, neutral, put
from pocketworld.bench.machine import machine
from pocketworld.bench.probe import Point
from pocketworld.bench.ratio import Ratio
from pocketworld.bench.score import Score, score
from pocketworld.bench.sim import SimSpeed
from pocketworld.bench.speed import Memory, SpeedReport, Total
from pocketworld.bench.virtual_capture import pedestal
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.scene import Scene

POINT = Point("read", 40, (256, 192), 2.0, 1.0, 50.0, 100.0)
SPEED = SpeedReport(
    "tum_fr3_cabinet",
    machine(),
    (POINT,),
    Memory(POINT, replace(POINT, frames=160)),
    Memory(POINT, replace(POINT, frames=4000)),
    Total(58, 40.0, 50.0, 900.0),
)
NINE = Ratio(0.8, 0.7, 0.9)
SIM = SimSpeed(
    2, 2, 1, 10, 1, 6, 100.0, 115.0, 120.0, 110.0, NINE, NINE, NINE, NINE, NINE, 300.0, True, machine()
)


@pytest.fixture(scope="module")
def scored() -> Score:
    scene = Scene("drawn", (build(pedestal(0), "pedestal"),))
    return score(scene, truths.of(scene))


def test_the_same_result_leaves_the_same_bytes(tmp_path: Path, scored: Score) -> None:
    page = tmp_path / "docs" / "benchmark.md"
    put(page, scored, "pocketworld bench score W --truth T")
    once = page.read_bytes()
    assert once.decode().startswith(HEAD)
    put(page, scored, "pocketworld bench score W --truth T")
    assert page.read_bytes() == once
    assert [p.name for p in page.parent.iterdir()] == ["benchmark.md"]


def test_sections_keep_their_place_and_what_stands_around_them(tmp_path: Path, scored: Score) -> None:
    page = tmp_path / "b.md"
    put(page, scored, "first")
    put(page, SPEED, "second")
    page.write_text(page.read_text().replace("## Speed", "A note of ours.\n\n## Speed") + "\nThe end.\n")
    page.write_text(page.read_text().replace("A note of ours.\n\n", "") + "A note of ours.\n")
    put(page, SIM, "third")
    put(page, scored, "first again")
    text = page.read_text()
    assert text.count("## ") == 3
    places = [text.index(w) for w in ("first again", "second", "The end.", "A note of ours.", "third")]
    assert places == sorted(places)
    assert "    first\n" not in text


def test_two_truths_have_two_sections(tmp_path: Path, scored: Score) -> None:
    page = tmp_path / "b.md"
    put(page, scored, "one")
    put(page, replace(scored, capture="elsewhere"), "two")
    assert "## Truth of drawn" in page.read_text()
    assert "## Truth of elsewhere" in page.read_text()


def test_sections_say_where_a_capture_comes_from_and_on_what_it_ran(tmp_path: Path, scored: Score) -> None:
    page = tmp_path / "b.md"
    put(page, SPEED, "x")
    put(page, scored, "y")
    text = page.read_text()
    assert "rgbd_dataset_freiburg3_cabinet" in text
    assert text.count(machine().text()) == 2  # once in each section


def test_commands_name_no_folder_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCKETWORLD_CAPTURES", "/data/captures/")
    assert neutral("run /data/captures/a -o b") == "run $POCKETWORLD_CAPTURES/a -o b"
    monkeypatch.delenv("POCKETWORLD_CAPTURES")
    assert neutral("run ../shared/captures/a") == "run $POCKETWORLD_CAPTURES/a"


def test_what_is_no_figure_and_no_page_are_errors_of_one_line(tmp_path: Path, scored: Score) -> None:
    class Other:
        def to_json(self) -> dict[str, object]:
            return {}

        def text(self) -> str:
            return ""

    with pytest.raises(PocketworldError, match="Other has no place in the page"):
        put(tmp_path / "b.md", Other(), "x")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PocketworldError, match="can't be read"):
        put(tmp_path / "binary", scored, "x")
