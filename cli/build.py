"""Commands from a capture to a world."""

from pathlib import Path

import click

from pocketworld import workflow
from pocketworld.cli.options import CAPTURE, FRAMES, INTO
from pocketworld.cli.output import Output


@click.command()
@CAPTURE
@FRAMES
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Save the coverage as this PNG."
)
@click.pass_obj
def scan(out: Output, capture: Path, frames: str | None, picture: Path | None) -> None:
    """Look at a capture: how long, how sharp, how consistent, what was seen too little."""
    made = workflow.scan(capture, frames, picture)
    out.result(made.to_json(), made.text(), made.findings)


@click.command()
@CAPTURE
@INTO
@FRAMES
@click.pass_obj
def reconstruct(out: Output, capture: Path, world: Path, frames: str | None) -> None:
    """Make the twin of a capture in a world folder."""
    with out.progress("reconstruct") as tick:
        made = workflow.reconstruct(capture, world, frames, tick)
    out.result(made.to_json(), made.text(), made.findings)


@click.command()
@CAPTURE
@INTO
@FRAMES
@click.pass_obj
def run(out: Output, capture: Path, world: Path, frames: str | None) -> None:
    """Make a world from a capture; stages whose inputs haven't changed are kept."""
    with out.progress("run") as tick:
        made = workflow.run(capture, world, frames, tick)
    out.result(made.to_json(), made.text(), made.findings)
