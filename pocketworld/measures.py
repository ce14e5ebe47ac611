"""The commands that measure: a world against the truth, each stage's cost, steps a second, the machine."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pocketworld import api
from pocketworld.api import Tick

if TYPE_CHECKING:
    from pocketworld.bench.calibration import Believed
    from pocketworld.bench.doctor import Check
    from pocketworld.bench.reach import Reached
    from pocketworld.bench.score import Score
    from pocketworld.bench.sim import SimSpeed
    from pocketworld.bench.speed import SpeedReport
    from pocketworld.bench.warp import WarpFigures


def score(folder: Path, truth: Path, document: Path | None) -> "Score":
    """Score a world's twin against the truth of its place; put the figures into a page if one is named."""
    from pocketworld import scene_file
    from pocketworld.bench import document as page
    from pocketworld.bench import score as scorer
    from pocketworld.bench import truth_file

    result = scorer.score(scene_file.load(folder / "twin", visual=False), truth_file.load(truth))
    if document is not None:
        page.put(document, result, f"pocketworld bench score {folder} --truth {truth}")
    return result


def calibrate(pairs: Sequence[tuple[Path, Path]]) -> tuple["Believed", ...]:
    """Return how sure the twins of worlds are of each joint, and whether the truths of their places agree."""
    from pocketworld import scene_file
    from pocketworld.bench import calibration, truth_file
    from pocketworld.bench.matching import align

    out: list[Believed] = []
    for folder, file in pairs:
        scene, truth = scene_file.load(folder / "twin", visual=False), truth_file.load(file)
        out += calibration.believed(scene, truth, align(scene, truth).truth_from_capture)
    return tuple(out)


def measure_speed(capture: Path | None, document: Path | None, tick: Tick) -> "SpeedReport":
    """Measure each stage's CPU seconds and memory; put the figures into a page if one is named."""
    from pocketworld.bench import document as page
    from pocketworld.bench import speed

    result = speed.measure(capture, tick)
    if document is not None:
        page.put(document, result, f"pocketworld bench speed {capture or ''}".strip())
    return result


def measure_sim(
    folder: Path, name: str | None, envs: int, steps: int, threads: int, document: Path | None
) -> "SimSpeed":
    """Measure environment steps a second; put the figures into a page if one is named."""
    from pocketworld.bench import document as page
    from pocketworld.bench import set_up, sim

    set_up_ms = set_up.measure(api.scenes_of(folder, name))
    with closing(api.make_env(folder, num_envs=envs, name=name, threads=threads)) as environment:
        result = replace(sim.measure(environment, steps), set_up=set_up_ms)
    if document is not None:
        which = f" --name {name}" if name else ""
        command = f"pocketworld bench sim {folder}{which} --envs {envs} --steps {steps} --threads {threads}"
        page.put(document, result, command)
    return result


def measure_warp(
    folder: Path, preset: str, envs: int, steps: int, device: str | None, document: Path | None, tick: Tick
) -> "WarpFigures":
    """Measure the backend warp on a world's cousins; put the figures into a page if one is named."""
    from pocketworld.bench import document as page
    from pocketworld.bench import warp
    from pocketworld.sim.backends import cores

    tick(f"drawing {envs} cousins")
    cousins = api.make_cousins(folder, preset=preset, count=envs, workers=cores())
    tick("measuring")
    result = warp.measure(cousins, device, steps)
    if document is not None:
        where = f" --device {device}" if device else ""
        command = f"pocketworld bench warp {folder} --preset {preset} --envs {envs} --steps {steps}{where}"
        page.put(document, result, command)
    return result


def measure_reach(
    folder: Path,
    robot: str,
    preset: str,
    count: int,
    threads: int | None,
    document: Path | None,
    tick: Tick,
) -> "Reached":
    """Measure what an arm reaches in a world; put the figures into a page if one is named."""
    from pocketworld.bench import document as page
    from pocketworld.bench import reach

    cousins = api.make_cousins(folder, preset=preset, count=count)
    result = reach.measure(cousins, robot, tick, world=folder.name, threads=threads)
    if document is not None:
        command = f"pocketworld bench reach {folder} --robot {robot} --preset {preset} --count {count}"
        page.put(document, result, command)
    return result


def examine(world: Path | None = None, tick: Tick = lambda _: None) -> tuple["Check", ...]:
    """Examine the machine; and how many environments of a world's cousins it could hold."""
    from pocketworld.bench import doctor

    if world is None:
        return doctor.examine(tick=tick)
    twin = api.twin_of(world)
    tick(f"{doctor.MEASURED} cousins are drawn")
    return doctor.examine(api.make_cousins(twin, count=doctor.MEASURED), tick)
