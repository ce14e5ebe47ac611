"""A phone that walks through a drawn kitchen and writes the files of 3D Scanner App.

The same seed gives the same capture on the same machine and driver (its pictures come from OpenGL).
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld import world
from pocketworld.bench import lidar, sensor, studio, truth, truth_file
from pocketworld.bench.kitchen import kitchen
from pocketworld.bench.lidar import Lidar
from pocketworld.bench.route import lamps, route
from pocketworld.bench.sensor import Kinect
from pocketworld.bench.trajectory import Stroll, through, tracked
from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan.capture import Camera
from pocketworld.scan.poses import OPENGL_FROM_OPENCV, Z_UP_FROM_Y_UP
from pocketworld.scene import Matrix4, Scene

Array = NDArray[np.float64]

PICTURE = (1920, 1440)  # pixels, for which the app writes intrinsics
FOCAL = 1590.0  # pixels of such a picture: an iPhone's wide camera
DEPTH = (256, 192)
PER_METRE = 1000
RATE = 0.2  # s from frame to frame
QUALITY = 92  # of JPEG


@dataclass(frozen=True, slots=True)
class Phone:
    """What the capture is taken with.

    picture      size in which pictures are stored, of the shape of PICTURE: half of it tells a gap of 3 mm
    shift, turn  how far the poses in the files are off along each of the camera's axes, m and rad: with twice
                 that, +-10 mm, in 95 of 100 frames
    pace         frames over which that error wanders
    """

    stroll: Stroll = field(default_factory=Stroll)
    lidar: Lidar = field(default_factory=Lidar)
    lens: Kinect = field(default_factory=lambda: Kinect(vignette=0.05, grain=1.5, blur=0.6))
    picture: tuple[int, int] = (960, 720)
    shift: float = 0.005
    turn: float = float(np.radians(0.1))
    pace: float = 25.0


def render_kitchen(folder: Path, seed: int, phone: Phone | None = None) -> tuple[Path, Path]:
    """Walk through the kitchen of a seed; return the capture's folder and, beside it, its truth's file."""
    return render(kitchen(seed, folder.name), folder, seed, phone)


def render(scene: Scene, folder: Path, seed: int, phone: Phone | None = None) -> tuple[Path, Path]:
    """Walk along a room's row and write what the phone sees; return the folder and the truth's file.

    folder   is made anew, whole or not at all; its truth is FOLDER_truth.json beside it
    """
    phone = phone or Phone()
    file = folder.parent / f"{folder.name}_truth.json"
    rng = stream(seed, "phone", "walk")
    poses = through(phone.stroll, route(scene), rng)
    capture_from_scene = _begun(poses[0])
    scene = replace(scene, scene_from_capture=_rows(se3.inverse(capture_from_scene)))
    answer = truth.of(scene)
    told = capture_from_scene @ tracked(
        poses, phone.shift, phone.turn, phone.pace, stream(seed, "phone", "tracker")
    )
    size = phone.picture
    camera = Camera(FOCAL, FOCAL, (PICTURE[0] - 1) / 2, (PICTURE[1] - 1) / 2, *PICTURE)
    eye, dots = camera.resized(*size), camera.resized(*DEPTH)
    with world.folder(folder) as new:
        seen = studio.views(scene, eye, poses, stream(seed, "phone", "carpet"), dots, lamps(scene))
        for i, (colour, depth) in enumerate(seen):
            noise = stream(seed, "phone", "noise", i)
            small = np.asarray(cv2.resize(colour, DEPTH, interpolation=cv2.INTER_AREA), np.uint8)
            metres, levels = lidar.measured(depth, small, dots, phone.lidar, noise)
            taken = sensor.pictured(colour, eye, phone.lens, noise)
            _write_frame(new, i, taken, metres, levels)
            _write_sidecar(new, i, told[i], camera)
        info = {"appVersionString": "rendered", "numImages": len(poses), "title": scene.name}
        (new / "info.json").write_text(json.dumps(info) + "\n")
    truth_file.write(answer, file)
    return folder, file


def _begun(first: Array) -> Array:
    """Return capture_from_scene (4, 4): ARKit's world begins where the phone does, y up, looking at -z."""
    forward = first[:3, 2]
    scene_from_start = np.eye(4)
    yaw = np.arctan2(forward[1], forward[0]) - np.pi / 2
    scene_from_start[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    scene_from_start[:3, 3] = first[:3, 3]
    out: Array = se3.inverse(scene_from_start @ Z_UP_FROM_Y_UP)
    return out


def _rows(matrix: Array) -> Matrix4:
    a, b, c, d = ((float(w), float(x), float(y), float(z)) for w, x, y, z in matrix)
    return (a, b, c, d)


def _write_frame(
    folder: Path, i: int, colour: NDArray[np.uint8], depth: NDArray[np.float32], levels: NDArray[np.uint8]
) -> None:
    steps = np.rint(depth * PER_METRE).astype(np.uint16)
    for name, image, options in (
        (f"frame_{i:05d}.jpg", colour[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY]),
        (f"depth_{i:05d}.png", steps, []),
        (f"conf_{i:05d}.png", levels, []),
    ):
        _, data = cv2.imencode(Path(name).suffix, image, options)
        (folder / name).write_bytes(data.tobytes())


def _write_sidecar(folder: Path, i: int, capture_from_camera: Array, camera: Camera) -> None:
    """Write a frame's JSON; its projection matrix says for which size of picture the intrinsics are."""
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = 2 * camera.fx / camera.width, 2 * camera.fy / camera.height
    projection[0, 2] = 1 - 2 * (camera.cx + 0.5) / camera.width
    projection[1, 2] = 2 * (camera.cy + 0.5) / camera.height - 1
    projection[2, 2], projection[2, 3], projection[3, 2] = -1, -1e-3, -1
    data = {
        "frame_index": i,
        "time": round(i * RATE, 3),
        "cameraPoseARFrame": (capture_from_camera @ OPENGL_FROM_OPENCV).ravel().tolist(),
        "intrinsics": [camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1],
        "projectionMatrix": projection.ravel().tolist(),
    }
    (folder / f"frame_{i:05d}.json").write_text(json.dumps(data) + "\n")
