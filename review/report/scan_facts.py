"""The scan's verdict and numbers in words, from what `Quality.to_json` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.review.report.words import length


@dataclass(frozen=True, eq=False, slots=True)
class ScanFacts:
    """The verdict in one line, (what, how much) in words, and the floor plan (h, w, 3) RGB, if any."""

    verdict: str
    facts: tuple[tuple[str, str], ...]
    plan: NDArray[np.uint8] | None = None


def scan_facts(quality: Mapping[str, Any], plan: NDArray[np.uint8] | None = None) -> ScanFacts:
    """Return what `Quality.to_json` says, for people; what was not measured is left out."""
    agreement, coverage = quality["agreement"], quality["coverage"]
    facts = [
        ("frames", _frames(quality)),
        ("pictures", f"{quality['pictures']}, {quality['blurred_share']:.0%} of them blurred"),
        ("walk", _walk(quality)),
        ("depth known", f"{quality['known_share']:.0%} of the pixels"),
        ("depth the device is sure of", f"{quality['sure_share']:.0%} of the pixels"),
    ]
    if quality["edge_width"] is not None:
        facts.append(("edges in pictures", f"{quality['edge_width']:.1f} px wide (at 640 px)"))
    if agreement["median"] is not None:
        within = f"{length(agreement['median'])} (median), {length(agreement['p90'])} (nine in ten)"
        facts.append(("neighbouring frames agree to", within))
        facts.append(("view that neighbours share", f"{agreement['overlap']:.0%}"))
    facts.append(
        ("place seen", f"{coverage['place_m2']:.1f} m², {coverage['thin_share']:.0%} of it too little")
    )
    return ScanFacts(quality["verdict"], tuple(facts), plan)


def _frames(quality: Mapping[str, Any]) -> str:
    unreadable = quality["unreadable"]
    return f"{quality['frames']}" + f", {unreadable} more can't be read" * bool(unreadable)


def _walk(quality: Mapping[str, Any]) -> str:
    seconds = quality["seconds"]
    return f"{quality['walk']:.1f} m" + ("" if seconds is None else f" in {seconds:.0f} s")
