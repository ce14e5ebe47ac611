"""One optimiser for all families: the numbers of a parameter class, moved until the evidence agrees."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

Array = NDArray[np.float64]
P = TypeVar("P")

STEP = 1e-4  # m, and shares: far below what is measured, far above rounding
LOOSE = (
    0.5  # a number may change by this share of itself: a fit refines what was proposed, it does not invent
)
ROUNDS = 20


def numbers(p: object) -> Iterator[float]:
    """Go through all floats of nested dataclasses and tuples, in the order of their fields."""
    if isinstance(p, float):
        yield p
    elif dataclasses.is_dataclass(p):
        for field in dataclasses.fields(p):
            yield from numbers(getattr(p, field.name))
    elif isinstance(p, tuple):
        for item in p:
            yield from numbers(item)


def with_numbers(p: P, values: Iterator[float]) -> P:
    """Return the same nested thing with its floats replaced, in the same order."""
    out: Any = p
    if isinstance(p, float):
        out = next(values)
    elif dataclasses.is_dataclass(p) and not isinstance(p, type):
        changed = {f.name: with_numbers(getattr(p, f.name), values) for f in dataclasses.fields(p)}
        out = type(p)(**changed)
    elif isinstance(p, tuple):
        out = tuple(with_numbers(item, values) for item in p)
    return out  # type: ignore[no-any-return]


def fitted(p: P, residual: Callable[[P], Array]) -> tuple[P, float]:
    """Return the parameters that fit best near p, and half their sum of squared residuals.

    residual   in standard deviations. Only numbers that it feels are moved; what nothing measures stays.
    """
    start = np.array(list(numbers(p)))
    base = residual(p)
    felt = [i for i in range(len(start)) if start[i] != 0 and _feels(p, residual, start, base, i)]

    def at(x: Array) -> P:
        values = start.copy()
        values[felt] = x
        return with_numbers(p, iter(values.tolist()))

    if not felt:
        return p, float(base @ base / 2)
    x0 = start[felt]
    low, high = x0 - LOOSE * np.abs(x0), x0 + LOOSE * np.abs(x0)
    # A weak pull to the start, so that numbers which only matter together (sizes that are scaled to fit) stay
    # put.
    found = least_squares(
        lambda x: np.concatenate([residual(at(x)), 0.1 * (x - x0) / (LOOSE * np.abs(x0))]),
        x0,
        bounds=(low, high),
        diff_step=STEP,
        x_scale=np.abs(x0),
        max_nfev=ROUNDS,
    )
    best = at(found.x)
    after = residual(best)
    return best, float(after @ after / 2)


def _feels(p: P, residual: Callable[[P], Array], start: Array, base: Array, i: int) -> bool:
    """Say whether a residual changes with number i."""
    moved = start.copy()
    moved[i] += STEP * max(abs(start[i]), STEP)
    return not np.array_equal(residual(with_numbers(p, iter(moved.tolist()))), base)
