"""Arms from MJCF files: what is kept of them, and one clear line for what can't be used."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from pathlib import Path

import mujoco
import numpy as np
import pytest

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim import robots
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots.build import alone
from pocketworld.sim.robots.description import CART, FINGERS, GRIP
from pocketworld.sim.robots.from_mjcf import from_mjcf
from tests.arms import HOME, plain_arm, xml


def written(folder: Path, text: str) -> Path:
    file = folder / "arm.xml"
    file.write_text(text)
    return file


def tied(equality: str) -> str:
    return xml().replace("<sensor>", f"<equality>{equality}</equality><sensor>")


def test_what_ties_its_own_gripper_alone_is_left_behind_with_it(tmp_path: Path) -> None:
    arm = from_mjcf(written(tmp_path, tied('<joint joint1="jaw"/><connect body1="jaw" anchor="0 0 0"/>')))
    assert alone(arm.physics).neq == 0


def test_it_has_the_files_joints_on_a_cart_with_our_fingers(tmp_path: Path) -> None:
    arm = plain_arm(tmp_path)
    assert arm.joints == (*CART, *(f"robot/arm/j{i}" for i in range(7)), *FINGERS)
    model = alone(arm.physics)
    assert [model.joint(i).name for i in range(model.njnt)] == list(arm.joints)
    assert [model.actuator(i).name for i in range(model.nu)] == list(arm.joints)
    assert arm.home == tuple(map(float, HOME.split()))
    assert model.actuator_gainprm[4:11, 0] == pytest.approx(2000)
    assert model.actuator_biasprm[4:11, 2] == pytest.approx(-140)
    assert model.actuator_forcerange[4:11, 1] == pytest.approx(80)


def test_the_arm_weighs_and_moves_as_in_its_file(tmp_path: Path) -> None:
    arm = plain_arm(tmp_path)
    ours, theirs = alone(arm.physics), mujoco.MjModel.from_xml_string(xml())
    for i in range(7):
        one, other = ours.body(f"robot/arm/link{i}"), theirs.body(f"link{i}")
        assert one.mass == pytest.approx(other.mass)
        assert one.inertia == pytest.approx(other.inertia, rel=1e-6)
        assert ours.joint(f"robot/arm/j{i}").range == pytest.approx(theirs.joint(f"j{i}").range)
    here, there = mujoco.MjData(ours), mujoco.MjData(theirs)
    here.qpos[4:11] = there.qpos[:7] = np.linspace(-0.5, 0.9, 7)
    mujoco.mj_kinematics(ours, here)
    mujoco.mj_kinematics(theirs, there)
    assert here.body("robot/arm/link6").xpos == pytest.approx(there.body("link6").xpos, abs=1e-8)
    site = there.site("attachment_site")
    ahead = site.xmat.reshape(3, 3)[:, 2]
    grip = here.site(GRIP)
    assert grip.xmat.reshape(3, 3)[:, 0] == pytest.approx(-ahead, abs=1e-8)
    assert (grip.xpos - site.xpos) @ ahead == pytest.approx(0.1034, abs=1e-8)


def test_nothing_else_of_the_file_comes_along(tmp_path: Path) -> None:
    arm = plain_arm(tmp_path)
    empty = Scene("empty", ())
    bare = mjcf.document(empty, visual=False).compile()
    made = mjcf.document(empty, visual=False, extra=arm.physics).compile()
    for size in ("nlight", "ncam", "nsensor", "nkey"):
        assert getattr(made, size) == getattr(bare, size)
    names = {made.body(b).name for b in range(made.nbody)} - {"world"}
    assert all(name.startswith("robot/") for name in names)
    assert "robot/arm/jaw" not in names
    drawn = alone(arm.drawn)
    assert drawn.ngeom == alone(arm.physics).ngeom + 7
    assert [drawn.joint(i).name for i in range(drawn.njnt)] == list(arm.joints)


def test_it_does_not_touch_itself_nor_sag(tmp_path: Path) -> None:
    arm = plain_arm(tmp_path)
    model = mjcf.document(Scene("empty", ()), visual=False, extra=arm.physics).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    data.ctrl[:] = data.qpos
    mujoco.mj_step(model, data, nstep=250)
    assert data.ncon == 0
    assert np.abs(data.qpos - data.ctrl).max() < 1e-6


def test_a_stiff_servo_on_a_light_joint_does_not_shake(tmp_path: Path) -> None:
    arm = from_mjcf(written(tmp_path, xml().replace('mass="1.5"', 'mass="0.01"')))
    model = mjcf.document(Scene("empty", ()), visual=False, extra=arm.physics).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    data.ctrl[:] = data.qpos
    data.ctrl[4:11] += 0.1
    assert (model.dof_armature[4:11] >= 2000 * mjcf.TIMESTEP**2 - 1e-9).all()
    mujoco.mj_step(model, data, nstep=250)
    assert np.abs(data.qpos - data.ctrl).max() < 1e-3
    assert np.abs(data.qvel).max() < 1e-2


def test_its_own_fingers_place_is_taken_where_the_file_names_it(tmp_path: Path) -> None:
    arm = from_mjcf(written(tmp_path, xml(site="pinch")))
    far = plain_arm(tmp_path)
    grip, flange = arm.chain.grip, far.chain.grip
    assert np.linalg.norm(flange[:3, 3] - grip[:3, 3]) == pytest.approx(0.1034)
    told = from_mjcf(written(tmp_path, xml(site="tool")), "tool")
    assert told.chain.grip == pytest.approx(flange)


def test_without_a_home_it_waits_in_the_middle(tmp_path: Path) -> None:
    text = xml().replace('name="home"', 'name="away"')
    arm = from_mjcf(written(tmp_path, text))
    assert arm.home == pytest.approx((0, 0, 0, 1.4, 0, 0, 0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no MJCF"),
        ("not xml", "no MJCF"),
        ("<mujoco><worldbody><geom/></worldbody></mujoco>", "refuses"),
        ("<mujoco/>", "has no site grip or pinch or attachment_site; its sites: none"),
        (xml(site="elsewhere"), "has no site grip or pinch or attachment_site; its sites: elsewhere"),
        (xml(servo="motor"), "takes no position"),
        (xml(servo="velocity"), "takes no position"),
        (xml().replace('<position name="a3"', '<position name="a3" gear="2"'), "takes no position"),
        (xml().replace('joint="j4" kp', 'joint="j5" kp'), "no actuator moves joint j4"),
        (xml(count=4), "4 joints carry the site"),
        (xml().replace('name="foot">', 'name="foot"><freejoint/>').replace('qpos="', 'qpos="0 0 0 1 0 0 0 '),
         "neither turns nor slides"),
        (tied('<joint joint1="j2" joint2="j3"/>'), "equality constrains the arm"),
        (tied('<weld body1="link6"/>'), "equality constrains the arm"),
        (xml().replace('name="attachment_site"', "").replace("<light", '<site name="grip"/><light'),
         "0 joints carry the site"),
        (xml().replace('"j2"', '"j&quot;2"'), "refuses the robot"),
        (xml().replace('kp="2000"', 'kp="nan"'), "not all finite"),
        (xml().replace('range="-2.9 2.9"', 'range="nan 2.9"'), "not all finite"),
        (xml().replace('pos="0 0 0.18"', 'pos="inf 0 0"'), "not all finite"),
        (xml().replace('name="home" qpos="0', 'name="home" qpos="nan'), "not all finite"),
        (xml().replace("<light", '<include file="/etc/passwd"/><light'), "no MJCF|refuses"),
        (xml().replace('type="capsule"', 'type="mesh" mesh="gone"'), "refuses"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PocketworldError, match=said) as caught:
        from_mjcf(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_robots_are_named(tmp_path: Path) -> None:
    assert robots.named("hand").name == "hand"
    file = str(written(tmp_path, xml()))
    assert robots.named(file).actions == ("out", "across", "along", "open")
    assert robots.named(f"{file}:joints").actions == (*(f"j{i}" for i in range(7)), "open")
    made = robots.named(file)
    assert robots.named(made) is made
    with pytest.raises(PocketworldError, match="no robot 'atlas'; there are: hand, panda"):
        robots.named("atlas")
    with pytest.raises(PocketworldError, match="no robot file"):
        robots.named(str(tmp_path / "gone.xml"))
