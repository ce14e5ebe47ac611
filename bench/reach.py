"""What an arm reaches in a world's twin and its cousins, and what the scripted expert opens of that."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.bench.machine import Machine, machine
from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError
from pocketworld.scene import Joint, JointKind, Scene
from pocketworld.sim import backends, policy, robots
from pocketworld.sim.arrays import to_numpy
from pocketworld.sim.batch import Batches, let_sleep
from pocketworld.sim.compiling.cousin import cousin_of
from pocketworld.sim.cousin import Cousin
from pocketworld.sim.expert import expert
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots import stand
from pocketworld.sim.robots.robot import Fitted
from pocketworld.sim.robots.standing import ByGrip, ByJoints
from pocketworld.sim.share import Share
from pocketworld.sim.tasks import episode
from pocketworld.sim.tasks.task import OPEN
from pocketworld.sim.worlds import Worlds

Tick = Callable[[str], None]
Floats = NDArray[np.float64]
MOVED = 0.02  # share of what is asked for: with less a joint has not been moved at all
SEED = 0  # of the episodes
FAILED = "never moved it", "moved it, not far enough", "the physics blew up"


@dataclass(frozen=True, slots=True)
class Tried:
    """One episode with a joint that is reached.

    id     "COUSIN ASSET/JOINT";  kind: slide or hinge;  best: how far it came at most, 1 is the goal
    there  whether the grip began where the episode has it, not only as near as the arm comes to that
    """

    id: str
    kind: str
    won: bool
    best: float
    wild: bool
    there: bool

    @property
    def failed(self) -> str:
        """Return where it failed."""
        return FAILED[2] if self.wild else FAILED[1] if self.best > MOVED else FAILED[0]


@dataclass(frozen=True, slots=True)
class Place:
    """Reach in some scenes.

    joints   of all scenes;  own: reached, each from the stand that suits it;  single: from one stand a scene,
             the one that reaches most
    missed   why the others are not reached, counted
    tried    the expert's episodes;  fit_s: CPU to find a scene's stands, mean, s
    """

    name: str
    joints: int
    own: int
    single: int
    missed: dict[str, int]
    tried: tuple[Tried, ...]
    fit_s: float

    def opened(self, kind: str | None = None) -> Share:
        """Return the share that the expert opened, of a kind or of all."""
        some = [one for one in self.tried if kind in (None, one.kind)]
        return Share(sum(one.won for one in some), len(some))

    def lines(self) -> list[str]:
        """Return lines for a person."""
        out = [
            self.name,
            f"  reached, each from a stand of its own   {Share(self.own, self.joints).text()}",
            f"  reached from a scene's one best stand   {Share(self.single, self.joints).text()}",
            *(f"    {count:>3} not: {why}" for why, count in sorted(self.missed.items())),
        ]
        if self.tried:
            out.append(f"  of those reached, the expert opens      {self.opened().text()}")
            kinds = sorted({one.kind for one in self.tried})
            out += [f"    {kind:<6} {self.opened(kind).text()}" for kind in kinds if len(kinds) > 1]
            out += [f"    {count:>3} not: it {why}" for why, count in sorted(self.failed.items())]
            far = sum(not one.there for one in self.tried)
            out.append(f"  episodes that begin nearer to it than asked, for want of reach: {far}")
        return [*out, f"  CPU to find a scene's stands: {self.fit_s:.2f} s"]

    @property
    def failed(self) -> Counter[str]:
        """Return where the expert failed, counted."""
        return Counter(one.failed for one in self.tried if not one.won)


@dataclass(frozen=True, slots=True)
class Reached:
    """What a robot reaches in a world: in its twin and in cousins of it."""

    world: str
    robot: str
    preset: str
    places: tuple[Place, ...]
    machine: Machine

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self) | {"machine": self.machine.to_json()}

    def text(self) -> str:
        """Return lines for a person."""
        head = f"the {self.robot} in {self.world}; cousins: {self.preset}"
        return "\n".join(
            [head, *(line for place in self.places for line in place.lines()), self.machine.text()]
        )


def measure(
    cousins: Cousins, robot: str, tick: Tick, *, world: str, max_steps: int = 200, threads: int | None = None
) -> Reached:
    """Measure what a robot reaches in the twin and in its cousins; one episode for each joint in reach.

    Raises PocketworldError for a robot that goes anywhere, and where nothing moves.
    """
    arm = robots.named(robot)
    if isinstance(arm, ByJoints):
        raise PocketworldError(f"the expert leads no arm by its joints: {robot}", "without :joints")
    if not isinstance(arm, ByGrip):
        raise PocketworldError(f"the {arm.name} goes anywhere", "an arm: panda, or an MJCF file")
    bare = cousins.bare()
    several = (("the twin", [bare.twin]), (f"{len(bare)} cousins", bare))
    made = tuple(place(name, scenes, arm, tick, max_steps, threads) for name, scenes in several)
    return Reached(world, arm.name, cousins.spec.name, made, machine())


def place(
    name: str, scenes: Sequence[Scene], arm: ByGrip, tick: Tick, max_steps: int, threads: int | None
) -> Place:
    """Measure some scenes."""
    joints = own = single = 0
    missed: Counter[str] = Counter()
    asked: list[tuple[Cousin, str, Joint]] = []
    spent = 0.0
    for i, scene in enumerate(scenes):
        tick(f"{name}: scene {i + 1} of {len(scenes)}")
        began = time.process_time()
        found = stand.stands(scene, arm.made)
        spent += time.process_time() - began
        every = {mjcf.name_of(asset, joint): joint for asset, joint in scene.joints()}
        joints, own = joints + len(every), own + len(found.reached)
        single += len(found.best.reached) if found.best else 0
        missed.update(found.missed.values())
        if found.reached:
            cousin = compiled(scene, arm, found)
            asked += [(cousin, target.id, every[target.id]) for target in cousin.targets]
    if not joints:
        raise PocketworldError(f"{name}: no joint moves", "a world with doors or drawers")
    tick(f"{name}: the expert tries {len(asked)} joints")
    tried = try_each(asked, arm, max_steps, threads) if asked else ()
    return Place(name, joints, own, single, dict(missed), tried, spent / len(scenes))


def compiled(scene: Scene, arm: ByGrip, found: stand.Stands) -> Cousin:
    """Return a scene with the arm, whose stands are known."""
    fitted = Fitted(arm.made.physics, found.reached, found.missed)
    model = mjcf.document(scene, visual=False, extra=fitted.fragment).compile()
    let_sleep(model)
    return cousin_of(model, scene, arm, fitted)


def try_each(
    asked: Sequence[tuple[Cousin, str, Joint]], arm: ByGrip, max_steps: int, threads: int | None
) -> tuple[Tried, ...]:
    """Let the expert try each joint once."""
    cousins, names = [cousin for cousin, _, _ in asked], [name for _, name, _ in asked]
    physics = Batches([cousin.model for cousin in cousins], threads or backends.cores())
    with closing(physics):
        worlds = Worlds(cousins, physics, arm, OPEN, max_steps=max_steps)
        policy.begin(worlds, SEED, names)
        won, wild, best = (np.zeros(len(asked), kind) for kind in (bool, bool, float))
        for live, came in policy.finish(worlds, expert):
            best = np.where(live & ~came.unstable, np.fmax(best, to_numpy(worlds.progress)), best)
            won |= came.success
            wild |= came.unstable
    return tuple(
        Tried(
            f"{cousin.id} {name}",
            "drawer" if joint.kind is JointKind.SLIDE else "door",
            bool(won[i]),
            round(float(best[i]), 3),
            bool(wild[i]),
            begins_there(cousin, name, arm, worlds.replicas[i]),
        )
        for i, (cousin, name, joint) in enumerate(asked)
    )


def begins_there(cousin: Cousin, name: str, arm: ByGrip, replica: int) -> bool:
    """Say whether the arm comes to where the first episode of a joint is drawn to begin."""
    (asked,) = episode.asked_for([cousin], name)
    one = episode.draw(cousin, OPEN, SEED, replica, 0, asked)
    assert one.target.reach is not None
    return arm.placed(one.hold, one.start, one.target.reach)[1] == 0
