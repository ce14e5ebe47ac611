"""Whether two things of a cousin stand deeper in each other than the same two do in the twin."""

from collections.abc import Callable
from functools import lru_cache

from pocketworld.geometry.depth import SLACK
from pocketworld.geometry.same import Same
from pocketworld.scene import Asset, Scene

Measure = Callable[[Asset, Asset], float]
"""How deep (m) the first of two assets is in the second, closed or as it opens."""


def deeper(found: float, a: str, b: str, twin: Scene, measure: Measure, slack: float = SLACK) -> bool:
    """Say whether a depth (m) is by more than slack (m) more than the measure of two assets of the twin."""
    if found <= slack:
        return False
    return found > _before(Same(twin.asset(a)), Same(twin.asset(b)), measure) + slack


@lru_cache(maxsize=256)
def _before(a: Same[Asset], b: Same[Asset], measure: Measure) -> float:
    """Return a measure of two assets of a twin; kept, as every cousin asks for it."""
    return measure(a.it, b.it)
