"""Whether an arm bumps into something, on its whole way; how far it reaches; that it never leaps."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from dataclasses import replace
from functools import cache
from pathlib import Path as File

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.geometry.convex import BoxPiece
from pocketworld.rng import stream
from pocketworld.scene import Asset, HandleKind, Part, Pose, Scene
from pocketworld.sim.robots.clearance import CLEAR, Clearance, halved
from pocketworld.sim.robots.description import Arm
from pocketworld.sim.robots.from_mjcf import from_mjcf
from pocketworld.sim.robots.kinematics import close, difference
from pocketworld.sim.robots.panda import HOME, panda
from pocketworld.sim.robots.paths import CLOSED, Path, paths
from pocketworld.sim.robots.search import LEAP, REASONS, Search, farthest, follow, frames
from tests.arms import plain_arm, xml

Array = NDArray[np.float64]
HERE = np.zeros(4)  # where the cart stands
RAIL = xml().replace('type="hinge" axis="0 0 1" range="-2.9 2.9"', 'type="slide" axis="0 0 1" range="0 1"', 1)
AHEAD = xml().replace('pos="0 0 0.15"', 'pos="0.3 0 0.15"')


@cache
def far_away() -> Asset:
    asset = build(Cabinet(0.5, 0.45, 0.4, Front(handle=usual(HandleKind.BAR))), "cab")
    return replace(asset, pose=Pose.upright((9.0, 0.0, 0.0), 0.0))


def box(centre: tuple[float, float, float], size: tuple[float, float, float]) -> Asset:
    piece = BoxPiece(centre, size)
    return Asset("box", "solid", {}, (Part("body", "body", (), (piece,), 1.0, centre, (1, 1, 1, 0, 0, 0)),))


def clearance(*assets: Asset) -> Clearance:
    return Clearance(Scene("s", (far_away(), *assets)), panda())


def path(count: int) -> Path:
    return replace(
        paths(Scene("s", (far_away(),)))[0], q=np.zeros(count), grips=np.tile(np.eye(4), (count, 1, 1))
    )


def turned(angle: float) -> Array:
    """Return the Panda's waiting posture, turned about its foot."""
    return np.array([angle, *HOME[1:]])


def brought(folder: File, text: str) -> Arm:
    file = folder / "arm.xml"
    file.write_text(text)
    return from_mjcf(file)


# What it bumps into


def test_what_is_half_way_stands_in_between() -> None:
    values = stream(0, "halved").normal(size=(5, 3))
    made = halved(values)
    assert np.array_equal(made[::2], values)
    assert made[1::2] == pytest.approx((values[:-1] + values[1:]) / 2)
    assert np.array_equal(halved(values[:1]), values[:1])
    assert halved(made[:, 0]) == pytest.approx(halved(made)[:, 0])


def test_it_clears_the_air_and_not_a_box_around_it() -> None:
    ways = np.array([turned(a) for a in (-0.5, 0.0, 0.5)])
    assert clearance().passes(path(3), HERE, ways)
    around = box((0.0, 0.0, 0.6), (2.0, 2.0, 0.2))
    assert not clearance(around).passes(path(3), HERE, ways)
    assert clearance(around).passes(path(3), HERE + np.array([4.0, 0, 0, 0]), ways)


def test_what_it_would_sweep_through_between_two_points_counts() -> None:
    """A thin post, right between two postures that each clear it."""
    grip, _ = panda().chain.forward(turned(0.0)[None])
    x, y, z = (float(v) for v in grip[0, :3, 3])
    post = clearance(box((x, y, z), (0.01, 0.01, 0.4)))
    ways = np.array([turned(-0.5), turned(0.5)])
    assert all(post.passes(path(1), HERE, way[None]) for way in ways)
    assert not post.passes(path(2), HERE, ways)
    assert clearance().passes(path(2), HERE, ways)


@pytest.mark.parametrize("gap", [-0.01, CLEAR / 2, 3 * CLEAR])
def test_it_waits_only_where_there_is_room_for_its_foot(gap: float) -> None:
    """Beside a wall as high as the column under the arm's foot."""
    wall = box((0.0, 0.08 + gap + 0.05, 0.1), (1.0, 0.1, 0.2))
    lifted = np.array([0.0, 0.0, 0.4, 0.0])
    assert clearance(wall).stands(lifted, HOME) == (gap > CLEAR)


