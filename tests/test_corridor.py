"""The real corridor against its truth: walls, doors, hinges, glass doors, and what stands in it."""

import json
import resource
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld import api
from pocketworld.reconstruct.floor import find_floor
from pocketworld.reconstruct.fusion import fuse
from pocketworld.reconstruct.room_doors import RoomDoors, find_room_doors
from pocketworld.reconstruct.things import Things, find_things
from pocketworld.reconstruct.walls import Wall, walls_of
from pocketworld.scene import Asset, JointKind, Side

pytestmark = [pytest.mark.captures, pytest.mark.slow]
Array = NDArray[np.float64]
FLOOR = -1.356  # m: y of the floor in the capture's own world (the truth's "to_world")
LATERAL, ALONG = np.array([0.99985, 0.0, 0.01745]), np.array([0.01745, 0.0, -0.99985])
SECONDS = 90.0  # of CPU, of which fusing takes a good third


class Corridor(NamedTuple):
    """What was found, and how to compare it with the truth: places (lateral, along, height) in m."""

    truth: dict[str, Any]
    walls: list[Wall]
    doors: RoomDoors
    things: Things
    capture_from_scene: Array
    cpu: float

    def place(self, point: Any) -> Array:
        """Return a point of the scene in the truth's axes."""
        x = (self.capture_from_scene @ np.append(point, 1.0))[:3]
        return np.array([x @ LATERAL, x @ ALONG, x[1] - FLOOR])

    def way(self, direction: Any) -> Array:
        """Return a direction of the scene in the truth's axes."""
        x = self.capture_from_scene[:3, :3] @ np.asarray(direction)
        return np.array([x @ LATERAL, x @ ALONG, x[1]])


@pytest.fixture(scope="module")
def corridor(captures: Path) -> Corridor:
    start = time.process_time()
    capture = api.read(captures / "3dscannerapp_corridor")
    fusion = fuse(capture)
    floor = find_floor(fusion.surface, capture.name)
    surface = fusion.surface.moved(floor.scene_from_world)
    walls = walls_of(surface)
    doors = find_room_doors(capture, floor.scene_from_world @ capture.world_from_camera, surface, walls)
    things = find_things(surface, floor, capture.name)
    cpu = time.process_time() - start
    truth = json.loads((captures / "truth" / "corridor.json").read_text())
    back = np.asarray(np.linalg.inv(floor.scene_from_world @ capture.world_from_capture), float)
    return Corridor(truth, walls, doors, things, back, cpu)


def sides(corridor: Corridor) -> tuple[Wall, Wall]:
    """Return the right wall and the left one: those that run along and are the longest."""
    ways = {id(w): corridor.way((*w.normal, 0)) for w in corridor.walls}
    right, left = (
        max((w for w in corridor.walls if ways[id(w)][0] * sign > 0.9), key=lambda w: w.high - w.low)
        for sign in (-1, 1)
    )
    return right, left


def test_floor_and_walls_are_level_and_upright(corridor: Corridor) -> None:
    up = corridor.way((0, 0, 1))
    assert np.degrees(np.arccos(up[2])) < 0.5
    for wall in sides(corridor):
        normal = corridor.way((*wall.normal, 0))
        assert abs(np.degrees(np.arcsin(normal[2]))) < 0.5
        assert abs(np.degrees(np.arcsin(normal[1]))) < 0.5
    assert abs(corridor.place((0, 0, 0))[2]) < 0.02


def test_it_is_as_wide_as_it_is(corridor: Corridor) -> None:
    right, left = sides(corridor)
    for s in (4.0, 12.0, 20.0):
        at = np.linalg.inv(corridor.capture_from_scene) @ np.append(s * ALONG + [0, FLOOR, 0], 1)
        to = [abs(at[:2] @ np.array(w.normal) - w.distance) for w in (right, left)]
        assert sum(to) == pytest.approx(1.96, abs=0.03)
    assert right.high - right.low > 20
    assert left.high - left.low > 20


