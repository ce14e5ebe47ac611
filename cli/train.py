"""The command that learns."""

from pathlib import Path
from typing import Any

import click

from pocketworld import learning
from pocketworld.cli.options import DEVICE, ROBOTS, WORLD
from pocketworld.cli.output import Output


@click.command()
@WORLD
@click.option("--name", default="open", show_default=True, help="The training's folder, in WORLD/runs.")
@click.option("--task", help="What is learnt: open, close.  [default: open]")
@click.option("--robot", help=f"{ROBOTS}  [default: hand]")
@click.option("--backend", help="On which physics: mujoco, warp.  [default: mujoco]")
@DEVICE
@click.option("--preset", help="How far cousins are from the twin.  [default: medium]")
@click.option("--spec", type=click.Path(dir_okay=False, path_type=Path), help="A spec of your own (TOML).")
@click.option("--train", "train_in", type=click.IntRange(1), help="Cousins to learn in.  [default: 64]")
@click.option(
    "--held-out", type=click.IntRange(1), help="Cousins that are kept for the judgement.  [default: 64]"
)
@click.option("--iterations", type=click.IntRange(1), help="Of 32 steps in each environment.  [default: 100]")
@click.option("--envs", type=click.IntRange(1), help="Environments at once.  [default: 128]")
@click.option(
    "--checkpoint-every",
    type=click.IntRange(1),
    help="So many iterations; all episodes, of 200 steps, then begin anew: 7 at least.  [default: 25]",
)
@click.option("--noise-mm", type=float, help="How far off handles are seen, up to 1000.  [default: 0]")
@click.option("--noise-deg", type=float, help="And how far turned, up to 180.  [default: 0]")
@click.option("--seed", type=click.IntRange(0), help="Of all that is drawn.  [default: 0]")
@click.option("--threads", type=click.IntRange(1), help="Of the physics.  [default: all cores]")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint of the training of this name.")
@click.option("--film/--no-film", default=True, show_default=True, help="Film the policy in the end.")
@click.pass_obj
def train(
    out: Output,
    /,
    world: Path,
    name: str,
    device: str | None,
    preset: str | None,
    spec: Path | None,
    train_in: int | None,
    held_out: int | None,
    threads: int | None,
    resume: bool,
    film: bool,
    **asked: Any,
) -> None:
    """Learn to open (or close) things in cousins of a world's twin, and judge the policy on others.

    WORLD/runs/NAME then holds the policy (ONNX) with its spec, the evaluation, the curve and a film. The
    policy sees what a robot senses, never the cabinet's facts. --resume takes what it is not told from there.
    """
    given = {key: value for key, value in asked.items() if value is not None}
    wanted = learning.Wanted(
        given,
        preset=preset,
        spec=spec,
        train=train_in,
        held=held_out,
        resume=resume,
        threads=threads,
        device=device,
        film=film,
    )
    try:
        with out.progress("train") as tick:
            made = learning.train(world, name, wanted, tick=tick)
    except KeyboardInterrupt:
        if not out.quiet:
            click.echo(learning.kept(world, name), err=True)
        raise
    out.result(made.to_json(), made.text(), made.findings)
