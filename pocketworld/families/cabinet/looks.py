"""Colours of a cabinet drawn anew."""

from dataclasses import replace

from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.paint import painted
from pocketworld.families.vary import Vary


def paint(p: Cabinet, vary: Vary) -> Cabinet:
    """Return the cabinet with body, fronts, handles painted anew; words: hue saturation value roughness."""
    return replace(
        p,
        body=painted(p.body, "body", vary),
        face=painted(p.face, "face", vary),
        metal=painted(p.metal, "metal", vary),
    )
