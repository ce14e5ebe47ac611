"""Options and arguments that several commands share."""

from pathlib import Path

import click

CAPTURE = click.argument("capture", type=click.Path(path_type=Path))
WORLD = click.argument("world", type=click.Path(path_type=Path))
INTO = click.option(
    "-o", "--output", "world", required=True, type=click.Path(path_type=Path), help="The world folder."
)
FRAMES = click.option("--frames", metavar="A:B:STEP", help="Which frames, as in Python: 0:40:2.")
NAME = click.option("--name", help="Which set of cousins [default: the preset's name].")
SEED = click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
WORKERS = click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes.")
