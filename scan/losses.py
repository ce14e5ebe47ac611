"""What a reader had to leave out, counted per kind, so that each kind is one finding."""

from dataclasses import dataclass, field

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.scan.source import Source

LEFT_OUT = " and are left out"
"""What the texts of those kinds end with that cost a frame, not its picture alone."""

TEXTS = {
    "frame-absurd": "have a pose that is no motion and are left out",
    "depth-unusable": "have no depth that can be read and are left out",
    "confidence-unusable": "have no confidence that can be read, unlike the others, and are left out",
    "colour-unusable": "have no picture",
}
"""What is said of the kinds that readers share; a reader's own words go before."""


@dataclass(slots=True)
class Losses:
    """A count of what is left out: `add` one by one, then `findings`."""

    cases: dict[str, list[str]] = field(default_factory=dict)

    def add(self, code: str, why: str) -> None:
        """Count one more of a kind; `why` names the file."""
        self.cases.setdefault(code, []).append(why)

    def refuse_if_all(self, source: Source, total: int, left: int, texts: dict[str, str]) -> None:
        """Raise CaptureError where nothing of `total` frames is left.

        It says what frames are left out for, what most are first, and names the first of those.
        """
        if left:
            return
        dropped = [(code, whys) for code, whys in self.cases.items() if texts[code].endswith(LEFT_OUT)]
        dropped.sort(key=lambda case: -len(case[1]))
        kinds = ", ".join(f"{len(whys)} {texts[code].removesuffix(LEFT_OUT)}" for code, whys in dropped)
        why = f"{kinds}; the first: {dropped[0][1][0]}" if dropped else "there is none"
        raise CaptureError(f"{source.path}: none of {total} frames can be used: {why}")

    def findings(self, subject: str, total: int, texts: dict[str, str]) -> tuple[Finding, ...]:
        """Return one finding per kind: how many of `total` frames, and the first of them."""
        return tuple(
            Finding(
                code,
                Severity.LOST if len(whys) == total else Severity.DEGRADED,
                "scan",
                subject,
                f"{len(whys)} of {total} frames {texts[code]}; the first: {whys[0]}",
                {"frames": len(whys), "of": total},
            )
            for code, whys in self.cases.items()
        )
