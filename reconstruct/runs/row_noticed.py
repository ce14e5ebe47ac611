"""What was missing or guessed when runs were measured, as findings; units and worktops say the rest."""

from collections.abc import Iterator, Sequence

from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct.runs.row_ends import UNSEEN
from pocketworld.reconstruct.runs.row_parts import EndKind, Run, RunKind
from pocketworld.reconstruct.runs.row_worktop import Edge

STAGE = "reconstruct"
APART = 0.02  # m: a worktop's edge and its plate that differ more are not one plane


def noticed(name: str, runs: Sequence[Run], edge: Edge) -> Iterator[Finding]:
    """Yield what was noticed of runs that hang together; `edge`: of their worktop."""
    for run in runs:
        subject = f"{name}/{run.id}"
        yield from _ends(subject, run)
        if run.sigma[2] >= UNSEEN:
            yield _found(
                "run-top-unseen",
                subject,
                "the run's upper end was not seen: it may be higher",
                run.box.size[2],
            )
        if run.plinth is not None and not run.plinth.measured:
            text = "how the run's plinth stands back does not show: a usual one is taken"
            yield _found("plinth-guessed", subject, text, run.plinth.height, Severity.NOTE)
        if run.kind is RunKind.BASE:
            yield from _worktop(subject, run, edge)


def _ends(subject: str, run: Run) -> Iterator[Finding]:
    for end, side in zip(run.ends, ("left", "right"), strict=True):
        if end.kind is EndKind.CUT:
            text = f"the run's {side} end was not seen: it ends where the pictures do"
            yield _found(f"run-{side}-unseen", subject, text, run.box.size[0])


def _worktop(subject: str, run: Run, edge: Edge) -> Iterator[Finding]:
    assert run.worktop is not None
    top = run.worktop.box.foot[2] + run.worktop.box.size[2]
    if abs(edge.top - top) > APART:
        text = (
            "depth puts the worktop's plate and its front edge at different heights: dark plates seem too low"
        )
        numbers = {"plate_m": top, "edge_m": edge.top, "sigma_m": run.worktop.sigma}
        yield Finding("worktop-uneven", Severity.DEGRADED, STAGE, subject, text, numbers)


def _found(
    code: str, subject: str, text: str, size: float, severity: Severity = Severity.DEGRADED
) -> Finding:
    return Finding(code, severity, STAGE, subject, text, {"size_m": size})
