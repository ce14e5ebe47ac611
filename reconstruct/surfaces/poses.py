"""Poses of a capture refined where frames that see the same surface disagree about where it is.

Pairs of frames, next in time or looking at the same place again, are registered by their depth (`pair`) and
bound into a graph (`pose_graph`). Some pairs are held out: unless their surfaces are parted by the poses more
than by noise of depth, and agree better by the corrected ones, the poses stay as they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.reconstruct.surfaces.fusion import SAME
from pocketworld.reconstruct.surfaces.looks import Look, look
from pocketworld.reconstruct.surfaces.pair import Pair, apart, register
from pocketworld.reconstruct.surfaces.pose_graph import Solved, solve
from pocketworld.scan.capture import Capture, Frame
from pocketworld.scan.damage import Damage
from pocketworld.scan.keyframes import moved
from pocketworld.scan.moments import Loader, depth_alone

Array = NDArray[np.float64]

SAMPLES = 40  # points of a look, by which overlap is told
OVERLAP = 0.35  # of them: less binds hardly a direction
APART = 3  # frames: a look is paired with the next two, and with some that are at least so far from it,
LOOPS = 3  # so many, and from one another
HELD = 4  # every so many pairs one is held out
FEWEST = 8  # pairs held out: fewer prove nothing
BETTER = 0.92  # times as far apart, or less: by poses known exactly, noise alone gives 0.96 to 1
LEAST = 1e-4  # m nearer: less is not worth a change however exact depth is
DOUBTED = 0.25  # a pair believed less still disagrees by five standard deviations
LOUD = 0.01  # m: surfaces farther apart are not so by noise of depth, which is 2 to 4 mm here
LARGE = 0.02  # m: corrections over which things seen before and after are plainly two


@dataclass(frozen=True, slots=True)
class Gain:
    """How far held-out pairs of surfaces are apart by the poses given and corrected.

    m: the RMS over pairs of their medians, as a jump parts a few pairs by much
    """

    before: float
    after: float

    @property
    def plain(self) -> bool:
        """Return whether the corrected poses are plainly better."""
        return self.after < BETTER * self.before and self.before - self.after > LEAST

    @property
    def large(self) -> bool:
        """Return whether poses part the surfaces by more than noise of depth does, which is what is left."""
        return self.plain and self.before**2 - self.after**2 > self.after**2


def refined(capture: Capture) -> Capture:
    """Return the capture with poses under which its frames agree better, and a finding; else with its own.

    Depth is read, pictures are not. Frames that can't be read, or have no depth, follow their neighbours.
    """
    order = np.argsort(np.array(capture.order), kind="stable")
    poses = capture.world_from_camera[order]
    first, place = _places(poses)
    looks = _looks(capture, order[first])
    poses, way = poses[first], moved(poses)[first]
    pairs = _registered(looks, poses)
    gain = _gain(looks, poses, way, pairs)
    if gain is None or not gain.plain:
        return replace(capture, findings=(*capture.findings, *_in_vain(capture.name, gain)))
    solved = solve(poses, way, pairs)
    if not gain.large:
        found = _drift(capture.name, poses, solved, gain, applied=False)
        return replace(capture, findings=(*capture.findings, found))
    corrected = np.empty_like(capture.world_from_camera)
    corrected[order] = solved.poses[place]
    return replace(
        posed(capture, corrected),
        findings=(*capture.findings, *_noticed(capture.name, poses, solved, pairs, gain)),
    )


def posed(capture: Capture, world_from_camera: Array) -> Capture:
    """Return the capture with other poses (n, 4, 4); no frame is read."""
    if isinstance(capture.load, Loader):
        all_poses = capture.load.world_from_camera.copy()
        all_poses[list(capture.order)] = world_from_camera
        load = replace(capture.load, world_from_camera=all_poses)
        return replace(capture, world_from_camera=world_from_camera, load=load)
    told = dict(zip(capture.order, world_from_camera, strict=True))
    given = capture.load

    def frame(i: int) -> Frame:
        return replace(given(i), world_from_camera=told[i])

    return replace(capture, world_from_camera=world_from_camera, load=frame)


def _places(poses: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first frame of each place, in order, and the place (n,) of every frame.

    Frames from one place stay at one place: whoever fuses them counts them once.
    """
    rounded = np.rint(poses[:, :3].reshape(len(poses), -1) / SAME)
    _, first, which = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return np.sort(first), rank[which.ravel()]


def _looks(capture: Capture, which: NDArray[np.intp]) -> dict[int, Look]:
    """Return the looks of frames that have depth, by their place in `which`."""
    number = {capture.order[i]: k for k, i in enumerate(which.tolist())}
    frames = Damage().sound(depth_alone(capture), which.tolist())
    return {
        number[frame.index]: look(frame)
        for frame in frames
        if frame.depth is not None and frame.depth_camera is not None
    }


def _registered(looks: dict[int, Look], poses: Array) -> list[Pair]:
    """Return the pairs that overlap and could be registered."""
    out = []
    for a, b in chosen(overlaps(looks, poses)):
        pair = register((looks[a], looks[b]), (a, b), se3.inverse(poses[b]) @ poses[a])
        if pair is not None:
            out.append(pair)
    return out


