"""The commands' work on world folders: a stage is a folder, made by a room, kept while its inputs last."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pocketworld import __version__, api, world
from pocketworld.api import Tick
from pocketworld.findings import Finding, Severity, serious, worst_first

if TYPE_CHECKING:
    from pocketworld.scan.quality import Quality

# A stage is made again when an input, the source of a room that works on it, or a numeric library changes.
KERNEL = (
    *("errors", "extras", "rng", "log", "findings", "cost", "geometry"),
    *("scene", "scene_file", "world", "families"),
)
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

    @property
    def kept(self) -> tuple[str, ...]:
        """Return the stages that were there already, made of the very same."""
        reused = self.data.get("reused", {})
        return tuple(name for name, was in reused.items() if was) if isinstance(reused, dict) else ()


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
    how, named = ("preset", chosen.name) if spec is None else ("spec", spec.name)
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
            folder,
            f"cousins/{label}",
            inputs,
            {how: named, "seed": seed, "count": count},
            code(BELOW["cousins"]),
            work,
        )
        _summarise(folder)
    line = f"{count} cousins at {chosen.name}: {stage.folder}"
    step = f"step them: pocketworld sim {folder} --name {label} --record {label}.mp4"
    shown = f"look at them: pocketworld report {folder}"
    return _made(folder, [stage], line, step, shown, cousins=str(stage.folder), count=count)


def run_sim(
    folder: Path,
    name: str | None,
    envs: int,
    seed: int,
    record: Path | None,
    tick: Tick,
    options: Mapping[str, Any] = MappingProxyType({}),
    run: Path | None = None,
) -> Made:
    """Let a policy work in a batch of a world's cousins; film it if a file is named.

    run       a training, its folder or its name in the world, or None for the expert
    options   those of `api.make_env`: task, robot, backend, device
    """
    from pocketworld.sim import trial
    from pocketworld.sim.asked import Asked
    from pocketworld.sim.compiling.in_reach import in_reach
    from pocketworld.sim.expert import expert
    from pocketworld.sim.film import check
    from pocketworld.sim.training.policy import load_for

    asked = Asked.of(options)
    if record is not None:
        check(record)  # before anything is loaded
    run = None if run is None else world.run_of(folder, run)
    policy = expert if run is None else load_for(run, asked)
    who = "the expert" if run is None else f"the policy {run.name}"
    seen = "rgb_array" if record else None
    drawn = seen is not None or asked.pictures
    every = api.scenes_of(folder, name, visual=drawn)
    scenes, left = in_reach(every, asked.who(), "sim", tick=tick)
    environment = api.make_env(scenes, num_envs=envs, render_mode=seen, **options)
    tick(f"{who} works")
    with closing(environment):
        if record:
            done = trial.filmed(environment, record, policy, who=who, seed=seed)
        else:
            done = trial.run(environment, policy, who=who, seed=seed)
    lines = [done.text(), *([f"film: {record}"] if record else [])]
    missed = {f"{c.id} {id}": why for c in environment.worlds.cousins for id, why in c.missed.items()}
    found = _out_of_reach(folder.name, environment.worlds.robot.name, missed)
    data = done.to_json() | {"film": str(record) if record else None, "out_of_reach": missed}
    return Made(tuple(lines), data, (*left, *found))


def _out_of_reach(world: str, robot: str, missed: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return what is to be known of joints that a robot can't be asked for."""
    from pocketworld.sim.compiling.cousin import why

    text = f"{len(missed)} joints are out of the {robot}'s reach and were not asked for ({why(missed)})"
    return (Finding("out-of-reach", Severity.NOTE, "sim", world, text),) if missed else ()


def write_report(folder: Path) -> tuple[Path, tuple[Finding, ...]]:
    """Write report/index.html of a world; return it and the findings it shows."""
    with world.lock(folder):
        _summarise(folder)
        page = _report(folder)
    return page, world.findings_of(folder)


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
    stages = [world.run_stage(folder, "scan", inputs, options, code(BELOW["scan"]), assess)]
    tick("the twin is built")
    stages.append(world.run_stage(folder, "twin", inputs, options, code(BELOW["twin"]), build))
    _summarise(folder)
    return stages


def _mjcf(folder: Path) -> world.Stage:
    from pocketworld import scene_file
    from pocketworld.sim.models import mjcf

    def write(new: Path) -> tuple[Finding, ...]:
        mjcf.write(scene_file.load(folder / "twin"), new)
        return ()

    inputs = {"twin": world.digest(folder / "twin")}
    return world.run_stage(folder, "mjcf", inputs, {}, code(BELOW["mjcf"]), write)


def _report(folder: Path) -> Path:
    from pocketworld.review.report import gather, page

    with world.folder(folder / "report") as new:
        page.write(gather.gather(folder), new / "index.html")
    return folder / "report" / "index.html"


def _summarise(folder: Path) -> None:
    """Write world.json: what a world is made with and of, under which licence, and by which commands."""
    from pocketworld import scene_file

    made = (folder / "twin").is_dir()
    facts = {
        "pocketworld": __version__,
        "versions": world.versions(NUMERIC),
        "capture": dict(scene_file.load(folder / "twin", visual=False).provenance) if made else {},
        "commands": list(_commands(folder)),
    }
    world.summarise(folder, facts)


def _commands(folder: Path) -> Iterator[str]:
    """Give the commands that make a world again, in a folder where its capture and its specs lie."""
    place = quote(folder.name)
    made = world.options_of(folder)
    for stage, options in sorted(made.items(), key=lambda one: (one[0] != "twin", one[0])):
        if stage == "twin":
            chosen = f" --frames {quote(str(options['frames']))}" if options["frames"] else ""
            yield f"pocketworld run {quote(world.capture_of(folder))} -o {place}{chosen}"
        elif how := [f"--{key} {quote(str(options[key]))}" for key in ("preset", "spec") if key in options]:
            drawn = f"--count {options['count']} --seed {options['seed']}"
            yield f"pocketworld cousins {place} --name {quote(stage.split('/')[1])} {how[0]} {drawn}"


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
    what = said([name for name, kept in reused.items() if kept])
    return Made((*lines, *what), {"world": str(folder), "reused": reused, **data}, findings)


def said(kept: Sequence[str]) -> tuple[str, ...]:
    """Say which stages were not made again, if any."""
    return (f"kept, as nothing that they are made of has changed: {', '.join(kept)}",) if kept else ()


def code(rooms: Sequence[str]) -> dict[str, object]:
    """Return what stands in a stage's key for the code of the rooms that make it."""
    modules = [f"pocketworld.{name}" for name in rooms]
    return {"sources": world.sources(modules), "versions": world.versions(NUMERIC)}
