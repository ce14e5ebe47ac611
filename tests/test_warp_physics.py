"""The batch on MuJoCo Warp's CPU device against C MuJoCo's own models; what happens when a world goes wrong.

One batch for all tests: the first run compiles its kernels (20 s of CPU), later ones find them in the user's
cache.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import logging
from copy import copy
from dataclasses import replace
from types import SimpleNamespace

import mujoco
import numpy as np
import pytest

from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError
from pocketworld.sim.arrays import Array
from pocketworld.sim.compiling.cousin import compile_cousin
from pocketworld.sim.physics import Group
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.warp import physics, upload
from pocketworld.sim.warp.accuracy import AWAY, Error, Record, Rig
from pocketworld.sim.warp.controls import CONTROLS, errors_with
from pocketworld.sim.warp.installed import LOG, chosen, library
from pocketworld.sim.warp.physics import Warp
from pocketworld.sim.warp.room import Room

COUNT = 16
# What one step may be off (m, rad), median and 99 %, by group; C MuJoCo's own motion is 1e-3.
MOST = {"joints": (1e-7, 2e-6), "hand": (1e-7, 5e-6), "things": (2e-5, 5e-4)}
WORSE = 10.0  # times what is measured, at least, with one thing wrong on purpose
# The groups in which what is wrong shows.
SHOWS = {"sizes": "hand", "mesh": "things", "statics": "hand", "boxes": "hand"}


@pytest.fixture(scope="module")
def cousins(warp_cousins: Cousins) -> Cousins:
    return warp_cousins


@pytest.fixture(scope="module")
def rig(cousins: Cousins) -> Rig:
    return Rig(cousins, "cpu")


@pytest.fixture(scope="module")
def record(rig: Rig) -> Record:
    return rig.run(160, 5)


@pytest.fixture(scope="module")
def measured(rig: Rig, record: Record) -> dict[str, Error]:
    return rig.errors(record)


def test_one_step_is_c_mujocos(record: Record, measured: dict[str, Error]) -> None:
    assert set(measured) == set(MOST)
    for group, (median, most) in MOST.items():
        assert measured[group].median <= median, (group, measured[group])
        assert measured[group].most <= most, (group, measured[group])
    moved = np.abs(record.after - record.qpos)[:, record.group == 0]
    assert np.median(moved) > 1e-4  # joints are in motion, or friction and damping would not show


@pytest.mark.parametrize("name", CONTROLS)
def test_what_is_wrong_on_purpose_shows(
    rig: Rig, record: Record, measured: dict[str, Error], name: str
) -> None:
    group = SHOWS.get(name, "joints")
    wrong = errors_with(rig, record, name)[group]
    good = measured[group]
    assert max(wrong.median / good.median, wrong.most / good.most) >= WORSE
    assert rig.errors(record) == measured  # all is as it was again


def test_joints_that_meet_nothing_run_as_c_mujocos(rig: Rig) -> None:
    alone, _ = rig.free(200)
    assert len(alone) > COUNT
    assert alone.max() <= 1e-5


def test_layouts_differ_in_the_batch(rig: Rig) -> None:
    assert len({len(side.cousin.targets) for side in rig.sides}) > 1
    assert len({tuple(row) for row in rig.warp.packed.rows["geom_dataid"]}) > 1


def start(rig: Rig, which: list[int] | None = None) -> Group:
    """Put environments to where everything is closed."""
    rows = np.arange(COUNT) if which is None else np.array(which)
    rig.warp.reset(rows, lambda group, r: group.qpos.__setitem__(r, group.start[r]), lambda group: None)
    return rig.warp.groups[0]


def idle(group: Group) -> None:
    """Neither write nor read."""


def test_state_is_shared_without_copies(rig: Rig) -> None:
    group = start(rig)
    d = rig.warp.data
    for view, array in ((group.qpos, d.qpos), (group.qvel, d.qvel), (group.ctrl, d.ctrl)):
        assert view.data_ptr() == array.ptr
    for view, array in (
        (group.site_xpos, d.site_xpos),
        (group.site_xmat, d.site_xmat),
        (group.xaxis, d.xaxis),
    ):
        assert view.data_ptr() == array.ptr
    assert group.site_xmat.shape == (COUNT, rig.warp.models[0].nsite, 9)


def test_places_are_those_of_c_mujoco_after_reset_and_after_steps(rig: Rig) -> None:
    group = start(rig)
    for _ in range(2):
        for i, side in enumerate(rig.sides):
            side.data.qpos[:] = rig.warp.qpos(i)
            mujoco.mj_kinematics(side.cousin.model, side.data)
            for mine, its in zip(side.cousin.targets, rig.placed[i].targets, strict=True):
                assert mine.id == its.id
                assert np.allclose(group.site_xpos[i, its.site], side.data.site_xpos[mine.site], atol=1e-5)
                turn = side.data.site_xmat[mine.site]
                assert np.allclose(group.site_xmat[i, its.site], turn, atol=1e-5)
                assert np.allclose(group.xanchor[i, its.joint], side.data.xanchor[mine.joint], atol=1e-5)
                assert np.allclose(group.xaxis[i, its.joint], side.data.xaxis[mine.joint], atol=1e-5)
        rig.warp.step(5, idle, idle)


def test_what_never_moves_stands_where_each_world_has_it(rig: Rig) -> None:
    start(rig, [0, 3])
    packed = rig.warp.packed
    poses = rig.warp.data.geom_xpos.numpy()[:, packed.static]
    assert np.allclose(poses, packed.places[:, packed.static], atol=1e-6)
    assert np.abs(poses - poses[:1]).max() > 0.01
    rig.warp.step(1, idle, idle)
    assert np.array_equal(rig.warp.data.geom_xpos.numpy()[:, packed.static], poses)


def test_a_reset_touches_only_its_worlds(rig: Rig) -> None:
    start(rig)
    rig.warp.step(20, idle, idle)
    before = [rig.warp.qpos(i) for i in range(COUNT)]
    start(rig, [2, 5])
    for i in range(COUNT):
        alone = compile_cousin(rig.scenes[i], Hand()).model.key("closed").qpos
        assert np.allclose(rig.warp.qpos(i), alone if i in (2, 5) else before[i], atol=1e-6)


def test_a_world_without_numbers_is_put_back_counted_and_named(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    group = start(rig)
    rig.warp.step(3, idle, idle)
    expected = group.qpos.numpy().copy()
    start(rig)
    counted = rig.warp.wild.clone()
    with caplog.at_level(logging.WARNING, LOG.name):
        group.qpos[4, 0] = float("nan")
        rig.warp.step(3, idle, idle)
    assert rig.warp.unstable().tolist() == [i == 4 for i in range(COUNT)]
    assert (rig.warp.wild - counted).tolist() == [int(i == 4) for i in range(COUNT)]
    assert "4 (medium/4)" in caplog.text
    assert np.isfinite(group.qpos.numpy()).all()
    others = np.arange(COUNT) != 4
    assert np.array_equal(group.qpos.numpy()[others], expected[others])
    start(rig, [4])
    assert not rig.warp.unstable().any()


def cramped(cousins: Cousins, room: Room) -> Warp:
    """Return a batch that has too little room, everything closed and the hand where nothing is."""
    _, warp = physics.make(cousins, COUNT, Hand(), "cpu")
    warp.close()
    warp.data = upload.data(warp.packed, COUNT, room)
    warp.groups = (warp._group(warp.packed, COUNT),)
    warp.reset(np.arange(COUNT), away, idle)
    return warp


def away(group: Group, rows: Array) -> None:
    """Put hands to where they touch nothing."""
    group.qpos[rows] = group.start[rows]
    for of in (group.qpos, group.ctrl):
        of[rows, -len(AWAY) :] = of.new_tensor(AWAY)


def test_constraints_that_do_not_fit_are_an_error_that_names_the_world(cousins: Cousins) -> None:
    warp = cramped(cousins, Room(contacts=64, rows=1))
    with pytest.raises(PocketworldError, match=r"environment \d+ \(cousin medium/\d+\): .*NEFC.* overflows"):
        warp.step(5, idle, idle)


def test_accuracy_is_not_told_of_steps_in_which_constraints_did_not_fit(
    cousins: Cousins, rig: Rig, record: Record
) -> None:
    """Contacts that were dropped would pass for what a step is off by."""
    small = copy(rig)
    small.warp = cramped(cousins, Room(contacts=64, rows=1))
    first = replace(record, qpos=record.qpos[:2])
    with pytest.raises(PocketworldError, match=r"\(cousin medium/\d+\): .*NEFC.* overflows"):
        small.steps(first)
    small.warp = cramped(cousins, Room(contacts=64, rows=1))
    with pytest.raises(PocketworldError, match=r"\(cousin medium/\d+\): .*NEFC.* overflows"):
        small.free(2)


def test_contacts_that_do_not_fit_are_an_error_that_names_the_fullest_world(cousins: Cousins) -> None:
    """All worlds share their room: the first one is not the one to blame."""
    warp = cramped(cousins, Room(contacts=6, rows=400))
    crowd = 5

    def hold(group: Group) -> None:
        # One world's things all stand in one place: its contacts are more than its share.
        group.qpos[crowd, -len(AWAY) - 14 : -len(AWAY) - 7] = group.qpos[crowd, -len(AWAY) - 7 : -len(AWAY)]
        group.qpos[crowd, -len(AWAY) :] = group.qpos.new_tensor([0.0, -8.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])

    said = r"share room for 96 contacts; \d+ of them are of environment 5 \(cousin medium/5\)"
    with pytest.raises(PocketworldError, match=said):
        warp.step(2, hold, idle)


def test_a_contact_too_deep_to_be_exact_is_counted_and_ends_nothing(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    start(rig)
    kinds = rig.warp.lib.mjw.OverflowType
    counted = rig.warp.coarse.clone()
    overflow = rig.warp.lib.wp.to_torch(rig.warp.data.overflow)
    overflow[3] = int(kinds.EPA_HORIZON) | int(kinds.ITERATIONS)
    with caplog.at_level(logging.WARNING, LOG.name):
        for _ in range(2):  # Warp tells it until the world is reset: it is heard once
            rig.warp.step(1, idle, idle)
    assert (rig.warp.coarse - counted).tolist() == [int(i == 3) for i in range(COUNT)]
    assert caplog.text.count("too deep to be exact: 3 (medium/3)") == 1


def test_one_substep_is_recorded_however_many_are_asked_for(rig: Rig) -> None:
    group = start(rig)
    for _ in range(2):
        rig.warp.step(3, idle, idle)
    six = group.qpos.clone()
    start(rig)
    rig.warp.step(6, idle, idle)
    assert np.array_equal(group.qpos.numpy(), six.numpy())
    assert set(rig.warp._graphs) <= {"substep", "places", "put back"}


def test_an_environment_alone_agrees_with_itself_among_others(rig: Rig) -> None:
    """Not to the bit: the form of worlds, and with it the order of sums, is the batch's."""
    group = start(rig)
    for i in (1, 6):
        _, alone = physics.make(rig.scenes[i : i + 1], 1, Hand(), "cpu")
        start(rig)
        rig.warp.reset(np.arange(COUNT), away, idle)
        alone.reset(np.arange(1), away, idle)
        rig.warp.step(50, idle, idle)
        alone.step(50, idle, idle)
        assert np.abs(alone.qpos(0) - rig.warp.qpos(i)).max() < 1e-4
    assert np.isfinite(group.qpos.numpy()).all()


