"""The scan's verdict and numbers in words, from what `Quality.to_json` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.review.report.words import length, sentence
from pocketworld.scan import plan_picture

# What the colours of the floor plan mean: its own legend is too small on a page.
LEGEND = (
    (plan_picture.MANY, "seen well, darker: by more frames"),
    (plan_picture.THIN, "seen too little: by few frames, or all from one side"),
    (plan_picture.HOLE, "not seen, in the middle of what was"),
    (plan_picture.ONCE, "seen at the edge only"),
    (plan_picture.WALK, "the walk, from the dot to the ring"),
)


@dataclass(frozen=True, eq=False, slots=True)
class ScanFacts:
    """The verdict in one line, (what, how much) in words, and the floor plan (h, w, 3) RGB, if any."""

    verdict: str
    facts: tuple[tuple[str, str], ...]
    plan: NDArray[np.uint8] | None = None


def scan_facts(quality: Mapping[str, Any], plan: NDArray[np.uint8] | None = None) -> ScanFacts:
    """Return what `Quality.to_json` says, for people; what was not measured is left out."""
    agreement, coverage = quality["agreement"], quality["coverage"]
    unread, seconds = len(quality["unreadable"]), quality["seconds"]
    facts = [
        ("frames", f"{quality['frames']}" + f", {unread} more can't be read" * bool(unread)),
        ("pictures", f"{quality['pictures']}, {quality['blurred_share']:.0%} of them blurred"),
        ("walk", f"{quality['walk_m']:.1f} m" + ("" if seconds is None else f" in {seconds:.0f} s")),
        ("depth known", f"{quality['known_share']:.0%} of the pixels"),
        ("place seen", f"{coverage['place_m2']:.1f} m², {coverage['thin_share']:.0%} of it too little"),
    ]
    if quality["sure_share"] is not None:
        facts.append(("depth the device is sure of", f"{quality['sure_share']:.0%} of the pixels"))
    if quality["edge_width_px"] is not None:
        facts.append(("edges in pictures", f"{quality['edge_width_px']:.1f} px wide, at 640 px"))
    if agreement["median_m"] is not None:
        within = f"{length(agreement['median_m'])} (median), {length(agreement['p90_m'])} (nine in ten)"
        facts.append(("neighbouring frames agree to", within))
        facts.append(("view that neighbours share", f"{agreement['overlap']:.0%}"))
    return ScanFacts(sentence(quality["verdict"]), tuple(facts), plan)
