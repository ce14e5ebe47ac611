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
TASK = click.option("--task", default="open", show_default=True, help="open or close.")
POLICY = click.option(
    "--policy",
    "run",
    type=click.Path(path_type=Path),
    help="A training: its name in WORLD/runs, or its folder.  [default: the expert]",
)
ROBOTS = "hand, panda, panda:joints (led joint by joint), or the MJCF of a robot of your own."
ROBOT = click.option("--robot", default="hand", show_default=True, help=ROBOTS)
BACKEND = click.option("--backend", default="mujoco", show_default=True, help="mujoco or warp.")
DEVICE = click.option("--device", help="Of warp: cuda or cpu [default: cuda where there is one].")
SEED = click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
WORKERS = click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes.")
