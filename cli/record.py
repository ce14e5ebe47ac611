"""The command that records demonstrations."""

from pathlib import Path

import click

from pocketworld import api
from pocketworld.cli.options import NAME, POLICY, ROBOT, SEED, TASK, WORLD
from pocketworld.cli.output import Output
from pocketworld.errors import PocketworldError


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
@POLICY
@click.option("--failed", is_flag=True, help="Keep episodes that failed too.")
@click.option("--size", default="320x240", show_default=True, callback=_size, help="Of the pictures.")
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
    run: Path | None,
    failed: bool,
    size: tuple[int, int],
    seed: int,
) -> None:
    """Record a policy in a world's cousins, or its twin, as a LeRobot v3.0 dataset with video."""
    from pocketworld.sim.expert import expert
    from pocketworld.sim.lerobot import checks
    from pocketworld.sim.lerobot import record as recording
    from pocketworld.sim.training import policy

    if dataset.exists():
        raise PocketworldError(f"{dataset} is there already", "name another folder, or delete it")
    scenes = api.scenes_of(world, name, visual=True)
    acting = policy.load(run) if run else expert
    with out.progress("record", episodes) as tick:
        made = recording.record(
            scenes,
            dataset,
            episodes,
            acting,
            seed=seed,
            failed=failed,
            size=size,
            tick=tick,
            task=task,
            robot=robot,
        )
        tick("reading it back")
        checks.check(dataset)
    out.result(made.to_json(), made.text())
