"""Whether a unit of a run is a cabinet or an appliance: each is fitted, the one that explains most is it.

What an appliance's fronts are follows from what it is, not from how they look: an oven's door hangs at its
bottom though no handle shows. So far as it may be a cabinet after all, an oven's fronts are what a cabinet's
would be (`mixed`); a fridge's are a fridge's alone, by their looks and by how common kinds are among these.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pocketworld.families import registry
from pocketworld.families.appliance import ApplianceFamily, parts
from pocketworld.families.cabinet.feasible import still
from pocketworld.families.cabinet.parameters import Chance
from pocketworld.families.fridge import Fridge
from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct.fronts.belief import Guess, Kind, decided
from pocketworld.reconstruct.fronts.buildable import believable
from pocketworld.scene import Asset, HandleKind

SUREST = 6.0  # nats: one picture's edges and levels are not independent, so all of them say no more together
OPEN = 0.1  # a family that is as probable as this is told of
UNSEEN_HANDLE = "handle: none shows, a usual one is taken"
TAKEN = 0.5  # a unit more probably an appliance than this is built as one, if it can be


@dataclass(frozen=True, slots=True)
class Rival:
    """An appliance that a unit may be.

    family   its name;  p: how probable it is that the unit is one
    forms    (share of p, parameters), the likeliest first;  why: in words
    """

    family: str
    p: float
    forms: tuple[tuple[float, Any], ...]
    why: str


def probability(prior: float, lead: float, other: float = 0.0) -> float:
    """Return how probable it is, given how common it is and by how many nats it explains more.

    other   nats by what a picture's noise has no part in, as its size: not limited
    """
    odds = math.log(prior / (1 - prior)) + max(-SUREST, min(SUREST, lead)) + other
    return 1 / (1 + math.exp(-odds))


def mixed(p: float, own: Mapping[Kind, float], other: Guess, said: str) -> Guess:
    """Return what a front is that is an appliance's with probability p, and a cabinet's otherwise.

    own   what an appliance's front is;  other: what a cabinet's would be;  said: why it is an appliance's
    """
    others = {(c.kind, c.side): c.p for c in other.chances}
    kinds = sorted({*own, *others}, key=str)
    each = [(kind, p * own.get(kind, 0.0) + (1 - p) * others.get(kind, 0.0)) for kind in kinds]
    total = sum(share for _, share in each)
    order = sorted(each, key=lambda item: (-item[1], str(item[0])))
    chances = tuple(Chance(*kind, share / total) for kind, share in order if share > 0)
    return Guess(*decided(chances), chances, (said, *other.evidence))


def held(family: str, p: Any, id: str) -> tuple[Any, Asset] | None:
    """Return an appliance whose fronts are believed to be what can be built, and its asset; None of none."""
    made = registry.family(family)
    assert isinstance(made, ApplianceFamily)
    built = still(believable(made.box(p)), id)
    rows = None if built is None else parts(built[0].grid)
    if built is None or rows is None:
        return None
    kept = made.unbox(p, built[0], *rows)
    return kept, made.build(kept, id)


def guessed(p: Any, stage: str, id: str) -> Iterator[Finding]:
    """Give what of an appliance was not seen, and is as usual: handles of its fronts, a fridge's feet."""
    for path, front in enumerate(p.fronts):
        if UNSEEN_HANDLE in front.evidence and front.handle.kind is not HandleKind.NONE:
            text = f"front {path} shows no handle: a usual one is taken, in its usual place"
            yield Finding("handle-guessed", Severity.NOTE, stage, id, text)
    if isinstance(p, Fridge):
        text = "its feet were not looked for: usual ones are taken"
        yield Finding("feet-guessed", Severity.NOTE, stage, id, text, {"feet_m": p.feet})


def told(rivals: Sequence[Rival], chosen: str, stage: str, id: str) -> Iterator[Finding]:
    """Give what was chosen, where there was a choice, what could not be, and whether it stayed open."""
    for rival in rivals:
        numbers = {"p": round(rival.p, 3)}
        if rival.family == chosen:
            text = f"taken for an appliance ({rival.family}): {rival.why}"
            yield Finding("family-chosen", Severity.NOTE, stage, id, text, numbers)
        elif rival.p > TAKEN:
            text = f"no {rival.family} that can be built explains it, it is a {chosen} here: {rival.why}"
            yield Finding("appliance-unbuildable", Severity.DEGRADED, stage, id, text, numbers)
        if OPEN < rival.p < 1 - OPEN:
            text = f"it may be an appliance ({rival.family}) or a cabinet: {rival.why}"
            yield Finding("family-open", Severity.DEGRADED, stage, id, text, numbers)
