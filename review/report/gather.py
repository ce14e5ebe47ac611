"""What the page shows of a world folder, read from its stages; a stage that is missing is left out."""

import json
from pathlib import Path
from shlex import quote

import numpy as np
from PIL import Image

from pocketworld import scene_file, world
from pocketworld.cousins import table
from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import WorldError
from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct import record
from pocketworld.review.report.page import ReportData
from pocketworld.review.report.scan_facts import ScanFacts, scan_facts
from pocketworld.scene import Scene


def gather(folder: Path) -> ReportData:
    """Read a world. Raises WorldError where it has no twin, or where something in it is damaged."""
    twin = scene_file.load(folder / "twin")
    with world.undamaged(folder / world.SUMMARY):
        summary = json.loads((folder / world.SUMMARY).read_text())
        versions = {"pocketworld": str(summary["pocketworld"]), **summary["versions"]}
        made = tuple(map(str, summary.get("commands", ())))
    sets = [_set(place, twin) for place in _cousins(folder)]
    return ReportData(
        name=twin.name,
        scene=twin,
        scan=_scan(folder / "scan"),
        surface=record.load_surface(folder / "twin"),
        elevations=record.load_elevations(folder / "twin"),
        cousins=tuple(cousins for cousins, _ in sets if cousins is not None),
        findings=(*world.findings_of(folder), *(finding for _, finding in sets if finding is not None)),
        costs=world.costs_of(folder),
        licence=twin.provenance.get("licence"),
        versions=versions,
        made=made,
        commands=_commands(folder),
    )


def _scan(folder: Path) -> ScanFacts | None:
    file, picture = folder / "quality.json", folder / "coverage.png"
    if not file.is_file():
        return None
    plan = None
    if picture.is_file():
        with world.undamaged(picture), Image.open(picture) as image:
            plan = np.asarray(image.convert("RGB"), np.uint8)
    with world.undamaged(file):
        return scan_facts(json.loads(file.read_text()), plan)


def _set(place: Path, twin: Scene) -> tuple[Cousins | None, Finding | None]:
    """Read a set of cousins; one that can't be read, as those of an older twin, is a finding."""
    try:
        return table.load(place, twin), None
    except WorldError as error:
        text = f"these cousins are left out: {error}"
        return None, Finding("cousins-unread", Severity.DEGRADED, "cousins", place.name, text)


def _cousins(folder: Path) -> list[Path]:
    return sorted(file.parent for file in folder.glob("cousins/[!.]*/draws.parquet"))


def _commands(folder: Path) -> tuple[str, ...]:
    """Return what one may type next."""
    place, model = quote(str(folder)), quote(str(folder / "mjcf" / "scene.xml"))
    names = [quote(found.name) for found in _cousins(folder)]
    step = [f"pocketworld sim {place} --name {name} --record {name}.mp4" for name in names]
    return (f"python -m mujoco.viewer --mjcf={model}", f"pocketworld cousins {place}", *step)
