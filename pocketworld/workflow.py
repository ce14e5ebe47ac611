"""The commands' work on world folders: a stage is a folder, made by a room, kept while its inputs last."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pocketworld import __version__, api, world
from pocketworld.api import Tick
from pocketworld.findings import Finding, serious, worst_first

if TYPE_CHECKING:
    from pocketworld.bench.doctor import Check
    from pocketworld.bench.score import Score
    from pocketworld.bench.sim import SimSpeed
    from pocketworld.bench.speed import SpeedReport
    from pocketworld.scan.quality import Quality

# A stage is made again when an input, the source of a room that works on it, or a numeric library changes.
KERNEL = ("errors", "rng", "log", "findings", "cost", "geometry", "scene", "scene_file", "world", "families")
BELOW = {
    "scan": (*KERNEL, "scan"),
    "twin": (*KERNEL, "scan", "reconstruct"),
    "cousins": (*KERNEL, "cousins"),
    "mjcf": (*KERNEL, "sim"),
}
NUMERIC = ("mujoco", "numpy", "open3d", "opencv-python-headless", "pyarrow", "scipy", "trimesh")


@dataclass(frozen=True, slots=True)
class Made:
    """What a command made: lines for a person, the same as data, and what was found on the way."""

    lines: tuple[str, ...]
    data: Mapping[str, object]
    findings: tuple[Finding, ...] = ()

    def text(self) -> str:
        """Return the lines for stdout."""
        return "\n".join(self.lines)

    def to_json(self) -> dict[str, object]:
        """Return what JSON can hold."""
        return dict(self.data)


def scan(path: Path, frames: str | None, picture: Path | None) -> Made:
    """Assess a capture; save its top-down coverage as a PNG if a file is named."""
    capture = api.read(path, frames)
    quality = api.assess(capture)
    if picture is not None:
        _save_picture(picture, quality)
    return Made((quality.summary(),), quality.to_json(), (*capture.findings, *quality.findings))


def reconstruct(capture: Path, folder: Path, frames: str | None, tick: Tick) -> Made:
    """Make scan/ and twin/ of a world."""
    with _opened(capture, folder, frames) as inputs:
        stages = _capture_stages(capture, folder, frames, inputs, tick)
    return _made(folder, stages, _words(folder))


def run(capture: Path, folder: Path, frames: str | None, tick: Tick) -> Made:
    """Make scan/, twin/, mjcf/ and report/ of a world."""
    with _opened(capture, folder, frames) as inputs:
        stages = _capture_stages(capture, folder, frames, inputs, tick)
        tick("simulator files")
        stages.append(_mjcf(folder))
        _summarise(folder)
        tick("report")
        page = _report(folder)
    worst = worst_first(serious(f for stage in stages for f in stage.findings))
    lines = (
        _words(folder),
        f"worst finding: {worst[0] if worst else 'none that makes the world worse'}",
        f"report: {page}",
        f"open it: python -m mujoco.viewer --mjcf={folder / 'mjcf' / 'scene.xml'}",
        f"make cousins: pocketworld cousins {folder}",
    )
    return _made(folder, stages, *lines)


def run_cousins(
    folder: Path,
    name: str | None,
    preset: str,
    spec: Path | None,
    seed: int,
    count: int,
    workers: int,
    tick: Tick,
) -> Made:
    """Make cousins/NAME of a world."""
    from pocketworld.cousins import spec as specs
    from pocketworld.cousins import table

    chosen = specs.load(spec) if spec is not None else specs.preset(preset)
    label = specs.checked_name(name or chosen.name)
    twin = api.twin_of(folder)

    def work(new: Path) -> tuple[Finding, ...]:
        tick(f"{count} cousins")
        cousins = api.make_cousins(
            twin, preset, spec=spec, seed=seed, count=count, name=label, workers=workers
        )
        table.save(cousins, new)
        return cousins.findings

    with world.lock(folder):
        inputs = {"twin": world.digest(folder / "twin"), "spec": specs.digest(chosen)}
        stage = world.run_stage(
            folder, f"cousins/{label}", inputs, {"seed": seed, "count": count}, _code("cousins"), work
        )
        _summarise(folder)
    line = f"{count} cousins at {chosen.name}: {stage.folder}"
    step = f"step them: pocketworld sim {folder} --name {label} --record {label}.mp4"
    return _made(folder, [stage], line, step, cousins=str(stage.folder), count=count)


def run_sim(folder: Path, name: str | None, envs: int, seed: int, record: Path | None, tick: Tick) -> Made:
    """Let the expert open things in a batch of a world's cousins; film it if a file is named."""
    from pocketworld.sim import trial

    environment = api.make_env(folder, num_envs=envs, name=name, render_mode="rgb_array" if record else None)
    tick("the expert opens things")
    with closing(environment):
        done = trial.filmed(environment, record, seed=seed) if record else trial.run(environment, seed=seed)
    lines = [done.text(), *([f"film: {record}"] if record else [])]
    return Made(tuple(lines), done.to_json() | {"film": str(record) if record else None})


