"""The Panda from its package's files."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import subprocess
import sys

import mujoco
import numpy as np
import pytest

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots import panda as module
from pocketworld.sim.robots.build import alone
from pocketworld.sim.robots.description import GRIP
from pocketworld.sim.robots.panda import HOME, TORQUE, model_file, panda

FRANKA = (  # rad: Franka's own limits (the data sheet's joint space)
    (-2.8973, 2.8973), (-1.7628, 1.7628), (-2.8973, 2.8973), (-3.0718, -0.0698),
    (-2.8973, 2.8973), (-0.0175, 3.7525), (-2.8973, 2.8973),
)  # fmt: skip


def settled(push: float = 0.0) -> tuple[mujoco.MjModel, mujoco.MjData]:
    """Return the Panda at home after 2 s, its grip pushed down (N)."""
    model = mjcf.document(Scene("empty", ()), visual=False, extra=panda().physics).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    data.ctrl[:] = data.qpos
    data.body("robot/hand").xfrc_applied[2] = -push
    mujoco.mj_step(model, data, nstep=500)
    return model, data


def test_its_joints_are_frankas() -> None:
    model = alone(panda().physics)
    for i, (low, high) in enumerate(FRANKA):
        joint = model.joint(f"robot/arm/joint{i + 1}")
        assert joint.range == pytest.approx((low, high), abs=1e-4)
    assert model.actuator_forcerange[4:11, 1] == pytest.approx(TORQUE)
    assert ((np.array(FRANKA)[:, 0] < HOME) & (np.array(FRANKA)[:, 1] > HOME)).all()


def test_it_waits_at_home_without_sagging_and_gives_little() -> None:
    _, data = settled()
    assert np.abs(data.qpos - data.ctrl).max() < 1e-6
    still = data.site(GRIP).xpos.copy()
    _, data = settled(push=50.0)
    assert 0.0005 < still[2] - data.site(GRIP).xpos[2] < 0.015


def test_its_cart_stays_put() -> None:
    _, data = settled(push=50.0)
    assert np.abs(data.qpos[:4]).max() < 1e-3


def test_its_grip_is_where_a_franka_hands_is() -> None:
    chain = panda().chain
    grip, _ = chain.forward(np.array([HOME]))
    # Franka's "ready": 0.307 m ahead, 0.487 m up, pointing down (libfranka's examples, flange with hand).
    assert grip[0, :3, 3] == pytest.approx((0.307, 0.0, 0.487), abs=0.003)
    assert grip[0, :3, 0] == pytest.approx((0, 0, 1), abs=0.01)


def test_it_is_drawn_with_what_the_physics_leaves_out() -> None:
    arm = panda()
    drawn, physics = alone(arm.drawn), alone(arm.physics)
    assert drawn.nmesh > physics.nmesh + 40
    assert [drawn.joint(i).name for i in range(drawn.njnt)] == list(arm.joints)
    assert not arm.physics.files
    assert drawn.body("robot/arm/link5").mass == physics.body("robot/arm/link5").mass


def test_its_package_is_read_not_imported() -> None:
    code = (
        "import sys; from pocketworld.sim.robots.panda import panda; panda();"
        "sys.exit('gym_hil' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_where_it_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_file().name == "panda.xml"
    monkeypatch.setattr(module, "PACKAGE", "no_such_package_at_all")
    with pytest.raises(PocketworldError, match="not installed; pip install --no-deps gym-hil"):
        model_file()
