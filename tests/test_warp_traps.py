"""What MuJoCo Warp does without a word, each with what keeps it from mattering here.

One batch for all tests, of the form that the other tests of the backend compile.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError
from pocketworld.sim.arrays import Array
from pocketworld.sim.compiling.cousin import compile_cousin
from pocketworld.sim.models.mjcf import FURNITURE
from pocketworld.sim.physics import Group
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.warp import physics, size, upload
from pocketworld.sim.warp.accuracy import AWAY
from pocketworld.sim.warp.compiled import compiled
from pocketworld.sim.warp.packed import world
from pocketworld.sim.warp.physics import NAMED, Warp
from pocketworld.sim.warp.room import Room
from pocketworld.sim.warp.superset import NEVER

COUNT = 16
FALL = 120  # substeps, 0.48 s: what nothing holds falls 1.1 m
DROPPED = 0.9  # m above the floor: on all cabinets' tops, or just above


@pytest.fixture(scope="module")
def warp(warp_cousins: Cousins) -> Warp:
    return physics.make(warp_cousins, COUNT, Hand(), "cpu")[1]


def idle(group: Group) -> None:
    """Neither write nor read."""


def box(warp: Warp) -> tuple[int, int]:
    """Return where the box keeps its position, and which geom it is."""
    base = warp.packed.base
    joint, geoms = base.joint("box/free"), np.flatnonzero(base.geom_bodyid == base.body("box/body").id)
    return int(joint.qposadr[0]), int(geoms[0])


def begin(warp: Warp) -> Group:
    """Put boxes over the cabinets, hands away, all closed."""
    at, _ = box(warp)

    def above(group: Group, rows: Array) -> None:
        group.qpos[rows] = group.start[rows]
        group.qpos[rows, at : at + 7] = group.qpos.new_tensor([0.0, 0.0, DROPPED, 1.0, 0.0, 0.0, 0.0])
        for of in (group.qpos, group.ctrl):
            of[rows, -len(AWAY) :] = of.new_tensor(AWAY)

    warp.reset(np.arange(COUNT), above, idle)
    return warp.groups[0]


@contextmanager
def boxes(warp: Warp, values: Mapping[str, float]) -> Iterator[None]:
    """Give all worlds' boxes other numbers for a while."""
    _, geom = box(warp)
    kept = {name: getattr(warp.model, name).numpy().copy() for name in values}
    for name, value in values.items():
        changed = kept[name].copy()
        changed[:, geom] = value
        getattr(warp.model, name).assign(changed)
    try:
        yield
    finally:
        for name, rows in kept.items():
            getattr(warp.model, name).assign(rows)


def heights(warp: Warp) -> NDArray[np.float32]:
    """Return how high boxes are after they had time to fall."""
    group, (at, _) = begin(warp), box(warp)
    warp.step(FALL, idle, idle)
    found: NDArray[np.float32] = group.qpos[:, at + 2].numpy().copy()
    return found


def test_only_the_margin_takes_a_geom_out_of_a_world(warp: Warp) -> None:
    """No radius means a plane, and next to no size still holds: neither would do for what is absent."""
    whole = heights(warp)
    assert (whole > 0.3).all()
    with boxes(warp, {"geom_margin": float(NEVER)}):
        assert (heights(warp) < 0).all()  # through the cabinet and the floor
    with boxes(warp, {"geom_rbound": 0.0}):
        assert np.array_equal(heights(warp), whole)
    with boxes(warp, {"geom_size": 1e-4}):
        assert np.median(heights(warp)) > 0.3
    assert np.array_equal(heights(warp), whole)


