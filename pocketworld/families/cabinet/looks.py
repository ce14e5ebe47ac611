"""Colours of a cabinet drawn anew."""

import colorsys
from dataclasses import replace

from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.vary import Vary
from pocketworld.scene import Material

DARKEST, LIGHTEST = 0.03, 0.9  # linear reflectance of real paints and woods
SMOOTHEST, ROUGHEST = 0.15, 1.0
WOOD = 0.08  # turns: the hue from which a grey, that has none, is varied
GREY = 0.02  # saturation below which a colour is grey


def paint(p: Cabinet, vary: Vary) -> Cabinet:
    """Return the cabinet with body, fronts, handles painted anew; words: hue saturation value roughness."""
    return replace(
        p,
        body=_paint(p.body, "body", vary),
        face=_paint(p.face, "face", vary),
        metal=_paint(p.metal, "metal", vary),
    )


def _paint(material: Material, name: str, vary: Vary) -> Material:
    """Return a material in another colour; bare metal keeps its own, but for how bright and rough it is."""
    if not {"hue", "saturation", "value", "roughness"} & set(vary.spread.shift):
        return material
    hue, saturation, value = colorsys.rgb_to_hsv(*material.colour)
    if material.metallic < 0.5:
        hue = vary.shifted(WOOD if saturation < GREY else hue, "hue", name) % 1.0
        saturation = min(max(vary.shifted(saturation, "saturation", name), 0.0), 1.0)
    value = min(max(vary.shifted(value, "value", name), DARKEST), LIGHTEST)
    rough = min(max(vary.shifted(material.roughness, "roughness", name), SMOOTHEST), ROUGHEST)
    return replace(material, colour=colorsys.hsv_to_rgb(hue, saturation, value), roughness=rough)
