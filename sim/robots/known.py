"""Stands that were computed before: of an arm in a scene, also in one that is built anew, alike to the bit.

A training and its judgement compile each of their scenes several times, and an arm's stands take seconds a
kitchen, all else milliseconds.
"""

from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

from pocketworld.scene import Asset, Scene
from pocketworld.sim.robots.description import Arm
from pocketworld.sim.robots.stand import Stands, stands

KEPT = 512  # scenes, with 20 kB for a kitchen's; those of one training are 130 and more, by its options
ARMS = 8


def known_stands(scene: Scene, arm: Arm) -> Stands:
    """Return where an arm stands in a scene (see `stands`); computed once in a process."""
    kept = _kept(_mark_of_arm(arm), _mark_of_scene(scene))
    if not kept:
        kept.append(stands(scene, arm))
    return kept[0]


@lru_cache(maxsize=KEPT)
def _kept(arm: bytes, scene: bytes) -> list[Stands]:
    """Return where is kept what was found for an arm in a scene: empty at first."""
    return []


@lru_cache(maxsize=ARMS)
def _mark_of_arm(arm: Arm) -> bytes:
    # Its kinematics are those of its MJCF.
    return sha256(repr((arm.physics, arm.arm, arm.home)).encode()).digest()


def _mark_of_scene(scene: Scene) -> bytes:
    return sha256(repr([_bare(asset) for asset in scene.assets]).encode()).digest()


def _bare(asset: Asset) -> Asset:
    """Return what stands hang on: an asset without what only eyes see, and without what it was made from."""
    parts = tuple(replace(part, meshes=()) for part in asset.parts)
    return replace(asset, parts=parts, parameters={}, alternatives=())
