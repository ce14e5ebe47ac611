"""All that a training is asked for, in one record that is written beside what it made."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pocketworld.errors import PocketworldError

# mm and degrees: farther off than a cabinet is wide nothing is seen; a turn ends at half a one.
FARTHEST = {"noise_mm": 1000, "noise_deg": 180}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training is asked for.

    task, robot, backend   what is learnt, with what, on which physics
    seed       of everything that is drawn
    envs       at once;  steps: of each in an iteration;  iterations: in all
    checkpoint_every   iterations: a leg, after which all episodes begin anew from (seed, leg), so that going
               on from a checkpoint gives the very same as never having stopped, also with more iterations
               than were asked for at first
    max_steps  after which an episode is cut short (25 a second)
    noise_mm, noise_deg   how far off handles are seen, standard deviations (see `episode.Eyes`)
    gamma .. hidden      of PPO (Schulman et al. 2017): discount, GAE's lambda, passes over the data, parts it
               is cut into, first rate, divergence to which the rate is adapted, clip, entropy's worth, the
               policy's first deviation, layers
    steady, settling, least   while at least this share of episodes succeeds, the deviation falls by a share
               of itself an iteration, to no less than this: what still needs its exploring keeps it
    """

    task: str = "open"
    robot: str = "hand"
    backend: str = "mujoco"
    seed: int = 0
    envs: int = 128
    steps: int = 32
    iterations: int = 100
    checkpoint_every: int = 25
    max_steps: int = 200
    noise_mm: float = 0.0
    noise_deg: float = 0.0
    gamma: float = 0.97
    lam: float = 0.95
    epochs: int = 5
    minibatches: int = 4
    rate: float = 1e-3
    divergence: float = 0.012
    clip: float = 0.2
    entropy: float = 0.002
    deviation: float = 0.6
    steady: float = 0.95
    settling: float = 0.015
    least: float = 0.2
    hidden: tuple[int, ...] = (128, 128, 64)

    def __post_init__(self) -> None:
        for name in ("envs", "steps", "iterations", "checkpoint_every", "max_steps", "epochs", "minibatches"):
            _check(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in ("gamma", "lam", "steady", "least"):
            _check(name, getattr(self, name), 0 < getattr(self, name) <= 1, "above 0, at most 1")
        for name in ("rate", "divergence", "clip", "deviation"):
            value = getattr(self, name)
            _check(name, value, math.isfinite(value) and value > 0, "above 0")
        for name in ("entropy", "seed"):
            value = getattr(self, name)
            _check(name, value, math.isfinite(value) and value >= 0, "at least 0")
        _check("least", self.least, self.least <= self.deviation, f"at most deviation, {self.deviation}")
        _check("settling", self.settling, 0 <= self.settling < 1, "from 0 to below 1")
        for name, most in FARTHEST.items():
            _check(name, getattr(self, name), 0 <= getattr(self, name) <= most, f"from 0 to {most}")
        _check("hidden", self.hidden, all(width >= 1 for width in self.hidden), "widths of at least 1")
        parts = f"at most envs * steps, {self.envs * self.steps}"
        _check("minibatches", self.minibatches, self.minibatches <= self.envs * self.steps, parts)

    @property
    def env_steps(self) -> int:
        """Return how many steps of environments are done in all."""
        return self.envs * self.steps * self.iterations

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self) | {"hidden": list(self.hidden)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], where: str = "settings") -> Self:
        """Return what `to_json` gave; raise PocketworldError for what is not of that kind."""
        types = {field.name: type(field.default) for field in fields(cls)}
        if wrong := set(data) ^ set(types):
            raise PocketworldError(f"{where}: {min(wrong)!r} is unknown or missing", "train anew")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        for name, value in values.items():
            fits = type(value) is types[name] or (types[name] is float and type(value) is int)
            _check(f"{where}: {name}", value, fits, f"a {types[name].__name__}")
        return cls(**values)

    def differences(self, other: "Settings") -> tuple[str, ...]:
        """Name what is asked for differently, as "name was A, is B"."""
        ours, theirs = self.to_json(), other.to_json()
        return tuple(
            f"{name} was {json.dumps(ours[name])}, is {json.dumps(theirs[name])}"
            for name in ours
            if ours[name] != theirs[name]
        )


def _check(name: str, value: object, fits: bool, allowed: str) -> None:
    if not fits:
        raise PocketworldError(f"{name} is {value}", allowed)
