"""What a training learns in, by which a change of it is known."""

from typing import Any

from pocketworld.cousins import spec as specs
from pocketworld.cousins.sequence import Cousins
from pocketworld.cousins.table import twin_digest

LEARNT_IN, HELD_OUT = "cousins learnt in", "cousins held out"


def origin(world: str, cousins: Cousins, train: int, held: int) -> dict[str, Any]:
    """Return what JSON can hold: the world's name, digests of its twin and of the spec, and how many."""
    return {
        "world": world,
        "twin": twin_digest(cousins.twin),
        "spec": specs.digest(cousins.spec),
        "spec's name": cousins.spec.name,
        "cousins' seed": cousins.seed,
        LEARNT_IN: train,
        HELD_OUT: held,
    }
