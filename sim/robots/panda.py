"""The Franka Emika Panda: seven joints, 0.855 m of reach, on a cart; its files come from the package gym-hil.

That package puts a Robotiq 2F-85 on it; here it has our own fingers, where the Franka hand's are. So it opens
what the floating hand opens, with the same expert and the same finger positions in what a policy sees; and
without the 2F-85's eight joints, three equalities and tendon a step takes 6 us, not 12 (alone, at rest).
Its actuators there are torque motors; here they are position servos, and gravity is taken off as Franka's own
controller does: at rest it does not sag at all.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from pocketworld.errors import PocketworldError
from pocketworld.sim.robots.build import build, load
from pocketworld.sim.robots.description import Arm, lagging

PACKAGE = "gym_hil"
INSTALL = "pip install --no-deps gym-hil==0.1.14"
HOME = (0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785)  # rad: Franka's own "ready"
# Stiffness of MuJoCo Menagerie's position-controlled Panda, N m/rad; Franka's own limits of torque, N m.
STIFFNESS, TORQUE = (4500.0, 4500.0, 3500.0, 3500.0, 2000.0, 2000.0, 2000.0), (87.0,) * 4 + (12.0,) * 3
SERVOS = tuple(lagging(stiffness, most) for stiffness, most in zip(STIFFNESS, TORQUE, strict=True))


@lru_cache(maxsize=1)
def panda() -> Arm:
    """Return the Panda.

    Raises PocketworldError where its files are not installed.
    """
    spec = load(model_file())
    spec.delete(spec.body("base_mount"))
    for sensor in list(spec.sensors):
        spec.delete(sensor)
    return build(spec, "panda", "attachment_site", HOME, SERVOS)


def model_file() -> Path:
    """Return the package's file; the package itself is not imported: it wants much that is not needed."""
    found = find_spec(PACKAGE)
    folders = [Path(folder) for folder in (found.submodule_search_locations or ())] if found else []
    for folder in folders:
        if (file := folder / "assets" / "panda.xml").is_file():
            return file
    raise PocketworldError("the Panda's model files are not installed", INSTALL)
