"""Pictures as data: URIs, so that the page is one file."""

import base64
import io

import cv2
import numpy as np
from numpy.typing import NDArray

# Half of what libwebp calls visually lossless in size; edges of 1 pixel (gaps between fronts) stay.
QUALITY = 85
# The brightest hundredth of a picture (highlights) may burn out when it is lit up.
BRIGHT = 99.0


def webp(image: NDArray[np.uint8]) -> str:
    """Return an RGB or RGBA picture (h, w, 3 or 4) as a WebP data: URI; equal pictures give equal text."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "WEBP", quality=QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def shrunk(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Return the picture with its longer side at most `longest` pixels."""
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def lit(image: NDArray[np.uint8], most: float = 4.0) -> tuple[NDArray[np.uint8], float]:
    """Return a dark picture lit up to full range, by `most` at most, and by what factor (1 or more)."""
    bright = float(np.percentile(image.max(-1), BRIGHT))
    gain = float(np.clip(255 / max(bright, 1.0), 1.0, most))
    return np.clip(image * gain, 0, 255).astype(np.uint8), gain


def heights(relief: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, float]:
    """Return a relief (h, w), m, as RGBA, dark behind and bright proud; and both ends of its scale, m.

    Unseen pixels (nan) are transparent. The scale leaves out the outermost hundredth at each end.
    """
    seen = np.isfinite(relief)
    low, high = np.percentile(relief[seen], [1, 99]) if seen.any() else (0.0, 0.0)
    share = np.nan_to_num((relief - low) / max(high - low, 1e-6))
    grey = (np.clip(share, 0, 1) * 255).astype(np.uint8)
    colour = cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)
    picture = np.dstack([colour, np.where(seen, 255, 0).astype(np.uint8)]).astype(np.uint8)
    return picture, float(low), float(high)
