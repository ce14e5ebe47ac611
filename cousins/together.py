"""What is drawn together: the units of a run and the tops on them, or one thing; checked, or refused."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import Any

import numpy as np

from pocketworld.cousins import openings
from pocketworld.cousins.fitting import fitted
from pocketworld.cousins.layout import Line, laid, lift, line, moved, placed
from pocketworld.cousins.mutation import (
    Believed,
    Mutated,
    Streams,
    believed,
    built,
    hung,
    mutated,
    sized,
)
from pocketworld.cousins.neighbours import beyond_reach, crossing, stop
from pocketworld.cousins.place import SHARES, borne, clash, fits, freed, nearby, place
from pocketworld.cousins.runs import Run, Top
from pocketworld.cousins.spec import Spec
from pocketworld.cousins.tops import stretched
from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.cabinet.feasible import opening
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.protocol import Draw, Refusal, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.across import named
from pocketworld.geometry.sweep import sweep
from pocketworld.scene import Asset, Base, Scene

ATTEMPTS = 24  # where half of all draws are refused, one thing in 16 million stays as it was
FLOOR = 0.05  # m: what begins this near above the floor, and is on nothing, stands there
PATIENCE = 4  # refusals of one unit after which what its run shares is drawn again too
SEARCHES = 8  # tries of which one looks around for a place: what has none nearby rarely has one at the next


class Reason(StrEnum):
    """Why a drawn asset can't stay, besides the reasons of its family."""

    SWEEP = "parts-collide-as-they-open"
    PLACE = "no-place-beside-the-others"
    BORNE = "over-a-hole-or-edge"
    ACROSS = "opens-into-another"
    REACH = "another-before-its-handle"
    BUILD = "cannot-be-built"
    RUN = "its-run-stays"


TOGETHER = (Reason.PLACE, Reason.ACROSS, Reason.REACH)  # for these, what a run shares is drawn again


@dataclass(frozen=True, slots=True)
class Refused:
    """A draw that was refused: of which cousin and asset, at which attempt, and why."""

    cousin: int
    asset: str
    attempt: int
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Stage:
    """What of a cousin stands already, and the same things as the belief alone has them, by id."""

    standing: dict[str, Asset] = field(default_factory=dict)
    believed: dict[str, Asset] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Made:
    """A member of a run as it was drawn and placed, as the belief alone has it, and its drawn parameters."""

    asset: Asset
    believed: Asset
    drawn: Mutated


class _No(Exception):
    """A draw that can't be: whose, and why."""

    def __init__(self, asset: str, refusal: Refusal) -> None:
        super().__init__(asset)
        self.asset, self.refusal = asset, refusal


def draw_run(
    run: Run, twin: Scene, spec: Spec, stage: Stage, streams: Streams
) -> tuple[dict[str, Made] | None, tuple[Refused, ...]]:
    """Return a run's members as drawn, None where `ATTEMPTS` draws of one don't work; and the refusals."""
    tries: Counter[str] = Counter()
    refused: list[Refused] = []
    again, known = 0, _Known()
    while True:
        attempt = _Attempt(run, twin, spec, stage, streams, dict(tries), again, known)
        try:
            return attempt.made(), tuple(refused)
        except _No as no:
            refused.append(Refused(streams.index, no.asset, tries[no.asset], no.refusal))
            tries[no.asset] += 1
            if tries[no.asset] == ATTEMPTS:
                mates = (id for id in run.members if id != no.asset)
                stays = (Refused(streams.index, id, ATTEMPTS - 1, Refusal(Reason.RUN)) for id in mates)
                return None, (*refused, *stays)
            again += no.refusal.reason in TOGETHER or tries[no.asset] % PATIENCE == 0


