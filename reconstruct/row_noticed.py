"""What was missing or guessed when runs were measured, as findings."""

from collections.abc import Iterator, Sequence

from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct.row_ends import UNSEEN
from pocketworld.reconstruct.row_parts import EndKind, Run, RunKind
from pocketworld.reconstruct.row_worktop import Edge

STAGE = "reconstruct"
APART = 0.02  # m: a worktop's edge and its plate that differ more are not one plane


def noticed(name: str, runs: Sequence[Run], edge: Edge) -> Iterator[Finding]:
    """Yield what was noticed of runs that hang together; `edge`: of their worktop."""
    for run in runs:
        subject = f"{name}/{run.id}"
        yield from _ends(subject, run)
        if run.sigma[2] >= UNSEEN:
            yield _found(
                "run-top-unseen", subject, "its upper end was not seen: it may be higher", run.box.size[2]
            )
        if run.plinth is not None and not run.plinth.measured:
            text = "how its plinth stands back does not show: a usual one is taken"
            yield _found("plinth-guessed", subject, text, run.plinth.height, Severity.NOTE)
        for ajar in run.ajar:
            text = "no front shows in the plane, but something does before it: a front that is open a little"
            yield _found("front-ajar", subject, text, ajar.place.right - ajar.place.left, Severity.NOTE)
        for dark in run.dark:
            text = "a part of its front has no depth: glass or black, perhaps an appliance"
            yield _found("front-dark", subject, text, dark.right - dark.left)
        if run.kind is RunKind.BASE:
            yield from _worktop(subject, run, edge)


def _ends(subject: str, run: Run) -> Iterator[Finding]:
    for end, side in zip(run.ends, ("left", "right"), strict=True):
        if end.kind is EndKind.CUT:
            text = f"its {side} end was not seen: it ends where the pictures do"
            yield _found(f"run-{side}-unseen", subject, text, run.box.size[0])


def _worktop(subject: str, run: Run, edge: Edge) -> Iterator[Finding]:
    assert run.worktop is not None
    if not edge.measured:
        text = "the edge of its worktop does not stand out: a usual thickness is taken"
        yield _found("worktop-guessed", subject, text, edge.thickness, Severity.NOTE)
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
