"""The faces of an asset with what was found on them, as an SVG's geometry: mm from a face's top left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import Elevation, Line, SeenHandle
from pocketworld.review.report.embed import heights, lit, shrunk, webp
from pocketworld.review.report.joints import Numbered, numbered, said, taken_for
from pocketworld.review.report.size import corners, size
from pocketworld.review.report.words import plural, probability
from pocketworld.scene import Asset, Joint, Part, Rectangle

Array = NDArray[np.float64]
FACES = ("front", "left", "right", "back")
# Outward normal of each face and the direction to the right of someone who looks at it, in the asset's frame.
NORMALS = {"front": (0, -1, 0), "back": (0, 1, 0), "left": (-1, 0, 0), "right": (1, 0, 0)}
RIGHTS = {"front": (1, 0, 0), "back": (-1, 0, 0), "left": (0, -1, 0), "right": (0, 1, 0)}
# A face is shown this large at most, CSS pixels; text on it is then TEXT pixels high.
Room = tuple[float, float]
LARGE: Room = (430, 540)
SMALL: Room = (170, 210)
TEXT = 13.0
# Pixels of a picture to a CSS pixel: screens of today have two.
FINE = 2
# Scores of lines are written in a margin of this many text heights.
MARGIN = 3.2
# A gain below this is not worth a word.
LIT = 1.2


@dataclass(frozen=True, slots=True)
class Mark:
    """A front of the twin: its corners ("x,y x,y ..."), where its label goes, the label and its height."""

    corners: str
    x: float
    y: float
    label: str
    text: float
    colour: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that was found: its ends, its score, and where that is written beside the face.

    upright   whether it runs up;  leader: where the thin line from its end to its score ends
    """

    x1: float
    y1: float
    x2: float
    y2: float
    upright: bool
    score: float
    leader: tuple[float, float]
    label: tuple[float, float]
    title: str


@dataclass(frozen=True, slots=True)
class Grip:
    """A handle that was found: its outline's top left corner and size, and what to say of it."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Face:
    """One face and what is on it.

    width, height    mm;  text: its height, mm;  margin: room for scores at the right, mm
    shown            width with the margin on the page, CSS pixels
    colour, relief   data: URIs, or None where there is no picture
    pixel            mm;  source: what the colour was made of;  scale: what the relief's shades mean
    """

    name: str
    width: float
    height: float
    text: float
    margin: float
    shown: float
    colour: str | None
    relief: str | None
    pixel: float
    source: str
    scale: str
    marks: tuple[Mark, ...]
    rules: tuple[Rule, ...]
    grips: tuple[Grip, ...]

    @property
    def found(self) -> str:
        """Say how many fronts there are on it."""
        return plural(len(self.marks), "front") if self.marks else "no fronts found"


def faces(asset: Asset, elevations: Iterable[Elevation], room: Room = LARGE) -> tuple[Face, ...]:
    """Return an asset's faces, those with fronts first and as large as `room`: pictures, or drawings alone.

    A face without an elevation is shown only if the twin has fronts there, and then is as large as the asset.
    """
    seen = {e.face: e for e in elevations}
    fronts = {name: [(n, p, j) for n, p, j in numbered(asset) if _on(p, name)] for name in FACES}
    shown = [seen.get(name) or _bare(asset, name) for name in FACES if name in seen or fronts[name]]
    fronted = [e for e in shown if fronts[e.face]]
    plain = [e for e in shown if not fronts[e.face]]
    return (
        *(_face(e, fronts[e.face], _scale(fronted, room)) for e in fronted),
        *(_face(e, (), _scale(plain, SMALL)) for e in plain),
    )


def _scale(elevations: Sequence[Elevation], room: Room) -> float:
    """Return CSS pixels a mm such that all of the faces have room, drawn to the same scale."""
    return min(min(room[0] / e.width, room[1] / e.height) for e in elevations) / 1000


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Return places near the wanted ones (sorted) that are at least `gap` apart and on average not moved.

    Pool adjacent violators: what collides is placed as one block about its own mean.
    """
    blocks: list[tuple[float, int]] = []  # (mean of wanted minus own offset, count)
    for place in wanted:
        blocks.append((place, 1))
        while len(blocks) > 1 and blocks[-1][0] - blocks[-2][0] < gap * (blocks[-1][1] + blocks[-2][1]) / 2:
            (b, n), (a, m) = blocks.pop(), blocks.pop()
            blocks.append(((a * m + b * n) / (m + n), m + n))
    return [mean + gap * (i - (n - 1) / 2) for mean, n in blocks for i in range(n)]


