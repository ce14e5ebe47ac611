"""The command for a first look."""

from pathlib import Path

import click

from pocketworld import demo as first_look
from pocketworld.cli.options import SEED
from pocketworld.cli.output import Output


@click.command()
@click.option(
    "-o",
    "--output",
    "folder",
    default=Path("out/demo"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where to: a capture, a world and a film.",
)
@click.option("--cousins", "count", default=16, show_default=True, type=click.IntRange(1))
@SEED
@click.pass_obj
def demo(out: Output, folder: Path, count: int, seed: int) -> None:
    """Scan a virtual kitchen, reconstruct it, make cousins, let the expert open them, report."""
    with out.progress("demo") as tick:
        made = first_look.demo(folder, seed, count, tick)
    out.result(made.to_json(), made.text(), made.findings)
