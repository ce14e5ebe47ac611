"""The real corridor's twin against its truth: walls, doors, hinges, glass doors, and what stands in it."""

import json
import resource
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld import api
from pocketworld.geometry import se3
from pocketworld.reconstruct.twin import reconstruct
from pocketworld.scene import Asset, JointKind, Scene, Side

pytestmark = [pytest.mark.captures, pytest.mark.slow]
Array = NDArray[np.float64]
FLOOR = -1.356  # m: y of the floor in the capture's own world (the truth's "to_world")
LATERAL, ALONG = np.array([0.99985, 0.0, 0.01745]), np.array([0.01745, 0.0, -0.99985])
MINUTES, GIBIBYTES = 4.0, 4.0  # of CPU and memory, for the whole capture on one core
ROOM = ("wall", "room_door")  # families; whatever else stands in the corridor is a thing


class Corridor(NamedTuple):
    """What was found, and how to compare it with the truth: places (lateral, along, height) in m."""

    truth: dict[str, Any]
    scene: Scene
    capture_from_scene: Array
    cpu: float
    memory: float

    def family(self, name: str) -> list[Asset]:
        """Return the assets of a family."""
        return [asset for asset in self.scene.assets if asset.family == name]

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
    scene = reconstruct(api.read(captures / "3dscannerapp_corridor")).scene
    cpu = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # of kB
    truth = json.loads((captures / "truth" / "corridor.json").read_text())
    return Corridor(truth, scene, se3.inverse(np.array(scene.scene_from_capture)), cpu, memory)


def length(wall: Asset) -> float:
    return float(str(wall.parameters["length"]))


def normal(wall: Asset) -> Array:
    """Return the way a wall faces in the scene: its front is at -y."""
    return -np.asarray(wall.pose.matrix, float)[:3, 1]


def to_face(wall: Asset, point: Any) -> float:
    """Return how far a point of the scene is before a wall's face, m."""
    thickness = float(str(wall.parameters["thickness"]))
    return float((np.asarray(point) - wall.pose.position) @ normal(wall)) - thickness / 2


def sides(corridor: Corridor) -> tuple[Asset, Asset]:
    """Return the right wall and the left one: those that run along and are the longest."""
    walls = [(corridor.way(normal(wall))[0], wall) for wall in corridor.family("wall")]
    right, left = (max((w for x, w in walls if x * sign > 0.9), key=length) for sign in (-1, 1))
    return right, left


def test_floor_and_walls_are_level_and_upright(corridor: Corridor) -> None:
    up = corridor.way((0, 0, 1))
    assert np.degrees(np.arccos(up[2])) < 0.5
    for wall in sides(corridor):
        facing = corridor.way(normal(wall))
        assert abs(np.degrees(np.arcsin(facing[2]))) < 0.5
        assert abs(np.degrees(np.arcsin(facing[1]))) < 0.5
    assert abs(corridor.place((0, 0, 0))[2]) < 0.02


def test_it_is_as_wide_as_it_is(corridor: Corridor) -> None:
    right, left = sides(corridor)
    for s in (4.0, 12.0, 20.0):
        at = np.linalg.inv(corridor.capture_from_scene) @ np.append(s * ALONG + [0, FLOOR, 0], 1)
        assert sum(to_face(wall, at[:3]) for wall in (right, left)) == pytest.approx(1.96, abs=0.03)
    assert length(right) > 20
    assert length(left) > 20


def matched(corridor: Corridor, leaves: int) -> tuple[dict[str, Asset], list[Asset]]:
    """Return the doors found by the name of the true one nearest, within half its width; and the others."""
    true = [d for d in corridor.truth["doors"] if ("meeting_stile_along_m" in d) == (leaves == 2)]
    found: dict[str, Asset] = {}
    others = []
    for asset in corridor.family("room_door"):
        if len(asset.parts) != leaves + 1:
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
    walls, doors = corridor.family("wall"), corridor.family("room_door")
    inside = {r.a: r.b for r in corridor.scene.relations if r.kind == "inside"}
    assert set(inside) == {door.id for door in doors}
    assert set(inside.values()) <= {wall.id for wall in walls}
    assert all(joint.movable for door in doors for joint in door.joints)
    assert all(wall.joints == () for wall in walls)


def test_bins_and_extinguishers_are_things_of_their_own(corridor: Corridor) -> None:
    true = [t for t in corridor.truth["other_things"] if "bin" in t["what"] or "extinguisher" in t["what"]]
    assert len(true) == 4
    things = [asset for asset in corridor.scene.assets if asset.family not in ROOM]
    for one in true:
        expected = np.array([np.mean(one["lateral_m"]), np.mean(one["along_m"])])
        near = [
            thing
            for thing in things
            if np.linalg.norm(corridor.place(thing.pose.position)[:2] - expected) < 0.15
        ]
        assert len(near) == 1, one["what"]
    assert len(things) <= 5


def test_nothing_opens_but_doors(corridor: Corridor) -> None:
    assert {asset.family for asset, _ in corridor.scene.joints()} == {"room_door"}


def test_it_takes_little_time_and_memory(corridor: Corridor) -> None:
    assert corridor.cpu < MINUTES * 60
    assert corridor.memory < GIBIBYTES
