"""A shard: some of the environments of one task, and where a worker finds their scenes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pocketworld.cousins.sequence import taken
from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim import backends
from pocketworld.sim.asked import Asked
from pocketworld.sim.worlds import Worlds

Source = Callable[[], Sequence[Scene]]


@dataclass(frozen=True, eq=False, slots=True)
class Sent:
    """Scenes that travel with a shard: its workers need no file.

    Cousins travel as their twin and their rows of draws, and are built where they arrive.
    """

    scenes: Sequence[Scene]

    def __call__(self) -> Sequence[Scene]:
        """Return them."""
        return self.scenes


@dataclass(frozen=True, eq=False, slots=True)
class Some:
    """Those scenes of a source that are at given places, in their order."""

    source: Source
    places: tuple[int, ...]

    def __call__(self) -> Sequence[Scene]:
        """Return them."""
        return taken(self.source(), self.places)


@dataclass(frozen=True, eq=False, slots=True)
class Shard:
    """Environments by their numbers among all; number i holds scene i modulo their count.

    source    gives the scenes where the shard is computed; it can be pickled. `Sent` brings them along, a
              function that opens a world reads them from a path that every machine sees
    options   those of `backends.worlds`: task, robot, backend, device ...
    """

    source: Source
    environments: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gpus(self) -> int:
        """Return how many GPUs it takes."""
        return Asked.of(self.options).gpus

    def open(self) -> Worlds:
        """Return its environments; which they are and what they draw is the same in any shard."""
        scenes = self.source()
        if not len(scenes):
            raise PocketworldError("a shard without scenes", "make some cousins")
        replicas = [i // len(scenes) for i in self.environments]
        one = {"threads": 1, **self.options}  # a worker is a core; more of them are more shards
        return backends.worlds(taken(scenes, self.environments), replicas=replicas, **one)


def split(source: Source, count: int, shards: int, options: Mapping[str, Any]) -> list[Shard]:
    """Return `count` environments in shards; each gets some of everything, as neighbours are often alike.

    Raises PocketworldError for fewer than one of either, and for shards that would have none.
    """
    if not 1 <= shards <= count:
        raise PocketworldError(f"{shards} shards of {count} environments", f"1 to {count} shards")
    return [Shard(source, tuple(range(count))[k::shards], dict(options)) for k in range(shards)]