def _face(elevation: Elevation, fronts: Sequence[Numbered], scale: float) -> Face:
    width, height = elevation.width * 1000, elevation.height * 1000
    text = TEXT / scale
    margin = MARGIN * text if fronts and elevation.lines else 0.0
    colour, source = _colour(elevation, longest=round(FINE * scale * max(width, height)))
    relief, shades = _relief(elevation)
    return Face(
        name=elevation.face,
        width=width,
        height=height,
        text=text,
        margin=margin,
        shown=(width + margin) * scale,
        colour=colour,
        relief=relief,
        pixel=elevation.pixel * 1000,
        source=source,
        scale=shades,
        marks=tuple(_mark(elevation, n, j, part.front, text) for n, part, j in fronts if part.front),
        rules=_rules(elevation, text),
        grips=tuple(_grip(elevation, handle) for handle in elevation.handles),
    )


def _colour(elevation: Elevation, longest: int) -> tuple[str | None, str]:
    """Return the picture of a face as a data: URI, and what it was made of."""
    if elevation.colour is None:
        return None, "no picture of it is kept"
    picture, gain = lit(shrunk(elevation.colour, longest))
    return webp(picture), plural(elevation.frames, "picture") + f", lit up {gain:.1f} times" * (gain > LIT)


def _relief(elevation: Elevation) -> tuple[str | None, str]:
    """Return the relief of a face as a data: URI, and what its shades mean."""
    if elevation.relief is None:
        return None, ""
    picture, low, high = heights(elevation.relief)
    return webp(picture), f"dark is {low * 1000:+.0f} mm, bright {high * 1000:+.0f} mm before the face"


def _mark(elevation: Elevation, number: int, joint: Joint, front: Rectangle, text: float) -> Mark:
    points = _corners(elevation, front)
    x, y = points.min(0)
    tall = float(np.ptp(points[:, 1]))
    taken = taken_for(joint)
    return Mark(
        corners=" ".join(f"{u:.1f},{v:.1f}" for u, v in points),
        x=float(x),
        y=float(y),
        label=f"{number}  {said(taken)} {probability(taken.p)}",
        text=min(text, 0.7 * tall),
        colour=str(joint.kind),
    )


def _rules(elevation: Elevation, text: float) -> tuple[Rule, ...]:
    """Return the lines with their scores: of level ones at the right edge, of upright ones above the top."""
    width, height = elevation.width * 1000, elevation.height * 1000
    level = sorted((line for line in elevation.lines if not line.vertical), key=lambda line: -line.at)
    upright = sorted((line for line in elevation.lines if line.vertical), key=lambda line: line.at)
    rows = spread([height - line.at * 1000 for line in level], text)
    columns = spread([line.at * 1000 for line in upright], 2.4 * text)
    end = width + 0.8 * text
    beside = [
        _rule(line, height, (end, y), (end + 0.2 * text, y + 0.3 * text))
        for line, y in zip(level, rows, strict=True)
    ]
    above = [
        _rule(line, height, (x, -0.4 * text), (x, -0.6 * text))
        for line, x in zip(upright, columns, strict=True)
    ]
    return (*beside, *above)


def _rule(line: Line, height: float, leader: tuple[float, float], label: tuple[float, float]) -> Rule:
    at, start, end = line.at * 1000, line.start * 1000, line.end * 1000
    ends = (at, height - start, at, height - end) if line.vertical else (start, height - at, end, height - at)
    where = "from the left" if line.vertical else "up"
    title = f"line {at:.0f} mm {where}, ± {line.sigma * 1000:.1f} mm, score {line.score:.2f}"
    return Rule(*ends, line.vertical, line.score, leader, label, title)


def _grip(elevation: Elevation, handle: SeenHandle) -> Grip:
    long, thick = handle.length * 1000, handle.thickness * 1000
    width, height = (thick, long) if handle.vertical else (long, thick)
    x, y = handle.u * 1000 - width / 2, (elevation.height - handle.v) * 1000 - height / 2
    size = f"{long:.0f} mm long, {handle.standoff * 1000:.0f} mm proud"
    return Grip(x, y, width, height, f"{handle.kind} handle, {size}, score {handle.score:.2f}")


def _corners(elevation: Elevation, front: Rectangle) -> Array:
    """Return a front's corners (4, 2) on a face: mm to the right and down from the face's top left corner."""
    points = corners(front)
    across = points @ np.array(RIGHTS[elevation.face], float) + elevation.width / 2
    return np.column_stack([across, elevation.height - points[:, 2]]) * 1000


def _on(part: Part, face: str) -> bool:
    """Say whether a part's front looks out of a face (within 45 degrees)."""
    if part.front is None:
        return False
    normal = np.cross(np.array(part.front.right), np.array(part.front.up))
    return bool(normal @ np.array(NORMALS[face], float) > np.sqrt(0.5))


def _bare(asset: Asset, face: str) -> Elevation:
    """Return an elevation of which nothing is known but its size."""
    width, depth, height = size(asset)
    return Elevation(face, width if face in ("front", "back") else depth, height, pixel=0.001)
