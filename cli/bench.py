"""Commands that measure."""

from pathlib import Path

import click

from pocketworld import measures
from pocketworld.cli.main import LazyGroup
from pocketworld.cli.options import NAME, WORLD
from pocketworld.cli.output import Output

COMMANDS = {
    "score": ("bench", "A world's twin against the truth."),
    "calibration": ("bench", "Whether beliefs are as sure as they are right."),
    "speed": ("bench", "CPU time and memory of each stage."),
    "sim": ("bench", "Environment steps a second against bare mujoco.batch."),
}
DOCUMENT = click.option(
    "--document", type=click.Path(dir_okay=False, path_type=Path), help="Put the figures into this page, too."
)


@click.command(cls=LazyGroup, lines=COMMANDS)
def bench() -> None:
    """Measure; prints numbers, never fails for being slow."""


@click.command()
@WORLD
@click.option("--truth", required=True, type=click.Path(path_type=Path), help="The truth's JSON file.")
@DOCUMENT
@click.pass_obj
def score(out: Output, world: Path, truth: Path, document: Path | None) -> None:
    """Score a world's twin against the truth of its place."""
    result = measures.score(world, truth, document)
    out.result(result.to_json(), result.text())


@click.command()
@click.option(
    "--of",
    "pairs",
    nargs=2,
    multiple=True,
    required=True,
    metavar="WORLD TRUTH",
    type=click.Path(path_type=Path),
    help="A world and the truth of its place; once for each.",
)
@click.pass_obj
def calibration(out: Output, pairs: tuple[tuple[Path, Path], ...]) -> None:
    """Say how often the twins' beliefs in kinds and sides are right, by how sure they are."""
    from dataclasses import asdict

    from pocketworld.bench.calibration import table

    joints = measures.calibrate(pairs)
    out.result({"joints": [asdict(joint) for joint in joints]}, table(joints).rstrip())


@click.command()
@click.argument("capture", type=click.Path(path_type=Path), required=False)
@DOCUMENT
@click.pass_obj
def speed(out: Output, capture: Path | None, document: Path | None) -> None:
    """Measure each stage's CPU seconds and peak memory on a capture [default: one we render]."""
    with out.progress("speed") as tick:
        result = measures.measure_speed(capture, document, tick)
    out.result(result.to_json(), result.text())


@click.command()
@WORLD
@NAME
@click.option("--envs", default=256, show_default=True, type=click.IntRange(1))
@click.option("--steps", default=100, show_default=True, type=click.IntRange(2))
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1))
@DOCUMENT
@click.pass_obj
def sim(
    out: Output, world: Path, name: str | None, envs: int, steps: int, threads: int, document: Path | None
) -> None:
    """Measure environment steps a second against bare mujoco.batch on the same models, in one run."""
    result = measures.measure_sim(world, name, envs, steps, threads, document)
    out.result(result.to_json(), result.text())
