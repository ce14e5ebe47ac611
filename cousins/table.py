"""Cousins on disk: spec.toml, refusals.parquet, draws.parquet (one row a leaf that differs from the twin)."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from pocketworld.cousins import spec as specs
from pocketworld.cousins.draw import Drawn
from pocketworld.cousins.rows import Row, Source, decode, encode
from pocketworld.cousins.sequence import Cousins
from pocketworld.cousins.together import Refused
from pocketworld.errors import WorldError
from pocketworld.families.protocol import Refusal
from pocketworld.scene import Scene

FORMAT = 1
DRAWS = pa.schema(
    [
        ("cousin", pa.int32()),
        ("path", pa.string()),
        ("number", pa.float64()),
        ("text", pa.string()),
        ("source", pa.string()),
    ]
)
REFUSALS = pa.schema(
    [
        ("cousin", pa.int32()),
        ("asset", pa.string()),
        ("attempt", pa.int32()),
        ("reason", pa.string()),
        ("numbers", pa.string()),  # JSON
    ]
)


def save(cousins: Cousins, folder: Path) -> None:
    """Write spec.toml, draws.parquet and refusals.parquet into a folder that is there; always the same bytes.

    draws.parquet has the columns cousin, path ("asset/parameters/...", "asset/pose/..."), number or text
    (both null: the cousin has no such leaf) and source (belief, spec or neighbour).

    Raises SpecError for a name that can't be one (`spec.checked_name`), before anything is written.
    """
    about = {
        "format": FORMAT,
        "name": specs.checked_name(cousins.name),
        "seed": cousins.seed,
        "cousins": [drawn.index for drawn in cousins.drawn],
        "twin": twin_digest(cousins.twin),
    }
    (folder / "spec.toml").write_text(specs.dump(cousins.spec))
    schema = DRAWS.with_metadata({"pocketworld": json.dumps(about, sort_keys=True)})
    parquet.write_table(_table(_draw_rows(cousins), schema), folder / "draws.parquet")
    parquet.write_table(_table(_refusal_rows(cousins), REFUSALS), folder / "refusals.parquet")


def load(folder: Path, twin: Scene) -> Cousins:
    """Return the cousins that `save` wrote, of that twin: the same scenes to the bit.

    Raises WorldError where a file is missing, damaged or of a newer version, or drawn from another twin.
    """
    file = folder / "draws.parquet"
    draws, refusals = _read(file), _read(folder / "refusals.parquet")
    try:
        about = json.loads(draws.schema.metadata[b"pocketworld"])
        if about["format"] > FORMAT:
            known = f"known is up to {FORMAT}"
            raise WorldError(f"{file} has format {about['format']}, {known}", "update pocketworld")
        drawn = _drawn(draws.to_pylist(), refusals.to_pylist(), about["cousins"])
        name, seed, digest = about["name"], about["seed"], about["twin"]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file, error) from error
    if digest != twin_digest(twin):
        raise WorldError(f"{file} was drawn from another twin", "pocketworld cousins WORLD makes them anew")
    return Cousins(twin, specs.load(folder / "spec.toml"), seed, name, drawn)


def _read(file: Path) -> pa.Table:
    if not file.is_file():
        raise WorldError(f"{file} does not exist", "pocketworld cousins WORLD makes it")
    try:
        return parquet.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> WorldError:
    why = " ".join(str(error).split())[:200]
    return WorldError(f"{file} is no table of draws: {why}", "pocketworld cousins WORLD makes it again")


def twin_digest(twin: Scene) -> str:
    """Return the sha256 of all of a twin that cousins are drawn from; its looks are left out."""
    things = [
        [a.id, a.family, a.parameters, a.pose.position, a.pose.wxyz, a.alternatives] for a in twin.assets
    ]
    relations = [[r.kind, r.a, r.b] for r in twin.relations]
    return hashlib.sha256(json.dumps([things, relations], sort_keys=True).encode()).hexdigest()


def _table(rows: Iterator[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)], schema
    )


def _draw_rows(cousins: Cousins) -> Iterator[tuple[Any, ...]]:
    for drawn in _each(cousins):
        for row in drawn.rows:
            yield drawn.index, row.path, *encode(row.value), row.source.value


def _each(cousins: Cousins) -> list[Drawn]:
    """Return each cousin once, however often the sequence has it."""
    return list({drawn.index: drawn for drawn in cousins.drawn}.values())


def _refusal_rows(cousins: Cousins) -> Iterator[tuple[Any, ...]]:
    for one in (one for drawn in _each(cousins) for one in drawn.refused):
        numbers = json.dumps(dict(one.refusal.numbers), sort_keys=True)
        yield one.cousin, one.asset, one.attempt, str(one.refusal.reason), numbers


def _drawn(
    draws: list[dict[str, Any]], refusals: list[dict[str, Any]], indices: list[int]
) -> tuple[Drawn, ...]:
    rows: dict[int, list[Row]] = {index: [] for index in indices}
    for row in draws:
        value = decode(row["number"], row["text"])
        rows[row["cousin"]].append(Row(intern(row["path"]), value, Source(row["source"])))
    refused: dict[int, list[Refused]] = {index: [] for index in indices}
    for row in refusals:
        refusal = Refusal(row["reason"], json.loads(row["numbers"]))
        refused[row["cousin"]].append(Refused(row["cousin"], row["asset"], row["attempt"], refusal))
    return tuple(Drawn(index, tuple(rows[index]), tuple(refused[index])) for index in indices)