def test_an_absent_geom_touches_nothing_even_inside_of_a_thing(warp: Warp) -> None:
    """By its margin alone; without it, it would hold the thing."""
    margins = warp.packed.rows["geom_margin"]
    absent = (margins == float(NEVER)) & warp.packed.static
    geoms = [int(np.flatnonzero(row)[0]) for row in absent[absent.any(1)]]
    worlds = np.flatnonzero(absent.any(1))
    moved = set(zip(worlds.tolist(), geoms, strict=True))
    assert moved

    def touched(margin: float) -> set[tuple[int, int]]:
        """Return the worlds whose moved geom is in a contact, with that geom."""
        begin(warp)
        changed, places = margins.copy(), warp.data.geom_xpos.numpy()
        changed[worlds, geoms], places[worlds, geoms] = margin, (0.0, 0.0, DROPPED)
        warp.model.geom_margin.assign(changed)
        warp.data.geom_xpos.assign(places)
        try:
            warp.advance(1)
            count, contact = int(warp.data.nacon.numpy()[0]), warp.data.contact
            met = zip(contact.worldid.numpy()[:count], contact.geom.numpy()[:count], strict=True)
            return moved & {(int(at), int(geom)) for at, pair in met for geom in pair}
        finally:
            warp.model.geom_margin.assign(margins)
            upload.put_static(warp.data, warp.packed, COUNT)

    assert not touched(float(NEVER))
    assert touched(0.0) == moved


def test_absent_geoms_of_furniture_are_turned_down_by_the_first_test_for_pairs(warp: Warp) -> None:
    """Warp squares the sum of radii and margins, which a negative one passes, unless it is far away."""
    base, rows = warp.packed.base, warp.packed.rows
    margins, radii = rows["geom_margin"], rows["geom_rbound"]
    begin(warp)
    warp.advance(1)
    places, others = warp.data.geom_xpos.numpy(), np.flatnonzero(base.geom_contype != FURNITURE)
    seen = 0
    for i in range(COUNT):
        for geom in np.flatnonzero(margins[i] == float(NEVER)):
            bound = radii[i, geom] + radii[i, others] + margins[i, geom] + margins[i, others]
            apart = ((places[i, others] - places[i, geom]) ** 2).sum(1)
            assert (apart > bound**2).all()
            seen += 1
    assert seen > COUNT


@pytest.mark.parametrize("numbers", [1, 4])
def test_a_quaternion_without_numbers_is_an_unstable_world(warp: Warp, numbers: int) -> None:
    """Warp makes it an upright one within a step: looked at only afterwards it would pass for a state."""
    group, (at, _) = begin(warp), box(warp)
    counted = warp.wild.clone()
    group.qpos[4, at + 3 : at + 3 + numbers] = float("nan")
    warp.advance(1)
    assert np.isfinite(group.qpos.numpy()).all()
    begin(warp)
    group.qpos[4, at + 3 : at + 3 + numbers] = float("nan")
    warp.step(1, idle, idle)
    assert warp.unstable().tolist() == [i == 4 for i in range(COUNT)]
    assert (warp.wild - counted).tolist() == [int(i == 4) for i in range(COUNT)]


def test_worlds_that_are_not_reset_go_on_as_if_none_had_been(warp: Warp) -> None:
    """To the bit, though after a reset of some the list of contacts is wrong until the next step."""

    def run(which: list[int]) -> NDArray[np.float32]:
        group = begin(warp)
        warp.step(60, idle, idle)
        if which:
            warp.reset(np.array(which), lambda g, rows: g.qpos.__setitem__(rows, g.start[rows]), idle)
        warp.step(20, idle, idle)
        found: NDArray[np.float32] = group.qpos.numpy().copy()
        return found

    alone, among = run([]), run([0, 7])
    others = np.setdiff1d(np.arange(COUNT), [0, 7])
    assert np.array_equal(alone[others], among[others])
    assert not np.array_equal(alone[[0, 7]], among[[0, 7]])


def test_a_recorded_step_sees_what_is_assigned_later(warp: Warp) -> None:
    """A graph knows arrays by their addresses: fields are assigned, never replaced."""
    heights(warp)
    recorded, addresses = dict(warp._graphs), [getattr(warp.model, name).ptr for name in warp.packed.rows]
    assert "substep" in recorded
    with boxes(warp, {"geom_margin": float(NEVER)}):
        assert (heights(warp) < 0).all()
    assert warp._graphs == recorded
    assert [getattr(warp.model, name).ptr for name in warp.packed.rows] == addresses


