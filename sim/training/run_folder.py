"""A training's folder: what was asked for, checkpoints, the curve, and what was made of it.

    config.json        settings, and what was learnt in;  spec.toml: of the cousins
    curve.csv, .png    a row an iteration
    checkpoints/       000025.pt: after 25 iterations, a whole leg; learning goes on from the last one
    policy.onnx, .json, evaluation.json, film.mp4   as it is done

Each file is written beside its place and renamed: one that is there is whole, however the process ended.
"""

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from pocketworld import world
from pocketworld.errors import PocketworldError
from pocketworld.sim.robots import Robot
from pocketworld.sim.training.origin import WORLD
from pocketworld.sim.training.progress import Progress
from pocketworld.sim.training.settings import Settings

FORMAT = 2
CONFIG, CURVE, CHECKPOINTS, EVALUATION = "config.json", "curve.csv", "checkpoints", "evaluation.json"
DIGEST = 64  # characters of a sha256
SPEC, POLICY = "spec.toml", "policy.onnx"
COLUMNS = (*(field.name for field in fields(Progress)), "cpu_s")
Origin = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """An iteration in the curve, and the CPU time since the training began, s."""

    progress: Progress
    cpu_s: float


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one training."""

    path: Path

    @property
    def config(self) -> tuple[Settings, Origin]:
        """Return what was asked for as it began, and what it learns in.

        Raises PocketworldError where there is no training, or a damaged one.
        """
        file = self.path / CONFIG
        data = _json(file, "pocketworld train makes it")
        if data.get("format") != FORMAT or not isinstance(data.get("origin"), dict):
            raise PocketworldError(f"{file} is no training's of format {FORMAT}", "train anew")
        return Settings.from_json(data.get("settings", {}), str(file)), data["origin"]

    def free(self) -> None:
        """Raise PocketworldError where there is a training that has come to a checkpoint or its end."""
        if self.last or (self.path / POLICY).exists():
            raise PocketworldError(f"{self.path} is a training already", "--resume goes on; or name another")

    def begin(self, settings: Settings, origin: Origin) -> None:
        """Begin a training; raise PocketworldError where there is one already."""
        self.free()
        (self.path / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
        self._write_config(settings, origin)

    def go_on(self, settings: Settings, origin: Origin) -> None:
        """Go on with a training; raise PocketworldError, as `fits` does, where it can't."""
        self.fits(settings, origin)
        self._write_config(settings, origin)

    def fits(self, settings: Settings, origin: Origin) -> None:
        """Look whether a training can go on: other iterations may be asked for, nothing else may change.

        Raises PocketworldError, in one line, for the first thing that has.
        """
        before, came_from = self.config
        for name in sorted({*came_from, *origin} - {WORLD}):  # a folder may be moved and renamed
            was, now = came_from.get(name), origin.get(name)
            if was != now:
                raise self.changed(f"{name} changed under the training{_from(was, now)}")
        if settings.iterations < self.last:
            raise PocketworldError(
                f"{self.path} has learnt {self.last} iterations, {settings.iterations} are asked for",
                f"--iterations {self.last} or more; or train anew under another name",
            )
        changed = [one for one in before.differences(settings) if not one.startswith("iterations ")]
        if changed:
            raise PocketworldError(f"{self.path}: {changed[0]}", "a training goes on as it began")

    def changed(self, what: str) -> PocketworldError:
        """Return the error for what is no longer as it was when the training began."""
        return PocketworldError(f"{self.path}: {what}", "put it back, or train anew under another name")

    def complete(self) -> None:
        """Raise PocketworldError where all checkpoints are gone though the training had come to some."""
        learnt = self.learnt
        if not self.last and learnt >= self.config[0].checkpoint_every:
            raise PocketworldError(
                f"{self.path / CHECKPOINTS} holds none, the curve says {learnt} iterations",
                "train anew under another name",
            )

    def _write_config(self, settings: Settings, origin: Origin) -> None:
        write_json(
            self.path / CONFIG, {"format": FORMAT, "settings": settings.to_json(), "origin": dict(origin)}
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for one process; raise PocketworldError where another one trains in it.

        Where no training has begun in it by then, nothing is left of it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / world.LOCK).touch()
        with world.lock(self.path):
            try:
                yield
            finally:
                if not (self.path / CONFIG).exists():
                    self._leave()

    def _leave(self) -> None:
        """Delete the folder, and the one that it is in, where they hold nothing."""
        (self.path / world.LOCK).unlink(missing_ok=True)
        for folder in (self.path, self.path.parent):
            with suppress(OSError):  # something is in it
                folder.rmdir()

    @property
    def learnt(self) -> int:
        """Return how many iterations the curve has."""
        rows = self.rows(sys.maxsize)
        return rows[-1].progress.iteration if rows else 0

    @property
    def trained(self) -> bool:
        """Say whether anything has been learnt here."""
        return (self.path / CONFIG).exists() and bool(self.last or self.learnt)

    @property
    def last(self) -> int:
        """Return the iteration of the last checkpoint; 0 where there is none."""
        found = (p.stem for p in (self.path / CHECKPOINTS).glob("[0-9]*.pt"))
        return max((int(stem) for stem in found if stem.isdigit()), default=0)

    def keep(self, iteration: int, state: Mapping[str, Any], robot: Robot) -> None:
        """Write a checkpoint."""
        import torch

        from pocketworld.sim.training.policy import spec_of

        whole = {"format": FORMAT, "iteration": iteration, "spec": spec_of(robot), "state": dict(state)}
        buffer = io.BytesIO()
        torch.save(whole, buffer)
        write(self._checkpoint(iteration), buffer.getvalue())

    def checkpoint(self, iteration: int, robot: Robot) -> dict[str, Any]:
        """Return the state that `keep` wrote.

        Raises PocketworldError where it is missing, damaged, or of a robot that sees or does other things.
        """
        import torch

        from pocketworld.sim.training.policy import fits

        file = self._checkpoint(iteration)
        try:
            whole = torch.load(file, map_location="cpu", weights_only=True)  # numbers only: it runs no code
            spec, state = whole["spec"], whole["state"]
        except FileNotFoundError:
            raise PocketworldError(f"{file} does not exist", "train anew") from None
        except Exception as error:
            raise PocketworldError(f"{file} is damaged", "delete it to go on from the one before") from error
        fits(spec, robot, file)
        return dict(state)

    def rows(self, until: int) -> list[Row]:
        """Return the curve up to an iteration; what was learnt after the last checkpoint is done again."""
        try:
            lines = list(csv.DictReader(io.StringIO((self.path / CURVE).read_text())))
            rows = [_row(line) for line in lines]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PocketworldError(f"{self.path / CURVE} is damaged: {error}", "delete it") from None
        return [row for row in rows if row.progress.iteration <= until]

    @property
    def cpu_s(self) -> float:
        """Return the CPU time so far, s, with that of what is done again."""
        rows = self.rows(sys.maxsize)
        return rows[-1].cpu_s if rows else 0.0

    def write_rows(self, rows: Sequence[Row]) -> None:
        """Write the curve."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((*astuple(row.progress), row.cpu_s) for row in rows)
        write(self.path / CURVE, text.getvalue().encode())

    def _checkpoint(self, iteration: int) -> Path:
        return self.path / CHECKPOINTS / f"{iteration:06d}.pt"


def write(file: Path, content: bytes) -> None:
    """Write a file beside its place and rename it."""
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_bytes(content)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def write_json(file: Path, data: Mapping[str, Any]) -> None:
    """Write JSON beside its place and rename it."""
    write(file, (json.dumps(data, indent=1) + "\n").encode())


def _json(file: Path, hint: str) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise PocketworldError(f"{file} does not exist", hint) from None
    except (OSError, ValueError) as error:
        raise PocketworldError(f"{file} can't be read: {error}", "train anew") from None
    if not isinstance(data, dict):
        raise PocketworldError(f"{file} is no object", "train anew")
    return data


def _row(line: Mapping[str, str]) -> Row:
    types = {field.name: field.type for field in fields(Progress)}
    values: dict[str, Any] = {
        name: int(line[name]) if kind is int else float(line[name])
        for name, kind in types.items()
        if name != "success" or line[name]
    }
    values.setdefault("success", None)  # no episode ended
    return Row(Progress(**values), float(line["cpu_s"]))


def _from(was: object, now: object) -> str:
    """Say from what to what, but for digests, which say nothing."""
    told = [json.dumps(value, ensure_ascii=False) for value in (was, now)]
    return "" if max(map(len, told)) >= DIGEST else f", from {told[0]} to {told[1]}"
