"""From a row of draws to a compiled model: the same numbers as ever, in little time."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import gc
import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.cousins import spec
from pocketworld.cousins.sequence import Cousins, make
from pocketworld.families import registry
from pocketworld.families.cylinder import Cylinder
from pocketworld.geometry.convex import BoxPiece
from pocketworld.scene import Scene
from pocketworld.sim.compiling.cousin import compile_cousin
from pocketworld.sim.models import mjcf

TIMES = 9  # what all of the set-up of a row of units may take, of what MuJoCo's own compiler takes: 6.3 here


@pytest.fixture(scope="module")
def kitchens(row_kitchen: Scene) -> Cousins:
    return make(row_kitchen, spec.preset("medium"), seed=0, count=3)


def test_a_models_boxes_and_hulls_are_the_scenes(kitchens: Cousins) -> None:
    """Each geom's size and place, read from the compiled model, to the digits that are written."""
    scene = kitchens[0]
    model = mjcf.document(scene, visual=False).compile()
    for asset in scene.assets:
        for part in asset.parts:
            body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, f"{asset.id}/{part.id}")
            own = np.flatnonzero(model.geom_bodyid == body)
            assert len(own) == len(part.pieces)
            for geom, piece in zip(own, part.pieces, strict=True):
                if isinstance(piece, BoxPiece):
                    assert 2 * model.geom_size[geom] == pytest.approx(piece.size, rel=1e-8, abs=1e-12)
                    assert model.geom_pos[geom] == pytest.approx(piece.centre, rel=1e-8, abs=1e-12)
                else:
                    assert hull(model, int(geom)) == pytest.approx(piece.vertices.mean(0), abs=2e-7)


def hull(model: mujoco.MjModel, geom: int) -> NDArray[np.float64]:
    """Return the mean of a mesh geom's vertices in its body's frame."""
    mesh = model.geom_dataid[geom]
    first = model.mesh_vertadr[mesh]
    points = model.mesh_vert[first : first + model.mesh_vertnum[mesh]].astype(float)
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, model.geom_quat[geom])
    return np.asarray((points @ turn.reshape(3, 3).T + model.geom_pos[geom]).mean(0))


def test_each_pair_of_parts_of_an_asset_is_told_apart(kitchens: Cousins) -> None:
    scene = kitchens[1]
    model = mjcf.document(scene, visual=False).compile()
    names = {
        (model.exclude_signature[i] >> 16, model.exclude_signature[i] & 0xFFFF) for i in range(model.nexclude)
    }
    for asset in scene.assets:
        bodies = [
            mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, f"{asset.id}/{p.id}") for p in asset.parts
        ]
        for a, b in combinations(sorted(bodies), 2):
            assert (a, b) in names


def test_eyes_change_nothing_but_what_is_seen(kitchens: Cousins) -> None:
    """Built with meshes and written for eyes, or bare: the same bodies, joints, collisions, keyframes."""
    scene = kitchens[2]
    seen, bare = (
        mjcf.document(s, visual=v).compile() for s, v in ((scene, True), (kitchens.bare()[2], False))
    )
    assert (seen.ncam, bare.ncam, seen.nlight > 0, bare.nlight) == (1, 0, True, 0)
    solid = np.flatnonzero(seen.geom_group != 2)
    for name in (
        "body_mass",
        "body_inertia",
        "body_ipos",
        "jnt_axis",
        "jnt_range",
        "dof_damping",
        "key_qpos",
    ):
        assert np.array_equal(getattr(seen, name), getattr(bare, name)), name
    for name in ("geom_size", "geom_pos", "geom_friction", "geom_contype", "geom_solref", "geom_bodyid"):
        assert np.array_equal(getattr(seen, name)[solid], getattr(bare, name)), name
    assert np.array_equal(seen.exclude_signature, bare.exclude_signature)


def test_signs_in_names_are_no_patterns() -> None:
    cup = registry.family("cylinder").build(Cylinder(0.05, 0.1, open=True), "cup")
    odd = replace(cup, id="100 %s {0} <&>")
    model, plain = (mjcf.document(Scene("s", (it,)), visual=False).compile() for it in (odd, cup))
    assert 1 < model.nmesh < len(cup.parts[0].pieces)  # its wall is one mesh, turned
    assert np.array_equal(model.geom_pos, plain.geom_pos)
    assert np.array_equal(model.mesh_vert, plain.mesh_vert)
    assert mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, f"{odd.id}/body") == 1
    assert mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_MESH, f"{odd.id}/body/0") == 0


def test_threads_change_no_model() -> None:
    """What is for eyes is compiled with threads, what is not without: the same bytes."""
    cup = registry.family("cylinder").build(Cylinder(0.05, 0.1, open=True), "cup")
    text = mjcf.document(Scene("s", (cup,)), visual=False).text
    assert text.count(' usethread="false"') == 1
    threads = mujoco.MjModel.from_xml_string(text.replace(' usethread="false"', ""))
    assert pickle.dumps(mujoco.MjModel.from_xml_string(text)) == pickle.dumps(threads)
    assert "usethread" not in mjcf.document(Scene("s", (cup,))).text


def test_nothing_is_written_as_minus_zero(kitchens: Cousins) -> None:
    text = mjcf.document(kitchens[0], visual=False).text.replace('"', " ")
    assert "-0" not in text.split()


@pytest.mark.slow
def test_set_up_takes_a_few_times_what_mujoco_takes(kitchens: Cousins) -> None:
    """CPU time, the least of several, so that other work on the machine does not count."""
    bare = kitchens.bare()
    texts = [mjcf.document(scene, visual=False) for scene in bare]

    def whole() -> None:
        for i in range(len(bare)):
            compile_cousin(bare[i])

    def mujocos() -> None:
        for text in texts:
            text.compile()

    assert least(whole) < TIMES * least(mujocos)


def least(work: Callable[[], Any], times: int = 15) -> float:
    """Return the least CPU time (s) of some work, in which no cycles are looked for."""
    gc.collect()
    gc.disable()
    try:
        out = []
        for _ in range(times):
            began = time.process_time()
            work()
            out.append(time.process_time() - began)
    finally:
        gc.enable()
    return min(out)
