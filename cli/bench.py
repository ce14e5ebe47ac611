"""Commands that measure."""

from pathlib import Path

import click

from pocketworld import learning, measures
from pocketworld.cli.main import LazyGroup
from pocketworld.cli.options import DEVICE, NAME, ROBOT, WORLD
from pocketworld.cli.output import Output
from pocketworld.errors import PocketworldError

COMMANDS = {
    "score": ("bench", "A world's twin against the truth."),
    "calibration": ("bench", "Whether beliefs are as sure as they are right."),
    "speed": ("bench", "CPU time and memory of each stage."),
    "sim": ("bench", "Environment steps a second against bare mujoco.batch."),
    "warp": ("bench", "The backend warp: different worlds against copies, and against C MuJoCo."),
    "reach": ("bench", "What an arm reaches, and what the expert opens of it."),
    "transfer": ("bench", "Success on new cousins against how many were learnt in."),
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


@click.command()
@WORLD
@click.option(
    "--into",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for results: what is there is not run again.",
)
@click.option("--preset", default="medium", show_default=True, help="How far cousins are from the twin.")
@click.option("--counts", default="1,4,16,64", show_default=True, help="Cousins to learn in.")
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1))
@click.option(
    "--steps", default=400_000, show_default=True, type=click.IntRange(1), help="Of environments, a run."
)
@click.option("--held-out", default=64, show_default=True, type=click.IntRange(1))
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw it (png).")
@DOCUMENT
@click.pass_obj
def transfer(
    out: Output,
    world: Path,
    into: Path,
    preset: str,
    counts: str,
    seeds: int,
    steps: int,
    held_out: int,
    picture: Path | None,
    document: Path | None,
) -> None:
    """Learn in few and in many cousins, by several seeds, and judge on cousins that none learnt in."""
    numbers = tuple(int(n) for n in counts.split(",") if n.strip().isdigit())
    if not numbers or min(numbers) < 1 or len(numbers) != len(counts.split(",")):
        raise PocketworldError(f"--counts is {counts}", "whole numbers from 1 on, such as 1,4,16,64")
    with out.progress("transfer", total=len(numbers) * seeds) as tick:
        result = learning.measure_transfer(
            world,
            into,
            preset=preset,
            counts=numbers,
            seeds=seeds,
            steps=steps,
            held=held_out,
            picture=picture,
            document=document,
            tick=tick,
        )
    out.result(result.to_json(), result.text())


@click.command()
@WORLD
@click.option("--preset", default="medium", show_default=True, help="How far cousins are from the twin.")
@click.option("--envs", default=32, show_default=True, type=click.IntRange(2), help="Different cousins.")
@click.option("--steps", default=10, show_default=True, type=click.IntRange(1), help="Of each environment.")
@DEVICE
@DOCUMENT
@click.pass_obj
def warp(
    out: Output, world: Path, preset: str, envs: int, steps: int, device: str | None, document: Path | None
) -> None:
    """Measure the backend warp: different worlds' speed against copies of one, errors against C MuJoCo."""
    with out.progress("warp") as tick:
        result = measures.measure_warp(world, preset, envs, steps, device, document, tick)
    out.result(result.to_json(), result.text())


@click.command()
@WORLD
@ROBOT
@click.option("--preset", default="medium", show_default=True, help="How far cousins are from the twin.")
@click.option("--count", default=24, show_default=True, type=click.IntRange(1), help="Cousins.")
@click.option("--threads", type=click.IntRange(1), help="Of the physics.  [default: all cores]")
@DOCUMENT
@click.pass_obj
def reach(
    out: Output, world: Path, robot: str, preset: str, count: int, threads: int | None, document: Path | None
) -> None:
    """Measure which joints an arm reaches in a world's twin and cousins, and which the expert opens."""
    with out.progress("reach") as tick:
        result = measures.measure_reach(world, robot, preset, count, threads, document, tick)
    out.result(result.to_json(), result.text())
