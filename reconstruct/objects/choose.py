"""Which family a thing that is no cabinet belongs to: all are fitted, the shortest description wins.

A description says the numbers of a family, and for each patch of surface how far off it is; a patch that the
family leaves unexplained costs as much as the scan's own description of it, one number (minimum description
length, Rissanen 1978; BIC is its first order). A scan kept as it is has one number for each patch.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.cylinder import ROUND, axis
from pocketworld.families.protocol import Evidence
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.reconstruct.fronts.fit import fitted
from pocketworld.reconstruct.objects.backing import backed, coloured
from pocketworld.reconstruct.objects.freestanding import on_floor
from pocketworld.reconstruct.objects.patches import NEAR, evidence, noise
from pocketworld.reconstruct.objects.solid import FlatError, solid
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.placed import Placed
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, Material, Pose

Array = NDArray[np.float64]

FAMILIES = ("box", "table", "chair", "shelf", "cylinder")
FURNITURE = ("table", "chair", "shelf")  # stand on the floor, on legs that a capture may not show
TURNED = {"chair": 4, "shelf": 4}  # ways in which a thing with a front may stand in its box; others have none
CLOSE = 1.1  # starts that cost so much more than a family's best are fitted too; two at most
MOST_OFF = 0.02  # m: however noisy, what is farther off is another surface (residuals level off at 3 cm)
# Of what chance leaves: "substantial agreement" of two judges who might agree by chance begins at 0.6 of it
# (Landis and Koch 1977, on Cohen's kappa).
SUBSTANTIAL = 0.6
BACKED = 1 / 3  # of its outside: of what stands before a wall one sees a third to a half, the rest is guessed
NOTABLE = 0.1  # of the surface: less is its noise
CHANCE = 2000  # random places that tell what a family explains by being everywhere


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """A family fitted to a thing.

    parameters         of the family;  asset: what they make, where it stands
    cost               length of the description, nats
    explained          share of what was seen (surface, and as many empty places) that it agrees with
    beyond_chance      that share above what random places would have, 0 (as they) to 1 (all)
    backed             share of the asset's outside that was seen
    left_out           share of the surface that is taken for something else
    """

    family: str
    parameters: Any
    asset: Asset
    cost: float
    explained: float
    beyond_chance: float
    backed: float
    left_out: float


@dataclass(frozen=True, slots=True)
class _Moved:
    """Parameters and where their asset lies in the evidence's frame: x, y in m, turned in rad.

    All three are 1 where it lies at the origin: the optimiser moves numbers by shares of themselves.
    """

    p: Any
    x: float = 1.0
    y: float = 1.0
    turn: float = 1.0

    @property
    def matrix(self) -> Array:
        """Return evidence_from_asset (4, 4)."""
        return Pose.upright((self.x - 1, self.y - 1, 0.0), self.turn - 1).matrix


def choose(thing: Thing, id: str, free: Array, support: float = 0.0) -> Placed:
    """Return a thing as the family that explains it best, or as a solid where none does.

    free      (m, 3) places of the scene that were seen to be empty (see `seen_empty`); may be none
    support   height of what it stands on, m: the floor. What hangs above that has legs that were not seen;
              only where no table, chair or shelf explains it, it is what it looks like, and fixed

    Raises FlatError for what no family explains and what has no volume.
    """
    sigma = noise(thing.surface)
    found = sorted(
        fits(thing, free, sigma, support), key=lambda fit: (fit.asset.pose.position[2] > support, fit.cost)
    )
    good = [fit for fit in found if fit.beyond_chance >= SUBSTANTIAL and fit.backed >= BACKED]
    if good:
        rival = next((other for other in found if other is not good[0]), None)
        asset = _built(coloured(good[0].parameters, good[0].asset, thing.surface), good[0], id)
        findings = (_chosen(id, good[0], rival, sigma), *_rest(id, good[0]))
        return _held(Placed(asset, findings, relations=on_floor(asset)), support)
    asset, noticed = solid(thing, id, free)
    if found:
        noticed = (*noticed, _none(id, max(found, key=lambda fit: fit.beyond_chance), sigma))
    return _held(Placed(asset, noticed, relations=on_floor(asset)), support)


def choose_all(
    things: Iterable[tuple[Thing, Array, float]], name: str
) -> tuple[dict[str, Placed], tuple[Finding, ...]]:
    """Return things (each with `free` and `support` as in `choose`) by their ids, without the flat ones.

    name   of the capture: a finding says how many are left out
    """
    made, flat = {}, 0
    for thing, free, support in things:
        try:
            made[thing.id] = choose(thing, thing.id, free, support)
        except FlatError:
            flat += 1
    return made, _flat(flat, name)


def _flat(count: int, name: str) -> tuple[Finding, ...]:
    if not count:
        return ()
    text = "things without volume, as posters and panes, which no family explains, are left out"
    return (Finding("flat-thing-left-out", Severity.LOST, "reconstruct", name, text, {"count": count}),)


def _held(one: Placed, support: float) -> Placed:
    """Return what hangs above its support fixed: nothing below was seen that it could stand on."""
    asset = one.asset
    if asset.base is Base.FIXED or asset.pose.position[2] <= support:
        return one
    text = "nothing was seen that it stands on: it is fixed where it hangs"
    numbers = {"above_m": round(asset.pose.position[2] - support, 3)}
    found = Finding("hangs", Severity.NOTE, "reconstruct", asset.id, text, numbers)
    return replace(one, asset=replace(asset, base=Base.FIXED), findings=(*one.findings, found))


def _built(p: Any, fit: Fit, id: str) -> Asset:
    return replace(registry.family(fit.family).build(p, id), pose=fit.asset.pose)


def fits(thing: Thing, free: Array, sigma: float, support: float) -> Iterator[Fit]:
    """Go through the best fit of each family that has one; furniture stands on the support (a height, m)."""
    for name in FAMILIES:
        stood = _brought_down(thing, support) if name in FURNITURE else thing
        yield from _best(name, stood, free, sigma)


def _brought_down(thing: Thing, support: float) -> Thing:
    """Return a thing whose box reaches down to its support."""
    box = thing.box
    (x, y, z), (width, depth, height) = box.foot, box.size
    if support >= z:
        return thing
    reaching = replace(box, foot=(x, y, support), size=(width, depth, height + z - support))
    return replace(thing, found=replace(thing.found, box=reaching))


def _best(name: str, thing: Thing, free: Array, sigma: float) -> Iterator[Fit]:
    """Give the best fit of a family, if it has one."""
    seen = evidence(thing, se3.apply(se3.inverse(thing.box.world_from_box), free), sigma)
    own = _about_axis(seen, sigma) if name == "cylinder" else seen
    if own is None:
        return
    left_out = 1 - float((own.weights**2).sum() / (seen.weights**2).sum())
    starts = [
        (_cost(_residual(name, own)(_Moved(p, *start)), own), _Moved(p, *start))
        for start, view in _views(name, own)
        for p in registry.family(name).propose(view)
    ]
    starts.sort(key=lambda pair: pair[0])
    best = []
    for cost, start in starts[:2]:
        with suppress(PocketworldError):  # what a fit ends with may make nothing
            best += [_fit(name, start, own, thing, left_out)] if cost <= CLOSE * starts[0][0] else []
    if best:
        yield min(best, key=lambda fit: fit.cost)


def _views(name: str, seen: Evidence) -> Iterator[tuple[tuple[float, float, float], Evidence]]:
    """Go through the ways to look at a thing as a family: x, y, turn (see `_Moved`) and what is seen then."""
    if name == "cylinder":
        x, y, radius = axis(seen.points, seen.normals, seen.weights**2)
        if radius > 0 and math.hypot(x, y) < max(seen.size[:2]):
            view = _seen_from(seen, _Moved(None, 1 + x, 1 + y))
            yield (1 + x, 1 + y, 1.0), replace(view, size=(2 * radius, 2 * radius, seen.size[2]))
        return
    for quarters in range(TURNED.get(name, 1)):
        at = _Moved(None, turn=1 + quarters * math.pi / 2)
        yield (1.0, 1.0, at.turn), _seen_from(seen, at)


def _about_axis(seen: Evidence, sigma: float) -> Evidence | None:
    """Return what was seen about the axis of something round; None where that is the lesser part.

    Behind what is round, where no frame looks, depth smears; that is something else.
    """
    x, y, radius = axis(seen.points, seen.normals, seen.weights**2)
    near = np.hypot(*(seen.points[:, :2] - (x, y)).T) < (1 + ROUND) * radius + NEAR * sigma
    within = np.hypot(*(seen.free[:, :2] - (x, y)).T) < (1 + ROUND) * radius
    if (seen.weights[near] ** 2).sum() < (seen.weights**2).sum() / 2:
        return None
    return replace(
        seen,
        points=seen.points[near],
        normals=seen.normals[near],
        weights=seen.weights[near],
        free=seen.free[within],
    )


def _seen_from(seen: Evidence, at: _Moved) -> Evidence:
    """Return the evidence in the frame of an asset that is moved so; sizes by quarter turns."""
    matrix = se3.inverse(at.matrix)
    width, depth, height = seen.size
    size = (depth, width, height) if round((at.turn - 1) / (math.pi / 2)) % 2 else seen.size
    return replace(
        seen,
        points=se3.apply(matrix, seen.points),
        normals=seen.normals @ matrix[:3, :3].T,
        free=se3.apply(matrix, seen.free),
        size=size,
    )


def _residual(name: str, seen: Evidence) -> Callable[[_Moved], Array]:
    """Return the residual of a family's parameters and their place; large where they make nothing."""
    made = registry.family(name)

    def residual(moved: _Moved) -> Array:
        view = _seen_from(seen, moved)
        if name == "cylinder":
            # Seen from one side its box is not about its axis.
            view = replace(view, size=(*moved.p.size[:2], seen.size[2]))
        try:
            return made.residual(moved.p, view)
        except PocketworldError:
            return np.full(3 + len(seen.points) + len(seen.free), 2 * NEAR)

    return residual


