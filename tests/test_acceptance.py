"""What the first release promises of the real pedestal's world, its cousins and its environments."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import math
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import mujoco
import numpy as np
import pytest

from pocketworld import api, scene_file
from pocketworld.cost import metered
from pocketworld.cousins.sequence import Cousins
from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, fronts, layout
from pocketworld.geometry.convex import BoxPiece
from pocketworld.geometry.sweep import clean, sweep
from pocketworld.scene import Asset, Scene
from pocketworld.sim import trial
from pocketworld.sim.models.stability import drop, stand, stand_alone

TILT = math.radians(2)
COUNT = 64


@pytest.fixture(scope="module")
def twin(pedestal_world: Path) -> Scene:
    return scene_file.load(pedestal_world / "twin", visual=False)


@pytest.fixture(scope="module")
def medium(twin: Scene) -> Cousins:
    return api.make_cousins(twin, "medium", seed=0, count=COUNT)


def test_every_joint_of_the_twin_sweeps_clean_and_a_wide_drawer_does_not(twin: Scene) -> None:
    (asset,) = twin.assets
    assert sweep(asset) == ()
    for joint in asset.movable:
        assert not clean(widened(asset, joint.child, 0.004))


def widened(asset: Asset, drawer: str, by: float) -> Asset:
    """Return the asset with one drawer's box too wide: its sides pushed apart."""

    def wider(piece: BoxPiece) -> BoxPiece:
        x, y, z = piece.centre
        upright = piece.size[0] < min(piece.size[1], piece.size[2])
        return replace(piece, centre=(x + math.copysign(by / 2, x), y, z)) if upright and x else piece

    parts = tuple(
        replace(p, pieces=tuple(wider(q) if isinstance(q, BoxPiece) else q for q in p.pieces))
        if p.id == drawer
        else p
        for p in asset.parts
    )
    return replace(asset, parts=parts)


def test_a_ball_dropped_into_an_open_drawer_lies_in_it(twin: Scene) -> None:
    for asset, joint in twin.joints():
        assert drop(twin, f"{asset.id}/{joint.id}").inside


@pytest.mark.slow
@pytest.mark.parametrize("tilt", [0.0, TILT])
def test_the_world_stands_for_half_a_minute(pedestal_world: Path, tilt: float) -> None:
    model = mujoco.MjModel.from_xml_path(str(pedestal_world / "mjcf" / "scene.xml"))
    standing = stand(model, seconds=30, tilt=tilt)
    assert standing.moved_m <= 1e-3
    assert standing.turned_rad <= math.radians(0.2)
    assert standing.deepest_contact_m <= 0.5e-3
    assert standing.opened == ()


def test_cousins_differ_as_promised(medium: Cousins, twin: Scene) -> None:
    scenes = list(medium)
    grids = [grid_of(scene) for scene in scenes]
    widths = np.array([p.width for p in grids])
    assert widths.std() / widths.mean() >= 0.08
    assert len({layout(p.grid) for p in grids}) >= 8
    kinds = {front.handle.kind for p in grids for _, front in fronts(p.grid)}
    asked = set(medium.spec.spread("cabinet").choices["handle"])
    assert {str(kind) for kind in kinds} >= asked
    refused = sum(len(drawn.refused) for drawn in medium.drawn)
    assert refused / (refused + COUNT) <= 0.2


def grid_of(scene: Scene) -> Cabinet:
    p = registry.rebuild(scene.assets[0])
    assert isinstance(p, Cabinet)
    return p


@pytest.mark.slow
def test_all_cousins_are_compiled_stood_and_swept_in_two_minutes(medium: Cousins) -> None:
    scenes = list(medium)
    with metered() as cost, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        stood = list(pool.map(stand_alone, scenes))
    assert cost().seconds < 120
    assert all(standing.still for standing in stood)
    assert all(sweep(scene.assets[0]) == () for scene in scenes)


@pytest.mark.slow
def test_at_twin_cousins_are_as_sure_as_the_belief(twin: Scene) -> None:
    (asset,) = twin.assets
    cousins = api.make_cousins(twin, "twin", seed=0, count=200)
    seen = Counter((joint.id, str(joint.kind)) for scene in cousins for joint in scene.assets[0].joints)
    for joint in asset.joints:
        for kind in {h.kind for h in joint.belief.hypotheses}:
            p = joint.belief.p(kind)
            off = abs(seen[joint.id, str(kind)] / 200 - p)
            assert off <= 4 * math.sqrt(max(p * (1 - p), 1 / 200) / 200), (joint.id, kind)


@pytest.mark.slow
def test_the_expert_opens_almost_every_joint_of_256_cousins(twin: Scene) -> None:
    cousins = api.make_cousins(twin, "medium", seed=0, count=256)
    done = trial.open_each(list(cousins))
    assert len(done.asked) == sum(1 for scene in cousins for _ in scene.joints())
    assert done.share >= 0.95
    assert done.unstable == 0
