"""How commands show results, findings and progress."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import click

from pocketworld.errors import PocketworldError
from pocketworld.findings import Finding, serious


@dataclass(frozen=True, slots=True)
class Output:
    """The options that all commands share."""

    as_json: bool = False
    quiet: bool = False
    strict: bool = False

    def result(self, data: Mapping[str, object], text: str, findings: Sequence[Finding] = ()) -> None:
        """Print the result, `data` with --json, else `text`, and the findings, one line each on stderr."""
        for finding in () if self.quiet else findings:
            click.echo(finding, err=True)
        whole = {**data, "findings": [finding.to_json() for finding in findings]}
        click.echo(json.dumps(whole) if self.as_json else text)
        if self.strict and (bad := len(serious(findings))):
            raise PocketworldError(f"--strict: {bad} of {len(findings)} findings are degraded or lost")

    @contextmanager
    def progress(self, title: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
        """Show a bar on a terminal, elsewhere a line a step on stderr; with --json or --quiet nothing at all.

        Call what it gives once a step, with what is done next (or "").
        """
        if self.as_json or self.quiet:
            yield lambda _: None
            return
        if not sys.stderr.isatty():
            yield lambda now: click.echo(f"{title}: {now}", err=True) if now else None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda now: bar.update(task, advance=1, description=now or title)
