"""Pictures of scenes through the simulator's eye; where it can't draw, the reason."""

from dataclasses import dataclass

from pocketworld.errors import PocketworldError
from pocketworld.review.report.embed import webp
from pocketworld.scene import Scene

# How far open the twin is shown, as a share of each joint's range.
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SIZE = (640, 480)
SMALL = (320, 240)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture, as a data: URI, and what it shows."""

    title: str
    image: str


@dataclass(frozen=True, slots=True)
class Shots:
    """Pictures in order; or none, and why."""

    shots: tuple[Shot, ...] = ()
    problem: str = ""


def opening(scene: Scene) -> Shots:
    """Return the scene from closed to open; one picture where nothing opens, none where nothing stands."""
    if not scene.assets:
        return Shots(problem="the twin is empty")
    steps = STEPS if any(True for _ in scene.joints()) else STEPS[:1]
    return _taken([(scene, step, _said(step)) for step in steps], SIZE)


def half_open(scenes: dict[str, Scene]) -> Shots:
    """Return one small picture of each scene, by its title, everything half open."""
    return _taken([(scene, 0.5, title) for title, scene in scenes.items()], SMALL)


def _taken(wanted: list[tuple[Scene, float, str]], size: tuple[int, int]) -> Shots:
    from pocketworld.sim.picture import picture

    try:
        return Shots(tuple(Shot(title, webp(picture(scene, step, size))) for scene, step, title in wanted))
    except PocketworldError as error:
        return Shots(problem=str(error))


def _said(step: float) -> str:
    return {0.0: "closed", 1.0: "open"}.get(step, f"{step:.0%} open")
