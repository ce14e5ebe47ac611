"""Pictures of scenes, drawn off screen by MuJoCo."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim.models import mjcf

Image = NDArray[np.uint8]
Openness = float | Mapping[str, float]


def picture(
    scene: Scene, openness: Openness = 0.0, size: tuple[int, int] = (960, 720), camera: str = "front"
) -> Image:
    """Return a picture (height, width, 3) of a scene, uint8 RGB.

    openness   share of its range by which each joint is open; or by id, "asset/joint", the others closed
    size       width and height in pixels
    Raises PocketworldError where nothing can draw.
    """
    model = mjcf.document(scene).compile()
    data = mujoco.MjData(model)
    shares = openness if isinstance(openness, Mapping) else None
    for asset, joint in scene.joints():
        name = mjcf.name_of(asset, joint)
        share = shares.get(name, 0.0) if shares is not None else openness
        assert not isinstance(share, Mapping)
        data.joint(name).qpos = joint.range[0] + share * (joint.range[1] - joint.range[0])
    mujoco.mj_forward(model, data)
    with renderer(model, size) as draw:
        draw.update_scene(data, camera)
        image: Image = draw.render()
    return image


def contact_sheet(
    scenes: Sequence[Scene],
    openness: Openness = 0.6,
    columns: int = 4,
    size: tuple[int, int] = (320, 240),
) -> Image:
    """Return pictures of many scenes side by side, row by row; size: of each, pixels."""
    return tile([picture(scene, openness, size) for scene in scenes], columns)


def tile(images: Sequence[Image], columns: int, gap: int = 4) -> Image:
    """Return images of one size in a grid with white gaps between, pixels."""
    if not images:
        raise PocketworldError("a sheet of no pictures", "give at least one")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height, width = images[0].shape[:2]
    out = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        out[y : y + height, x : x + width] = image
    return out


@contextmanager
def renderer(model: mujoco.MjModel, size: tuple[int, int]) -> Iterator[mujoco.Renderer]:
    """Give a renderer of a size (width, height) and free it after; it hides collision geoms and sites.

    Raises PocketworldError in one line where OpenGL does not work.
    """
    draw = open_renderer(model, size)
    try:
        yield draw
    finally:
        draw.close()


def open_renderer(model: mujoco.MjModel, size: tuple[int, int]) -> mujoco.Renderer:
    """Return a renderer that the caller closes; see `renderer`.

    The model's off-screen buffer is made as large as the picture: one for screens takes 150 MB.
    """
    width, height = size
    model.vis.global_.offwidth, model.vis.global_.offheight = width, height
    try:
        return mujoco.Renderer(model, height, width)
    except (mujoco.FatalError, ImportError, AttributeError, RuntimeError) as error:
        why = " ".join(str(error).split())[:120]
        raise PocketworldError(
            f"MuJoCo can't draw here: {why}",
            "set MUJOCO_GL to egl or osmesa before Python starts; pocketworld doctor says what is missing",
        ) from error
