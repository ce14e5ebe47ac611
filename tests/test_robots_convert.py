"""Arms written out as MJCF of ours: whatever its names and shapes, it is what it was in its file."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from pathlib import Path

import mujoco
import numpy as np
import pytest

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots import named
from pocketworld.sim.robots.build import alone
from pocketworld.sim.robots.description import CARRIES, CART, FINGERS, Arm
from pocketworld.sim.robots.from_mjcf import from_mjcf
from pocketworld.sim.tasks.observation import policy_names
from tests.arms import plain_arm, xml

OURS = ("hand", "cart", "left", "right", "grip", "x", "y", "lift", "yaw", "base", "arm")
SHAPES = {
    "sphere": 'size="0.04"',
    "capsule": 'size="0.04 0.05"',
    "ellipsoid": 'size="0.04 0.05 0.06"',
    "cylinder": 'size="0.04 0.05"',
    "box": 'size="0.04 0.05 0.06"',
}
LIMB = '<geom type="capsule" fromto="0 0 0.02 0 0 0.1" size="0.04" mass="1.5"/>'


def brought(folder: Path, text: str) -> Arm:
    file = folder / "arm.xml"
    file.write_text(text)
    return from_mjcf(file)


def renamed(names: tuple[str, ...]) -> str:
    """Return the arm with its links and joints called so."""
    text = xml()
    for i, name in enumerate(names[:7]):
        text = text.replace(f'"link{i}"', f'"{name}"').replace(f'"j{i}"', f'"{name}"')
    return text


@pytest.mark.parametrize("first", [0, 4])
def test_names_that_are_ours_too_do_not_clash(tmp_path: Path, first: int) -> None:
    names = (OURS + OURS)[first : first + 7]
    arm = brought(tmp_path, renamed(names))
    assert len(set(arm.joints)) == len(arm.joints)
    model = mjcf.document(Scene("empty", ()), visual=False, extra=arm.physics).compile()
    for own in (*CART, *FINGERS, CARRIES, "robot/hand"):
        assert model.body(own).id if own in (CARRIES, "robot/hand") else model.joint(own).id >= 0
    plain, other = alone(plain_arm(tmp_path).physics), alone(arm.physics)
    assert other.body_mass == pytest.approx(plain.body_mass)
    assert arm.chain.grip == pytest.approx(plain_arm(tmp_path).chain.grip)


def test_its_own_names_are_what_a_policy_reads(tmp_path: Path) -> None:
    file = tmp_path / "arm.xml"
    file.write_text(renamed(OURS))
    assert named(f"{file}:joints").actions == (*OURS[:7], "open")
    seen = policy_names(named(str(file)))
    assert {f"joint_{name}" for name in OURS[:7]} <= set(seen)
    assert len(set(seen)) == len(seen)


def test_what_has_no_name_gets_one_that_nothing_else_has(tmp_path: Path) -> None:
    """Bodies beside the arm, one of them named as a nameless one's number."""
    bare = '<body><geom size="0.01"/></body>'
    text = xml().replace(LIMB, LIMB + bare + bare + '<body name="5"><geom size="0.01"/></body>', 1)
    model = alone(brought(tmp_path, text).physics)
    names = [model.body(b).name for b in range(model.nbody)]
    assert len(set(names)) == len(names)
    assert all(names)
    assert model.nbody == alone(plain_arm(tmp_path).physics).nbody + 3


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_as_it_was(tmp_path: Path, shape: str) -> None:
    geom = f'<geom type="{shape}" {SHAPES[shape]} pos="0.01 0.02 0.03" euler="0.3 0.2 0.1" mass="1.5"/>'
    text = xml().replace(LIMB, geom)
    ours, theirs = alone(brought(tmp_path, text).physics), mujoco.MjModel.from_xml_string(text)
    for i in range(7):
        a, b = (m.body(n).geomadr[0] for m, n in ((ours, f"robot/arm/link{i}"), (theirs, f"link{i}")))
        assert ours.geom_type[a] == theirs.geom_type[b]
        assert ours.geom_size[a] == pytest.approx(theirs.geom_size[b])
        assert ours.geom_pos[a] == pytest.approx(theirs.geom_pos[b])
        assert ours.geom_quat[a] == pytest.approx(theirs.geom_quat[b])
        assert ours.body_inertia[ours.body(f"robot/arm/link{i}").id] == pytest.approx(
            theirs.body_inertia[theirs.body(f"link{i}").id], rel=1e-6
        )


def test_meshes_of_like_names_stay_apart(tmp_path: Path) -> None:
    """One is called as another's hull could be."""
    corners = np.array(np.meshgrid((0, 0.05), (0, 0.05), (0, 0.05))).reshape(3, 8).T
    small, large = (" ".join(f"{x:.3f}" for x in (corners * k).ravel()) for k in (1, 2))
    assets = f'<asset><mesh name="a" vertex="{small}"/><mesh name="a/hull" vertex="{large}"/></asset>'
    geoms = (
        '<geom type="mesh" mesh="a" mass="1.5"/><geom type="mesh" mesh="a/hull" contype="0" conaffinity="0"/>'
    )
    text = xml().replace("<worldbody>", assets + "<worldbody>").replace(LIMB, geoms, 1)
    arm = brought(tmp_path, text)
    drawn = alone(arm.drawn)
    assert alone(arm.physics).nmesh == 1
    assert drawn.nmesh == 2
    sizes = sorted(
        float(np.ptp(drawn.mesh_vert[a : a + n], axis=0).max())
        for a, n in zip(drawn.mesh_vertadr, drawn.mesh_vertnum, strict=True)
    )
    assert sizes == pytest.approx([0.05, 0.1], abs=1e-6)


def test_it_is_the_same_text_each_time(tmp_path: Path) -> None:
    one, other = plain_arm(tmp_path), plain_arm(tmp_path)
    assert one.physics == other.physics
    assert one.drawn == other.drawn


def joint(number: int, extra: str) -> str:
    return xml().replace(f'<joint name="j{number}"', f'<joint name="j{number}" {extra}')


def tendon(parts: str, extra: str = "") -> str:
    """Return the arm with a tendon."""
    text = xml().replace("<sensor>", f"<tendon>{parts}</tendon><sensor>")
    return text.replace(LIMB, LIMB + extra, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (joint(2, 'ref="0.5"'), "joint j2 has a ref"),
        (joint(0, 'stiffness="30"'), "joint j0 has a spring"),
        (joint(6, 'stiffness="0 5"'), "joint j6 has a spring"),
        (joint(3, 'damping="1 0.5"'), "joint j3 is damped by a polynomial"),
        (
            tendon('<fixed><joint joint="j1" coef="1"/><joint joint="jaw" coef="1"/></fixed>'),
            "a tendon is strung",
        ),
        (
            tendon(
                '<spatial><site site="on"/><site site="attachment_site"/></spatial>',
                '<site name="on" pos="0 0 0.01"/>',
            ),
            "a tendon is strung",
        ),
    ],
)
def test_what_ours_would_not_have_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PocketworldError, match=said) as caught:
        brought(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_what_only_its_gripper_has_goes_with_it(tmp_path: Path) -> None:
    text = tendon('<fixed><joint joint="jaw" coef="1"/></fixed>').replace(
        '<joint name="jaw"', '<joint name="jaw" stiffness="5" ref="0.1" springref="0.2"'
    )
    model = alone(brought(tmp_path, text).physics)
    assert model.ntendon == 0
    assert not model.jnt_stiffness.any()
