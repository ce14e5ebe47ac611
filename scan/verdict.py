"""From the measures of a capture to a verdict; each limit says what goes wrong beyond it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pocketworld.findings import Finding, Severity
from pocketworld.scan.agreement import Agreement
from pocketworld.scan.coverage import VIEWS, Coverage

FRONT = 0.018  # m: the thickness of common board, by which a front stands before what it closes
DOUBLE = 0.04  # m: where frames differ by more, fusion makes two surfaces of one
SURE = 0.5  # share of depth: below it, most of what is seen can't be used
PASSING = 1 - 1 / VIEWS  # overlap: a place that passes through the view is seen by 1 / (1 - overlap) frames
THIN = 0.25  # share of the place: as if one side of each thing in it were missing
BLURRED = (
    0.2  # share of pictures: of the VIEWS that show a place, all are blurred less than once in a hundred
)
SOFT = 2.0  # pixels of a picture 640 wide: 8 mm at 2 m, as much as a front's edge may be off
FOOTPRINT = 0.25  # m²: as much floor as a pedestal stands on


class Grade(StrEnum):
    """What a capture is good for."""

    GOOD = "good"
    USABLE = "usable"
    POOR = "poor"


@dataclass(frozen=True, slots=True)
class Measures:
    """The numbers of a capture.

    frames, pictures      how many could be read;  unreadable: why the others could not, one line each
    seconds, walk_m       from the first frame to the last (None: no times known), and the camera's way
    known_share           share of depth pixels with a depth
    sure_share            share of depth pixels that the device is sure of; None where it never says
    edge_width_px         how wide edges are in a picture made 640 wide: the middle one of all pictures
    blurred_share         share of pictures blurred against those around them
    agreement             of neighbouring frames
    """

    frames: int
    pictures: int
    unreadable: tuple[str, ...]
    seconds: float | None
    walk_m: float
    known_share: float
    sure_share: float | None
    edge_width_px: float | None
    blurred_share: float
    agreement: Agreement

    @property
    def usable_share(self) -> float:
        """Return the share of depth pixels that are sure, or known where no device says how sure it is."""
        return self.known_share if self.sure_share is None else self.sure_share

    @property
    def pictures_per_place(self) -> float:
        """Return how many pictures show a place while it passes through the view."""
        share = self.pictures / max(1, self.frames)
        return share / max(1e-3, 1 - (self.agreement.overlap or 0.0))

    def lines(self) -> list[str]:
        """Return the numbers as lines for a person."""
        agree = self.agreement
        lasted = "" if self.seconds is None else f" in {self.seconds:.0f} s"
        sure = "" if self.sure_share is None else f", {self.sure_share:.0%} sure"
        width = "" if self.edge_width_px is None else f", edges {self.edge_width_px:.1f} px wide (of 640)"
        lines = [
            f"frames: {self.frames}, {len(self.unreadable)} unreadable; {self.walk_m:.1f} m walked{lasted}",
            f"depth: {self.known_share:.0%} known{sure}",
            f"pictures: {self.pictures}, {self.blurred_share:.0%} blurred{width}",
        ]
        if agree.median_m is not None and agree.p90_m is not None and agree.overlap is not None:
            points = f"half of all points within {_mm(agree.median_m)}, nine in ten within {_mm(agree.p90_m)}"
            lines.append(f"neighbours: {points}; they share {agree.overlap:.0%} of their view")
        return lines


@dataclass(frozen=True, slots=True)
class _Fault:
    code: str
    fatal: bool
    text: str
    numbers: dict[str, float]


def judge(name: str, measures: Measures, coverage: Coverage) -> tuple[Grade, str, tuple[Finding, ...]]:
    """Return the grade, the verdict in one line, and findings for what is short of it and where."""
    faults = [*_frames(measures), *_depth(measures), *_pictures(measures), *_plan(coverage)]
    grade = Grade.POOR if any(f.fatal for f in faults) else Grade.USABLE if faults else Grade.GOOD
    found = [
        Finding(f.code, Severity.LOST if f.fatal else Severity.DEGRADED, "scan", name, f.text, f.numbers)
        for f in faults
    ]
    reasons = "; ".join(f.text for f in sorted(faults, key=lambda f: not f.fatal)) or _praise(measures)
    return grade, f"{grade}: {reasons}", (*found, *_notes(name, measures, coverage))


def _mm(metres: float) -> str:
    return f"{metres * 1000:.0f} mm"


def _praise(measures: Measures) -> str:
    assert measures.agreement.median_m is not None
    depth = (
        f"{measures.usable_share:.0%} of the depth is {'known' if measures.sure_share is None else 'sure'}"
    )
    pictures = f"{1 - measures.blurred_share:.0%} of the pictures are sharp"
    return f"neighbouring frames agree to {_mm(measures.agreement.median_m)}, {depth}, {pictures}"


def _frames(measures: Measures) -> Iterator[_Fault]:
    agree, median = measures.agreement, measures.agreement.median_m
    if measures.frames < VIEWS:
        text = f"only {measures.frames} of the {VIEWS} frames that a surface takes can be read"
        yield _Fault("few-frames", True, text, {"frames": measures.frames})
    if measures.unreadable:
        text = f"{len(measures.unreadable)} frames can't be read, the first: {measures.unreadable[0]}"
        yield _Fault("frame-unreadable", False, text, {"frames": len(measures.unreadable)})
    if median is None:
        yield _Fault("no-overlap", True, "no two neighbouring frames see the same place", {})
    elif median > DOUBLE:
        text = f"neighbouring frames disagree by {_mm(median)}: surfaces come out double"
        yield _Fault("frames-disagree", True, text, {"median_m": median})
    elif median > FRONT:
        text = f"neighbouring frames disagree by {_mm(median)}: a front, {_mm(FRONT)} thick, is lost in that"
        yield _Fault("frames-disagree", False, text, {"median_m": median})
    if agree.overlap is not None and agree.overlap < PASSING:
        text = (
            f"neighbouring frames share {agree.overlap:.0%} of their view: walk slower, or keep more frames"
        )
        yield _Fault("too-fast", False, text, {"overlap": agree.overlap})


def _depth(measures: Measures) -> Iterator[_Fault]:
    share = measures.usable_share
    if share < SURE:
        text = f"only {share:.0%} of the depth can be used: go nearer, avoid glass, mirrors and sun"
        yield _Fault("depth-unsure", False, text, {"share": share})


def _pictures(measures: Measures) -> Iterator[_Fault]:
    width, share, each = measures.edge_width_px, measures.blurred_share, measures.pictures_per_place
    if not measures.pictures:
        yield _Fault("no-pictures", False, "there are no pictures: closed fronts can't be told apart", {})
    elif each < 1:
        text = "pictures are so rare that some places are in none"
        yield _Fault("pictures-rare", False, text, {"pictures_per_place": each})
    if share > BLURRED:
        text = f"{share:.0%} of the pictures are blurred: turn slower, or make more light"
        yield _Fault("pictures-blurred", False, text, {"share": share})
    if width is not None and width > SOFT:
        text = f"edges are {width:.1f} pixels wide in pictures of 640: clean the lens, hold still"
        yield _Fault("pictures-soft", False, text, {"width_px": width})


def _plan(coverage: Coverage) -> Iterator[_Fault]:
    if not coverage.well.any():
        yield _Fault("seen-too-little", True, "nothing was seen by enough frames from enough directions", {})
    elif coverage.thin > THIN:
        text = f"{coverage.thin:.0%} of the place was seen too little"
        yield _Fault("seen-too-little", False, text, {"share": coverage.thin})


def _notes(name: str, measures: Measures, coverage: Coverage) -> Iterator[Finding]:
    """Say where it is worst."""
    worst, pair = measures.agreement.worst_m, measures.agreement.worst_pair
    if worst is not None and pair is not None and worst > DOUBLE:
        text = f"frames {pair[0]} and {pair[1]}, neighbours, disagree most"
        yield Finding("neighbours-apart", Severity.NOTE, "scan", name, text, {"median_m": worst})
    large = [patch for patch in coverage.patches if patch.area >= FOOTPRINT]
    if large:
        x, y = large[0].centre
        text = f"the largest place that was seen too little is around x = {x:.1f}, y = {y:.1f} m"
        numbers = {"area_m2": large[0].area, "x_m": x, "y_m": y}
        yield Finding("seen-too-little-here", Severity.NOTE, "scan", name, text, numbers)
