"""Scenes in which a robot reaches nothing are left out before anything is compiled, and it is said."""

from collections.abc import Callable, Sequence

from pocketworld.cousins.sequence import Cousins, taken
from pocketworld.errors import PocketworldError
from pocketworld.findings import Finding, Severity
from pocketworld.scene import Scene
from pocketworld.sim.compiling.cousin import why
from pocketworld.sim.robots.robot import Robot

CODE = "nothing-in-reach"
SHOWN = 4  # names of what is left out


def in_reach(
    scenes: Sequence[Scene],
    robot: Robot,
    stage: str,
    most: int | None = None,
    tick: Callable[[str], None] = lambda _: None,
) -> tuple[Sequence[Scene], tuple[Finding, ...]]:
    """Return the scenes in which a robot reaches something, in their order, and what is said of the others.

    See `places`. Where nothing is left out it is what was given.
    """
    kept, found = places(scenes, robot, stage, most, tick)
    return (scenes if len(kept) == len(scenes) else taken(scenes, kept)), found


def places(
    scenes: Sequence[Scene],
    robot: Robot,
    stage: str,
    most: int | None = None,
    tick: Callable[[str], None] = lambda _: None,
) -> tuple[Sequence[int], tuple[Finding, ...]]:
    """Return which scenes these are, in their order, and what is said of the others.

    Of `Cousins` no more than one is built at a time; for what goes anywhere none is.

    most   so many are enough: those after them are not looked at

    Raises PocketworldError where it reaches nothing in any.
    """
    wanted = len(scenes) if most is None else min(most, len(scenes))
    if robot.roams:
        return range(wanted), ()
    kept: list[int] = []
    out: list[int] = []
    for i in range(len(scenes)):
        if len(kept) == wanted:
            break
        tick(f"what the {robot.name} reaches: scene {i + 1} of {len(scenes)}")
        (kept if robot.reaches_some(scenes[i]) else out).append(i)
    if not kept:
        raise _nowhere(scenes, robot)
    return kept, (_finding(scenes, out, robot, stage),) if out else ()


def _nowhere(scenes: Sequence[Scene], robot: Robot) -> PocketworldError:
    if not len(scenes):
        return PocketworldError("there is no scene to reach anything in", "make some cousins")
    first = scenes[0]
    count = sum(1 for _ in first.joints())
    reasons = why(robot.fitted(first).missed)
    told = f"of {_names(scenes, [0])}'s {count} joints" + (f", {reasons}" if reasons else "")
    return PocketworldError(
        f"the {robot.name} reaches nothing in any of {len(scenes)} scenes ({told})",
        "another robot, or another world",
    )


def _finding(scenes: Sequence[Scene], out: list[int], robot: Robot, stage: str) -> Finding:
    names = _names(scenes, out[:SHOWN]) + (" ..." if len(out) > SHOWN else "")
    text = f"{len(out)} of {len(scenes)} scenes are left out: the {robot.name} reaches nothing in {names}"
    return Finding(CODE, Severity.DEGRADED, stage, robot.name, text, {"left_out": float(len(out))})


def _names(scenes: Sequence[Scene], places: list[int]) -> str:
    if isinstance(scenes, Cousins):
        return ", ".join(scenes.ids[i] for i in places)
    return ", ".join(scenes[i].provenance.get("cousin", scenes[i].name) for i in places)
