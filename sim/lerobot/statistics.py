"""Statistics as LeRobot keeps them: by episode and for all, of numbers and of pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Statistics = dict[str, Any]  # lists of numbers, by what they are
QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
NAMES = ("min", "max", "mean", "std", "count", *QUANTILES)
LEVELS = 256  # of a channel


def of_numbers(values: NDArray[Any]) -> Statistics:
    """Return statistics of (t, n) values, each a list of n numbers; count is t."""
    columns = [_of_one(values[:, i].astype(np.float64)) for i in range(values.shape[1])]
    out: Statistics = {name: [column[name] for column in columns] for name in columns[0]}
    return _sorted(out, len(values))


def _of_one(values: Array) -> dict[str, float]:
    basic = {"min": values.min(), "max": values.max(), "mean": values.mean(), "std": values.std()}
    quantiles = np.quantile(values, list(QUANTILES.values()))
    return {k: float(v) for k, v in (basic | dict(zip(QUANTILES, quantiles, strict=True))).items()}


class Pixels:
    """Counts how often each level occurs in each channel: exact statistics of any number of pictures."""

    def __init__(self) -> None:
        self.counts = np.zeros((3, LEVELS), np.int64)
        self.pictures = 0

    def add(self, image: NDArray[np.uint8]) -> None:
        """Count a picture (height, width, 3)."""
        for channel in range(3):
            self.counts[channel] += np.bincount(image[..., channel].ravel(), minlength=LEVELS)
        self.pictures += 1

    def merge(self, other: "Pixels") -> None:
        """Count what another one has counted."""
        self.counts += other.counts
        self.pictures += other.pictures

    def statistics(self) -> Statistics:
        """Return statistics of shape (3, 1, 1), levels as 0..1; count is that of pictures."""
        columns = [_of_levels(counts) for counts in self.counts]
        out: Statistics = {name: [[[column[name]]] for column in columns] for name in columns[0]}
        return _sorted(out, self.pictures)


def _of_levels(counts: NDArray[np.int64]) -> dict[str, float]:
    """Return statistics of levels that occur so often; a quantile is the first level to reach it."""
    levels, total = np.arange(LEVELS) / (LEVELS - 1), counts.sum()
    seen = np.flatnonzero(counts)
    mean = float(counts @ levels / total)
    spread = float(np.sqrt(counts @ (levels - mean) ** 2 / total))
    out = {"min": float(levels[seen[0]]), "max": float(levels[seen[-1]]), "mean": mean, "std": spread}
    reached = np.cumsum(counts)
    places = {name: int(np.searchsorted(reached, share * total)) for name, share in QUANTILES.items()}
    return out | {name: float(levels[place]) for name, place in places.items()}


def _sorted(values: Statistics, count: int) -> Statistics:
    whole = {**values, "count": [count]}
    return {name: whole[name] for name in NAMES}
