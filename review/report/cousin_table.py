"""Cousins on the page: how they vary, some in pictures, all in a table, and what was refused."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, pstdev

from pocketworld.cousins.sequence import Cousins
from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, layout
from pocketworld.review.report.joints import numbered, said, taken_for
from pocketworld.review.report.pictures import Shots, half_open
from pocketworld.review.report.size import size
from pocketworld.review.report.words import millimetres, plural
from pocketworld.scene import Asset, HandleKind, Scene

# A page of a few megabytes that is made in seconds: of more cousins, the first ones stand for all.
ROWS = 256
PICTURES = 16
# A strip of dots: how large it is, CSS pixels.
STRIP = (280, 56)
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Line:
    """One asset of one cousin: lengths in mm."""

    cousin: str
    asset: str
    width: float
    depth: float
    height: float
    fronts: str
    handles: str


@dataclass(frozen=True, slots=True)
class Strip:
    """How one length varies: a dot a cousin (x, y in pixels), the twin's place, the ends of the scale."""

    title: str
    dots: tuple[tuple[float, float], ...]
    twin: float
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Section:
    """A set of cousins as the page shows it; `facts` are (what, how many) in words."""

    name: str
    count: int
    shown: int
    facts: tuple[tuple[str, str], ...]
    strips: tuple[Strip, ...]
    shots: Shots
    lines: tuple[Line, ...]
    refusals: tuple[tuple[str, int], ...]


def sections(sets: Sequence[Cousins]) -> tuple[Section, ...]:
    """Return each set of cousins for the page."""
    return tuple(_section(cousins) for cousins in sets)


def _section(cousins: Cousins) -> Section:
    scenes = list(cousins[:ROWS])
    refused = Counter(str(one.refusal.reason) for drawn in cousins.drawn for one in drawn.refused)
    lines = tuple(_line(scene, asset) for scene in scenes for asset in scene.assets)
    layouts = {tuple(map(_layout, scene.assets)) for scene in scenes}
    return Section(
        name=cousins.name,
        count=len(cousins),
        shown=len(scenes),
        facts=_facts(cousins, len(layouts), refused.total()),
        strips=_strips(scenes, cousins.twin),
        shots=half_open({scene.provenance["cousin"]: scene for scene in scenes[:PICTURES]}),
        lines=lines,
        refusals=tuple((reason.replace("-", " "), n) for reason, n in refused.most_common()),
    )


def _line(scene: Scene, asset: Asset) -> Line:
    width, depth, height = (1000 * edge for edge in size(asset))
    grips = [part.handle for _, part, _ in numbered(asset)]
    handles = Counter(str(grip.kind if grip else HandleKind.NONE) for grip in grips)
    kinds = ", ".join(f"{n} {kind}" for kind, n in handles.most_common())
    return Line(scene.provenance["cousin"], asset.id, width, depth, height, _fronts(asset), kinds)


def _fronts(asset: Asset) -> str:
    """Return an asset's fronts in words: "3 drawers, 1 door hinge left"."""
    counts = Counter((part.role, said(taken_for(joint))) for _, part, joint in numbered(asset))
    words = [plural(n, role) + f" ({way})" * ("hinge" in way) for (role, way), n in counts.items()]
    return ", ".join(words) or "none"


def _layout(asset: Asset) -> str:
    """Return the tree of an asset's fronts, or its family where that has no such tree."""
    p = registry.rebuild(asset) if asset.family in registry.names() else None
    return layout(p.grid) if isinstance(p, Cabinet) else asset.family


def _facts(cousins: Cousins, layouts: int, refused: int) -> tuple[tuple[str, str], ...]:
    """Return how far a set spreads, in words."""
    draws = refused + len(cousins) * len(cousins.twin.assets)
    return (
        ("cousins", str(len(cousins))),
        ("different layouts", str(layouts)),
        ("draws refused", f"{refused} of {draws} ({refused / max(draws, 1):.0%})"),
    )


def _strips(scenes: Sequence[Scene], twin: Scene) -> tuple[Strip, ...]:
    """Return how the sizes of the twin's first asset vary, where there is one."""
    if not scenes or not twin.assets:
        return ()
    first = twin.assets[0]
    sizes = [size(scene.asset(first.id)) for scene in scenes]
    titles = (f"{name} of {first.id}" for name in ("width", "depth", "height"))
    columns = zip(*sizes, strict=True)
    return tuple(
        _strip(title, values, own) for title, values, own in zip(titles, columns, size(first), strict=True)
    )


def _strip(title: str, values: Sequence[float], twin: float) -> Strip:
    """Return a dot a value; their height in the strip has no meaning, it keeps them apart."""
    low, high = min(*values, twin), max(*values, twin)
    span = max(high - low, 1e-3)

    def x(value: float) -> float:
        return round(STRIP[0] * (value - low) / span, 1)

    varied = f"{title}, varies by {pstdev(values) / mean(values):.0%}"
    dots = tuple((x(value), round(STRIP[1] * (i * GOLDEN % 1), 1)) for i, value in enumerate(values))
    return Strip(varied, dots, x(twin), millimetres([low]), millimetres([high]))
