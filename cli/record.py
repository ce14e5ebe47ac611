"""The command that records demonstrations."""

from pathlib import Path

import click

from pocketworld import learning
from pocketworld.cli.options import BACKEND, DEVICE, NAME, POLICY, ROBOT, SEED, TASK, WORLD
from pocketworld.cli.output import Output


def _size(ctx: click.Context, option: click.Parameter, value: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT."""
    width, cross, height = value.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise click.BadParameter(f"{value!r} is no size: WIDTHxHEIGHT, such as 320x240")
    return int(width), int(height)


@click.command()
@WORLD
@NAME
@click.option(
    "-o", "--output", "dataset", required=True, type=click.Path(path_type=Path), help="A new folder."
)
@click.option("--episodes", default=50, show_default=True, type=click.IntRange(1), help="How many to keep.")
@TASK
@ROBOT
@BACKEND
@DEVICE
@POLICY
@click.option("--failed", is_flag=True, help="Keep episodes that failed too.")
@click.option("--size", default="320x240", show_default=True, callback=_size, help="Of the pictures.")
@click.option(
    "--camera",
    "cameras",
    multiple=True,
    default=("front",),
    show_default=True,
    help="front (the whole scene) or wrist (what is before the hand); may be given twice.",
)
@SEED
@click.pass_obj
def record(
    out: Output,
    world: Path,
    name: str | None,
    dataset: Path,
    episodes: int,
    task: str,
    robot: str,
    backend: str,
    device: str | None,
    run: Path | None,
    failed: bool,
    size: tuple[int, int],
    cameras: tuple[str, ...],
    seed: int,
) -> None:
    """Record a policy in a world's cousins, or its twin, as a LeRobot v3.0 dataset with video."""
    with out.progress("record", episodes) as tick:
        made = learning.record(
            world,
            dataset,
            episodes,
            name=name,
            run=run,
            seed=seed,
            failed=failed,
            size=size,
            cameras=cameras,
            tick=tick,
            options={"task": task, "robot": robot, "backend": backend, "device": device},
        )
    out.result(made.to_json(), made.text())