def overlaps(looks: dict[int, Look], poses: Array) -> Array:
    """Return (n, n): the share of what one look shows that the other looks at too, of both the lesser.

    Time and memory grow with n², which `scan.keyframes.ALL` bounds.
    """
    out = np.zeros((len(poses), len(poses)))
    seen = {k: one for k, one in looks.items() if len(one.places)}
    if not seen:
        return out
    which = np.array(list(seen))
    some = [np.linspace(0, len(one.places) - 1, SAMPLES).astype(int) for one in seen.values()]
    points = se3.apply(
        poses[which], np.stack([one.places[i] for one, i in zip(seen.values(), some, strict=True)])
    )
    facing = np.stack([one.facing[i] for one, i in zip(seen.values(), some, strict=True)])
    facing = facing @ np.swapaxes(poses[which, :3, :3], 1, 2)
    for b, one in seen.items():
        there = se3.apply(se3.inverse(poses[b]), points.reshape(-1, 3))
        camera, z = one.camera, np.maximum(there[:, 2], 1e-6)
        u, v = there[:, 0] / z * camera.fx + camera.cx, there[:, 1] / z * camera.fy + camera.cy
        inside = (there[:, 2] > 0) & (u > 0) & (v > 0) & (u < camera.width) & (v < camera.height)
        front = ((points - poses[b, :3, 3]) * facing).sum(-1) > 0
        out[which, b] = (inside.reshape(front.shape) & front).mean(1)
    return np.asarray(np.minimum(out, out.T))


def chosen(overlap: Array) -> list[tuple[int, int]]:
    """Return the pairs that are registered: the next two, and those that look at the same later or before."""
    n = len(overlap)
    out = {(i, i + k) for k in range(1, APART) for i in range(n - k) if overlap[i, i + k] > OVERLAP}
    for i in range(n):
        best = [int(j) for j in np.argsort(-overlap[i], kind="stable") if overlap[i, j] > OVERLAP]
        taken = [i]
        for j in best:
            if all(abs(j - k) >= APART for k in taken):
                taken.append(j)
                out.add((min(i, j), max(i, j)))
            if len(taken) > LOOPS:
                break
    return sorted(out)


def _gain(looks: dict[int, Look], poses: Array, way: Array, pairs: Sequence[Pair]) -> Gain | None:
    """Return what corrected poses do for pairs that had no part in them; None where there are too few."""
    held = pairs[HELD // 2 :: HELD]
    if len(held) < FEWEST:
        return None
    solved = solve(poses, way, [pair for k, pair in enumerate(pairs) if k % HELD != HELD // 2])
    both = []
    for pair in held:
        now = se3.inverse(solved.poses[pair.b]) @ solved.poses[pair.a]
        far = [apart((looks[pair.a], looks[pair.b]), pose) for pose in (pair.b_from_a, now)]
        if None not in far:
            both.append(far)
    if len(both) < FEWEST:
        return None
    before, after = np.sqrt((np.array(both, float) ** 2).mean(0))
    return Gain(float(before), float(after))


def _in_vain(name: str, gain: Gain | None) -> tuple[Finding, ...]:
    """Return the finding that frames disagree and nothing was mended, if so."""
    if gain is None or gain.before < LOUD:
        return ()
    text = "frames disagree about the surface that they share, and no poses were found that mend it"
    numbers = {"before_mm": gain.before * 1e3, "after_mm": gain.after * 1e3}
    return (Finding("drift-left", Severity.DEGRADED, "reconstruct", name, text, numbers),)


def _noticed(name: str, poses: Array, solved: Solved, pairs: Sequence[Pair], gain: Gain) -> list[Finding]:
    """Return how far poses were moved, and which frames disagree all the same."""
    out = [_drift(name, poses, solved, gain, applied=True)]
    doubted = solved.believed < DOUBTED
    if doubted.any():
        far = max(float(np.abs(p.moved).max()) for p, d in zip(pairs, doubted, strict=True) if d)
        text = "some frames still disagree about the surface that they share: there it may be double"
        numbers = {"pairs": float(doubted.sum()), "of": float(len(pairs)), "worst_mm": far * 1e3}
        out.append(Finding("drift-left", Severity.DEGRADED, "reconstruct", name, text, numbers))
    return out


def _drift(name: str, poses: Array, solved: Solved, gain: Gain, applied: bool) -> Finding:
    """Return the finding of how far poses are off, by those that were solved for."""
    twist = se3.log(se3.inverse(poses) @ solved.poses)
    shift, turn = (float(np.linalg.norm(part, axis=1).max()) for part in (twist[:, :3], twist[:, 3:]))
    numbers = {
        "off_mm": shift * 1e3,
        "off_deg": float(np.degrees(turn)),
        "pairs": float(len(solved.believed)),
        "before_mm": gain.before * 1e3,
        "after_mm": gain.after * 1e3,
        "depth_long_percent": solved.scale * 100,
    }
    text = "the poses drift, by less than depth's noise shows: they are left as they are"
    if applied:
        text = "the poses drift: frames disagree about the surface that they share; they were refined by it"
    severity = Severity.DEGRADED if applied and shift > LARGE else Severity.NOTE
    return Finding("drift", severity, "reconstruct", name, text, numbers)
