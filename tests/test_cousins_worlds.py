"""Cousins of whole rooms: the real kitchenette, and the kitchen of our own that `pocketworld demo` shows."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pocketworld.bench.phone import render_kitchen
from pocketworld.cousins import spec as specs
from pocketworld.cousins.draw import Drawn, plain
from pocketworld.cousins.rows import applied
from pocketworld.cousins.sequence import Cousins, make
from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, Chance, fronts, layout
from pocketworld.geometry.sweep import sweep
from pocketworld.reconstruct.twin import reconstruct
from pocketworld.scan import readers
from pocketworld.scene import Asset, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import DEPTH, stand

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
EXAMPLE = Path(__file__).parents[1] / "examples" / "kitchenette"
DRAWS, FEW = 1000, 5  # what is expected fewer times is counted with the rarest that is not
CHANCE = 1e-3  # of a red test where all is well


@pytest.fixture(scope="module", params=["kitchenette", "demo"])
def twin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    if request.param == "kitchenette":
        return reconstruct(readers.read(EXAMPLE)).scene
    capture, _ = render_kitchen(tmp_path_factory.mktemp("demo") / "capture", 0)
    return reconstruct(readers.read(capture)).scene


@pytest.fixture(scope="module")
def cousins(twin: Scene) -> Cousins:
    return make(twin, specs.preset("medium"), seed=0, count=64, workers=2)


def cabinets(twin: Scene, drawn: Drawn) -> dict[str, Cabinet]:
    """Return the parameters of a cousin's cabinets: nothing is built."""
    out = {}
    for asset in (a for a in twin.assets if a.family == "cabinet"):
        start = f"{asset.id}/"
        rows = {r.path.removeprefix(start): r.value for r in drawn.rows if r.path.startswith(start)}
        data = applied(plain(asset), rows)
        assert isinstance(data, dict)
        out[asset.id] = registry.from_json("cabinet", data["parameters"])
    return out


def options(asset: Asset) -> list[tuple[float, Cabinet]]:
    """Return what a cabinet of the twin may be."""
    found = asset.alternatives or ((1.0, asset.parameters),)
    return [(p, registry.from_json("cabinet", q)) for p, q in found]


def deviation(seen: Counter[object], expected: Counter[object]) -> tuple[float, int]:
    """Return chi-square and its degrees of freedom; what is rare is counted together."""
    often = [which for which, n in expected.most_common() if n >= FEW]
    want, have = [expected[which] for which in often], [seen[which] for which in often]
    if len(often) < 2:
        return 0.0, 0
    want[-1] += expected.total() - sum(want)
    have[-1] += seen.total() - sum(have)
    return float(((np.array(have) - want) ** 2 / want).sum()), len(often) - 1


def tables(twin: Scene, drawn: Sequence[Drawn]) -> list[tuple[Counter[object], Counter[object]]]:
    """Return how often each front came out as what, and how often the belief has it so.

    A front is its cabinet and its path; those of other layouts are other fronts, expected as often as these.
    """
    seen: dict[object, Counter[object]] = {}
    expected: dict[object, Counter[object]] = {}
    every = [cabinets(twin, one) for one in drawn]
    for asset in (a for a in twin.assets if a.family == "cabinet"):
        for p, made in options(asset):
            for path, front in fronts(made.grid):
                may = front.chances or (Chance(front.kind, front.side, 1.0),)
                table = expected.setdefault((asset.id, path), Counter())
                table.update({(c.kind, c.side): p * c.p * len(drawn) for c in may})
        for one in every:
            for path, front in fronts(one[asset.id].grid):
                seen.setdefault((asset.id, path), Counter())[front.kind, front.side] += 1
    for which, table in expected.items():
        table["no such front"] = len(drawn) - table.total()
        seen.setdefault(which, Counter())["no such front"] = len(drawn) - seen[which].total()
    return [(seen[which], expected[which]) for which in expected]


def test_kinds_and_hinge_sides_follow_the_belief(twin: Scene) -> None:
    drawn = make(twin, specs.preset("twin"), seed=0, count=DRAWS, workers=2).drawn
    found = [deviation(*both) for both in tables(twin, drawn)]
    freedom = sum(more for _, more in found)
    assert freedom >= 10
    assert stats.chi2.sf(sum(value for value, _ in found), freedom) > CHANCE, found


def test_few_draws_are_refused_and_layouts_differ(twin: Scene, cousins: Cousins) -> None:
    refused = sum(len(one.refused) for one in cousins.drawn)
    assert refused <= 0.2 * (len(cousins) * len(twin.assets) + refused)
    layouts = {tuple(layout(p.grid) for p in cabinets(twin, one).values()) for one in cousins.drawn}
    assert len(layouts) >= 32


def test_nothing_is_stuck_in_anything_nor_opens_into_itself(cousins: Cousins) -> None:
    for scene in cousins:
        found = stand(mjcf.document(scene, visual=False).compile(), seconds=0.002)
        assert found.deepest_contact_m <= DEPTH, scene.name
        assert not any(sweep(asset) for asset in scene.assets if asset.movable), scene.name
