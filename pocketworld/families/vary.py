"""Draws from a `Spread`: each by its own named stream, so that one more drawn parameter shifts no other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pocketworld.families.protocol import Draw, Spread

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Vary:
    """A spread and the streams to draw from it.

    In all methods `name` is the spread's own word and `at` says which of several things it is drawn for, such
    as a front's id. What the spread does not name stays as it is and draws nothing.
    """

    spread: Spread
    draw: Draw

    def scaled(self, value: float, name: str, at: str = "") -> float:
        """Return value times exp(uniform(-s, s)): as likely to halve as to double."""
        s = self.spread.scale.get(name, 0.0)
        return value * math.exp(float(self.draw(_stream(name, at)).uniform(-s, s))) if s else value

    def shifted(self, value: float, name: str, at: str = "") -> float:
        """Return value plus uniform(-s, s), in the value's own unit."""
        s = self.spread.shift.get(name, 0.0)
        return value + float(self.draw(_stream(name, at)).uniform(-s, s)) if s else value

    def happens(self, name: str, at: str = "") -> bool:
        """Say whether a discrete change happens."""
        p = self.spread.chance.get(name, 0.0)
        return p > 0 and float(self.draw(_stream(name, at)).random()) < p

    def one_of(self, options: Sequence[T], name: str, at: str = "") -> T:
        """Return one of the options, all equally likely."""
        return options[int(self.draw(f"{_stream(name, at)}/which").integers(len(options)))]

    def chosen(self, name: str) -> tuple[str, ...]:
        """Return what the spread allows to choose for a name; nothing where it does not say."""
        return self.spread.choices.get(name, ())


def _stream(name: str, at: str) -> str:
    return f"{at}/{name}" if at else name
