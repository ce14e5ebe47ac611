"""Surfaces drawn in another colour."""

import colorsys
from dataclasses import replace

from pocketworld.families.vary import Vary
from pocketworld.scene import Material

DARKEST, LIGHTEST = 0.03, 0.9  # linear reflectance of real paints and woods
SMOOTHEST, ROUGHEST = 0.15, 1.0
WOOD = 0.08  # turns: the hue from which a grey, that has none, is varied
GREY = 0.02  # saturation below which a colour is grey
WORDS = frozenset({"hue", "saturation", "value", "roughness"})  # of a spread's shift


def painted(material: Material, name: str, vary: Vary) -> Material:
    """Return a material in another colour; bare metal keeps its own, but for how bright and rough it is.

    name: of what is painted, for its streams. Words: hue (turns) saturation value roughness.
    """
    if not WORDS & set(vary.spread.shift):
        return material
    hue, saturation, value = colorsys.rgb_to_hsv(*material.colour)
    if material.metallic < 0.5:
        hue = vary.shifted(WOOD if saturation < GREY else hue, "hue", name) % 1.0
        saturation = min(max(vary.shifted(saturation, "saturation", name), 0.0), 1.0)
    value = min(max(vary.shifted(value, "value", name), DARKEST), LIGHTEST)
    rough = min(max(vary.shifted(material.roughness, "roughness", name), SMOOTHEST), ROUGHEST)
    return replace(material, colour=colorsys.hsv_to_rgb(hue, saturation, value), roughness=rough)
