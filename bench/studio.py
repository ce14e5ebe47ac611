"""Where virtual captures are rendered: a scene on a carpet, seen exactly, by cameras of given intrinsics."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.bench.rectangles import corners, moved_point, normal
from pocketworld.bench.truth import outer
from pocketworld.geometry import se3
from pocketworld.geometry.convex import Vec3
from pocketworld.scan.capture import Camera
from pocketworld.scene import Asset, Part, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.pictures.picture import renderer

Array = NDArray[np.float64]
Colour = NDArray[np.uint8]
Depth = NDArray[np.float32]

CARPET = 512  # texels a side
CARPET_SIDE = 2.0  # m, then it repeats
THIN = 0.01  # m: half of a ceiling that one only sees from below
FARTHEST = 20.0  # m: beyond, depth is 0
# Colour of a gap a few mm wide and as deep as a panel: hardly any light comes out of it again.
DARK = 0.02
GAP = 0.004  # m: the widest there is around a front; where it is narrower, the neighbour hides the rest
SHADE = 0.0015  # m: how deep light goes into a gap
# Brightness of lamps that cast shadows and of what else comes from where they hang; how wide (degrees) and
# softly either shines: a wide cone has coarse shadows, and where a narrow one ends no edge may show.
LAMPS = ((0.45, True, 60.0, 3.0), (0.75, False, 80.0, 0.3))
AMBIENT = 0.55  # brightness of what walls and ceiling throw back everywhere
ABOVE = 0.15  # m: the ceiling over the lamps


def views(
    scene: Scene,
    camera: Camera,
    world_from_camera: Array,
    rng: np.random.Generator,
    depth_camera: Camera | None = None,
    lamps: Sequence[Vec3] = (),
) -> Iterator[tuple[Colour, Depth]]:
    """Render what a camera sees at each pose (n, 4, 4): RGB (h, w, 3); depth (h, w), m along its axis or 0.

    A pixel's colour is the mean over it, its depth that at its centre. The carpet's pattern comes from `rng`.
    depth_camera   that of the depth: in the same place, if not the same
    lamps          where they hang in a room, m; without, two suns shine in
    Raises PocketworldError where nothing can draw.
    """
    import mujoco  # here: pocketworld.sim must come first, to choose what draws

    eyes = {"colour": camera, "depth": depth_camera or camera}
    model = _model(scene, eyes, rng, lamps)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    ids = [model.camera(name).id for name in eyes]
    with renderer(model, (camera.width, camera.height)) as colour:
        model.vis.quality.offsamples = 0  # several depths in a pixel have no mean
        with renderer(model, (eyes["depth"].width, eyes["depth"].height)) as depth:
            depth.enable_depth_rendering()
            for pose in world_from_camera:
                for id in ids:
                    # MuJoCo's cameras look along -z with y up.
                    data.cam_xpos[id] = pose[:3, 3]
                    data.cam_xmat[id] = (pose[:3, :3] * (1, -1, -1)).ravel()
                colour.update_scene(data, ids[0])
                depth.update_scene(data, ids[1])
                seen = depth.render()
                yield colour.render().copy(), np.where(seen < FARTHEST, seen, 0).astype(np.float32)


def _model(scene: Scene, eyes: dict[str, Camera], rng: np.random.Generator, lamps: Sequence[Vec3]) -> Any:
    """Return the MjModel of a scene with the cameras, the carpet, and the dark of the gaps between fronts."""
    import mujoco

    gaps = (_gap(scene, asset, part) for asset in scene.assets for part in asset.parts if part.front)
    cameras = (_camera(name, camera) for name, camera in eyes.items())
    made = mjcf.document(scene, extra=mjcf.Fragment(bodies="".join((*cameras, *gaps))))
    spec = mujoco.MjSpec.from_string(made.text, assets=made.files)
    ground = spec.texture("ground")
    ground.builtin = mujoco.mjtBuiltin.mjBUILTIN_NONE
    ground.width = ground.height = CARPET
    ground.nchannel, ground.data = 3, carpet(rng).tobytes()
    spec.material("ground").texrepeat = (1 / CARPET_SIDE, 1 / CARPET_SIDE)
    spec.material("ground").reflectance = 0
    # No lamp walks with the camera: what a picture shows of a surface hardly depends on where it is taken.
    spec.visual.headlight.diffuse = (0, 0, 0)
    _light(spec, lamps)
    return spec.compile()


def _light(spec: Any, lamps: Sequence[Vec3]) -> None:
    """Put lamps and a ceiling into a room in place of the suns, which its walls would keep out."""
    import mujoco

    if not lamps:
        return
    for sun in list(spec.lights):
        spec.delete(sun)
    spec.visual.headlight.ambient = [AMBIENT] * 3
    x, y, z = np.mean(lamps, 0)
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=(x, y, z + ABOVE + THIN),
        size=(CARPET_SIDE * 5, CARPET_SIDE * 5, THIN),
        contype=0,
        conaffinity=0,
        group=2,
        rgba=(0.9, 0.9, 0.88, 1),
    )
    for place in lamps:
        for strength, shadow, cutoff, exponent in LAMPS:
            spec.worldbody.add_light(
                type=mujoco.mjtLightType.mjLIGHT_SPOT,
                pos=place,
                dir=(0, 0, -1),
                cutoff=cutoff,
                exponent=exponent,
                attenuation=(1, 0, 0),
                castshadow=shadow,
                diffuse=[strength / len(lamps)] * 3,
                specular=[0.1] * 3,
            )


def _camera(name: str, camera: Camera) -> str:
    """Return MJCF of the camera: MuJoCo counts the principal point from the picture's middle, backwards."""
    centre = (camera.width - 1) / 2 - camera.cx, (camera.height - 1) / 2 - camera.cy
    size = camera.width, camera.height
    chip = tuple(pixels * 1e-5 for pixels in size)  # any size: MuJoCo only takes ratios
    return (
        f'<camera name="{name}" resolution="{mjcf.row(size)}" focalpixel="{camera.fx} {camera.fy}" '
        f'principalpixel="{mjcf.row(centre)}" sensorsize="{mjcf.row(chip)}"/>\n'
    )


def _gap(scene: Scene, asset: Asset, part: Part) -> str:
    """Return MJCF of the dark around a front: a sheet within its panel that reaches to the gap's other side.

    MuJoCo lights the sides and the ground of a gap like any surface; in truth light goes in about half as
    deep as the gap is wide, and hardly any comes out from farther down. The sheet ends where the asset does,
    but for the gap that it shares with what stands right beside it.
    """
    assert part.front is not None
    around = corners(part.front)
    bottom, top = around.min(0) - GAP, around.max(0) + GAP
    low, high = outer(asset)
    inwards = -normal(part.front) * SHADE
    for axis in (0, 2):
        for end, edge, out in ((bottom, low, -1), (top, high, 1)):
            if (end[axis] - edge[axis]) * out > 0:
                probe = np.array(part.front.centre) + 2 * inwards
                probe[axis] = edge[axis] + out * GAP * 1.2
                if not _within_another(scene, asset, probe):
                    end[axis] = edge[axis] - out * 1e-3
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


def _within_another(scene: Scene, asset: Asset, point: Array) -> bool:
    """Say whether a point of an asset's frame lies within another's outer box."""
    place = moved_point(asset.pose.matrix, point)
    for other in scene.assets:
        if other is not asset:
            (low, high), own = outer(other), moved_point(se3.inverse(other.pose.matrix), place)
            if (low < own).all() and (own < high).all():
                return True
    return False


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
