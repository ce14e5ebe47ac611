"""The command that examines the machine."""

from pathlib import Path

import click

from pocketworld import measures
from pocketworld.cli.output import Output


@click.command()
@click.argument("world", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def doctor(out: Output, world: Path | None) -> None:
    """Say what is installed, what renders, what the GPU is, and what is missing with the line that mends it.

    With a WORLD: how many environments of its cousins fit into one batch of the backend warp.
    """
    with out.progress("doctor") as tick:
        checks = measures.examine(world, tick)
    out.result({"checks": [check.to_json() for check in checks]}, "\n".join(map(str, checks)))
