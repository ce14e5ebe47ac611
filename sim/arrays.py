"""Arrays of one library, type and device: the same code runs on numpy's (C MuJoCo) and torch's (Warp).

Code that works on either asks an array for its library (`namespace`) and calls what the array API standard
(data-apis.org) names; `array_api_compat` gives torch those names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import array_api_compat.numpy
import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

Array = Any  # numpy's or torch's; shapes are said where they are used


def namespace(*arrays: Array) -> Any:
    """Return the library of arrays, with the array API's names."""
    return array_namespace(*arrays)


@dataclass(frozen=True, slots=True)
class Arrays:
    """Makes arrays: xp, the library; real, its type of numbers; device, where they live."""

    xp: Any
    real: Any
    device: Any

    @property
    def on_torch(self) -> bool:
        """Say whether they are torch's."""
        return "torch" in self.xp.__name__

    def zeros(self, *shape: int) -> Array:
        """Return zeros."""
        return self.xp.zeros(shape, dtype=self.real, device=self.device)

    def ints(self, values: Any) -> Array:
        """Return whole numbers: indices."""
        return self.xp.asarray(values, dtype=self.xp.int64, device=self.device)

    def bools(self, values: Any) -> Array:
        """Return truths."""
        return self.xp.asarray(values, dtype=self.xp.bool, device=self.device)

    def reals(self, values: Any) -> Array:
        """Return numbers."""
        return self.xp.asarray(values, dtype=self.real, device=self.device)


def numpy_arrays() -> Arrays:
    """Return numpy's, of double precision."""
    xp: Any = array_api_compat.numpy
    return Arrays(xp, xp.float64, "cpu")


def torch_arrays(device: Any) -> Arrays:
    """Return torch's, of single precision, on a device."""
    import array_api_compat.torch

    xp: Any = array_api_compat.torch
    return Arrays(xp, xp.float32, device)


def columns(parts: Sequence[Array]) -> Array:
    """Return (n,) and (n, k) arrays side by side (n, sum of k)."""
    xp = namespace(parts[0])
    return xp.concat([part[:, None] if part.ndim == 1 else part for part in parts], axis=1)


def to_numpy(values: Array) -> NDArray[Any]:
    """Return an array as numpy's; it may share memory with it."""
    return values if isinstance(values, np.ndarray) else values.cpu().numpy()
