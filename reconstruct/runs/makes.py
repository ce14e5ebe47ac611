"""Handles of one row are of one make: what is seen surely tells which faint ones are handles too."""

from collections.abc import Sequence
from dataclasses import replace

from pocketworld.families.protocol import SeenHandle
from pocketworld.reconstruct.fronts.handles import BESIDE
from pocketworld.scene import HandleKind

SURE = 0.9  # score of what stands out of a front without doubt
ALIKE = 1.35  # times as long: still the same handle, as blurred as it is
TWIN = 1.15  # times as long, where only a picture shows it and faintly
EDGE = 0.026  # m: nearer to a unit's sides it is the gap's; handles are 45 mm from them, as both were seen
FAINT = 0.5, 0.4  # score of what only one cue shows, and of what hardly does
SHORTEST = 0.05  # m: bars are longer
HIGH = 0.75  # of the height of what hangs: nobody reaches a handle above that
KNOBS = (HandleKind.KNOB,)


def joined(seen: Sequence[SeenHandle], bright: Sequence[SeenHandle]) -> tuple[SeenHandle, ...]:
    """Return handles by depth and by colour, each once, in between where both see one.

    Depth blurs a bar with the face and so puts it too near to that, colour takes it to stand out as usual:
    the one errs to where the camera is not, the other to either side. Colour shows ends more sharply, but of
    a bar that is no brighter than the face all along only a part: where it is much shorter, it saw less."""
    left = list(seen)
    out = []
    for bar in bright:
        same = [h for h in left if _meets(h, bar)]
        left = [h for h in left if h not in same]
        best = max(same, key=lambda h: h.score, default=bar)
        out.append(_between(bar, best))
    return tuple(sorted((*left, *out), key=lambda h: (-h.v, h.u)))


def _between(bar: SeenHandle, best: SeenHandle) -> SeenHandle:
    """Return what a bar by colour and the handle that depth sees there are together."""
    alike = best.kind not in KNOBS and best.vertical == bar.vertical
    depth = best if alike else bar
    u, v, length = (bar.u + depth.u) / 2, (bar.v + depth.v) / 2, bar.length
    longer, shorter = sorted((depth, bar), key=lambda h: -h.length)
    if longer.length > ALIKE * shorter.length:
        u, v = (u, longer.v) if bar.vertical else (longer.u, v)
        length = longer.length
    return replace(
        bar,
        u=u,
        v=v,
        length=length,
        kind=best.kind if best.kind not in KNOBS else bar.kind,
        thickness=min(bar.thickness, best.thickness),
        # Either may err, but hardly both at one place.
        score=1 - (1 - bar.score) * (1 - best.score) if best is not bar else bar.score,
    )


def _meets(a: SeenHandle, b: SeenHandle) -> bool:
    """Say whether two are one handle: depth may see it as something round, or to one side."""
    half = [((h.thickness, h.length) if h.vertical else (h.length, h.thickness)) for h in (a, b)]
    near = [(p + q) / 2 + BESIDE / 2 for p, q in zip(*half, strict=True)]
    return bool(abs(a.u - b.u) < near[0] and abs(a.v - b.v) < near[1])


def within_reach(seen: Sequence[SeenHandle], height: float) -> tuple[SeenHandle, ...]:
    """Return the handles by depth of a unit that hangs, m high: what seems to stand out above is its edge.

    Units that hang are taken hold of below.
    """
    return tuple(h for h in seen if h.v < HIGH * height)


def of_one_make(units: Sequence[tuple[float, Sequence[SeenHandle]]]) -> tuple[tuple[SeenHandle, ...], ...]:
    """Return the handles of each unit (its width, m, and what was seen on it) that are to be believed.

    What is sure stays, whatever it is: a row may have several makes. What is faint is a handle where it is a
    bar as long as those that are sure, and lies the same way; where none is, as those that are fairly so. Of
    those of its own unit one that is alike will do: a row may have several makes, a unit has one.
    """
    every = [h for width, handles in units for h in handles if _bar(h, width)]
    sure = [h for h in every if h.score >= SURE] or [h for h in every if h.score > FAINT[1]]
    out = []
    for width, handles in units:
        own = [h for h in handles if h in sure]
        out.append(tuple(h for h in handles if _fits(h, sure, width) or _twin(h, own, width)))
    return tuple(out)


def _twin(handle: SeenHandle, own: Sequence[SeenHandle], width: float) -> bool:
    """Say whether a faint bar is alike to a sure one of its unit, and lies the same way."""
    if handle.score <= FAINT[1] or not _bar(handle, width):
        return False
    return any(h.vertical == handle.vertical and _alike(h, handle, ALIKE) for h in own)


def _alike(a: SeenHandle, b: SeenHandle, times: float) -> bool:
    return max(a.length / b.length, b.length / a.length) < times


def _bar(handle: SeenHandle, width: float) -> bool:
    """Say whether something is a bar within a unit's sides."""
    return handle.kind not in KNOBS and handle.length > SHORTEST and _within(handle, width, EDGE)


def _within(handle: SeenHandle, width: float, free: float) -> bool:
    return free < handle.u < width - free


def _fits(handle: SeenHandle, sure: Sequence[SeenHandle], width: float) -> bool:
    if handle.score >= SURE:
        return _within(handle, width, EDGE)
    if not _bar(handle, width):
        return False
    alike = ALIKE if handle in sure or handle.score > FAINT[0] else TWIN
    twins = [h for h in sure if _alike(h, handle, alike)]
    if handle.score > FAINT[0] or handle in sure:
        return 2 * len(twins) > len(sure)
    return any(h.vertical == handle.vertical for h in twins)
