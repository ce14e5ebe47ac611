"""Where virtual captures are rendered: a scene on a carpet, seen exactly, by cameras of given intrinsics."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.bench.rectangles import corners, normal
from pocketworld.bench.truth import outer
from pocketworld.scan.capture import Camera
from pocketworld.scene import Asset, Part, Scene
from pocketworld.sim import mjcf
from pocketworld.sim.picture import renderer

Array = NDArray[np.float64]
Colour = NDArray[np.uint8]
Depth = NDArray[np.float32]

CARPET = 512  # texels a side
CARPET_SIDE = 2.0  # m, then it repeats
FARTHEST = 20.0  # m: beyond, depth is 0
# Colour of a gap a few mm wide and as deep as a panel: hardly any light comes out of it again.
DARK = 0.02


def views(
    scene: Scene, camera: Camera, world_from_camera: Array, rng: np.random.Generator
) -> Iterator[tuple[Colour, Depth]]:
    """Render what a camera sees at each pose (n, 4, 4): RGB (h, w, 3); depth (h, w), m along its axis or 0.

    A pixel's colour is the mean over it, its depth that at its centre. The carpet's pattern comes from `rng`.
    Raises PocketworldError where nothing can draw.
    """
    import mujoco  # here: pocketworld.sim must come first, to choose what draws

    model = _model(scene, camera, rng)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    scanner = model.camera("scanner").id
    size = camera.width, camera.height
    with renderer(model, size) as colour:
        model.vis.quality.offsamples = 0  # several depths in a pixel have no mean
        with renderer(model, size) as depth:
            depth.enable_depth_rendering()
            for pose in world_from_camera:
                # MuJoCo's cameras look along -z with y up.
                data.cam_xpos[scanner] = pose[:3, 3]
                data.cam_xmat[scanner] = (pose[:3, :3] * (1, -1, -1)).ravel()
                colour.update_scene(data, scanner)
                depth.update_scene(data, scanner)
                seen = depth.render()
                yield colour.render().copy(), np.where(seen < FARTHEST, seen, 0).astype(np.float32)


def _model(scene: Scene, camera: Camera, rng: np.random.Generator) -> Any:
    """Return the MjModel of a scene with the camera, the carpet, and the dark of the gaps between fronts."""
    import mujoco

    gaps = (_gap(asset, part) for asset in scene.assets for part in asset.parts if part.front)
    made = mjcf.document(scene, extra=mjcf.Fragment(bodies=_camera(camera) + "".join(gaps)))
    spec = mujoco.MjSpec.from_string(made.text, assets=made.files)
    ground = spec.texture("ground")
    ground.builtin = mujoco.mjtBuiltin.mjBUILTIN_NONE
    ground.width = ground.height = CARPET
    ground.nchannel, ground.data = 3, carpet(rng).tobytes()
    spec.material("ground").texrepeat = (1 / CARPET_SIDE, 1 / CARPET_SIDE)
    spec.material("ground").reflectance = 0
    # No lamp walks with the camera: what a picture shows of a surface hardly depends on where it is taken.
    spec.visual.headlight.diffuse = (0, 0, 0)
    return spec.compile()


def _camera(camera: Camera) -> str:
    """Return MJCF of the camera: MuJoCo counts the principal point from the picture's middle, backwards."""
    centre = (camera.width - 1) / 2 - camera.cx, (camera.height - 1) / 2 - camera.cy
    size = camera.width, camera.height
    chip = tuple(pixels * 1e-5 for pixels in size)  # any size: MuJoCo only takes ratios
    return (
        f'<camera name="scanner" resolution="{mjcf.row(size)}" focalpixel="{camera.fx} {camera.fy}" '
        f'principalpixel="{mjcf.row(centre)}" sensorsize="{mjcf.row(chip)}"/>\n'
    )


def _gap(asset: Asset, part: Part) -> str:
    """Return MJCF of the dark around a front: a sheet within its panel that reaches to the gap's other side.

    MuJoCo lights the sides and the ground of a gap like any surface; in truth light goes in about half as
    deep as the gap is wide, and hardly any comes out from farther down.
    """
    assert part.front is not None
    gap = float(str(asset.parameters["gap"]))
    low, high = outer(asset)
    around = corners(part.front)
    bottom, top = np.maximum(around.min(0) - gap, low + 1e-3), np.minimum(around.max(0) + gap, high - 1e-3)
    inwards = -normal(part.front) * gap / 2
    centre = (bottom + top) / 2
    centre[1] = part.front.centre[1] + inwards[1]
    half = np.maximum((top - bottom) / 2, 1e-4)
    half[1] = 1e-4
    place = asset.pose.matrix[:3, :3] @ centre + asset.pose.position
    shade = f"{DARK} {DARK} {DARK} 1"
    return (
        f'<geom class="visual" type="box" size="{mjcf.row(half)}" pos="{mjcf.row(place)}" '
        f'quat="{mjcf.row(asset.pose.wxyz)}" rgba="{shade}"/>\n'
    )


def carpet(rng: np.random.Generator) -> Colour:
    """Return a carpet's picture (n, n, 3): flecks of several sizes that wrap around at its edges."""
    grey = np.zeros((CARPET, CARPET), np.float32)
    for sigma, strength in ((0.7, 1.0), (2.5, 0.8), (8.0, 0.4)):
        pad = int(4 * sigma) + 1
        noise = np.pad(rng.standard_normal((CARPET, CARPET), np.float32), pad, mode="wrap")
        soft = cv2.GaussianBlur(noise, (0, 0), sigma)[pad:-pad, pad:-pad]
        grey += strength * soft / soft.std()
    base = np.array([118, 112, 104], np.float32)
    return np.clip(base + 14 * grey[..., None] * (1.0, 0.97, 0.9), 0, 255).astype(np.uint8)
