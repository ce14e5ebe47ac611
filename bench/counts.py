"""How many were right, of how many predicted and how many true."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """How many were right, of how many predicted and how many true."""

    right: int
    predicted: int
    true: int

    @property
    def precision(self) -> float:
        """Return the share of the predicted that is right; 1 where nothing was predicted."""
        return self.right / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        """Return the share of the true that was found; 1 where nothing was to be found."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of both; 1 where nothing moves and nothing was said to."""
        both = self.predicted + self.true
        return 2 * self.right / both if both else 1.0
