"""An asset's parameters drawn: from the belief, times the spec; and what is drawn for a whole run at once."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

from pocketworld.families import registry, worktop
from pocketworld.families.cabinet.mutate import outline
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.protocol import Draw, Refusal, Spread
from pocketworld.families.worktop import Worktop
from pocketworld.geometry.same import Same
from pocketworld.rng import stream
from pocketworld.scene import Asset, Pose

KEPT = 3  # tries for which what a front is stays as it was drawn: refusals should not bend the belief
SIZES = ("width", "depth", "height")  # what a family calls its outer size, where it has one
STYLE = frozenset(
    {
        *("depth", "height", "height/edges", "plinth", "base", "base/which", "base/height"),
        *("mount", "mount/which", "gap", "board", "front", "handle", "handle/which"),
        *("handle_length", "handle_thickness", "handle_standoff", "handle_across", "handle_up"),
    }
)
"""Draws that the units of a run share: depth, height, what they stand on, fronts and handles."""
PAINT = ("hue", "saturation", "value", "roughness")  # of any material: shared too


@dataclass(frozen=True, slots=True)
class Streams:
    """The named streams of one cousin."""

    seed: int
    index: int

    def of(self, asset: str, attempt: int) -> Draw:
        """Return an asset's streams; each attempt has others, but for what its fronts are."""

        def draw(parameter: str) -> np.random.Generator:
            again = attempt if attempt >= KEPT or not _belief(parameter) else 0
            return stream(self.seed, "cousin", self.index, asset, parameter, *((again,) if again else ()))

        return draw

    def shared(self, own: Draw, run: str, attempt: int) -> Draw:
        """Return the streams of a unit of a run: what its run shares, else its own."""

        def draw(parameter: str) -> np.random.Generator:
            if parameter not in STYLE and parameter.rsplit("/", 1)[-1] not in PAINT:
                return own(parameter)
            again = (attempt,) if attempt else ()
            return stream(self.seed, "cousin", self.index, "run", run, parameter, *again)

        return draw


@dataclass(frozen=True, eq=False, slots=True)
class Mutated:
    """An asset's parameters, and what the belief alone makes of it: as the family's own classes.

    None for both where no family built it.

    free   the parameters before neighbours stopped its doors; None where none did
    """

    p: Any
    believed: Any
    changed: bool
    free: Any = None

    def resized(self, size: Mapping[str, float]) -> "Mutated":
        """Return it with other outer sizes (m); so is what the belief alone gave, where it is the same."""
        p = resized(self.p, size)
        return replace(self, p=p, believed=p if self.p == self.believed else self.believed, changed=True)


@dataclass(frozen=True, eq=False, slots=True)
class Believed:
    """An asset's parameters as the belief alone has them: the layout, and from it all that is in doubt."""

    layout: Any
    alone: Any | Refusal


def believed(asset: Asset, spread: Spread, draw: Draw) -> Believed:
    """Return what the belief alone makes of an asset of a family."""
    layout = _read(asset.family, Same(_layout(asset, draw) if spread.doubt else asset.parameters))
    return Believed(layout, registry.family(asset.family).mutate(layout, Spread(doubt=spread.doubt), draw))


def mutated(
    asset: Asset,
    spread: Spread,
    draw: Draw,
    belief: Believed,
    stretch: Mapping[str, float] | None = None,
) -> Mutated | Refusal:
    """Return an asset's parameters drawn from belief times spread, and from the belief alone.

    belief    what the belief alone has drawn, of the same streams
    stretch   size's name -> factor that the twin's is multiplied by before anything is drawn
    """
    family, known = registry.family(asset.family), belief.layout
    fit = resized(known, {n: getattr(known, n) * f for n, f in stretch.items()}) if stretch else known
    varied = bool(spread.scale or spread.shift or spread.choices or spread.chance)
    out = family.mutate(fit, spread, draw) if varied or stretch else belief.alone
    if isinstance(out, Refusal):
        return out
    # A handle may not fit a front of the belief alone that was made narrower: that one keeps its width.
    alone = belief.alone if varied else out
    if isinstance(alone, Refusal):  # varied on purpose it works: then all that is new comes from the spec
        alone = known
    return Mutated(out, alone, out != _read(asset.family, Same(asset.parameters)))


def hung(spread: Spread) -> Spread:
    """Return the spread of what hangs on a wall: it has neither plinth nor feet, and gets none."""
    chance = {name: p for name, p in spread.chance.items() if name != "base"}
    return replace(spread, chance=chance)


def sized(asset: Asset, spread: Spread, draw: Draw) -> Cabinet | None:
    """Return a cabinet with the outer size that `mutated` gives it, fast; None for other families."""
    if asset.family != "cabinet":
        return None
    layout = _layout(asset, draw) if spread.doubt else asset.parameters
    return outline(_read(asset.family, Same(layout)), spread, draw)


@lru_cache(maxsize=256)
def _read(family: str, parameters: Same[Mapping[str, object]]) -> Any:
    """Return the parameters that plain JSON says; kept, as every cousin asks for its twin's."""
    return registry.from_json(family, parameters.it)


def built(asset: Asset, p: Any, pose: Pose | None = None, *, visual: bool = True) -> Asset:
    """Return the twin's asset with other parameters; what no family builds (None) keeps its form.

    pose     where it stands [where the twin's does]
    visual   whether what a family builds has meshes for the eye

    Raises PocketworldError for parameters that make nothing.
    """
    pose = pose or asset.pose
    if p is None:
        return replace(asset, pose=pose)
    made = registry.family(asset.family).build(p, asset.id, visual=visual)
    return replace(made, pose=pose, base=asset.base)


def sizes(asset: Asset) -> dict[str, float]:
    """Return the outer sizes that an asset's family knows it by, m; none where it is of no family."""
    found = {name: asset.parameters.get(name) for name in SIZES}
    return {name: float(v) for name, v in found.items() if isinstance(v, int | float)}


def resized(p: Any, size: Mapping[str, float]) -> Any:
    """Return parameters with other outer sizes, m; a name that they don't have is left out.

    Raises PocketworldError for a worktop that becomes too small for its sink.
    """
    if isinstance(p, Worktop):
        return worktop.resized(p, size.get("width", p.width), size.get("depth", p.depth))
    names = {f.name for f in fields(p)}
    return replace(p, **{name: value for name, value in size.items() if name in names})


def _belief(parameter: str) -> bool:
    """Say whether a stream decides what is, not how large: a layout, a front's kind."""
    return parameter == "layout" or parameter.endswith("/kind")


def _layout(asset: Asset, draw: Draw) -> Mapping[str, object]:
    """Return the parameters of one of an asset's layouts, by their probabilities."""
    if not asset.alternatives:
        return asset.parameters
    u = float(draw("layout").random())
    for p, parameters in asset.alternatives:
        if u < p:
            return parameters
        u -= p
    return asset.parameters
