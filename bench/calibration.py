"""Whether beliefs are as sure as they are right: pooled over the joints of one or many worlds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pocketworld.bench.matching import match, predictions
from pocketworld.bench.truth import Truth
from pocketworld.geometry.se3 import Array
from pocketworld.scene import JointKind, Scene

BINS = 10

# Ten bins of fewer joints than this hold two or three each, whose share right is noise.
ENOUGH = 50

# A kind that the belief leaves out altogether: the loss stays finite, as -log of this.
NEVER = 1e-6


@dataclass(frozen=True, slots=True)
class Believed:
    """A joint: how sure the belief is of its likeliest kind and side, if that is so, and the truth's p."""

    joint: str
    sure: float
    right: bool
    p_true: float


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
    kinds = {pair.predicted: truth.parts[pair.true] for pair in match(guesses, truth)}
    out = []
    for i, guess in enumerate(guesses):
        part = kinds.get(i)
        belief = guess.joint.belief
        is_so = part and (part.kind, part.side if part.kind is JointKind.HINGE else None)
        kind, side = is_so or (JointKind.FIXED, None)
        first = max(belief.hypotheses, key=lambda h: h.p)
        first_side = first.side if first.kind is JointKind.HINGE else None
        sure = belief.p(first.kind, first_side)
        out.append(Believed(guess.id, sure, (first.kind, first_side) == (kind, side), belief.p(kind, side)))
    return tuple(out)


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


def pooled(many: Iterable[Sequence[Believed]]) -> Calibration:
    """Return the calibration of several worlds as one."""
    return calibration([joint for joints in many for joint in joints])
