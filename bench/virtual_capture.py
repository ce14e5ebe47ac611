"""A small capture that we render ourselves: a pedestal on a floor, as a Kinect in a walking hand sees it.

Written as a TUM RGB-D folder with the camera of freiburg3, and its truth beside. The same seed gives the same
capture on the same machine and driver (its pictures come from OpenGL).
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld import world
from pocketworld.bench import sensor, studio, truth, truth_file
from pocketworld.bench.sensor import Kinect
from pocketworld.bench.trajectory import Walk, around, tracked
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import Cabinet, Front, HandleSpec, Split
from pocketworld.rng import stream
from pocketworld.scan.capture import Camera
from pocketworld.scene import Asset, HandleKind, Material, Pose, Scene

Array = NDArray[np.float64]

# The third camera of the TUM RGB-D benchmark, whose pictures are published without distortion.
CAMERA = Camera(535.4, 539.2, 320.1, 247.6, 640, 480)
STEPS = 5000  # of depth, a metre
START, RATE = 1000.0, 0.5  # s: the first frame's time, and from frame to frame


@dataclass(frozen=True, slots=True)
class Shoot:
    """How a capture is taken.

    shift, turn   how far the poses in the file are off along each of the camera's axes, m and rad: about what
                  the frames of the benchmark's cabinet disagree by on its surface (+-10 mm at 1.4 m)
    pace          frames over which that error wanders
    """

    walk: Walk = field(default_factory=Walk)
    kinect: Kinect = field(default_factory=Kinect)
    camera: Camera = CAMERA
    shift: float = 0.003
    turn: float = float(np.radians(0.15))
    pace: float = 6.0


def render_demo(folder: Path, seed: int) -> tuple[Path, Path]:
    """Render a pedestal drawn from the seed; return the capture's folder and, beside it, its truth's file."""
    rng = stream(seed, "capture", "place")
    x, y = (float(v) for v in rng.uniform(-1, 1, 2))
    pose = Pose.upright((x, y, 0.0), float(rng.uniform(-np.pi, np.pi)))
    asset = replace(build(pedestal(seed), "pedestal"), pose=pose)
    return render(Scene(folder.name, (asset,)), folder, seed)


def render(scene: Scene, folder: Path, seed: int, shoot: Shoot | None = None) -> tuple[Path, Path]:
    """Walk around a scene's one asset and write what the sensor sees; return the folder and the truth's file.

    folder   is made anew, whole or not at all; its truth is FOLDER_truth.json beside it
    """
    shoot = shoot or Shoot()
    answer, file = truth.of(scene), folder.with_name(f"{folder.name}_truth.json")
    poses = walk_around(scene.assets[0], shoot.walk, stream(seed, "capture", "walk"))
    views = studio.views(scene, shoot.camera, poses, stream(seed, "capture", "carpet"))
    with world.folder(folder) as new:
        for name in ("rgb", "depth"):
            (new / name).mkdir()
        for i, (colour, depth) in enumerate(views):
            rng = stream(seed, "capture", "sensor", i)
            seen = sensor.measured(depth, shoot.camera, shoot.kinect, rng)
            taken = sensor.pictured(colour, shoot.camera, shoot.kinect, rng)
            _write_frame(new, START + i * RATE, taken, seen)
        told = tracked(poses, shoot.shift, shoot.turn, shoot.pace, stream(seed, "capture", "tracker"))
        _write_lists(new, told)
    truth_file.write(answer, file)
    return folder, file


def walk_around(asset: Asset, walk: Walk, rng: np.random.Generator) -> Array:
    """Return world_from_camera (n, 4, 4) of a walk around an asset, far enough to see all of it at once."""
    low, high = truth.outer(asset)
    middle = asset.pose.matrix @ [*(low + high) / 2, 1.0]
    front = asset.pose.matrix[:3, :3] @ (0, -1.0, 0)
    # Half of the picture's height sees 23 degrees; what sways needs some of that.
    far = np.linalg.norm(high - low) / 2 / np.sin(np.radians(20))
    walk = replace(walk, distance=max(walk.distance, float(far)))
    return around(walk, (middle[0], middle[1], middle[2]), float(np.arctan2(front[1], front[0])), rng)


def pedestal(seed: int) -> Cabinet:
    """Draw an office pedestal: three to five drawers, a shallow one on top, bows or bars as handles."""

    def draw(name: str) -> np.random.Generator:
        return stream(seed, "pedestal", name)

    def between(name: str, low: float, high: float) -> float:
        return round(float(draw(name).uniform(low, high)), 3)

    count = int(draw("drawers").integers(2, 5))
    heights = (between("tray", 0.05, 0.09), *(between(f"drawer {i}", 0.13, 0.2) for i in range(count)))
    kind = HandleKind.BOW if draw("handle").random() < 0.5 else HandleKind.BAR
    handle = HandleSpec(kind, length=between("handle length", 0.12, 0.2), thickness=0.01, standoff=0.03)
    hue = draw("colour").uniform(0.9, 1.1, 3)
    body, face = (between(name, low, high) for name, low, high in (("body", 0.1, 0.5), ("face", 0.15, 0.7)))
    worktop = between("worktop", 0.012, 0.022)
    return Cabinet(
        width=between("width", 0.4, 0.5),
        depth=between("depth", 0.5, 0.8),
        height=round(sum(heights) + worktop + 0.01, 3),
        grid=Split(True, heights, tuple(Front(handle=handle) for _ in heights)),
        worktop=worktop,
        body=Material(_tint(body, hue)),
        face=Material(_tint(face, hue)),
    )


def _tint(level: float, hue: Array) -> tuple[float, float, float]:
    r, g, b = (float(v) for v in np.clip(level * hue, 0, 1))
    return (r, g, b)


def _name(time: float) -> str:
    return f"{time:.4f}"


def _write_frame(folder: Path, time: float, colour: NDArray[np.uint8], depth: NDArray[np.float32]) -> None:
    quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
    steps = np.rint(depth * STEPS).astype(np.uint16)
    for name, image, options in (
        (f"rgb/{_name(time)}.jpg", colour[..., ::-1], quality),
        (f"depth/{_name(time)}.png", steps, []),
    ):
        _, data = cv2.imencode(Path(name).suffix, image, options)
        (folder / name).write_bytes(data.tobytes())


def _write_lists(folder: Path, world_from_camera: Array) -> None:
    """Write rgb.txt, depth.txt and groundtruth.txt: quaternions x y z w, the camera named for the reader."""
    times = [_name(START + i * RATE) for i in range(len(world_from_camera))]
    head = "# rendered by pocketworld with the camera of freiburg3\n"
    for kind, end in (("rgb", "jpg"), ("depth", "png")):
        lines = "".join(f"{time} {kind}/{time}.{end}\n" for time in times)
        (folder / f"{kind}.txt").write_text(f"{head}# timestamp filename\n{lines}")
    turns = Rotation.from_matrix(world_from_camera[:, :3, :3]).as_quat()
    rows = np.concatenate([world_from_camera[:, :3, 3], turns], axis=1)
    lines = "".join(
        f"{time} {' '.join(f'{v:.6f}' for v in row)}\n" for time, row in zip(times, rows, strict=True)
    )
    (folder / "groundtruth.txt").write_text(f"{head}# timestamp tx ty tz qx qy qz qw\n{lines}")