def test_a_gpu_that_torch_cannot_use_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    lib = library()
    gpu = SimpleNamespace(alias="cuda:0")
    monkeypatch.setattr(lib.wp, "get_devices", lambda: [SimpleNamespace(alias="cpu"), gpu])
    monkeypatch.setattr(lib.torch.cuda, "is_available", lambda: False)
    assert chosen(None) == "cpu"
    with pytest.raises(PocketworldError, match=r"torch .* has no CUDA.*a torch built for CUDA"):
        chosen("cuda")
    monkeypatch.setattr(lib.torch.cuda, "is_available", lambda: True)
    assert chosen(None) == chosen("cuda") == "cuda:0"


def test_more_environments_than_cousins_share_rows(cousins: Cousins) -> None:
    placed, warp = physics.make(cousins, COUNT + 2, Hand(), "cpu")
    assert [cousin.id for cousin in placed[-2:]] == list(cousins.ids[:2])
    (group,) = warp.groups
    everywhere = np.arange(COUNT + 2)
    warp.reset(everywhere, lambda group, r: group.qpos.__setitem__(r, group.start[r]), idle)
    warp.step(10, idle, idle)
    assert np.array_equal(group.qpos[-2:].numpy(), group.qpos[:2].numpy())
    assert np.array_equal(warp.data.geom_xpos.numpy()[-2:], warp.data.geom_xpos.numpy()[:2])


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(PocketworldError, match=r"there is no device 'cuda:7'.*there are: cpu"):
        chosen("cuda:7")
    assert chosen("cpu") == "cpu"


def test_one_twin_a_batch(cousins: Cousins) -> None:
    other = replace(cousins[1], assets=cousins[1].assets[:2])
    with pytest.raises(PocketworldError, match="one batch holds cousins of one twin"):
        physics.make([cousins[0], other], 2, Hand(), "cpu")
