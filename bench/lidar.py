"""What a phone's LiDAR and its software make of exact depth: filled, smooth, unsure at edges and in the dark.

Sizes are those of two real captures of 3D Scanner App (a corridor, a chair): how far a frame's depth, moved
to the next frame by the poses, lies from that frame's own. Medians: at the best confidence 3 to 7 mm at
1-2 m, 8 mm at 2-3 m, 13 to 15 mm at 3-5 m; 5 times as much at the middle one, some 10 times at the worst.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.scan.capture import Camera

Depth = NDArray[np.float32]
Levels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lidar:
    """How good the sensor is.

    noise       standard deviation at the best confidence, per m of depth
    tails       how much the noise differs from place to place: standard deviation of its logarithm
    worse       how many times as much at confidence 0, 1, 2
    patch       pixels over which most of the noise is the same: depth is made of few laser dots
    smear       pixels over which depth runs at an edge
    unsure, doubtful   pixels about an edge of confidence 0, of at most 1: as in the chair's capture half of
                those right beside a step of depth are sure, three quarters of those three pixels away
    ragged      how much this, and the light, differ from place to place: standard deviation of the logarithm
    jump        least step of depth at an edge, share of the depth
    steepest, steep   confidence is 0, at most 1 where the ray meets the surface at less than this, rad
    faint, weak       ... where this little light comes back: brightness 0..1 times cosine over m squared
    farthest          m: beyond it is 0;  sky: what is told where nothing is, m
    """

    noise: float = 0.0033
    tails: float = 0.5
    worse: tuple[float, float, float] = (10.0, 5.0, 1.0)
    patch: float = 6.0
    smear: float = 0.8
    unsure: float = 0.9
    doubtful: float = 2.4
    ragged: float = 0.4
    jump: float = 0.05
    steepest: float = np.radians(10)
    steep: float = np.radians(20)
    faint: float = 0.003
    weak: float = 0.012
    farthest: float = 6.0
    sky: float = 8.0


def measured(
    depth: Depth, colour: NDArray[np.uint8], camera: Camera, lidar: Lidar, rng: np.random.Generator
) -> tuple[Depth, Levels]:
    """Return depth (h, w) in m as the phone tells it, and its confidence (h, w): 0 worst, 2 best.

    depth    exact, 0 where nothing is;  colour: (h, w, 3) as seen by the same camera
    """
    there = depth > 0
    full = np.where(there, depth, lidar.sky).astype(np.float32)
    levels = confidence(full, there, colour, camera, lidar, rng)
    # Nearness is what runs over an edge: what is near hides what is far.
    smooth = 1 / cv2.GaussianBlur(1 / full, (0, 0), lidar.smear)
    grain = np.sqrt(0.8) * _patches(depth.shape, lidar.patch, rng) + np.sqrt(0.2) * _patches(
        depth.shape, 1.0, rng
    )
    grain *= np.exp(lidar.tails * _patches(depth.shape, 3 * lidar.patch, rng) - lidar.tails**2 / 2)
    sigma = lidar.noise * smooth * np.asarray(lidar.worse, np.float32)[levels]
    # Where confidence changes, so does the noise, and not from pixel to pixel.
    told = smooth + cv2.GaussianBlur(sigma, (0, 0), lidar.smear) * grain
    return np.maximum(told, 0.05).astype(np.float32), levels


def confidence(
    depth: Depth,
    there: Mask,
    colour: NDArray[np.uint8],
    camera: Camera,
    lidar: Lidar,
    rng: np.random.Generator,
) -> Levels:
    """Return how sure (h, w) the phone is: less at edges, where it grazes, in the dark, far away."""
    sine = slant(depth, camera)
    light = (colour.mean(-1) / 255) ** 2.2 * sine / depth**2
    rough = np.exp(lidar.ragged * _patches(depth.shape, 2.0, rng))
    light, away = light * rough, (_away(edges(depth, lidar.jump)) + 1) * rough
    zero = (away <= lidar.unsure) | (sine < np.sin(lidar.steepest)) | (light < lidar.faint) | ~there
    zero |= depth > lidar.farthest
    one = (away <= lidar.doubtful) | (sine < np.sin(lidar.steep)) | (light < lidar.weak)
    return np.where(zero, 0, np.where(one, 1, 2)).astype(np.uint8)


def edges(depth: Depth, jump: float) -> Mask:
    """Return which pixels (h, w) lie beside a step of depth larger than this share of it.

    A step is what a plane seen at a slant is not: the second difference of nearness, which is 0 on planes.
    """
    near = 1 / depth
    across = np.abs(near[:, :-2] - 2 * near[:, 1:-1] + near[:, 2:])
    down = np.abs(near[:-2] - 2 * near[1:-1] + near[2:])
    bent = np.zeros_like(depth)
    bent[:, 1:-1] = across
    bent[1:-1] = np.maximum(bent[1:-1], down)
    found: Mask = bent * depth > jump
    return found


def slant(depth: Depth, camera: Camera) -> NDArray[np.float32]:
    """Return the sine (h, w) of the angle at which each ray meets its surface."""
    v, u = np.indices(depth.shape)
    ray = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(depth.shape)], -1)
    points = ray * depth[..., None]
    normal = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    size = np.linalg.norm(normal, axis=-1) * np.linalg.norm(ray, axis=-1)
    out: NDArray[np.float32] = (np.abs((normal * ray).sum(-1)) / np.maximum(size, 1e-12)).astype(np.float32)
    return out


def _away(mask: Mask) -> NDArray[np.float32]:
    """Return how far (h, w) each pixel is from the nearest one of a mask, pixels."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    out: NDArray[np.float32] = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return out


def _patches(shape: tuple[int, ...], size: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return noise (h, w) of unit variance that is the same over `size` pixels."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), size)
    out: NDArray[np.float32] = noise / noise.std()
    return out
