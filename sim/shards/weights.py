"""What acts in a shard, as something that can be sent: the expert, or a learnt policy's files."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pocketworld.errors import PocketworldError
from pocketworld.sim.asked import Asked
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

    def check(self, asked: Asked) -> None:
        """Raise PocketworldError where the policy is not for what is asked for, and for a damaged spec."""
        if not self.files:
            return
        where = Path(self.name)
        with self._there() as folder:
            spec = policy.spec_in(folder, where)
        policy.suits(spec, asked.who(), asked.goal(), where, pictures=asked.pictures)
        policy.deviation_in(spec, where)

    def act(self) -> Policy:
        """Return the policy as a function of environments."""
        if not self.files:
            return expert
        with self._there() as folder:
            return policy.load(folder)

    @contextmanager
    def _there(self) -> Iterator[Path]:
        """Put the files into a folder, for a while."""
        with tempfile.TemporaryDirectory() as folder:
            for name in FILES:
                (Path(folder) / name).write_bytes(self.files[name])
            yield Path(folder)
