"""Colours of a piece of furniture, measured on its elevations."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.box import Box
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.protocol import Elevation
from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Material

Array = NDArray[np.float64]


def linear(srgb: Array) -> Array:
    """Return linear RGB 0..1 of sRGB 0..255 (IEC 61966-2-1)."""
    c = np.asarray(srgb, float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def middle(pixels: NDArray[np.number[Any]]) -> Vec3:
    """Return the median colour of pixels (n, 3), sRGB 0..255, as linear RGB."""
    r, g, b = (float(c) for c in linear(np.median(pixels, axis=0)))
    return (r, g, b)


def painted(p: Cabinet | Box, elevations: Sequence[Elevation]) -> Cabinet | Box:
    """Return the parameters with the colours of the faces; what was not seen keeps its usual one."""
    front = [e for e in elevations if e.face == "front"]
    others = [e for e in elevations if e.face != "front"] or front
    body, face, metal = _median(others), _median(front), _handles(front)
    if isinstance(p, Box):
        return p if body is None else replace(p, material=replace(p.material, colour=body))
    return replace(p, body=_of(p.body, body), face=_of(p.face, face), metal=_of(p.metal, metal, metallic=0.0))


def _of(material: Material, colour: Vec3 | None, metallic: float | None = None) -> Material:
    if colour is None:
        return material
    return replace(material, colour=colour, metallic=material.metallic if metallic is None else metallic)


def _median(elevations: Sequence[Elevation]) -> Vec3 | None:
    """Return the median colour of faces, as linear RGB; None where no picture shows them."""
    pixels = [e.colour.reshape(-1, 3) for e in elevations if e.colour is not None]
    return middle(np.concatenate(pixels)) if pixels else None


def _handles(elevations: Sequence[Elevation]) -> Vec3 | None:
    """Return the median colour where handles are."""
    pixels = []
    for e in elevations:
        for h in e.handles if e.colour is not None else ():
            half = (h.thickness / 2, h.length / 2) if h.vertical else (h.length / 2, h.thickness / 2)
            rows = [round((e.height - h.v + s * half[1]) / e.pixel) for s in (-1, 1)]
            columns = [round((h.u + s * half[0]) / e.pixel) for s in (-1, 1)]
            assert e.colour is not None
            pixels.append(e.colour[max(0, rows[0]) : rows[1], max(0, columns[0]) : columns[1]].reshape(-1, 3))
    return middle(np.concatenate(pixels)) if pixels else None
