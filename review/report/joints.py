"""The table of joints: what each front is taken to be, and how sure that is."""

from dataclasses import dataclass, replace
from math import degrees

from pocketworld.geometry.convex import Vec3
from pocketworld.review.report.words import PLUS_MINUS, SPACE, length, opening, probability
from pocketworld.scene import Asset, Hypothesis, Joint, Part, Side

# Hypotheses less probable than this are not named one by one; sums of probabilities are exact to that.
LEAST = 0.01
ROUNDING = 1e-6

Numbered = tuple[int, Part, Joint]


@dataclass(frozen=True, slots=True)
class Bar:
    """A hypothesis: what it says and how probable, its share of the bar (0..1), its colour's name."""

    label: str
    share: float
    colour: str


@dataclass(frozen=True, slots=True)
class Row:
    """One front: `number` is drawn on the face too; what is not known is empty."""

    number: int
    joint: str
    role: str
    colour: str
    bars: tuple[Bar, ...]
    handle: str
    evidence: tuple[str, ...] = ()
    axis: str = ""
    origin: str = ""
    opening: str = ""
    state: str = ""


def numbered(asset: Asset) -> tuple[Numbered, ...]:
    """Return the parts that close an opening or move, with their joints, numbered from 1."""
    listed = [(asset.part(j.child), j) for j in asset.joints if j.movable or asset.part(j.child).front]
    return tuple((i, part, joint) for i, (part, joint) in enumerate(listed, 1))


def taken_for(joint: Joint) -> Hypothesis:
    """Return what the twin takes a joint for: of the hypotheses of its kind, the likeliest about its axis."""
    alike = [h for h in joint.belief.hypotheses if h.kind is joint.kind]
    along = {h: sum(a * b for a, b in zip(h.axis, joint.axis, strict=True)) for h in alike}
    return max(alike, key=lambda h: (round(along[h], 1), h.p)) if alike else joint.belief.best


def rows(asset: Asset) -> tuple[Row, ...]:
    """Return a row for each numbered front of an asset."""
    return tuple(_row(number, part, joint) for number, part, joint in numbered(asset))


def _row(number: int, part: Part, joint: Joint) -> Row:
    row = Row(
        number=number,
        joint=joint.id,
        role=part.role.replace("_", " "),
        colour=str(joint.kind),
        bars=_bars(joint),
        handle=_handle(part),
        evidence=joint.belief.evidence,
    )
    if not joint.movable:
        return row
    taken = taken_for(joint)
    origin_sigma, range_sigma = length(taken.origin_sigma), opening(joint, taken.range_sigma)
    return replace(
        row,
        axis=_vector(joint.axis, 2) + _sigma(taken.axis_sigma, f"{degrees(taken.axis_sigma):.1f}°"),
        origin=f"{_vector(joint.origin, 3)}{SPACE}m" + _sigma(taken.origin_sigma, origin_sigma),
        opening=opening(joint, joint.range[1]) + _sigma(taken.range_sigma, range_sigma),
        state=f"at {opening(joint, joint.state)}" if joint.state else "closed",
    )


def _sigma(sigma: float, text: str) -> str:
    """Return the sigma after its value; 0 is said of what nobody has estimated, and is left out."""
    return f" {PLUS_MINUS}{text}" * (sigma > 0)


def _bars(joint: Joint) -> tuple[Bar, ...]:
    """Return the hypotheses, the likeliest first; those below 1 % as one."""
    likely = sorted((h for h in joint.belief.hypotheses if h.p >= LEAST), key=lambda h: -h.p)
    bars = [Bar(f"{said(h)} {probability(h.p)}", h.p, str(h.kind)) for h in likely]
    rest = 1 - sum(h.p for h in likely)
    if rest > ROUNDING:
        bars.append(Bar(f"others {probability(rest)}", rest, "others"))
    return tuple(bars)


def said(hypothesis: Hypothesis) -> str:
    """Return "slide", or "hinge left"."""
    side = "" if hypothesis.side is Side.NONE else f" {hypothesis.side}"
    return f"{hypothesis.kind}{side}"


def _handle(part: Part) -> str:
    if part.handle is None:
        return "none"
    return f"{part.handle.kind}, {length(part.handle.length)}, {length(part.handle.standoff)} proud"


def _vector(v: Vec3, digits: int) -> str:
    """Return (x, y, z) with true minus signs, and no minus before a zero."""
    numbers = f",{SPACE}".join(f"{round(x, digits) + 0.0:.{digits}f}" for x in v)
    return f"({numbers})".replace("-", "\N{MINUS SIGN}")
