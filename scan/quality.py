"""How good a capture is for what follows: measured in one pass, with two frames in memory at most."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding
from pocketworld.scan.agreement import Comparison, known, sure
from pocketworld.scan.capture import Capture, Frame
from pocketworld.scan.coverage import Coverage, Plan
from pocketworld.scan.plan_picture import PlanPicture, draw
from pocketworld.scan.sharpness import blurred, edge_width
from pocketworld.scan.verdict import Grade, Measures, judge


@dataclass(frozen=True, eq=False, slots=True)
class Quality:
    """What `assess` found; `findings` are its own, a capture keeps what its reader found.

    measures   the numbers;  grade: good, usable or poor;  verdict: why, in one line
    blurred    names of the pictures that are blurred against those around them
    coverage   the floor plan
    """

    name: str
    format: str
    measures: Measures
    grade: Grade
    verdict: str
    blurred: tuple[str, ...]
    coverage: Coverage
    findings: tuple[Finding, ...]

    def picture(self) -> PlanPicture:
        """Return the floor plan from above, with the walk."""
        return draw(self.coverage)

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; the floor plan is told by its areas and patches."""
        plan = self.coverage
        return {
            "name": self.name,
            "format": self.format,
            "grade": self.grade,
            "verdict": self.verdict,
            **asdict(self.measures),
            "blurred": list(self.blurred),
            "coverage": {
                "cell_m": plan.cell,
                "seen_m2": plan.seen_area,
                "place_m2": plan.place_area,
                "thin_share": plan.thin,
                "thin_patches": [asdict(patch) for patch in plan.patches],
            },
            "findings": [finding.to_json() for finding in self.findings],
        }

    def summary(self) -> str:
        """Return a few lines for a person, the verdict first; findings are told apart from it."""
        return "\n".join([f"{self.name}: {self.verdict}", *self.measures.lines()])


@dataclass(slots=True)
class _Pass:
    """What one pass over the frames collects; the last frame with depth is all that it holds."""

    plan: Plan
    neighbours: Comparison = field(default_factory=Comparison)
    known: list[float] = field(default_factory=list)
    sure: list[float] = field(default_factory=list)
    widths: list[tuple[str, float]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    frames: int = 0
    pictures: int = 0
    last: Frame | None = None

    def add(self, frame: Frame) -> None:
        self.frames += 1
        if frame.time is not None:
            self.times.append(frame.time)
        if frame.colour is not None:
            self.pictures += 1
            width = edge_width(frame.colour)
            if width is not None:
                self.widths.append((frame.name, width))
        if frame.depth is not None:
            self._add_depth(replace(frame, colour=None))

    def _add_depth(self, frame: Frame) -> None:
        self.known.append(float(known(frame).mean()))
        if frame.confidence is not None:
            self.sure.append(float(sure(frame).mean()))
        self.plan.add(frame)
        if self.last is not None:
            self.neighbours.add(self.last, frame)
        self.last = frame


def assess(capture: Capture) -> Quality:
    """Measure a capture in one pass. Frames that can't be read are counted; they raise nothing.

    Raises CaptureError where there is no frame at all.
    """
    if not capture:
        raise CaptureError(f"{capture.source} has no frames to assess")
    places = capture.world_from_camera[:, :3, 3]
    seen = _Pass(Plan(places[:, :2]))
    damaged: list[str] = []
    for i in range(len(capture)):
        try:
            seen.add(capture[i])
        except CaptureError as error:
            damaged.append(str(error))
            seen.last = None
    walk = float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum())
    spoiled = blurred([width for _, width in seen.widths])
    measures = _measures(seen, tuple(damaged), walk, int(spoiled.sum()))
    coverage = seen.plan.result()
    grade, verdict, findings = judge(capture.name, measures, coverage)
    names = tuple(name for (name, _), bad in zip(seen.widths, spoiled, strict=True) if bad)
    return Quality(capture.name, capture.format, measures, grade, verdict, names, coverage, findings)


def _measures(seen: _Pass, unreadable: tuple[str, ...], walk: float, blurry: int) -> Measures:
    return Measures(
        seen.frames,
        seen.pictures,
        unreadable,
        max(seen.times) - min(seen.times) if seen.times else None,
        walk,
        float(np.mean(seen.known)) if seen.known else 0.0,
        float(np.mean(seen.sure)) if seen.sure else None,
        float(np.median([width for _, width in seen.widths])) if seen.widths else None,
        blurry / max(1, len(seen.widths)),
        seen.neighbours.result(),
    )
