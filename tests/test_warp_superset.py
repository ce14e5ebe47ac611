"""The form that all cousins share: what a cousin lacks is there, and changes nothing."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import gc
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.cousins.sequence import Cousins, make
from pocketworld.cousins.spec import preset
from pocketworld.errors import PocketworldError
from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.cylinder import CylinderFamily
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import Base, Pose, Scene
from pocketworld.sim import memory
from pocketworld.sim.compiling.cousin import compile_cousin
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots.hand import JOINTS, Hand, hand
from pocketworld.sim.robots.robot import Fitted
from pocketworld.sim.warp import compiled as compiling
from pocketworld.sim.warp import superset
from pocketworld.sim.warp.compiled import bare, compiled, order
from pocketworld.sim.warp.packed import own_bytes, pack, world
from pocketworld.sim.warp.pool import Pool, mesh_names, places_of, text_of
from pocketworld.sim.warp.room import GRIP, ROWS, Room, at_rest, begin, met
from pocketworld.sim.warp.slots import Pieces, Slots, flat, slots
from pocketworld.sim.warp.superset import NEVER, PARKED, SPARE, Superset, content, name_of, padded

Array = NDArray[np.float64]


def twin(free: bool = False) -> Scene:
    """Return a cabinet (free to move or not), a box and a cylinder that stand on the floor."""
    cabinet = build(sample(partial(stream, 3, "warp"), Site((1.2, 0.6, 1.2))), "cab")
    box = BoxFamily().build(Box(0.2, 0.15, 0.1), "box")
    family = CylinderFamily()
    can = family.build(family.sample(partial(stream, 1, "can"), Site((0.2, 0.2, 0.3))), "can")
    cabinet = replace(cabinet, base=Base.FREE if free else Base.FIXED)
    aside = (replace(box, pose=Pose((1.2, -0.5, 0.001))), replace(can, pose=Pose((-1.2, -0.5, 0.001))))
    return Scene("s", (cabinet, *aside))


@pytest.fixture(scope="module")
def cousins() -> Cousins:
    return make(twin(), preset("far"), count=12)


def document(scene: Scene) -> mjcf.Document:
    return mjcf.document(scene, visual=False, extra=hand())


def joint_starts(model: mujoco.MjModel, kind: str) -> dict[str, int]:
    return {model.joint(j).name: int(getattr(model.joint(j), kind)[0]) for j in range(model.njnt)}


def gap(scene: Scene, room: Superset, pushed: str = "") -> tuple[float, float]:
    """Return how far a padded model comes from the scene's own, both pushed alike for 150 steps; and how far
    its absent parts move.
    """
    alone = document(scene).compile()
    model = text_of(padded(document(scene), scene, room), {}).compile()
    qpos, dof = order(model, scene, Hand())
    mine, its = mujoco.MjData(alone), mujoco.MjData(model)
    mine.qpos[:], its.qpos[:] = alone.key("closed").qpos, model.key("closed").qpos
    assert np.array_equal(mine.qpos, its.qpos[qpos])
    mine.qpos[-len(JOINTS)] = its.qpos[-len(JOINTS)] = 4.0  # m: away from what the hand would be inside of
    pushed_dofs = np.array([alone.joint(int(j)).name.startswith(pushed) for j in alone.dof_jntid])
    mine.qvel[:] = its.qvel[dof] = stream(0, "push").uniform(-0.5, 0.5, alone.nv) * pushed_dofs
    for _ in range(150):
        mujoco.mj_step(alone, mine)
        mujoco.mj_step(model, its)
    absent = np.setdiff1d(np.arange(model.nq), qpos)
    drift = np.abs(its.qpos[absent]).max(initial=0)
    return float(np.abs(mine.qpos - its.qpos[qpos]).max()), float(drift)


def test_what_a_cousin_lacks_changes_nothing(cousins: Cousins) -> None:
    room = Superset.around(cousins)
    layouts = {slots(scene.assets[0]) for scene in cousins}
    assert len(layouts) > 4
    assert room.slots["cab"] not in layouts
    gaps, drifts = zip(*(gap(scene, room) for scene in cousins), strict=True)
    assert max(gaps) < 1e-9  # 1e-12 measured
    assert max(drifts) == 0


def test_what_a_cousin_lacks_is_no_constraint(cousins: Cousins) -> None:
    """A joint near its stop, or with friction, is one: the solver then ends elsewhere, 1e-6 off a step."""
    room, seen = Superset.around(cousins), 0
    for scene in cousins:
        alone = document(scene).compile()
        model = text_of(padded(document(scene), scene, room), {}).compile()
        counts = []
        for one in (alone, model):
            data = mujoco.MjData(one)
            mujoco.mj_resetDataKeyframe(one, data, 0)
            mujoco.mj_forward(one, data)
            counts.append(np.bincount(data.efc_type, minlength=8).tolist())
        assert counts[0] == counts[1]
        qpos, _ = order(model, scene, Hand())
        absent = np.isin(model.jnt_qposadr, np.setdiff1d(np.arange(model.nq), qpos))
        assert (np.abs(model.jnt_range[absent]) > 0.1).all()  # m, rad: further than it drifts
        seen += int(absent.sum())
    assert seen > 0


def test_absent_parts_weigh_nothing_in_what_is_free_to_move(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = twin(free=True)
    room = Superset.around([scene])
    own = room.slots["cab"]
    assert own is not None
    more = replace(own, slides=own.slides + 2, hinges=own.hinges + 1, hinge=own.hinge | Pieces(3, 1))
    wider = Superset({**room.slots, "cab": more})
    light, _ = gap(scene, wider, "cab/0")  # not nothing: MuJoCo's solver stops elsewhere, contacts amplify it
    monkeypatch.setitem(superset.MASSLESS, "mass", "1")
    monkeypatch.setitem(superset.MASSLESS, "diaginertia", "0.01 0.01 0.01")
    assert light < 1e-4
    assert gap(scene, wider, "cab/0")[0] > 10 * light


def test_absent_geoms_are_far_away_but_those_of_what_is_free(cousins: Cousins) -> None:
    """Far from their body they would be a part of what moves that is swung a kilometre about."""
    for free in (False, True):
        scene = twin(free=free)
        own = Superset.around([scene]).slots["cab"]
        assert own is not None
        root = Pieces(own.root.boxes + 2, own.root.hulls + 1)
        more = replace(own, root=root, slides=own.slides + 2, slide=own.slide | Pieces(2, 1))
        wider = Superset({**Superset.around([scene]).slots, "cab": more})
        made = padded(document(scene), scene, wider)
        places = [geom.get("pos") for geom in made.iter("geom") if geom.get("margin") == NEVER]
        assert len(places) >= 3 + 2 * 3
        assert set(places) == {None if free else PARKED}


def test_an_absent_geom_that_could_touch_would_be_seen(cousins: Cousins) -> None:
    """The margin is what keeps absent geoms apart: without it, they hold what they overlap."""
    scene, room = cousins[0], Superset.around(cousins)
    root = padded(document(scene), scene, room)
    absent = [geom for geom in root.iter("geom") if geom.get("margin")]
    assert absent

    def contacts() -> int:
        model = text_of(root, {}).compile()
        data = mujoco.MjData(model)
        mujoco.mj_resetDataKeyframe(model, data, 0)
        mujoco.mj_forward(model, data)
        return int(data.ncon)

    cabinet, box = scene.assets[0].pose, scene.assets[1].pose
    inside = (np.linalg.inv(cabinet.matrix) @ [*box.position, 1.0])[:3]
    for geom in absent:
        geom.set("pos", mjcf.row(inside))
    crowded = contacts()
    for geom in absent:
        geom.attrib.pop("margin", None)  # equal ones are one element
    assert contacts() > crowded == document_contacts(scene)


def document_contacts(scene: Scene) -> int:
    model = document(scene).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    mujoco.mj_forward(model, data)
    return int(data.ncon)


def test_slots_of_two_hold_either_and_say_what_they_lack() -> None:
    one = Slots(Pieces(4, 0), 2, Pieces(5, 1), 0, Pieces(), 1, Pieces(1))
    other = Slots(Pieces(2, 3), 0, Pieces(), 1, Pieces(2), 0, Pieces())
    both = one | other
    assert both == other | one
    assert both | one == both
    assert not both.lacking(one)
    assert not both.lacking(other)
    assert one.lacking(other) == "3 hulls of its root, of 0"
    assert other.lacking(one) == "4 boxes of its root, of 2"
    assert replace(both, slides=1).lacking(one) == "2 slides, of 1"


def test_slots_count_an_assets_parts(cousins: Cousins) -> None:
    for scene in cousins:
        asset = scene.assets[0]
        found = slots(asset)
        assert flat(asset)
        assert found.slides + found.hinges + found.fixed == len(asset.joints)
        pieces = sum(len(part.pieces) for part in asset.parts[1:])
        parts = ((found.slides, found.slide), (found.hinges, found.hinge), (found.fixed, found.panel))
        assert pieces <= sum(n * (of.boxes + of.hulls) for n, of in parts)


def test_one_spec_has_one_form_whoever_is_in_the_batch(cousins: Cousins) -> None:
    mine, again = (Superset.of(cousins.twin, cousins.spec) for _ in range(2))
    assert mine == again
    common = [scene for scene in cousins if not mine.slots["cab"].lacking(slots(scene.assets[0]))]  # type: ignore[union-attr]
    assert len(common) >= len(cousins) * 3 / 4
    assert (mine | Superset.around(common)) == mine


def models(scenes: Sequence[Scene]) -> tuple[Pool, list[mujoco.MjModel], mujoco.MjModel]:
    room, pool = Superset.around(scenes), Pool()
    roots = [padded(document(scene), scene, room) for scene in scenes]
    for root in roots:
        pool.add(root)
    return pool, [text_of(root, {}).compile() for root in roots], pool.base(roots[0], {})


def corners(model: mujoco.MjModel, mesh: int) -> Array:
    first = model.mesh_vertadr[mesh]
    found: Array = model.mesh_vert[first : first + model.mesh_vertnum[mesh]]
    return found


def test_every_geom_finds_its_mesh_in_the_pool(cousins: Cousins) -> None:
    _, made, base = models(cousins)
    assert list(mesh_names(base)) == sorted(mesh_names(base))
    assert content(SPARE) in mesh_names(base)
    seen = 0
    for model in made:
        place = {name: i for i, name in enumerate(mesh_names(base))}
        ids = places_of(mesh_names(model), place)[model.geom_dataid]
        assert np.array_equal(ids < 0, model.geom_dataid < 0)
        for own, pooled in zip(model.geom_dataid, ids, strict=True):
            if own >= 0:
                (a, n), (b, m) = (
                    (x.mesh_vertadr[i], x.mesh_vertnum[i]) for x, i in ((model, own), (base, pooled))
                )
                assert np.array_equal(model.mesh_vert[a : a + n], base.mesh_vert[b : b + m])
                seen += 1
    assert seen > len(made)


def test_rows_are_what_each_model_says(cousins: Cousins) -> None:
    _, made, base = models(cousins)
    packed = pack(base, [world(name_of(s), m) for s, m in zip(cousins, made, strict=True)])
    assert packed.ids == cousins.ids
    assert {"geom_size", "geom_dataid", "body_mass", "dof_frictionloss", "jnt_range"} <= set(packed.rows)
    for name, rows in packed.rows.items():
        if name != "geom_dataid":
            for model, row in zip(made, rows, strict=True):
                assert np.array_equal(np.asarray(getattr(model, name), row.dtype), row)
    assert packed.static.sum() > 1
    assert np.abs(packed.places[:, packed.static] - packed.places[:1, packed.static]).max() > 0.01


def test_a_pack_changes_no_world_and_equal_rows_take_no_memory(cousins: Cousins) -> None:
    _, made, base = models(cousins[:4])
    first = world("far/0", made[0])
    worlds = [first, *(world(f"far/{i}", m, first) for i, m in enumerate(made[1:], 1))]
    one, again = pack(base, worlds), pack(base, worlds)
    assert np.array_equal(one.rows["geom_dataid"], again.rows["geom_dataid"])
    assert np.array_equal(first.rows["geom_dataid"], made[0].geom_dataid)
    assert worlds[1].rows["geom_condim"] is first.rows["geom_condim"] if "geom_condim" in first.rows else True
    assert not worlds[1].fixed
    whole = sum(row.nbytes for row in worlds[1].rows.values())
    assert (
        0
        < own_bytes(first, worlds[1])
        < whole + sum(of.nbytes for of in (first.start, first.places, first.turns))
    )
    made[2].geom_condim[3] = 6
    with pytest.raises(PocketworldError, match="far/2: its geom_condim is not that of far/0"):
        world("far/2", made[2], first)


class Counting(Hand):
    """A hand that counts how often it is placed, and in how many scenes at once it stands."""

    placed: ClassVar[list[str]] = []

    def fitted(self, scene: Scene) -> Fitted:
        self.placed.append(name_of(scene))
        return super().fitted(scene)


def test_a_robot_is_placed_once_a_cousin(cousins: Cousins) -> None:
    compiled(cousins, 3, Counting())
    assert Counting.placed == list(cousins.ids[:3])


def test_scenes_are_let_go_as_they_are_compiled(cousins: Cousins, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[int] = []

    def noted(scene: Scene) -> Scene:
        gc.collect()
        alive.append(sum(type(one) is Scene for one in gc.get_objects()))
        return bare(scene)

    monkeypatch.setattr(compiling, "bare", noted)
    compiled(cousins, 3, Hand())
    assert len(alive) == 2 * 3
    assert max(alive) - alive[0] <= 1


def test_more_cousins_than_memory_are_refused_after_the_second(
    cousins: Cousins, monkeypatch: pytest.MonkeyPatch
) -> None:
    Counting.placed.clear()
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(PocketworldError, match="12 different cousins in one batch need about"):
        compiled(cousins, 12, Counting())
    assert len(Counting.placed) == 2


def test_room_is_measured_where_hands_hold_and_not_in_the_floor(cousins: Cousins) -> None:
    cousin = compile_cousin(cousins[0])
    rest, moving = at_rest(cousin, Hand()), met(cousin, Hand())
    data = mujoco.MjData(cousin.model)
    mujoco.mj_resetDataKeyframe(cousin.model, data, 0)
    begin(cousin, Hand(), data, cousin.targets[0], 0.0, held=False)
    for _ in range(5):
        mujoco.mj_step(cousin.model, data)
        bodies = cousin.model.geom_bodyid[data.contact.geom[: data.ncon]]
        assert not any(cousin.model.body(b).name.startswith("hand") for b in bodies.ravel())
    mujoco.mj_resetDataKeyframe(cousin.model, data, 0)
    begin(cousin, Hand(), data, cousin.targets[0], 0.5, held=True)
    for _ in range(30):
        mujoco.mj_step(cousin.model, data)
    bodies = cousin.model.geom_bodyid[data.contact.geom[: data.ncon]]
    assert any(cousin.model.body(b).name.startswith("hand") for b in bodies.ravel())
    assert moving.rows > rest.rows
    assert moving.contacts >= rest.contacts


def test_spare_room_is_more_than_what_was_met() -> None:
    room = Room(10, 50)
    assert room.with_spare() == Room(2 * 10 + GRIP, 2 * 50 + GRIP * ROWS)
    assert room.beyond(Room(4, 60)) == Room(6, 0)
    assert Room(4, 60) + room.beyond(Room(4, 60)) == Room(10, 60)
    assert Room(4, 60) | room == Room(10, 60)


def test_another_structure_is_refused_and_named(cousins: Cousins) -> None:
    _, made, base = models(cousins[:2])
    worlds = [world(name_of(s), m) for s, m in zip(cousins, made, strict=False)]
    made[1].geom_condim[3] = 6
    with pytest.raises(PocketworldError, match="far/1: its geom_condim is not that of far/0"):
        pack(base, [worlds[0], world("far/1", made[1])])


def test_a_cousin_that_does_not_fit_is_named_with_what_it_lacks(cousins: Cousins) -> None:
    ordered = sorted(cousins, key=lambda scene: len(scene.assets[0].joints))
    small = Superset.around(ordered[:1])
    with pytest.raises(PocketworldError, match=rf"cousin {name_of(ordered[-1])}: cab has \d+ "):
        padded(document(ordered[-1]), ordered[-1], small)
    fewer = replace(ordered[0], assets=ordered[0].assets[:2])
    with pytest.raises(PocketworldError, match="can is not in all scenes"):
        padded(document(fewer), fewer, Superset.around(cousins))


def test_fixed_furniture_meets_things_and_hands_but_no_furniture(cousins: Cousins) -> None:
    scene = cousins[0]
    model = text_of(padded(document(scene), scene, Superset.around(cousins)), {}).compile()
    bodies = [model.body(model.geom_bodyid[g]).name.partition("/")[0] for g in range(model.ngeom)]

    def meets(a: str, b: str) -> bool:
        g, h = bodies.index(a), bodies.index(b)
        one = int(model.geom_contype[g]) & int(model.geom_conaffinity[h])
        return bool(one | (int(model.geom_contype[h]) & int(model.geom_conaffinity[g])))

    assert not meets("cab", "cab")
    assert meets("cab", "box")
    assert meets("cab", "hand")
    assert meets("box", "can")
    pairs = [(int(pair) >> 16, int(pair) & 0xFFFF) for pair in model.exclude_signature]
    assert {model.body(b).name for pair in pairs for b in pair} == {"hand/left", "hand/right"}


def test_scenes_are_kept_without_what_only_eyes_need(cousins: Cousins) -> None:
    scene = cousins[0]
    light = bare(scene)
    assert not any(part.meshes for asset in light.assets for part in asset.parts)
    assert document(light).text == document(scene).text


def test_places_of_a_scene_in_the_common_form(cousins: Cousins) -> None:
    room = Superset.around(cousins)
    for scene in cousins[:4]:
        alone = document(scene).compile()
        model = text_of(padded(document(scene), scene, room), {}).compile()
        qpos, dof = order(model, scene, Hand())
        for kind, places in (("qposadr", qpos), ("dofadr", dof)):
            own, common = joint_starts(alone, kind), joint_starts(model, kind)
            assert all(places[at] == common[name] for name, at in own.items())
        assert set(JOINTS) <= set(joint_starts(model, "qposadr"))
