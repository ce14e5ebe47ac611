"""What stands on a run's worktop: pieces of surface over it that neither the run nor the wall explains."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.on_plate import LOW, STANDS, pieces, standing
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.runs.row_parts import Rows, Run
from pocketworld.reconstruct.runs.row_taken import over_plate
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

COVERS = 0.5  # of a floating piece is over what it belongs to
HANGS, HEAD = 0.15, 0.12  # m: from the wall, what hangs there ends; and a head stands out over a foot
REACH = 1.2  # m: higher over a worktop nothing stands on it
ASIDE = 0.03  # m: things may stand out over the worktop's edge


def things_on(surface: Surface, rows: Rows, run: Run) -> tuple[tuple[Thing, ...], tuple[Finding, ...]]:
    """Return what stands on a run's worktop, in the scene's frame, the largest first; and what is left out.

    Each thing's box stands at the worktop's top. Nothing stands on a run without a worktop. Findings are
    about the run, by its id.
    """
    if run.worktop is None:
        return (), ()
    box = run.worktop.box
    local = se3.apply(se3.inverse(box.world_from_box), surface.vertices) - (0, 0, box.size[2])
    high = over_plate(surface, box) > LOW
    parts = pieces(surface, _over(local, box) & ~rows.taken, high)
    whole, hanging = _whole(local, parts, box.size[1] / 2)
    things: list[Thing] = []
    for piece in whole:
        id = f"{run.id}-thing-{len(things) + 1}"
        thing = standing(id, surface.part(piece), box.foot[2] + box.size[2], box.yaw)
        things += [thing] if thing is not None else []
    return tuple(things), _left_out(surface, hanging, run.id)


def _left_out(surface: Surface, hanging: Sequence[Mask], subject: str) -> tuple[Finding, ...]:
    if not hanging:
        return ()
    text = "what hangs over the run's worktop, as a shelf, a hood or a clock, is left out"
    areas = surface.vertex_areas()
    numbers = {"count": len(hanging), "area_m2": round(float(sum(areas[mask].sum() for mask in hanging)), 4)}
    return (Finding("hanging-things-left-out", Severity.LOST, "reconstruct", subject, text, numbers),)


def _over(local: Array, worktop: UprightBox) -> Mask:
    """Return which points (n, 3), in the frame of a worktop's top, are over it or in it."""
    over = (np.abs(local[:, :2]) < np.array(worktop.size[:2]) / 2 + ASIDE).all(1)
    over &= (local[:, 2] > -worktop.size[2]) & (local[:, 2] < REACH)
    return np.asarray(over)


def _whole(local: Array, pieces: Sequence[Mask], back: float) -> tuple[list[Mask], list[Mask]]:
    """Return what stands, the largest first, each with what floats over it; and what hangs.

    back   y of the wall

    Black and shiny parts have no depth, so that of a machine one sees the foot and the head, which may be
    wider; but what floats near the wall hangs there, if it is not right above.
    """
    standing = [piece for piece in pieces if local[piece, 2].min() < STANDS]
    floating = [piece for piece in pieces if local[piece, 2].min() >= STANDS]
    whole, hanging = standing.copy(), []
    for piece in floating:
        aside = ASIDE if back - np.median(local[piece, 1]) < HANGS else HEAD
        over = [_share_over(local[piece], local[foot], aside) for foot in standing]
        if over and max(over) > COVERS:
            whole[int(np.argmax(over))] = whole[int(np.argmax(over))] | piece
        else:
            hanging.append(piece)
    return whole, hanging


def _share_over(above: Array, below: Array, aside: float) -> float:
    """Return the share of points (n, 3) that are in plan inside the extent of others, or so far aside."""
    low, high = below[:, :2].min(0) - aside, below[:, :2].max(0) + aside
    return float(((above[:, :2] > low) & (above[:, :2] < high)).all(1).mean())
