"""Results of shards put together: in the environments' order, however they were shared out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.findings import Finding, Severity
from pocketworld.sim.shards.rollout import Arrays
from pocketworld.sim.share import Share, by_kind, lines

SHOWN = 4  # names of what failed


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """One episode in each environment of all shards.

    done      what was done to the joints, and by whom: "the expert opened"
    arrays    of all environments (n,), see `rollout`
    shards    how many computed them;  lost: how often a worker died meanwhile
    said      what is to be known of it besides
    """

    done: str
    arrays: Arrays
    shards: int
    lost: int = 0
    said: tuple[Finding, ...] = ()

    @property
    def whole(self) -> Share:
        """Return how many episodes succeeded."""
        return Share(int(self.arrays["success"].sum()), len(self.arrays["success"]))

    @property
    def kinds(self) -> dict[str, Share]:
        """Return the same of drawers, doors and flaps, as far as there are."""
        return by_kind(self.arrays["success"], self.arrays["kind"])

    @property
    def share(self) -> float:
        """Return the share of episodes that succeeded."""
        return self.whole.share

    @property
    def failed(self) -> tuple[str, ...]:
        """Return what was not done, as "COUSIN ASSET/JOINT"."""
        some = zip(*(self.arrays[name] for name in ("cousin", "joint", "success")), strict=True)
        return tuple(f"{cousin} {joint}" for cousin, joint, success in some if not success)

    @property
    def digest(self) -> str:
        """Return a digest of all arrays: the same wherever and however they were computed."""
        total = hashlib.sha256()
        for name in sorted(self.arrays):
            values = self.arrays[name]
            text = values.dtype.kind == "U"  # as wide as the longest of a shard: the words count
            total.update(name.encode() + ("\0".join(values).encode() if text else values.tobytes()))
        return total.hexdigest()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what is to be known of it, and that workers were lost, if any were."""
        if not self.lost:
            return self.said
        text = f"workers died and were begun anew: {self.lost}; the result is as if none had"
        lost = Finding("worker-lost", Severity.NOTE, "evaluate", "ray", text, {"lost": float(self.lost)})
        return (*self.said, lost)

    def text(self) -> str:
        """Return lines: how many, what failed; the share with its interval, of all and of each kind."""
        count, failed = len(self.arrays["success"]), self.failed
        worlds = len(set(self.arrays["cousin"].tolist()))
        told = f"{self.done} {count - len(failed)} of {count} (different worlds: {worlds})"
        more = " ..." if len(failed) > SHOWN else ""
        told += f"; not: {', '.join(failed[:SHOWN])}{more}" if failed else ""
        return f"{told}\n{self.whole.text()}{lines(self.kinds)}"

    def to_json(self) -> dict[str, object]:
        """Return what JSON can hold."""
        return {
            "done": self.done,
            "episodes": len(self.arrays["success"]),
            "share": self.share,
            "all": self.whole.to_json(),
            "kinds": {kind: share.to_json() for kind, share in self.kinds.items()},
            "failed": list(self.failed),
            "unstable": int(self.arrays["unstable"].sum()),
            "steps": int(self.arrays["steps"].sum()),
            "reward": float(self.arrays["reward"].mean()),
            "shards": self.shards,
            "digest": self.digest,
        }


def together(parts: Sequence[Arrays]) -> Arrays:
    """Return the arrays of shards as those of one with all their environments, in order.

    Raises PocketworldError where an environment is in two shards, or an array not of "episodes".
    """
    numbers = np.concatenate([part["environment"] for part in parts])
    if len(np.unique(numbers)) != len(numbers):
        raise PocketworldError("an environment is in two shards", "split them anew")
    if any(len(values) != len(part["environment"]) for part in parts for values in part.values()):
        raise PocketworldError("these are no results of episodes", 'a job of kind "episodes" gives them')
    order = np.argsort(numbers)
    return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
