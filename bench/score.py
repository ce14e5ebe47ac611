"""How true a scene is: parts, kinds, axes, edges, handles, outer size and beliefs against the truth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pocketworld.bench.calibration import Believed, Calibration, believed, calibration
from pocketworld.bench.counts import Counts
from pocketworld.bench.errors import BoxError, PartError, box_error, part_error
from pocketworld.bench.instances import Instances, instances, opening_what_is_still
from pocketworld.bench.loose import Loose, loose
from pocketworld.bench.matching import Alignment, Predicted, align, all_drawers, match, predictions
from pocketworld.bench.score_table import table
from pocketworld.bench.truth import Truth
from pocketworld.geometry.se3 import Array
from pocketworld.scene import JointKind, Scene


@dataclass(frozen=True, slots=True)
class Gate:
    """How near a joint must be: its axis (degrees) and, for hinges, its axis line (mm)."""

    axis_deg: float
    line_mm: float


STANDARD = Gate(5.0, 50.0)
TIGHT = Gate(2.0, 10.0)


@dataclass(frozen=True, slots=True)
class Parts:
    """Counts of parts, of which with the right kind (m), axis too (ma), and hinge line too (mao)."""

    part: Counts
    m: Counts
    ma: Counts
    mao: Counts


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 90 % point of `count` errors' sizes; None of none."""

    median: float | None
    p90: float | None
    count: int

    @classmethod
    def of(cls, errors: Sequence[float | None]) -> "Spread":
        """Take what is known."""
        known = [abs(e) for e in errors if e is not None]
        if not known:
            return cls(None, None, 0)
        median, p90 = (float(v) for v in np.percentile(known, [50, 90]))
        return cls(median, p90, len(known))


@dataclass(frozen=True, slots=True)
class Spreads:
    """Over the matched parts; edges over their four edges each."""

    axis_deg: Spread
    line_mm: Spread
    range_percent: Spread
    state: Spread
    edges_mm: Spread
    handle_mm: Spread


@dataclass(frozen=True, slots=True)
class Frame:
    """All errors of place in one alignment."""

    parts: tuple[PartError, ...]
    spreads: Spreads
    box: BoxError | None


