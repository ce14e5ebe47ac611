"""What is told from others by identity: a key for caches where to hash or compare all of it takes long."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, eq=False, slots=True)
class Same(Generic[T]):
    """A thing that is equal to itself only; it is kept alive as long as the key is."""

    it: T

    def __hash__(self) -> int:
        """Return what tells this very thing from others."""
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        """Say whether it is the same thing."""
        return isinstance(other, Same) and self.it is other.it
