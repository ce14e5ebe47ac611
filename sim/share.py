"""What share of episodes succeeded, of all and of each kind of joint, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from pocketworld.scene import JointKind, Side
from pocketworld.sim.cousin import FACTS

KINDS = ("drawer", "door", "flap")


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many episodes succeeded, and the interval that holds the true share with 95 %.

    Wilson 1927: it stays within 0..1 and holds at shares near them, where most of ours are.
    """

    won: int
    of: int

    @property
    def share(self) -> float:
        """Return the share."""
        return self.won / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Return the interval."""
        found = binomtest(self.won, self.of).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)

    def text(self) -> str:
        """Return it in words."""
        low, high = self.interval
        return f"{self.share:.3f} (95 %: {low:.3f} .. {high:.3f}; {self.won} of {self.of})"

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"won": self.won, "of": self.of, "share": self.share, "interval": list(self.interval)}


def kinds_of(facts: NDArray[Any]) -> NDArray[np.str_]:
    """Return which of KINDS joints are, by their facts (n, len(FACTS))."""
    slides = facts[:, FACTS.index(f"is_{JointKind.SLIDE}")] > 0
    flaps = facts[:, [FACTS.index(f"side_{side}") for side in (Side.TOP, Side.BOTTOM)]].any(1)
    drawer, door, flap = KINDS
    return np.where(slides, drawer, np.where(flaps, flap, door))


def by_kind(won: NDArray[np.bool_], kinds: NDArray[np.str_]) -> dict[str, Share]:
    """Return the share of each of KINDS that there is, of episodes (n,)."""
    which = {kind: kinds == kind for kind in KINDS}
    return {kind: Share(int(won[at].sum()), int(at.sum())) for kind, at in which.items() if at.any()}


def lines(shares: Mapping[str, Share]) -> str:
    """Return a line for each kind, to follow one that says of what."""
    return "".join(f"\n  {kind:<8}{share.text()}" for kind, share in shares.items())
