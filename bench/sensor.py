"""What a Kinect makes of exact depth and colour: steps and noise of disparity, shadows, vignette, grain.

Depth: Barron and Malik 2013, "Intrinsic scene properties from a single RGB-D image", as used for ICL-NUIM by
Handa et al. 2014: the place of each measurement jitters, disparity is noisy and comes in steps of 1/8 pixel.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.scan.capture import Camera

Depth = NDArray[np.float32]
Colour = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Kinect:
    """How good the sensor is.

    product   disparity steps times m: 35130 cm in the paper, about 8 * focal length 580 px * baseline
    baseline  from camera to projector, m
    jitter    of a measurement's place, pixels;  noise: of disparity, steps
    nearest, farthest   m
    steepest  no depth where the ray meets the surface at less than this angle, rad
    vignette  how much darker the corners are, 0..1;  grain: grey levels;  blur: of the lens, pixels
    """

    product: float = 351.3
    baseline: float = 0.075
    jitter: float = 0.5
    noise: float = 1 / 6
    nearest: float = 0.5
    farthest: float = 5.0
    steepest: float = np.radians(12)
    vignette: float = 0.15
    grain: float = 2.0
    blur: float = 0.5


def measured(depth: Depth, camera: Camera, kinect: Kinect, rng: np.random.Generator) -> Depth:
    """Return depth (h, w) in m as the sensor tells it, 0 where it tells nothing."""
    lost = shadowed(depth, camera, kinect.baseline) | grazing(depth, camera, kinect.steepest)
    rows, columns = np.indices(depth.shape)
    jitter = np.rint(kinect.jitter * rng.standard_normal((2, *depth.shape))).astype(int)
    rows = np.clip(rows + jitter[0], 0, depth.shape[0] - 1)
    columns = np.clip(columns + jitter[1], 0, depth.shape[1] - 1)
    exact = depth[rows, columns]
    steps = kinect.product / np.maximum(exact, 1e-3)
    seen = kinect.product / np.maximum(np.rint(steps + kinect.noise * rng.standard_normal(depth.shape)), 1)
    out = np.where(lost | (exact < kinect.nearest) | (exact > kinect.farthest), 0, seen)
    return out.astype(np.float32)


def shadowed(depth: Depth, camera: Camera, baseline: float) -> NDArray[np.bool_]:
    """Return which pixels (h, w) the projector does not reach, as something nearer stands before it.

    Beside the camera, the projector sees column u at u - disparity; what it can't see is overtaken there.
    """
    at = np.arange(depth.shape[1]) - camera.fx * baseline / np.maximum(depth, 1e-3)
    nearest = np.minimum.accumulate(at[:, ::-1], axis=1)[:, ::-1]
    # Within a pixel it is the slope of one surface.
    hidden: NDArray[np.bool_] = at > nearest + 1
    return hidden


def grazing(depth: Depth, camera: Camera, steepest: float) -> NDArray[np.bool_]:
    """Return which pixels (h, w) see their surface at less than an angle (rad), or lie at a jump of depth."""
    v, u = np.indices(depth.shape)
    ray = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(depth.shape)], -1)
    points = ray * depth[..., None]
    normal = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    scale = np.linalg.norm(normal, axis=-1) * np.linalg.norm(ray, axis=-1)
    flat: NDArray[np.bool_] = np.abs((normal * ray).sum(-1)) < np.sin(steepest) * scale
    return flat


def pictured(colour: Colour, camera: Camera, kinect: Kinect, rng: np.random.Generator) -> Colour:
    """Return a picture (h, w, 3) as the camera takes it."""
    soft = cv2.GaussianBlur(colour, (0, 0), kinect.blur).astype(np.float32)
    v, u = np.indices(colour.shape[:2])
    radius = np.hypot((u - camera.cx) / camera.width, (v - camera.cy) / camera.height)
    dark = (1 - kinect.vignette * 2 * radius**2).astype(np.float32)
    grain = kinect.grain * rng.standard_normal(colour.shape, np.float32)
    taken: Colour = np.clip(np.rint(soft * dark[..., None] + grain), 0, 255).astype(np.uint8)
    return taken
