"""The table of joints: what each front is taken to be, and how sure that is."""

from dataclasses import dataclass
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
    axis: str
    origin: str
    opening: str
    state: str
    handle: str
    evidence: tuple[str, ...]


def numbered(asset: Asset) -> tuple[Numbered, ...]:
    """Return the parts that close an opening or move, with their joints, numbered from 1."""
    listed = [(asset.part(j.child), j) for j in asset.joints if j.movable or asset.part(j.child).front]
    return tuple((i, part, joint) for i, (part, joint) in enumerate(listed, 1))


def taken_for(joint: Joint) -> Hypothesis:
    """Return the most probable hypothesis of the joint's own kind: what the twin takes it for."""
    alike = [h for h in joint.belief.hypotheses if h.kind is joint.kind]
    return max(alike, key=lambda h: h.p) if alike else joint.belief.best


def rows(asset: Asset) -> tuple[Row, ...]:
    """Return a row for each numbered front of an asset."""
    return tuple(_row(number, part, joint) for number, part, joint in numbered(asset))


def _row(number: int, part: Part, joint: Joint) -> Row:
    taken = taken_for(joint)
    moves = joint.movable
    return Row(
        number=number,
        joint=joint.id,
        role=part.role.replace("_", " "),
        colour=str(joint.kind),
        bars=_bars(joint),
        axis=f"{_vector(joint.axis, 2)} {PLUS_MINUS}{degrees(taken.axis_sigma):.1f}°" * moves,
        origin=f"{_vector(joint.origin, 3)}{SPACE}m {PLUS_MINUS}{length(taken.origin_sigma)}" * moves,
        opening=f"{opening(joint, joint.range[1])} {PLUS_MINUS}{opening(joint, taken.range_sigma)}" * moves,
        state=opening(joint, joint.state) * moves,
        handle=_handle(part),
        evidence=joint.belief.evidence,
    )


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