def test_nothing_is_printed_as_it_is_made_runs_and_overflows(
    warp_cousins: Cousins, capfd: pytest.CaptureFixture[str]
) -> None:
    """Warp prints which kernels it loads, and a line in each step in which contacts are dropped."""
    _, warp = physics.make(warp_cousins, COUNT, Hand(), "cpu")
    begin(warp)
    warp.step(2, idle, idle)
    warp.close()
    warp.data = upload.data(warp.packed, COUNT, Room(contacts=1, rows=1))
    warp.groups = (warp._group(warp.packed, COUNT),)
    warp.reset(np.arange(COUNT), lambda group, rows: group.qpos.__setitem__(rows, group.start[rows]), idle)
    with pytest.raises(PocketworldError, match="overflows"):
        warp.step(2, idle, idle)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["geom_bodyid", "body_simple", "exclude_signature", "site_bodyid"])
def test_what_warp_makes_its_lists_from_may_not_differ(warp_cousins: Cousins, name: str) -> None:
    """It is no field of Warp's model, but what pairs and kernels there are follows from it."""
    model = compile_cousin(warp_cousins[0]).model
    first = world("a", model)
    getattr(model, name).flat[-1] += 1
    with pytest.raises(PocketworldError, match=f"cousin b: its {name} is not that of a"):
        world("b", model, first)


def test_another_timestep_may_not_differ(warp_cousins: Cousins) -> None:
    one, other = (compile_cousin(warp_cousins[0]).model for _ in range(2))
    first = world("a", one)
    assert world("b", other, first).id == "b"
    other.opt.timestep *= 2
    with pytest.raises(PocketworldError, match="cousin b: its opt is not that of a"):
        world("b", other, first)


def test_islands_are_on_and_boxes_meet_boxes_as_c_mujoco_has_it(warp: Warp) -> None:
    """Without islands the solver ends elsewhere with slots that a world lacks: 1e-4 m after 400 steps."""
    flags, bits = int(warp.model.opt.disableflags), warp.lib.mjw.DisableBit
    assert not int(warp.packed.base.opt.disableflags) & int(mujoco.mjtDisableBit.mjDSBL_ISLAND)
    assert not flags & int(bits.ISLAND)
    assert flags & int(bits.NATIVECCD)


def test_the_memory_of_a_device_is_that_of_its_own_line() -> None:
    report = (
        "Allocation Tracking Report\n  Total allocations:\n    cuda:0           3 (1.50 GB)\n"
        "    cuda:1           7 (2.00 KB)\n    cpu              2 (512 B)\n  Peak usage:\n"
        "    cuda:1           1.00 KB\n  Live allocations:\n    cuda:1           4 (1.00 KB)\n"
    )
    found = {name: size.made_on(name, report) for name in ("cuda:0", "cuda:1", "cpu", "cuda:2")}
    assert found == {"cuda:0": 3 << 29, "cuda:1": 2048, "cpu": 512, "cuda:2": 0}


def test_a_report_on_memory_of_another_form_is_said(
    warp_cousins: Cousins, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And the estimate is one on the safe side, not nothing."""
    made = compiled(warp_cousins[:2], 2, Hand())
    good = size.measured(made.packed, made.room, "cpu")
    monkeypatch.setattr(size, "made_on", lambda device, report: 0)
    with caplog.at_level("WARNING", "pocketworld.warp"):
        rough = size.measured(made.packed, made.room, "cpu")
    assert "not as known" in caplog.text
    assert 1 <= rough.world / good.world < 2


def test_a_line_of_the_log_names_some_and_counts_the_others(warp: Warp) -> None:
    which = warp.arrays.bools(np.ones(COUNT))
    assert warp._named(which).endswith(f"and {COUNT - NAMED} more")
    which[1:] = False
    assert warp._named(which) == f"0 ({warp.ids[0]})"