@dataclass(frozen=True, eq=False, slots=True)
class Score:
    """One scene against one truth.

    standard, tight   counts at both gates, after alignment
    drawers           what the standard counts are if every front that was found is called a drawer
    refined           errors after alignment; raw: in the capture's own frame as the scene states it
    missed, false     ids of true parts not found, of movable parts that match none
    hinge_sides       share of matched true hinges hung on the right side, or None
    instances         which things of a room were found as such; None of one piece of furniture
    loose             what stands loose in a room: found, missed, invented; None of one piece of furniture
    on_still          ids of movable parts of what never opens
    beliefs           each joint's belief against the truth, to pool over worlds
    """

    scene: str
    capture: str
    alignment: Alignment
    standard: Parts
    tight: Parts
    drawers: Parts
    refined: Frame
    raw: Frame
    missed: tuple[str, ...]
    false: tuple[str, ...]
    hinge_sides: float | None
    instances: Instances | None
    loose: Loose | None
    on_still: tuple[str, ...]
    beliefs: tuple[Believed, ...]
    calibration: Calibration

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON: the fields, and the rates that follow from the counts."""
        a = self.alignment
        return {
            "scene": self.scene,
            "capture": self.capture,
            "alignment": {
                "refined": a.refined,
                "offset_mm": a.offset * 1000,
                "turned_deg": float(np.degrees(a.turned)),
                "reason": a.reason,
                "truth_from_capture": a.truth_from_capture.tolist(),
            },
            "standard": _parts_json(self.standard),
            "tight": _parts_json(self.tight),
            "all_drawers": _parts_json(self.drawers),
            "refined": asdict(self.refined),
            "raw": asdict(self.raw),
            "missed": list(self.missed),
            "false": list(self.false),
            "hinge_sides": self.hinge_sides,
            "instances": None if self.instances is None else _instances_json(self.instances),
            "loose": None if self.loose is None else _loose_json(self.loose),
            "on_still": list(self.on_still),
            "beliefs": [asdict(b) for b in self.beliefs],
            "calibration": asdict(self.calibration),
        }

    def text(self) -> str:
        """Return a table for a person."""
        return table(self)


def score(scene: Scene, truth: Truth) -> Score:
    """Compare a scene with the truth of its capture.

    The scene's own `scene_from_capture` lays both into one frame; `matching.align` refines that. A movable
    part matches a true one when their fronts, projected on the true front's plane, have IoU >= 0.5, the
    planes lie within 50 mm and the normals within 15 degrees; one to one, by the greatest IoU.
    """
    alignment = align(scene, truth)
    refined, wrong = _frame(scene, truth, alignment.truth_from_capture)
    raw, _ = _frame(scene, truth, np.eye(4))
    every = all_drawers(predictions(scene, alignment.truth_from_capture))
    drawers, others = _errors(every, truth)
    room = len(truth.boxes) > 1
    found = {error.true for error in refined.parts}
    sides = [error.side_right for error in refined.parts if error.side_right is not None]
    beliefs = believed(scene, truth, alignment.truth_from_capture)
    return Score(
        scene=scene.name,
        capture=truth.capture,
        alignment=alignment,
        standard=_counts(refined.parts, len(wrong), truth, STANDARD),
        tight=_counts(refined.parts, len(wrong), truth, TIGHT),
        drawers=_counts(drawers, len(others), truth, STANDARD),
        refined=refined,
        raw=raw,
        missed=tuple(part.id for part in truth.parts if part.id not in found),
        false=tuple(guess.id for guess in wrong),
        hinge_sides=sum(sides) / len(sides) if sides else None,
        instances=instances(scene, truth, alignment.truth_from_capture) if room else None,
        loose=loose(scene, truth, alignment.truth_from_capture) if room else None,
        on_still=opening_what_is_still(wrong, truth),
        beliefs=beliefs,
        calibration=calibration(beliefs),
    )


def _frame(scene: Scene, truth: Truth, truth_from_capture: Array) -> tuple[Frame, list[Predicted]]:
    """Return all errors in one alignment, and the movable parts that match nothing."""
    errors, wrong = _errors([p for p in predictions(scene, truth_from_capture) if p.joint.movable], truth)
    box = box_error(scene, truth.box, truth_from_capture) if len(truth.boxes) == 1 else None
    return Frame(errors, _spreads(errors), box), wrong


def _errors(guesses: list[Predicted], truth: Truth) -> tuple[tuple[PartError, ...], list[Predicted]]:
    """Return the errors of the parts that match, and the others."""
    pairs = match(guesses, truth)
    errors = tuple(part_error(guesses[pair.predicted], truth.parts[pair.true], pair) for pair in pairs)
    matched = {pair.predicted for pair in pairs}
    return errors, [guess for i, guess in enumerate(guesses) if i not in matched]


def _spreads(errors: Sequence[PartError]) -> Spreads:
    return Spreads(
        axis_deg=Spread.of([e.axis_deg for e in errors if e.kind_right]),
        line_mm=Spread.of([e.line_mm for e in errors if e.kind_right]),
        range_percent=Spread.of([e.range_percent for e in errors]),
        state=Spread.of([e.state for e in errors]),
        edges_mm=Spread.of([v for e in errors for v in asdict(e.edges).values()]),
        handle_mm=Spread.of([e.handle.distance for e in errors if e.handle]),
    )


def _counts(errors: Sequence[PartError], wrong: int, truth: Truth, gate: Gate) -> Parts:
    kinds = {part.id: part.kind for part in truth.parts}
    m = [e for e in errors if e.kind_right]
    ma = [e for e in m if e.axis_deg <= gate.axis_deg]
    mao = [
        e
        for e in ma
        if kinds[e.true] is not JointKind.HINGE or (e.line_mm is not None and e.line_mm <= gate.line_mm)
    ]
    predicted, true = len(errors) + wrong, len(truth.parts)
    part, kind, axis, line = (Counts(len(found), predicted, true) for found in (errors, m, ma, mao))
    return Parts(part, kind, axis, line)


def _parts_json(parts: Parts) -> dict[str, Any]:
    named = {"part": parts.part, "+M": parts.m, "+MA": parts.ma, "+MAO": parts.mao}
    return {
        name: asdict(c) | {"precision": c.precision, "recall": c.recall, "f1": c.f1}
        for name, c in named.items()
    }


def _instances_json(found: Instances) -> dict[str, Any]:
    return asdict(found) | {"f1": found.counts.f1}


def _loose_json(found: Loose) -> dict[str, Any]:
    c = found.counts
    return asdict(found) | {"precision": c.precision, "recall": c.recall, "f1": c.f1}
