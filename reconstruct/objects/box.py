"""A box-like piece of furniture, measured on the edges of pictures: by depth it is centimetres too large.

Only the start comes from depth. The edges of the box are drawn into every picture that shows it and pulled
onto the picture's edges (`boxsolve`). The poses of the pictures are mended on the way.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.boxedges import EdgeBox
from pocketworld.reconstruct.objects.boxsolve import DEPTH, LEAN, Agreement
from pocketworld.reconstruct.objects.boxviews import View, view_of
from pocketworld.reconstruct.objects.things import FILLED, Thing
from pocketworld.scan.capture import Capture

Array = NDArray[np.float64]

PICTURES = 60  # more, spread as evenly, hardly say more
OFF = 0.09  # m: three sigma of a face by depth; a box farther off took somebody else's edges
UNSURE = DEPTH / 2  # m: a face less sure than this is where depth put it
FACES = ("left", "front", "bottom", "right", "back", "top")  # -x, -y, -z, +x, +y, +z of the box


@dataclass(frozen=True, eq=False, slots=True)
class BoxFit:
    """A box, and what was learnt on the way.

    box                 in the scene's frame; at z = 0 if the thing stands on the floor
    scene_from_world    (4, 4): the scene's frame, as given
    lower_edge          height of the body's lower edges above the box's foot, m: feet or a plinth are below
    sigma               (7,) standard errors: yaw (rad), then the box's faces at -x, -y, -z, +x, +y, +z (m)
    world_from_camera   (n, 4, 4) of all frames: mended where `mended` (n,), else as given
    before, after       mean distance of the box by depth and of this one from the pictures' edges, pixels
    """

    box: UprightBox
    scene_from_world: Array
    lower_edge: float
    sigma: Array
    world_from_camera: Array
    mended: NDArray[np.bool_]
    before: float
    after: float
    findings: tuple[Finding, ...]


def fit_box(thing: Thing, capture: Capture, scene_from_world: Array) -> BoxFit:
    """Return the box of a box-like thing by the pictures of a capture.

    scene_from_world   (4, 4) rigid: the thing is in the scene's frame, the capture in the world's
    """
    frame_from_world = se3.inverse(thing.box.world_from_box) @ scene_from_world
    width, depth, height = thing.box.size
    box = EdgeBox(np.array([0, -width / 2, -depth / 2, 0, width / 2, depth / 2, height]))
    views = _views(capture, frame_from_world, box)
    if not views:
        return _by_depth(thing, capture, scene_from_world, "no picture shows its edges")
    start = Agreement.start(box, views)
    reached = start.reached()
    before, after = start.distance(), reached.distance()
    off = np.abs(reached.box.values[1:] - box.values[1:]).max()
    if after >= before or off > OFF:
        return _by_depth(thing, capture, scene_from_world, "the edges in the pictures are not a box's")
    return _measured(reached, (before, after), thing, capture, scene_from_world)


def _views(capture: Capture, frame_from_world: Array, box: EdgeBox) -> tuple[View, ...]:
    """Return the views of the pictures that show the box; of many, some spread evenly over the capture."""
    poses = frame_from_world @ capture.world_from_camera
    seeing = [int(number) for number in np.flatnonzero(capture.coloured) if _may_see(poses[number], box)]
    if not seeing:
        return ()
    chosen = np.unique(np.linspace(0, len(seeing) - 1, min(PICTURES, len(seeing))).round().astype(int))
    found = (view_of(seeing[i], capture[seeing[i]], poses[seeing[i]], box) for i in chosen)
    return tuple(view for view in found if view is not None)


def _may_see(frame_from_camera: Array, box: EdgeBox) -> bool:
    """Say whether some corner of the box is less than 60 degrees off the camera's axis."""
    local = se3.apply(se3.inverse(frame_from_camera), box.corners())
    return bool((local[:, 2] > np.linalg.norm(local, axis=1) / 2).any())


