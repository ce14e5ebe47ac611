"""The command that examines the machine."""

import click

from pocketworld import measures
from pocketworld.cli.output import Output


@click.command()
@click.pass_obj
def doctor(out: Output) -> None:
    """Say what is installed, what renders, and what is missing with the line that mends it."""
    checks = measures.examine()
    out.result({"checks": [check.to_json() for check in checks]}, "\n".join(map(str, checks)))
