"""The command that lets a policy work in shards."""

from pathlib import Path

import click

from pocketworld import evaluation
from pocketworld.cli.options import BACKEND, DEVICE, NAME, ROBOT, SEED, TASK, WORLD
from pocketworld.cli.output import Output


@click.command()
@WORLD
@NAME
@click.option(
    "--policy",
    default="expert",
    show_default=True,
    help="expert, or a training: its name in WORLD/runs, or its folder.",
)
@click.option("--envs", type=click.IntRange(1), help="Environments [default: one a cousin].")
@click.option("--shards", default=1, show_default=True, type=click.IntRange(1), help="Parts of the work.")
@click.option(
    "--ray",
    "address",
    metavar="ADDRESS",
    help="Compute shards in a Ray cluster: local (made of this machine), auto (the one it is part of), or "
    "HOST:PORT.",
)
@click.option("--send", is_flag=True, help="Send the twin and its draws; else workers open WORLD's path.")
@TASK
@ROBOT
@BACKEND
@DEVICE
@SEED
@click.pass_obj
def evaluate(
    out: Output,
    world: Path,
    name: str | None,
    policy: str,
    envs: int | None,
    shards: int,
    address: str | None,
    send: bool,
    task: str,
    robot: str,
    backend: str,
    device: str | None,
    seed: int,
) -> None:
    """Let a policy work once in each environment of a world's cousins, on one machine or many."""
    options = {"task": task, "robot": robot, "backend": backend, "device": device}
    with out.progress("evaluate", shards + 1) as tick:
        made = evaluation.evaluate(
            world,
            name,
            policy,
            envs=envs,
            shards=shards,
            seed=seed,
            address=address,
            send=send,
            options=options,
            tick=tick,
        )
    out.result(made.to_json(), made.text(), made.findings)
