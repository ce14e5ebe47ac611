"""The Franka Emika Panda: seven joints, 0.855 m of reach, on a cart; its files come from the package gym-hil.

That package puts a Robotiq 2F-85 on it; here it has our own fingers, where the Franka hand's are.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from pocketworld.errors import PocketworldError
from pocketworld.sim.robots.build import build, load
from pocketworld.sim.robots.description import Arm
from pocketworld.sim.robots.fingers import Servo

PACKAGE = "gym_hil"
INSTALL = "pip install --no-deps gym-hil==0.1.14"
HOME = (0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785)  # rad: Franka's own "ready"
# N m a rad and N m: Franka's most torque, and the gains of the position servos in MuJoCo Menagerie's Panda;
# damping there is a tenth of the stiffness, which is critical for these moments of inertia (kg m²).
SERVOS = (
    *(Servo(4500.0, 11.25, 87.0),) * 2,
    *(Servo(3500.0, 8.75, 87.0),) * 2,
    *(Servo(2000.0, 5.0, 12.0),) * 3,
)


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