def matched(corridor: Corridor, leaves: int) -> tuple[dict[str, Asset], list[Asset]]:
    """Return the doors found by the name of the true one nearest, within half its width; and the others."""
    true = [d for d in corridor.truth["doors"] if ("meeting_stile_along_m" in d) == (leaves == 2)]
    found: dict[str, Asset] = {}
    others = []
    for placed in corridor.doors.placed:
        asset = placed.asset
        if asset.family != "room_door" or len(asset.parts) != leaves + 1:
            continue
        lateral, along, _ = corridor.place(asset.pose.position)
        near = [
            d["id"]
            for d in true
            if abs(np.mean(d["along_m"]) - along) < d["opening_width_m"] / 2
            and (d["wall"] == "right") == (lateral > 0)
        ]
        if near and near[0] not in found:
            found[near[0]] = asset
        elif along < 26:  # those at the far end count neither way
            others.append(asset)
    return found, others


def test_dark_doors_are_found_where_they_are(corridor: Corridor) -> None:
    found, others = matched(corridor, 1)
    true = {d["id"]: d for d in corridor.truth["doors"]}
    good = [
        id
        for id, asset in found.items()
        if abs(corridor.place(asset.pose.position)[1] - np.mean(true[id]["along_m"])) < 0.10
        and abs(asset.parameters["width"] - true[id]["opening_width_m"]) < 0.10
        and abs(asset.parameters["height"] - true[id]["opening_height_m"]) < 0.15
    ]
    assert len(good) >= 5
    assert len(others) <= 1


def test_hinges_are_right_where_the_lever_is_plain_and_never_surely_wrong(corridor: Corridor) -> None:
    found, _ = matched(corridor, 1)
    for true in corridor.truth["doors"]:
        if true["id"] not in found or "hinge" not in true:
            continue
        (joint,) = found[true["id"]].joints
        right = joint.belief.p(JointKind.HINGE, Side(true["hinge"]["side_when_facing_the_door"]))
        wrong = joint.belief.p(JointKind.HINGE) - right
        assert wrong <= 0.8
        if true["handle"]["seen"] == "seen plainly":
            assert right > 0.8
            assert joint.belief.best.side == true["hinge"]["side_when_facing_the_door"]


def test_glass_doors_are_found_and_fixed_panes_do_not_open(corridor: Corridor) -> None:
    found, others = matched(corridor, 2)
    assert len(found) >= 2
    assert others == []
    panes = next(t for t in corridor.truth["other_things"] if "fixed glass wall panels" in t["what"])[
        "along_m"
    ]
    for asset in found.values():
        along = corridor.place(asset.pose.position)[1]
        assert not any(low < along < high for low, high in panes)


def test_every_door_is_inside_a_wall_and_opens(corridor: Corridor) -> None:
    ids = {placed.asset.id for placed in corridor.doors.placed if placed.asset.family == "wall"}
    for placed in corridor.doors.placed:
        if placed.asset.family == "room_door":
            assert next(r.b for r in placed.relations if r.kind == "inside") in ids
            assert all(joint.movable for joint in placed.asset.joints)
        else:
            assert placed.asset.joints == ()


def test_bins_and_extinguishers_are_things_of_their_own(corridor: Corridor) -> None:
    true = [t for t in corridor.truth["other_things"] if "bin" in t["what"] or "extinguisher" in t["what"]]
    assert len(true) == 4
    for one in true:
        expected = np.array([np.mean(one["lateral_m"]), np.mean(one["along_m"])])
        near = [
            t
            for t in corridor.things.things
            if np.linalg.norm(corridor.place(t.box.foot)[:2] - expected) < 0.15
        ]
        assert len(near) == 1, one["what"]
    assert len(corridor.things.things) <= 5


def test_it_takes_little_time_and_memory(corridor: Corridor) -> None:
    assert corridor.cpu < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 * 2**20  # kB
