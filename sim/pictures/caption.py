"""What a film says about a picture: above it what is asked for, below it how far that is, and how it ended.

Colours are Okabe and Ito's, which eyes of all kinds tell apart; the words say it too.
"""

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from pocketworld.sim.pictures.picture import Image

Colour = tuple[int, int, int]
TALL = 22  # pixels: a line of words, above and below
SIZE, LEAST, EDGE = 0.43, 0.25, 5  # of letters (10 pixels for 0.43), the smallest; pixels beside them
FONT = cv2.FONT_HERSHEY_SIMPLEX
DARK, LIGHT = (25, 25, 30), (255, 255, 255)
TRACK, WAY = (222, 222, 222), (120, 190, 235)
BLUE, VERMILION = (0, 95, 160), (200, 70, 0)


class End(Enum):
    """How an episode stands."""

    RUNS = TRACK
    DONE = BLUE
    FAILED = VERMILION


@dataclass(frozen=True, slots=True)
class Caption:
    """The words of a picture: above; below left and right; share: how far the bar behind these goes, 0..1."""

    above: str
    left: str
    right: str
    share: float
    end: End = End.RUNS


def captioned(image: Image, caption: Caption) -> Image:
    """Return a picture (height, width, 3) with a line of words above and below, each TALL pixels high."""
    height, width = image.shape[:2]
    out = np.empty((height + 2 * TALL, width, 3), np.uint8)
    out[:TALL], out[TALL:-TALL], out[-TALL:] = DARK, image, caption.end.value
    if caption.end is End.RUNS:
        out[-TALL:, : round(width * float(np.clip(caption.share, 0, 1)))] = WAY
    _write(out[:TALL], caption.above, LIGHT, 1.0)
    colour = DARK if caption.end is End.RUNS else LIGHT
    _write(out[-TALL:], caption.left, colour, 0.6)
    _write(out[-TALL:], caption.right, colour, 0.4, to_right=True)
    return out


def _write(line: Image, text: str, colour: Colour, room: float, to_right: bool = False) -> None:
    """Write into a line (height, width, 3), smaller where a share of its width would not do, then cut."""
    height, width = line.shape[:2]
    most = int(width * room) - 2 * EDGE
    scale = SIZE
    while _wide(text, scale) > most and scale > LEAST:
        scale -= 0.01
    while text and _wide(text, scale) > most:
        text = text[:-1]
    x = width - EDGE - _wide(text, scale) if to_right else EDGE
    place = (x, round((height + cv2.getTextSize("M", FONT, scale, 1)[0][1]) / 2))
    cv2.putText(line, text, place, FONT, scale, colour, 1, cv2.LINE_AA)


def _wide(text: str, scale: float) -> int:
    return int(cv2.getTextSize(text, FONT, scale, 1)[0][0])
