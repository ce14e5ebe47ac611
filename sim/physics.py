"""What a backend is: the physics of many environments, in groups that are stepped together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.arrays import Array, Arrays

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Environments `ids` (n,) whose state has one layout, and live views of it: one row each.

    qpos (n, nq), qvel (n, nv), ctrl (n, nu) may be written; site_xpos (n, nsite, 3), site_xmat (n, nsite, 9),
    xanchor and xaxis (n, njnt, 3) are those after each call. start (n, nq) is qpos with everything closed.
    """

    ids: Array
    handle: Any
    start: Array
    qpos: Array
    qvel: Array
    ctrl: Array
    site_xpos: Array
    site_xmat: Array
    xanchor: Array
    xaxis: Array


Write = Callable[[Group, Array], None]
Look = Callable[[Group], None]


class Physics(Protocol):
    """The physics of all environments: `models[i]` has environment i's form, as C MuJoCo compiled it.

    An environment's results depend on its own model, state and controls alone.
    """

    @property
    def arrays(self) -> Arrays:
        """Return what makes arrays like those of the groups."""
        ...

    @property
    def models(self) -> Sequence[Any]:
        """Return each environment's MjModel."""
        ...

    @property
    def groups(self) -> Sequence[Group]:
        """Return all groups."""
        ...

    def step(self, substeps: int, before: Look, after: Look) -> None:
        """Advance all by some substeps; `before` writes a group's controls, `after` reads its state."""
        ...

    def reset(self, which: Ids, write: Write, after: Look) -> None:
        """Put environments back to their models' defaults.

        `write(group, rows)` then writes their state, and `after(group)` reads what follows from it.
        """
        ...

    def unstable(self) -> Array:
        """Return which (n,) met no finite number, or more contacts than fit, since they were last reset."""
        ...

    def qpos(self, i: int) -> NDArray[np.float64]:
        """Return environment i's joint positions (nq,), in the order of its scene's MJCF (`mjcf.document`).

        `models[i]`, groups, and places in cousins may be of another form, that of the batch.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...
