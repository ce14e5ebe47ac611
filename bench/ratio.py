"""A figure and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom


@dataclass(frozen=True, slots=True)
class Ratio:
    """A median over rounds, and the interval that holds the median with 95 % (order statistics, no model)."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | NDArray[np.float64]) -> "Ratio":
        """Take the rounds' figures; with fewer than 6 the interval is all that was seen, and holds less."""
        ordered = np.sort(values)
        below = max(int(binom.ppf(0.025, len(ordered), 0.5)) - 1, 0)
        return cls(float(np.median(ordered)), float(ordered[below]), float(ordered[-1 - below]))

    def text(self) -> str:
        """Return it in words."""
        return f"{self.median:.3f} (95 %: {self.low:.3f} .. {self.high:.3f})"
