"""Cousins on disk: a cousin is its row of draws."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pocketworld import scene_file
from pocketworld.cousins import spec as specs
from pocketworld.cousins import table
from pocketworld.cousins.sequence import Cousins, make
from pocketworld.errors import PocketworldError, WorldError
from pocketworld.families import registry
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, Split
from pocketworld.scene import HandleKind, Pose, Scene, Side

DRAWER = Front(
    handle=usual(HandleKind.BOW),
    chances=(Chance(FrontKind.DRAWER, Side.NONE, 0.7), Chance(FrontKind.FIXED, Side.NONE, 0.3)),
)
DOOR = Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.KNOB, 0.9), opening=1.7)
CABINET = Cabinet(0.6, 0.5, 0.8, Split(True, (0.2, 0.5), (DRAWER, DOOR)), plinth=0.08, sigma=0.003)
CABINETS = registry.family("cabinet")
TWIN = Scene(
    "office",
    (
        CABINETS.build(CABINET, "cabinet_0"),
        replace(CABINETS.build(CABINET, "cabinet_1"), pose=Pose.upright((1.2, 0.0, 0.0), 0.2)),
    ),
)
FILES = ("draws.parquet", "refusals.parquet", "spec.toml")


@pytest.fixture(scope="module")
def cousins() -> Cousins:
    return make(TWIN, specs.preset("far"), seed=3, count=12, name="wild")


def digests(cousins: Cousins) -> list[str]:
    return [scene_file.digest(scene) for scene in cousins]


def test_a_folder_brings_cousins_back_to_the_bit(cousins: Cousins, tmp_path: Path) -> None:
    table.save(cousins, tmp_path)
    again = table.load(tmp_path, TWIN)
    assert again.drawn == cousins.drawn
    rows = [[row for drawn in some.drawn for row in drawn.rows] for some in (again, cousins)]
    assert all(a.path is b.path for a, b in zip(*rows, strict=True)), "each path is kept once"
    assert (again.name, again.seed, again.spec) == ("wild", 3, cousins.spec)
    assert digests(again) == digests(cousins)
    assert again.findings == cousins.findings
    assert any(drawn.refused for drawn in again.drawn)


def test_a_name_that_is_none_is_not_written(cousins: Cousins, tmp_path: Path) -> None:
    with pytest.raises(PocketworldError, match="name is 'a/b'; letters"):
        table.save(replace(cousins, name="a/b"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_same_cousins_are_the_same_bytes(cousins: Cousins, tmp_path: Path) -> None:
    other = make(TWIN, specs.preset("far"), seed=3, count=12, name="wild")
    for name, made in (("a", cousins), ("b", other)):
        (tmp_path / name).mkdir()
        table.save(made, tmp_path / name)
    (tmp_path / "c").mkdir()
    table.save(table.load(tmp_path / "a", TWIN), tmp_path / "c")
    for file in FILES:
        assert len({(tmp_path / name / file).read_bytes() for name in "abc"}) == 1


def test_spec_seed_and_index_bring_them_back_too(cousins: Cousins, tmp_path: Path) -> None:
    table.save(cousins, tmp_path)
    spec = specs.load(tmp_path / "spec.toml")
    again = make(TWIN, spec, seed=3, count=12, name="wild")
    assert again.drawn == cousins.drawn


def test_some_of_them_in_another_order(cousins: Cousins, tmp_path: Path) -> None:
    some = cousins.take([7, 2, 7])
    table.save(some, tmp_path)
    again = table.load(tmp_path, TWIN)
    assert again.ids == ("wild/7", "wild/2", "wild/7")
    assert again.drawn == some.drawn


def test_draws_read_as_a_long_table(cousins: Cousins, tmp_path: Path) -> None:
    table.save(cousins, tmp_path)
    draws = parquet.read_table(tmp_path / "draws.parquet").to_pylist()
    assert list(draws[0]) == ["cousin", "path", "number", "text", "source"]
    assert {row["source"] for row in draws} == {"belief", "spec"}
    widths = {row["cousin"]: row["number"] for row in draws if row["path"] == "cabinet_0/parameters/width"}
    assert widths == {i: scene.asset("cabinet_0").parameters["width"] for i, scene in enumerate(cousins)}
    paths = defaultdict(list)
    for row in draws:
        paths[row["cousin"]].append(row["path"])
        assert row["path"].split("/")[0] in ("cabinet_0", "cabinet_1")
        assert row["number"] is None or row["text"] is None
    assert all(len(set(found)) == len(found) for found in paths.values())
    refusals = parquet.read_table(tmp_path / "refusals.parquet").to_pylist()
    assert list(refusals[0]) == ["cousin", "asset", "attempt", "reason", "numbers"]
    assert all(isinstance(json.loads(row["numbers"]), dict) for row in refusals)


def test_cousins_that_change_nothing_are_kept(tmp_path: Path) -> None:
    sure = replace(CABINET, sigma=0.0, grid=replace(DOOR, friction=50.0))
    twin = Scene("sure", (CABINETS.build(sure, "c"),))
    same = make(twin, specs.preset("twin"), count=3)
    assert not any(drawn.rows for drawn in same.drawn)
    table.save(same, tmp_path)
    again = table.load(tmp_path, twin)
    assert again.ids == ("twin/0", "twin/1", "twin/2")
    assert digests(again) == digests(same)
    (tmp_path / "none").mkdir()
    table.save(same[:0], tmp_path / "none")
    assert len(table.load(tmp_path / "none", twin)) == 0


def test_a_twin_from_disk_gives_the_same_cousins(cousins: Cousins, tmp_path: Path) -> None:
    scene_file.save(TWIN, tmp_path)
    twin = scene_file.load(tmp_path, visual=False)
    assert table.twin_digest(twin) == table.twin_digest(TWIN)
    again = make(twin, specs.preset("far"), seed=3, count=12, name="wild")
    assert again.drawn == cousins.drawn
    assert digests(again) == digests(cousins)


def test_another_twin_is_refused(cousins: Cousins, tmp_path: Path) -> None:
    table.save(cousins, tmp_path)
    moved = replace(TWIN.assets[1], pose=Pose((1.2, 0.0, 0.0)))
    other = replace(TWIN, assets=(TWIN.assets[0], moved))
    with pytest.raises(
        WorldError, match=r"was drawn from another twin; pocketworld cousins WORLD makes them anew"
    ):
        table.load(tmp_path, other)


def test_what_is_missing_or_damaged_is_one_line(cousins: Cousins, tmp_path: Path) -> None:
    with pytest.raises(
        WorldError, match=r"draws\.parquet does not exist; pocketworld cousins WORLD makes it"
    ):
        table.load(tmp_path, TWIN)
    table.save(cousins, tmp_path)
    draws = tmp_path / "draws.parquet"
    whole = draws.read_bytes()
    for bad in (b"", b"no table", whole[:-200]):
        draws.write_bytes(bad)
        with pytest.raises(WorldError, match="is no table of draws") as error:
            table.load(tmp_path, TWIN)
        assert "\n" not in str(error.value)
    draws.write_bytes(whole)
    (tmp_path / "refusals.parquet").unlink()
    with pytest.raises(WorldError, match=r"refusals\.parquet does not exist"):
        table.load(tmp_path, TWIN)


def test_a_newer_or_foreign_table_is_refused(cousins: Cousins, tmp_path: Path) -> None:
    table.save(cousins, tmp_path)
    file = tmp_path / "draws.parquet"
    found = parquet.read_table(file)
    about = json.loads(found.schema.metadata[b"pocketworld"])
    newer = json.dumps({**about, "format": 99})
    parquet.write_table(found.replace_schema_metadata({"pocketworld": newer}), file)
    with pytest.raises(WorldError, match="has format 99, known is up to 1; update pocketworld"):
        table.load(tmp_path, TWIN)
    parquet.write_table(pa.table({"a": [1]}), file)
    with pytest.raises(WorldError, match="is no table of draws"):
        table.load(tmp_path, TWIN)
    strange = found.set_column(4, "source", pa.array(["hearsay"] * len(found)))
    parquet.write_table(strange, file)
    with pytest.raises(WorldError, match=r"is no table of draws: .*hearsay"):
        table.load(tmp_path, TWIN)
