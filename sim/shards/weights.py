"""What acts in a shard, as something that can be sent: the expert, or a learnt policy's files."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pocketworld.errors import PocketworldError
from pocketworld.sim import robots
from pocketworld.sim.expert import expert
from pocketworld.sim.policy import Policy
from pocketworld.sim.training import policy

EXPERT = "expert"
FILES = (policy.WEIGHTS, policy.SPEC)


@dataclass(frozen=True, slots=True)
class Weights:
    """A policy by its name, and its files' bytes; the expert has none."""

    name: str = EXPERT
    files: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def read(cls, run: str | Path) -> "Weights":
        """Return what a training run has exported, or the expert for its name.

        Raises PocketworldError where a file is missing.
        """
        if str(run) == EXPERT:
            return cls()
        folder = Path(run)
        for name in FILES:
            if not (folder / name).is_file():
                raise PocketworldError(
                    f"{folder / name} does not exist", f"name a run of pocketworld train, or {EXPERT}"
                )
        return cls(folder.name, {name: (folder / name).read_bytes() for name in FILES})

    def check(self, robot: str) -> None:
        """Raise PocketworldError where the policy is of another robot than the one of that name."""
        if self.files:
            try:
                spec = json.loads(self.files[policy.SPEC])
            except ValueError as error:
                raise PocketworldError(
                    f"{self.name}/{policy.SPEC} can't be read: {error}", "train again"
                ) from None
            policy.fits(spec, robots.named(robot), Path(self.name))

    def act(self) -> Policy:
        """Return the policy as a function of environments."""
        if not self.files:
            return expert
        with tempfile.TemporaryDirectory() as folder:
            for name in FILES:
                (Path(folder) / name).write_bytes(self.files[name])
            return policy.load(Path(folder))
