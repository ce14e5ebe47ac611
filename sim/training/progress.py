"""What an iteration of learning came to."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """What an iteration came to.

    env_steps   done so far;  episodes: that ended in it with all their time, or before it was up
    success     share of episodes that succeed within their time, see `Success`; None: not known yet
    reward      of a step, on average;  deviation: of the actions;  rate: of learning
    """

    iteration: int
    env_steps: int
    episodes: int
    success: float | None
    reward: float
    value_loss: float
    deviation: float
    rate: float

    def text(self) -> str:
        """Return a few words."""
        some = "no episode ended yet" if self.success is None else f"{self.success:.0%} of episodes succeed"
        return f"iteration {self.iteration}, {_many(self.env_steps)} steps: {some}"


class Pace:
    """How long the iterations that are left take, as those took that were watched."""

    def __init__(self, iterations: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.iterations, self.clock = iterations, clock
        self.first: tuple[int, float] | None = None

    def text(self, now: Progress) -> str:
        """Return what an iteration came to, and from the second one on how long the others take."""
        at = self.clock()
        first, began = self.first = self.first or (now.iteration, at)
        ahead = self.iterations - now.iteration
        if not ahead or now.iteration == first:
            return now.text()
        return f"{now.text()}; {_lasting((at - began) / (now.iteration - first) * ahead)} left"


def _many(count: int) -> str:
    """Return a number in few digits: 256, 4.1 k, 1.24 M."""
    if count < 1000:
        return str(count)
    return f"{count / 1e3:.1f} k" if count < 1e6 else f"{count / 1e6:.2f} M"


def _lasting(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
