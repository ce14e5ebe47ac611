"""Where a run of units is parted: gaps that go all the way up its front.

Fronts of neighbouring units hang on different boards, so the gap between them is seen from plinth to worktop,
sometimes as two lines with the boards' edges between. Which of the lines on a run's front are such gaps is
chosen all at once, from its left end to its right: a gap earns what it is seen along and pays for what it is
not; widths that are on sale (EN 1116: modules of 100 mm, and halves of some) are a little likelier than
others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import Line
from pocketworld.reconstruct.fronts.grammar import CUT, EARNS, STRIP

Array = NDArray[np.float64]

BESIDE = 0.010  # m: lines this near to a place are those of one gap, by the poses of pictures
# One looks into a gap, or past it to a front of another colour: by grey levels, and as a share of how bright
# the fronts are. JPEG's blocks do less than the first, soft light and reflections less than the second.
DARKER, STEP = (2.5, 0.04), (6.0, 0.12)
SHARP = 0.02  # m: on either side of a gap
# A gap is seen along more of the height than this: less is an edge on one front, or a reflection.
PARTIAL = 0.55
SHORTEST = 0.12  # m: what is narrower is a filler; units begin at 150 mm
USUAL = (0.15, 0.20, 0.30, 0.40, 0.45, 0.50, 0.60, 0.80, 0.90, 1.00, 1.20)  # m: widths that are on sale
OFF = 0.010  # m: how far a unit is off its nominal width, with what measures it
# Half of all units are taken to be of a usual width; the others are anywhere between these.
SHARE, WIDEST = 0.5, 1.25
TOLD, SURE = (
    0.05,
    5.0,
)  # m, nats: how near, and how surely, a front that stands open tells where its unit ends
ODD = 8.0  # nats that a unit costs which is narrower or wider than any


@dataclass(frozen=True, slots=True)
class Module:
    """One unit of a run: from `left` to `right`, m from the front's left edge.

    sigma   of its sides, m: half of what was seen between two fronts, at least a line's width
    """

    left: float
    right: float
    sigma: tuple[float, float]

    @property
    def width(self) -> float:
        """Return the width, m."""
        return self.right - self.left


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where a run may be parted, m: where, how sure, and what is gained by it, in nats."""

    at: float
    sigma: float
    gain: float


@dataclass(frozen=True, eq=False, slots=True)
class Front:
    """What is known of a run's front.

    width, height   m, of the part that was searched;  lines: upright ones on it
    known           (n,) share of the height that is seen, in n equal columns
    shade           (n,) by how much each column is darker than the fronts beside it;  level: (n,) how bright
                    it is: medians over the height, grey levels
    ends            standard errors of its left and right end, m
    parted          where other evidence says that one unit ends: at each, m, a gap is looked for more kindly
    """

    width: float
    height: float
    lines: tuple[Line, ...]
    known: Array
    shade: Array
    level: Array
    ends: tuple[float, float]
    parted: tuple[float, ...] = ()


def modules(front: Front) -> tuple[Module, ...]:
    """Return the units of a run's front, from the left."""
    first, last = Gap(0.0, front.ends[0], 0.0), Gap(front.width, front.ends[1], 0.0)
    places = [first, *_gaps(front), last]
    best: list[tuple[float, int]] = [(0.0, -1)]
    for j, right in enumerate(places[1:], 1):
        options = [(best[i][0] + right.gain + _likely(places[i], right), i) for i in range(j)]
        best.append(max(options))
    chosen, at = [], len(places) - 1
    while at >= 0:
        chosen.append(places[at])
        at = best[at][1]
    return _between(chosen[::-1])


def _between(gaps: Sequence[Gap]) -> tuple[Module, ...]:
    """Return the units between gaps, without fillers."""
    pairs = pairwise(gaps)
    return tuple(Module(a.at, b.at, (a.sigma, b.sigma)) for a, b in pairs if b.at - a.at >= SHORTEST)