def _measured(
    reached: Agreement,
    distances: tuple[float, float],
    thing: Thing,
    capture: Capture,
    scene_from_world: Array,
) -> BoxFit:
    """Return the box and the poses, out of the frame in which they were found."""
    given, stands = thing.box, thing.box.foot[2] == 0
    low, high = reached.box.ends
    foot = _foot(thing, low, high)
    # Over all of the room depth knows best where the floor is: box and poses go up or down together, by the
    # millimetre or so between the top as the pictures show it and as depth does, until the box stands on it.
    lift = se3.exp(np.array([0, 0, -foot if stands else 0.0, 0, 0, 0]))
    scene_from_frame = given.world_from_box @ lift
    frame_from_box = np.eye(4)
    frame_from_box[:3, :3] = reached.box.turn
    frame_from_box[:3, 3] = reached.box.turn @ [*(low + high)[:2] / 2, foot]
    x, y, z = (float(c) for c in (scene_from_frame @ frame_from_box)[:3, 3])
    width, depth, height = (float(size) for size in (*(high - low)[:2], high[2] - foot))
    yaw = given.yaw + float(reached.box.values[0])
    poses, mended = capture.world_from_camera.copy(), np.zeros(len(capture), bool)
    world_from_frame = se3.inverse(scene_from_world) @ scene_from_frame
    for view in reached.views:
        poses[view.number], mended[view.number] = world_from_frame @ view.frame_from_camera, True
    sigma = np.sqrt(np.diag(reached.covariance()))
    return BoxFit(
        UprightBox((x, y, 0.0 if stands else z), yaw, (width, depth, height)),
        scene_from_world,
        float(low[2] - foot),
        sigma,
        poses,
        mended,
        *distances,
        _noticed(f"{capture.name}/{thing.id}", reached, distances, sigma),
    )


def _foot(thing: Thing, low: Array, high: Array) -> float:
    """Return the height of a box's foot in the frame of the thing's box by depth.

    Top and floor are both level and seen at much the same slant, so depth errs alike for both: the height of
    what stands on the floor is depth's, down from the top as the pictures show it. Where depth shows no top,
    the foot is where depth has the floor. What does not stand ends at its lower edges.
    """
    if thing.box.foot[2] > 0:
        return float(low[2])
    return float(high[2] - thing.box.size[2]) if thing.found.filled[4] >= FILLED else 0.0


def _noticed(
    subject: str, reached: Agreement, distances: tuple[float, float], sigma: Array
) -> tuple[Finding, ...]:
    """Return how far poses were mended, and which faces no picture binds."""
    moved = reached.moved()
    numbers = {
        "pictures": float(len(moved)),
        "before_px": distances[0],
        "after_px": distances[1],
        "moved_m": float(np.linalg.norm(moved[:, :3], axis=1).mean()),
        "turned_deg": float(np.degrees(np.linalg.norm(moved[:, 3:], axis=1).mean())),
    }
    text = "size by the edges in the pictures, whose poses were mended on them"
    out = [Finding("box-by-edges", Severity.NOTE, "reconstruct", subject, text, numbers)]
    # The lower edges of what stands are often in its own shadow, and its height does not hang on them.
    unsure = {
        face: float(s) for face, s in zip(FACES, sigma[1:], strict=True) if s > UNSURE and face != "bottom"
    }
    if unsure:
        text = f"no picture binds its {', '.join(unsure)}: there its size is by depth, rather too large"
        numbers = {f"{face}_sigma_m": s for face, s in unsure.items()}
        out.append(Finding("box-face-unsure", Severity.DEGRADED, "reconstruct", subject, text, numbers))
    return tuple(out)


def _by_depth(thing: Thing, capture: Capture, scene_from_world: Array, why: str) -> BoxFit:
    subject, text = (
        f"{capture.name}/{thing.id}",
        f"{why}: its size is by depth, about a centimetre too large a side",
    )
    found = Finding("box-by-depth", Severity.DEGRADED, "reconstruct", subject, text)
    sigma = np.array([LEAN, *[DEPTH] * 6])
    poses, mended = capture.world_from_camera.copy(), np.zeros(len(capture), bool)
    return BoxFit(thing.box, scene_from_world, 0.0, sigma, poses, mended, np.nan, np.nan, (found,))
