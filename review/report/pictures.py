"""Pictures of scenes through the simulator's eye; where it can't draw, the reason."""

from collections.abc import Mapping
from dataclasses import dataclass

from pocketworld.errors import PocketworldError
from pocketworld.review.report.embed import webp
from pocketworld.scene import Asset, Joint, Scene

# How far the twin has opened, from picture to picture; in between, lower drawers are ahead of higher ones, so
# that one sees into each.
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
STAIRS = 0.6
SIZE = (640, 480)
SMALL = (320, 240)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture, as a data: URI, and what it shows."""

    title: str
    image: str


@dataclass(frozen=True, slots=True)
class Shots:
    """Pictures in order, and which of them to show first; or none, and why."""

    shots: tuple[Shot, ...] = ()
    first: int = 0
    problem: str = ""


def opening(scene: Scene) -> Shots:
    """Return the scene from closed to open; one picture where nothing opens, none where nothing stands."""
    if not scene.assets:
        return Shots(problem="the twin is empty")
    if not any(True for _ in scene.joints()):
        return _taken([("closed", scene, 0.0)], SIZE)
    titles = {0.0: "closed", 1.0: "open"}
    wanted = [(titles.get(step, f"{step:.0%} of the way"), scene, step) for step in STEPS]
    return _taken(wanted, SIZE, first=STEPS.index(STAIRS))


def half_open(scenes: Mapping[str, Scene]) -> Shots:
    """Return one small picture of each scene, by its title, on its way to be open."""
    return _taken([(title, scene, STAIRS) for title, scene in scenes.items()], SMALL)


def shares(scene: Scene, step: float) -> dict[str, float]:
    """Return how far each joint ("asset/joint") is open, as a share of its range: the lowest front first."""
    ranked = sorted(scene.joints(), key=lambda found: _height(*found))
    last = max(len(ranked) - 1, 1)
    late = {f"{asset.id}/{joint.id}": rank / last for rank, (asset, joint) in enumerate(ranked)}
    return {id: min(max(2 * step - lag, 0.0), 1.0) for id, lag in late.items()}


def _height(asset: Asset, joint: Joint) -> float:
    front = asset.part(joint.child).front
    return asset.pose.position[2] + (front.centre[2] if front else joint.origin[2])


def _taken(wanted: list[tuple[str, Scene, float]], size: tuple[int, int], first: int = 0) -> Shots:
    from pocketworld.sim.pictures.picture import picture

    try:
        shots = [Shot(title, webp(picture(scene, shares(scene, at), size))) for title, scene, at in wanted]
    except PocketworldError as error:
        return Shots(problem=str(error))
    return Shots(tuple(shots), first)
