"""Whether beliefs are as sure as they are right: pooled over the joints of one or many worlds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pocketworld.bench.matching import match, predictions
from pocketworld.bench.truth import TruePart, Truth
from pocketworld.geometry.se3 import Array
from pocketworld.scene import Belief, JointKind, Scene, Side

BINS = 10

# Ten bins of fewer joints than this hold two or three each, whose share right is noise.
ENOUGH = 50

# A kind that the belief leaves out altogether: the loss stays finite, as -log of this.
NEVER = 1e-6


@dataclass(frozen=True, slots=True)
class Believed:
    """A joint: how sure the belief is of its likeliest kind and side, if that is so, and the truth's p.

    kind   the same of its likeliest kind alone;  side: of the side of a hinge that truly is one
    """

    joint: str
    sure: float
    right: bool
    p_true: float
    kind: "Claim | None" = None
    side: "Claim | None" = None


@dataclass(frozen=True, slots=True)
class Claim:
    """How sure something was said to be, and whether it is so."""

    sure: float
    right: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Claims made with a p from `low` to `high`: how many, how sure on the average, what share is so."""

    low: float
    high: float
    count: int
    said: float
    right: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Expected calibration error (Naeini et al. 2015, 10 equal bins) and mean log loss, or why not."""

    joints: int
    expected_error: float | None
    log_loss: float | None
    why_not: str = ""


def believed(scene: Scene, truth: Truth, truth_from_capture: Array) -> tuple[Believed, ...]:
    """Compare the belief of each joint whose part has a front; what matches nothing is truly fixed."""
    guesses = [p for p in predictions(scene, truth_from_capture) if p.front is not None]
    parts = {pair.predicted: truth.parts[pair.true] for pair in match(guesses, truth)}
    return tuple(compared(guess.id, guess.joint.belief, parts.get(i)) for i, guess in enumerate(guesses))


def compared(id: str, belief: Belief, part: TruePart | None) -> Believed:
    """Compare a belief with the true part, or with none: then nothing moves there."""
    kind = part.kind if part else JointKind.FIXED
    side = part.side if part and kind is JointKind.HINGE else None
    first = max(belief.hypotheses, key=lambda h: h.p)
    first_side = first.side if first.kind is JointKind.HINGE else None
    right = (first.kind, first_side) == (kind, side)
    likeliest = max(JointKind, key=belief.p)
    hangs = None
    if kind is likeliest is JointKind.HINGE:
        at = max(Side, key=lambda s: belief.p(kind, s))
        hangs = Claim(belief.p(kind, at) / belief.p(kind), at is side)
    called = Claim(belief.p(likeliest), likeliest is kind)
    return Believed(id, belief.p(first.kind, first_side), right, belief.p(kind, side), called, hangs)


def bins(claims: Iterable[Claim]) -> tuple[Bin, ...]:
    """Return claims by how sure they were, in tenths; a tenth in which nothing was claimed is left out."""
    tenths: dict[int, list[Claim]] = {}
    for claim in claims:
        tenths.setdefault(min(int(claim.sure * BINS), BINS - 1), []).append(claim)
    return tuple(_bin(k, some) for k, some in sorted(tenths.items()))


def _bin(k: int, some: Sequence[Claim]) -> Bin:
    said, right = np.mean([(claim.sure, claim.right) for claim in some], axis=0)
    return Bin(k / BINS, (k + 1) / BINS, len(some), float(said), float(right))


def calibration(joints: Sequence[Believed]) -> Calibration:
    """Return the calibration of joints pooled over worlds."""
    if len(joints) < ENOUGH:
        return Calibration(len(joints), None, None, f"not applicable: {len(joints)} joints, needs {ENOUGH}")
    sure = np.array([joint.sure for joint in joints])
    right = np.array([joint.right for joint in joints], float)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs((sure - right)[bins == b].sum()) for b in range(BINS)]
    loss = -np.log([max(joint.p_true, NEVER) for joint in joints])
    return Calibration(len(joints), float(sum(gaps) / len(joints)), float(loss.mean()))


def table(joints: Sequence[Believed]) -> str:
    """Return as lines of text how often beliefs were right, by how sure they were."""
    kinds = [joint.kind for joint in joints if joint.kind]
    sides = [joint.side for joint in joints if joint.side]
    rows = [f"{'belief':<10}{'joints':>8}{'said':>8}{'right':>8}"]
    for title, claims in (("kind", kinds), ("side of what truly is hinged", sides)):
        rows.append(f"{title}, {len(claims)}")
        rows += [
            f"{b.low:.1f}..{b.high:.1f}  {b.count:>8}{b.said:>8.2f}{b.right:>8.2f}" for b in bins(claims)
        ]
    c = calibration(joints)
    if c.expected_error is not None and c.log_loss is not None:
        rows.append(
            f"kind and side: expected error {c.expected_error:.3f}, log loss {c.log_loss:.3f} over {c.joints}"
        )
    return "\n".join(rows) + "\n"


def pooled(many: Iterable[Sequence[Believed]]) -> Calibration:
    """Return the calibration of several worlds as one."""
    return calibration([joint for joints in many for joint in joints])
