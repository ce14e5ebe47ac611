"""Commands on a world that is there."""

from pathlib import Path

import click

from pocketworld import workflow
from pocketworld.cli.options import BACKEND, DEVICE, NAME, POLICY, ROBOT, SEED, TASK, WORKERS, WORLD
from pocketworld.cli.output import Output


@click.command()
@WORLD
@NAME
@click.option(
    "--preset", default="medium", show_default=True, help="How far from the twin: twin, near, medium, far."
)
@click.option(
    "--spec", type=click.Path(dir_okay=False, path_type=Path), help="A spec of your own (TOML), not a preset."
)
@click.option("--count", default=64, show_default=True, type=click.IntRange(1))
@SEED
@WORKERS
@click.pass_obj
def cousins(
    out: Output,
    world: Path,
    name: str | None,
    preset: str,
    spec: Path | None,
    count: int,
    seed: int,
    workers: int,
) -> None:
    """Make cousins of a world's twin: cousins/NAME/draws.parquet, from which they are built on demand."""
    with out.progress("cousins") as tick:
        made = workflow.run_cousins(world, name, preset, spec, seed, count, workers, tick)
    out.result(made.to_json(), made.text(), made.findings)


@click.command()
@WORLD
@NAME
@click.option("--envs", default=64, show_default=True, type=click.IntRange(1), help="Environments at once.")
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="Film it (mp4).")
@POLICY
@TASK
@ROBOT
@BACKEND
@DEVICE
@SEED
@click.pass_obj
def sim(
    out: Output,
    world: Path,
    name: str | None,
    envs: int,
    record: Path | None,
    run: Path | None,
    task: str,
    robot: str,
    backend: str,
    device: str | None,
    seed: int,
) -> None:
    """Let a policy or a scripted expert work in a batch: a world's cousins, or its twin if it has none."""
    options = {"task": task, "robot": robot, "backend": backend, "device": device}
    with out.progress("sim") as tick:
        made = workflow.run_sim(world, name, envs, seed, record, tick, options, run)
    out.result(made.to_json(), made.text(), made.findings)


@click.command()
@WORLD
@click.pass_obj
def report(out: Output, world: Path) -> None:
    """Write report/index.html of a world: one file that opens offline."""
    page, findings = workflow.write_report(world)
    out.result({"report": str(page)}, str(page), findings)
