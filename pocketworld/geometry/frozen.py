"""Arrays that nobody may write into, as others have the same ones: what caches hand out."""

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray


def freeze(arrays: Iterable[NDArray[Any]]) -> None:
    """Make arrays read-only."""
    for array in arrays:
        array.setflags(write=False)