def write_report(folder: Path) -> tuple[Path, tuple[Finding, ...]]:
    """Write report/index.html of a world; return it and the findings it shows."""
    with world.lock(folder):
        _summarise(folder)
        page = _report(folder)
    return page, world.findings_of(folder)


def demo(folder: Path, seed: int, count: int, tick: Tick) -> Made:
    """Walk a virtual phone through a drawn kitchen; make its world, cousins, a film, and the report."""
    from pocketworld.bench import phone

    tick("a kitchen is drawn, a phone walks through it")
    capture, truth = phone.render_kitchen(folder / "capture", seed)
    place = folder / "demo.world"
    world.clear_of_others(place, world.digest(capture))  # the demo of another seed was here
    made = run(capture, place, None, tick)
    run_cousins(place, None, "medium", None, seed, count, 1, tick)
    filmed = run_sim(place, None, count, seed, folder / "demo.mp4", tick)
    page, findings = write_report(place)
    lines = (*made.lines[:2], filmed.lines[0], f"film: {folder / 'demo.mp4'}", f"report: {page}")
    data = made.to_json() | {"truth": str(truth), "sim": filmed.to_json(), "report": str(page)}
    return Made(lines, data, findings)


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
    from pocketworld.bench import sim

    with closing(api.make_env(folder, num_envs=envs, name=name, threads=threads)) as environment:
        result = sim.measure(environment, steps)
    if document is not None:
        which = f" --name {name}" if name else ""
        command = f"pocketworld bench sim {folder}{which} --envs {envs} --steps {steps} --threads {threads}"
        page.put(document, result, command)
    return result


def examine() -> tuple["Check", ...]:
    """Examine the machine."""
    from pocketworld.bench import doctor

    return doctor.examine()


@contextmanager
def _opened(capture: Path, folder: Path, frames: str | None) -> Iterator[dict[str, str]]:
    """Read-check the capture, then hold the world that is made of it; give the digests of its inputs."""
    api.read(capture, frames)  # a bad capture or choice is an error before anything is made
    inputs = {"capture": world.digest(capture)}
    world.create(folder)
    with world.lock(folder):
        world.claim(folder, inputs["capture"], capture.name)
        yield inputs


def _capture_stages(
    capture: Path, folder: Path, frames: str | None, inputs: Mapping[str, str], tick: Tick
) -> list[world.Stage]:
    from pocketworld.reconstruct import record, twin

    chosen = api.read(capture, frames)
    options = {"frames": frames}

    def assess(new: Path) -> tuple[Finding, ...]:
        quality = api.assess(chosen)
        (new / "quality.json").write_text(json.dumps(quality.to_json(), indent=1))
        _save_picture(new / "coverage.png", quality)
        return (*chosen.findings, *quality.findings)

    def build(new: Path) -> tuple[Finding, ...]:
        made = twin.reconstruct(chosen, tick)
        record.save(made, new)
        return made.scene.findings

    tick("the capture is assessed")
    stages = [world.run_stage(folder, "scan", inputs, options, _code("scan"), assess)]
    tick("the twin is built")
    stages.append(world.run_stage(folder, "twin", inputs, options, _code("twin"), build))
    _summarise(folder)
    return stages


def _mjcf(folder: Path) -> world.Stage:
    from pocketworld import scene_file
    from pocketworld.sim import mjcf

    def write(new: Path) -> tuple[Finding, ...]:
        mjcf.write(scene_file.load(folder / "twin"), new)
        return ()

    inputs = {"twin": world.digest(folder / "twin")}
    return world.run_stage(folder, "mjcf", inputs, {}, _code("mjcf"), write)


def _report(folder: Path) -> Path:
    from pocketworld.review.report import gather, page

    with world.folder(folder / "report") as new:
        page.write(gather.gather(folder), new / "index.html")
    return folder / "report" / "index.html"


def _summarise(folder: Path) -> None:
    world.summarise(folder, {"pocketworld": __version__, "versions": world.versions(NUMERIC)})


def _save_picture(file: Path, quality: "Quality") -> None:
    from PIL import Image

    Image.fromarray(quality.picture().pixels).save(file, format="PNG")


def _words(folder: Path) -> str:
    """Say in one line what the twin holds and how sure we are."""
    from pocketworld import scene_file
    from pocketworld.review.report.furniture import verdict

    scene = scene_file.load(folder / "twin", visual=False)
    return f"{scene.name}: {verdict(scene)}"


def _made(folder: Path, stages: Sequence[world.Stage], *lines: str, **data: object) -> Made:
    reused = {stage.folder.relative_to(folder).as_posix(): stage.reused for stage in stages}
    findings = tuple(finding for stage in stages for finding in stage.findings)
    return Made(lines, {"world": str(folder), "reused": reused, **data}, findings)


def _code(stage: str) -> dict[str, object]:
    """Return what stands for the code of a stage in its key."""
    modules = [f"pocketworld.{name}" for name in BELOW[stage]]
    return {"sources": world.sources(modules), "versions": world.versions(NUMERIC)}