def _gaps(front: Front) -> list[Gap]:
    """Return where a run may be parted, the best of the places that are near each other, from the left."""
    found = [gap for line in front.lines if (gap := _gap(line.at, front)) is not None]
    found += [Gap(at, TOLD, SURE) for at in front.parted]
    out: list[Gap] = []
    for gap in sorted(found, key=lambda g: (-g.gain, g.sigma, g.at)):
        if all(abs(gap.at - other.at) > 2 * STRIP for other in out):
            out.append(_centred(gap, front))
    return sorted(out, key=lambda g: g.at)


def _gap(at: float, front: Front) -> Gap | None:
    """Return what lines near a place say together for a gap there; None where it is too little."""
    near = [line for line in front.lines if abs(line.at - at) < BESIDE]
    column = min(len(front.known) - 1, max(0, int(at / front.width * len(front.known))))
    seen = max(float(front.known[column]) * front.height, 1e-6)
    share = min(1.0, _union([(line.start, line.end) for line in near]) / seen)
    gain = EARNS * seen * (share - PARTIAL) / (1 - PARTIAL) - CUT
    # What stands open hides the gap beside it in part.
    told = any(abs(at - place) < TOLD for place in front.parted)
    if told:
        gain = SURE + share
    inside = STRIP / 2 < at < front.width - STRIP / 2
    if not inside or gain <= 0 or not (told or _shown(at, front)):
        return None
    return Gap(at, min(line.sigma for line in near), gain)


def _shown(at: float, front: Front) -> bool:
    """Say whether a front is darker at a place than beside it, or changes there more than it does nearby."""
    near = _columns(at - BESIDE, at + BESIDE, front)
    levels = [
        float(np.median(front.level[_columns(at + k * SHARP - BESIDE, at + k * SHARP + BESIDE, front)]))
        for k in (-3, -1, 1, 3)
    ]
    steps = [b - a for a, b in pairwise(levels)]
    # Soft light goes on the same way; what goes back is a frame, as of an oven's window.
    step = abs(steps[1]) - max(
        0.0, *(math.copysign(1.0, steps[1]) * beside for beside in (steps[0], steps[2]))
    )
    dark, other = (max(least, share * max(levels)) for least, share in (DARKER, STEP))
    return bool(front.shade[near].max() > dark or step > other)


def _columns(start: float, end: float, front: Front) -> slice:
    """Return the columns from one place to another, one at least."""
    count = len(front.known)
    first = min(count - 1, max(0, round(start / front.width * count)))
    return slice(first, max(first + 1, min(count, round(end / front.width * count))))


def _centred(gap: Gap, front: Front) -> Gap:
    """Return a gap in the middle of what is dark: boards' edges between two fronts belong to it."""
    near = _columns(gap.at - STRIP, gap.at + STRIP, front)
    weight = front.shade[near]
    if weight.max() < DARKER[0]:
        return gap
    weight = np.where(weight > weight.max() / 2, weight, 0.0)
    places = (np.arange(near.start, near.stop) + 0.5) * front.width / len(front.known)
    at = float(weight @ places / weight.sum())
    spread = math.sqrt(float(weight @ (places - at) ** 2 / weight.sum()))
    return replace(gap, at=at, sigma=max(spread, gap.sigma))


def _union(spans: Sequence[tuple[float, float]]) -> float:
    """Return the length that spans cover together."""
    total, reached = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _likely(left: Gap, right: Gap) -> float:
    """Return the log-odds of a unit between two gaps against one of any width, in nats."""
    width = right.at - left.at
    if width < SHORTEST:
        # At its end, the run ends a little earlier; else there is no such unit.
        ends = [gap.sigma for gap in (left, right) if gap.gain == 0]
        return -CUT - (width / max(ends)) ** 2 / 2 if ends else -ODD
    if width > WIDEST + OFF:
        return -ODD * width / WIDEST
    bell = [math.exp(-(((width - usual) / OFF) ** 2) / 2) for usual in USUAL]
    density = sum(bell) / (len(USUAL) * OFF * math.sqrt(2 * math.pi)) * (WIDEST - SHORTEST)
    return math.log((1 - SHARE) + SHARE * density)
