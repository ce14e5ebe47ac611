"""The first look: a drawn kitchen is scanned, becomes a twin, cousins, a film and a report."""

from pathlib import Path

from pocketworld import workflow, world
from pocketworld.api import Tick
from pocketworld.findings import Finding
from pocketworld.workflow import Made

KITCHEN = "kitchen"  # what the capture is called
# The source of these makes the capture: it is drawn again when one of them changes.
BELOW = (*workflow.KERNEL, "scan", "sim", "bench")


def demo(folder: Path, seed: int, count: int, tick: Tick) -> Made:
    """Walk a virtual phone through a drawn kitchen; make its world, cousins, a film, and the report."""
    place, film = folder / "demo.world", folder / "demo.mp4"
    world.create(folder)
    with world.lock(folder):
        tick("a kitchen is drawn, a phone walks through it")
        drawn = _drawn(folder, seed)
        capture = drawn.folder / KITCHEN
        world.clear_of_others(place, world.digest(capture))  # the demo of another seed was here
        made = workflow.run(capture, place, None, tick)
        cousins = workflow.run_cousins(place, None, "medium", None, seed, count, 1, tick)
        filmed = workflow.run_sim(place, None, count, seed, film, tick)
        tick("report")
        page, findings = workflow.write_report(place)
    kept = [*(["drawn"] if drawn.reused else []), *made.kept, *cousins.kept]
    lines = (*made.lines[:2], filmed.lines[0], f"film: {film}", f"report: {page}", *workflow.said(kept))
    truth = str(drawn.folder / f"{KITCHEN}_truth.json")
    data = made.to_json() | {"truth": truth, "sim": filmed.to_json(), "report": str(page)}
    return Made(lines, data, findings)


def _drawn(folder: Path, seed: int) -> world.Stage:
    """Make drawn/: the capture of a drawn kitchen, and its truth beside it."""
    from pocketworld.bench import phone

    def walk(new: Path) -> tuple[Finding, ...]:
        phone.render_kitchen(new / KITCHEN, seed)
        return ()

    return world.run_stage(folder, "drawn", {}, {"seed": seed}, workflow.code(BELOW), walk)