def _fit(name: str, start: _Moved, seen: Evidence, thing: Thing, left_out: float) -> Fit:
    residual = _residual(name, seen)
    best, _ = fitted(start, residual)
    off = residual(best)
    surface, empty = off[3 : 3 + len(seen.points)], off[3 + len(seen.points) :]
    wrong = float((empty > 1).mean()) if len(empty) else 0.0
    explained = _explained(surface, seen) / (1 + wrong)
    chance = _by_chance(name, best, seen)
    matrix = thing.box.world_from_box @ best.matrix
    x, y, z = (float(v) for v in matrix[:3, 3])
    yaw = math.atan2(matrix[1, 0], matrix[0, 0])
    cost = _cost(off, seen) + _numbers(best.p) * _price(seen)
    beyond = (explained - chance) / max(1 - chance, 1e-9)
    asset = replace(registry.family(name).build(best.p, thing.id), pose=Pose.upright((x, y, z), yaw))
    sure = float(np.sqrt(np.mean(seen.weights**2)))
    near = min(NEAR / sure, MOST_OFF) + thing.surface.voxel
    shown = backed(asset, thing.surface, near)
    return Fit(name, best.p, asset, cost, explained, beyond, shown, left_out)


def _explained(off: Array, seen: Evidence) -> float:
    """Return the share of the area that lies near a family's surface, by its residuals (n,)."""
    sure = float(np.sqrt(np.mean(seen.weights**2)))
    near = np.abs(off) < min(NEAR, MOST_OFF * sure) * seen.weights / sure
    return float(np.average(near, weights=seen.weights**2))