def test_what_it_finds_does_not_depend_on_what_was_asked_before() -> None:
    post = clearance(box((0.3, 0.0, 0.5), (0.02, 0.02, 1.0)))
    ways = [turned(a) for a in np.linspace(-2, 2, 9)]
    first = [post.stands(HERE, way) for way in ways]
    assert [post.stands(HERE, way) for way in reversed(ways)] == first[::-1]
    assert {True, False} == set(first)


def test_the_scene_itself_is_in_nobodys_way() -> None:
    """Things that touch each other are not the robot's concern."""
    inside = replace(far_away(), id="twice")
    assert Clearance(Scene("s", (far_away(), inside)), panda()).stands(HERE, HOME)


# How far it reaches


def search(arm: Arm, cart: Array, grips: Array) -> Search:
    scene = Scene("s", (far_away(),))
    wanted = [replace(paths(scene)[0], grips=grips, q=np.zeros(len(grips)))]
    return Search(wanted, cart[None], arm.chain, Clearance(scene, arm))


@pytest.mark.parametrize("text", [xml(), RAIL, AHEAD], ids=["plain", "rail", "ahead"])
def test_no_posture_is_further_than_the_arm_is_long(tmp_path: File, text: str) -> None:
    arm = brought(tmp_path, text)
    chain = arm.chain
    ways = stream(0, "far").uniform(chain.low, chain.high, (200, len(chain.low)))
    grips, _ = chain.forward(
        np.concatenate([ways, np.zeros((1, 7)).clip(chain.low, chain.high), chain.high[None]])
    )
    most = farthest(chain)
    away = np.linalg.norm(grips[:, :3, 3] - chain.anchor[0], axis=1)
    assert away.max() <= most + 1e-9
    assert most < 3.5, "a bound that says something"


@pytest.mark.parametrize("text", [xml(), RAIL, AHEAD], ids=["plain", "rail", "ahead"])
@pytest.mark.parametrize("yaw", [0.0, 2.0])
def test_what_it_can_hold_is_never_too_far_to_be_tried(tmp_path: File, text: str, yaw: float) -> None:
    """Grips that a nearly stretched arm has, where its foot stands turned: they are looked for and found."""
    arm = brought(tmp_path, text)
    cart = np.array([0.5, -0.3, 0.2, yaw])
    way = np.clip(np.array([0.9, 0.15, 0.0, 0.15, 0.0, 0.1, 0.0]), arm.chain.low, arm.chain.high)
    grip, _ = arm.chain.forward(way[None])
    grips = np.tile(frames(cart[None])[0] @ grip[0], (CLOSED + 1, 1, 1))
    tried = search(arm, cart, grips)
    tried.run()
    assert tried.got(0) > 0


def test_what_is_beyond_all_stretching_is_not_tried(tmp_path: File) -> None:
    grips = np.tile(np.eye(4), (CLOSED + 1, 1, 1))
    grips[:, 0, 3] = 2.5
    tried = search(plain_arm(tmp_path), HERE, grips)
    assert tried.run() == {}
    assert REASONS[tried.got(0)] == "no free place to stand is near enough"


# That it does not leap


def test_a_path_is_followed_without_leaps_or_not_at_all(tmp_path: File) -> None:
    """Ways between postures drawn at random, some of them far from each other."""
    chain = plain_arm(tmp_path).chain
    spread = np.repeat([0.1, 0.5], 30)[:, None, None]
    ways = chain.rest + stream(0, "leaps").normal(size=(60, 5, 7)) * spread
    ways = np.clip(ways, chain.low, chain.high)
    grips, _ = chain.forward(ways.reshape(-1, 7))
    found, reasons = follow(chain, grips.reshape(60, 5, 4, 4), ways[0, CLOSED])
    whole = found[reasons == 3]
    assert 10 < len(whole) < 60
    assert np.abs(np.diff(whole, axis=1)).max() <= LEAP
    at, _ = chain.forward(whole.reshape(-1, 7))
    assert close(difference(at, grips.reshape(60, 5, 4, 4)[reasons == 3].reshape(-1, 4, 4))).all()


def test_a_wrist_that_would_have_to_swing_over_is_refused(tmp_path: File) -> None:
    """The grip stays where it is and turns about its way out by more than LEAP: solved, but by a leap."""
    chain = plain_arm(tmp_path).chain
    swung = {}
    for angle in (0.5 * LEAP, 1.6 * LEAP):
        ways = np.tile(chain.rest, (3, 1))
        ways[0, 6] += angle
        grips, _ = chain.forward(ways)
        assert chain.solve(ways[1:2], grips[:1], 12)[1].all()
        swung[angle] = int(follow(chain, grips[None], chain.rest)[1][0])
    assert list(swung.values()) == [3, 2]