@dataclass(frozen=True, slots=True)
class _Known:
    """What earlier tries drew, by (id, its try, that of what its run shares) and stretch: it comes again."""

    believed: dict[tuple[str, int, int], Believed] = field(default_factory=dict)
    mutated: dict[tuple[object, ...], Mutated | Refusal] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class _Attempt:
    """One try to draw a run: which try of each member, and of what they share; what is known of earlier."""

    run: Run
    twin: Scene
    spec: Spec
    stage: Stage
    streams: Streams
    tries: Mapping[str, int]
    again: int
    known: _Known

    def made(self) -> dict[str, Made]:
        """Return the members; raises _No where one can't be."""
        out = self._thing(self.run.units[0]) if len(self.run.members) == 1 else self._together()
        for id, made in out.items():
            if hit := clash(made.asset, self.stage.standing, self.twin):
                raise _No(id, Refusal(Reason.PLACE, {"overlap_m": hit}))
            if not borne(made.asset, self.twin, self.stage.standing):
                raise _No(id, Refusal(Reason.BORNE))
        for id, made in out.items():
            if made.drawn.changed and (hits := sweep(made.asset)):
                raise _No(id, Refusal(Reason.SWEEP, {"depth_m": max(hit.depth for hit in hits)}))
        self._stopped(out)
        if far := beyond_reach({id: made.asset for id, made in out.items()}, self.stage.standing, self.twin):
            raise _No(far, Refusal(Reason.REACH))
        return out

    def _stopped(self, out: dict[str, Made]) -> None:
        """Let doors that open into neighbours open less far; raises _No where they would hardly open."""
        limited: set[str] = set()
        while met := crossing({id: m.asset for id, m in out.items()}, self.stage.standing, self.twin):
            mover, _ = named(met.parts[0])
            eased = self._eased(out, mover, met.joint) if met.joint not in limited else None
            if eased is None:
                both = {named(part)[0] for part in met.parts}
                mine = [id for id in out if id in both]
                blamed = mover if mover in mine else mine[0]
                raise _No(blamed, Refusal(Reason.ACROSS, {"depth_m": met.depth}))
            limited.add(met.joint)
            out[mover] = eased

    def _eased(self, out: Mapping[str, Made], id: str, joint: str) -> Made | None:
        """Return a member whose door stops before it meets a neighbour; None where that is no help."""
        made = out.get(id)
        if made is None or not isinstance(made.drawn.p, Cabinet):
            return None
        others = [*self.stage.standing.values(), *(m.asset for m in out.values())]
        _, path = named(joint)
        q = stop(made.asset, path, others, self.twin)
        p = opening(made.drawn.p, path, q) if q else None
        if p is None:
            return None
        asset = replace(self._built(id, p), pose=made.asset.pose)
        free = made.drawn.p if made.drawn.free is None else made.drawn.free
        return replace(made, asset=asset, drawn=replace(made.drawn, p=p, changed=True, free=free))

    def _draw(self, id: str) -> Draw:
        own = self.streams.of(id, self.tries.get(id, 0))
        together = len(self.run.units) > 1 and id in self.run.units
        return self.streams.shared(own, self.run.id, self.again) if together else own

    def _mutated(self, id: str, stretch: Mapping[str, float] | None = None) -> Mutated:
        key = id, self.tries.get(id, 0), self.again
        which = (*key, *sorted((stretch or {}).items()))
        if which not in self.known.mutated:
            self.known.mutated[which] = self._drawn(id, key, stretch)
        found = self.known.mutated[which]
        if isinstance(found, Refusal):
            raise _No(id, found)
        return found

    def _drawn(
        self, id: str, key: tuple[str, int, int], stretch: Mapping[str, float] | None
    ) -> Mutated | Refusal:
        asset, spread = self.twin.asset(id), self._spread(id)
        if asset.family not in registry.names():
            return Mutated(None, None, False)
        draw = self._draw(id)
        if key not in self.known.believed:
            self.known.believed[key] = believed(asset, spread, draw)
        return mutated(asset, spread, draw, self.known.believed[key], stretch)

    def _spread(self, id: str) -> Spread:
        asset = self.twin.asset(id)
        spread = self.spec.spread(asset.family)
        if asset.family != openings.STRUCTURE and openings.built_in(asset, self.twin):
            return Spread(doubt=spread.doubt)
        stands = asset.pose.position[2] <= FLOOR or any(
            r.kind == "on" and r.a == id for r in self.twin.relations
        )
        return spread if stands else hung(spread)

    def _outline(self, id: str) -> Any:
        """Return parameters of the outer size that a unit is drawn with."""
        asset = self.twin.asset(id)
        return sized(asset, self._spread(id), self._draw(id)) or self._mutated(id).p

    def _built(self, id: str, p: Any) -> Asset:
        try:
            return built(self.twin.asset(id), p, visual=False)
        except PocketworldError:
            raise _No(id, Refusal(Reason.BUILD)) from None

    def _both(self, id: str, drawn: Mutated) -> tuple[Asset, Asset]:
        """Return an asset as drawn and as the belief alone has it, where it was in the twin."""
        made = self._built(id, drawn.p)
        if drawn.believed == drawn.p:
            return made, made
        try:
            return made, built(self.twin.asset(id), drawn.believed, visual=False)
        except PocketworldError:  # it only says where numbers come from
            return made, self.twin.asset(id)

    def _thing(self, id: str) -> dict[str, Made]:
        """Return a thing by itself: carried by what it stands on, moved as far as there is room."""
        was, twin = self.twin.asset(id), self.twin
        drawn = openings.opened(was, self._mutated(id), twin, self.stage.standing)
        made, alone = self._both(id, drawn)
        still = openings.built_in(was, twin)
        spread = Spread(doubt=False) if still else self.spec.placement
        here = self._placed(made, was, spread, still)
        return {id: Made(here, self._at(alone, was, self.stage.believed, Spread(doubt=False), 0.0), drawn)}

    def _placed(self, made: Asset, was: Asset, spread: Spread, still: bool) -> Asset:
        """Return a thing where there is room: moved as drawn, by less, or as far as helps; else not moved."""
        standing, twin = self.stage.standing, self.twin
        for share in SHARES[:-1] if spread.shift else ():
            moved_so_far = self._at(made, was, standing, spread, share)
            if self._free(moved_so_far):
                return moved_so_far
        here = self._at(made, was, standing, spread, SHARES[-1])
        if self._free(here):
            return here
        ways = [freed(here, standing, twin).pose] if was.base is Base.FREE else []
        often = self.tries.get(was.id, 0) % SEARCHES == 0
        for pose in () if still or not often else chain(ways, nearby(here, was, twin, standing)):
            aside = replace(here, pose=pose)
            if self._free(aside):
                return aside
        return here

    def _free(self, here: Asset) -> bool:
        """Say whether a thing has room where it is, and nothing that opens needs its place."""
        standing, twin = self.stage.standing, self.twin
        return fits(here, standing, twin) and crossing({here.id: here}, standing, twin) is None

    def _at(
        self, made: Asset, was: Asset, standing: Mapping[str, Asset], spread: Spread, share: float
    ) -> Asset:
        """Return a thing carried by what it stands on, moved by a share of the drawn way."""
        pose = place(made, was, self.twin, standing, spread, self._draw(was.id), share)
        up = np.array((0.0, 0.0, lift(self.run, self.twin, standing)))
        return replace(made, pose=moved(pose, up))

    def _together(self) -> dict[str, Made]:
        """Return units side by side, and tops on them."""
        way = line(self.run, self.twin, self.stage.standing)
        drawn = fitted(way, self.twin, self._mutated, self._outline)
        if isinstance(drawn, Refusal):
            raise _No(self.run.units[0], drawn)
        both = {id: self._both(id, one) for id, one in drawn.items()}
        shift = Vary(self.spec.placement, self.streams.of(self.run.id, self.again)).shifted(0.0, "x")
        units = placed(way, self.twin, {id: made for id, (made, _) in both.items()}, shift)
        beside = line(self.run, self.twin, self.stage.believed)
        alone = placed(beside, self.twin, {id: believed for id, (_, believed) in both.items()})
        out = {id: Made(units[id], alone[id], drawn[id]) for id in units}
        for top in self.run.tops:
            out[top.id] = self._top(top, (way, units), (beside, alone))
        return out

    def _top(
        self, top: Top, now: tuple[Line, dict[str, Asset]], believed: tuple[Line, dict[str, Asset]]
    ) -> Made:
        """Return a top on units as they are placed, and as the belief alone has both."""
        drawn, twin = self._mutated(top.id), self.twin
        try:
            p, alone = (
                stretched(top, p, way, twin, units)
                for p, (way, units) in ((drawn.p, now), (drawn.believed, believed))
            )
        except PocketworldError:
            raise _No(top.id, Refusal(Reason.BUILD)) from None
        drawn = replace(drawn, p=p, believed=alone)
        both = zip(self._both(top.id, drawn), (now, believed), strict=True)
        made, other = (laid(top, asset, way, twin, units) for asset, (way, units) in both)
        return Made(made, other, drawn)