def _price(seen: Evidence) -> float:
    """Return what one number costs, nats."""
    return math.log(max(len(seen.points), 2)) / 2


def _cost(off: Array, seen: Evidence) -> float:
    """Return the length of what residuals (3 + n + m,) say, nats; none costs more than its own number."""
    scale = np.ones(len(off))
    scale[3 : 3 + len(seen.points)] = seen.weights**2 / np.mean(seen.weights**2)
    return float(np.minimum(off**2 / 2, scale * (_price(seen) + NEAR**2 / 2)).sum())


def _by_chance(name: str, best: _Moved, seen: Evidence) -> float:
    """Return the share of random places in the thing's box that the family explains: what is everywhere
    explains everything.
    """
    low, high = np.array((-0.5, -0.5, 0.0)), np.array((0.5, 0.5, 1.0))
    places = stream(0, "choose").uniform(low, high, (CHANCE, 3)) * seen.size
    weights = np.full(CHANCE, float(np.sqrt(np.mean(seen.weights**2))))
    random = replace(seen, points=places, normals=np.zeros_like(places), weights=weights, free=seen.free[:0])
    return _explained(_residual(name, random)(best)[3:], random)


def _numbers(p: Any) -> int:
    """Return how many numbers and choices describe a shape: not its looks, not its weight."""
    count = 0
    for field in fields(p):
        value = getattr(p, field.name)
        if field.name != "density" and not isinstance(value, Material):
            count += len(value) if isinstance(value, tuple) else 1
    return count


def _figures(fit: Fit, sigma: float) -> dict[str, float]:
    return {
        "explained": round(fit.explained, 3),
        "beyond_chance": round(fit.beyond_chance, 3),
        "backed": round(fit.backed, 3),
        "noise_m": round(sigma, 4),
    }


def _chosen(id: str, fit: Fit, rival: Fit | None, sigma: float) -> Finding:
    text = f"taken for a {fit.family}, which explains {fit.explained:.0%} of what was seen"
    numbers = _figures(fit, sigma)
    if rival is not None:
        text += f"; next is a {rival.family}, with {rival.explained:.0%}"
        numbers |= {"lead_nats": round(rival.cost - fit.cost, 1)}
    return Finding("family-chosen", Severity.NOTE, "reconstruct", id, text, numbers)


def _rest(id: str, fit: Fit) -> Iterator[Finding]:
    """Say what of a thing's surface is left out."""
    if fit.left_out > NOTABLE:
        text = f"{fit.left_out:.0%} of the surface that hangs together with it is left out"
        numbers = {"share": round(fit.left_out, 3)}
        yield Finding("surface-left-out", Severity.LOST, "reconstruct", id, text, numbers)


def _none(id: str, best: Fit, sigma: float) -> Finding:
    text = f"no family explains it: a {best.family} comes nearest, with {best.explained:.0%} of what was seen"
    return Finding("no-family", Severity.NOTE, "reconstruct", id, text, _figures(best, sigma))
