"""What an iteration of learning came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """What an iteration came to.

    env_steps   done so far;  episodes: that ended in it;  success: the share of them that succeeded,
               None where none ended
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
        steps = f"{self.env_steps / 1e6:.2f} M steps"
        ended = "no episode ended"
        if self.success is not None:
            ended = f"{self.success:.0%} of {self.episodes} episodes succeed"
        return f"iteration {self.iteration}, {steps}: {ended}"
