"""What share of episodes succeed, from all that run: also those that have not ended."""

from typing import Any

import numpy as np
import torch

KEPT = 0.5  # of what earlier iterations counted: an iteration alone sees few episodes at each age


class Success:
    """Estimates the share that succeeds within `max_steps`, age by age: how many came to it, succeeded at it.

    Multiplied up from the first age on (Kaplan, Meier 1958; failures as in Aalen, Johansen 1978). Of episodes
    that end in an iteration too many succeed, as those that fail last longest; where all begin together,
    nearly none. Here an episode counts at each age that it comes to, whenever its time is up.

    came, won, lost (max_steps,)   by age: episodes that came to it, succeeded, were lost to unstable physics
    ages (n,)                      of the running episodes, steps since they began
    """

    def __init__(self, envs: int, max_steps: int, device: torch.device) -> None:
        self.came, self.won, self.lost = torch.zeros(3, max_steps, dtype=torch.float64, device=device)
        self.ages = torch.zeros(envs, dtype=torch.long, device=device)
        self.ones = torch.ones(envs, dtype=torch.float64, device=device)

    def begin(self) -> None:
        """Note that all episodes begin."""
        self.ages = torch.zeros_like(self.ages)

    def step(self, won: torch.Tensor, lost: torch.Tensor, done: torch.Tensor) -> torch.Tensor:
        """Count a step of all (n,); return which episodes ended with all their time, or before it was up."""
        self.came.index_add_(0, self.ages, self.ones)
        self.won.index_add_(0, self.ages, won.double())
        self.lost.index_add_(0, self.ages, lost.double())
        self.ages = self.ages + 1
        whole = done & (won | lost | (self.ages >= len(self.came)))
        self.ages = torch.where(done, 0, self.ages)
        return whole

    def fade(self) -> None:
        """Let what was counted weigh less."""
        for counts in (self.came, self.won, self.lost):
            counts *= KEPT

    @property
    def share(self) -> float | None:
        """Return the share; None while no episode has succeeded or come to the end of its time.

        Of an age that none has come to it is not known that any succeeds.
        """
        came, won, lost = (counts.cpu().numpy() for counts in (self.came, self.won, self.lost))
        if not won.any() and not came[-1]:
            return None
        least = np.maximum(came, np.finfo(float).tiny)
        still = np.cumprod(np.append(1.0, 1 - (won + lost) / least))[:-1]
        return float(np.clip(np.sum(still * won / least), 0, 1))

    def state(self) -> dict[str, Any]:
        """Return what counting goes on from, as episodes begin."""
        return {"came": self.came.clone(), "won": self.won.clone(), "lost": self.lost.clone()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave; raise ValueError for that of other time limits."""
        for name, counts in (("came", self.came), ("won", self.won), ("lost", self.lost)):
            if state[name].shape != counts.shape:
                raise ValueError(f"{name} has shape {tuple(state[name].shape)}")
            counts.copy_(state[name])
