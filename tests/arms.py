"""An arm for tests, of seven joints and plain shapes, as a user might bring it."""

from pathlib import Path

from pocketworld.sim.robots.description import Arm
from pocketworld.sim.robots.from_mjcf import from_mjcf

# (offset from the link before, axis, range, half of the link's length)
LINKS = (
    ("0 0 0.15", "0 0 1", "-2.9 2.9"),
    ("0 0 0.18", "0 1 0", "-1.8 1.8"),
    ("0 0 0.16", "0 0 1", "-2.9 2.9"),
    ("0 0 0.16", "0 1 0", "-0.1 2.9"),
    ("0 0 0.2", "0 0 1", "-2.9 2.9"),
    ("0 0 0.18", "0 1 0", "-2.0 2.0"),
    ("0 0 0.08", "0 0 1", "-2.9 2.9"),
)
HOME = "0 -0.6 0 1.9 0 0.3 0"


def xml(
    *, joint: str = "hinge", servo: str = "position", site: str = "attachment_site", count: int = len(LINKS)
) -> str:
    """Return its MJCF; the arguments make it one that can't be used."""
    links = "".join(
        f'<body name="link{i}" pos="{offset}">'
        f'<joint name="j{i}" type="{joint}" axis="{axis}" range="{limits}"/>'
        '<geom type="capsule" fromto="0 0 0.02 0 0 0.1" size="0.04" mass="1.5"/>'
        '<geom type="sphere" size="0.05" rgba="1 0 0 1" contype="0" conaffinity="0" mass="0"/>'
        for i, (offset, axis, limits) in enumerate(LINKS[:count])
    )
    gains = ' kp="2000" kv="140" forcerange="-80 80"' if servo == "position" else ""
    servos = "".join(f'<{servo} name="a{i}" joint="j{i}"{gains}/>' for i in range(count))
    jaw = '<joint name="jaw" type="slide" axis="1 0 0"/><geom size="0.01" mass="0.1"/>'
    return (
        '<mujoco model="plain"><compiler angle="radian" autolimits="true"/>'
        '<worldbody><light pos="0 0 3"/><geom name="floor" type="plane" size="2 2 1"/>'
        '<camera name="eye" pos="1 1 1"/><body name="foot"><geom type="box" size="0.08 0.08 0.03"/>'
        f'{links}<site name="{site}" pos="0 0 0.06"/><body name="jaw">{jaw}</body>{"</body>" * count}</body>'
        "</worldbody>"
        f'<actuator>{servos}<motor joint="jaw"/></actuator><sensor><clock/></sensor>'
        f'<keyframe><key name="home" qpos="{" ".join(HOME.split()[:count])} 0"/></keyframe></mujoco>'
    )


def plain_arm(folder: Path) -> Arm:
    """Return it, read from a file in a folder."""
    file = folder / "plain.xml"
    file.write_text(xml())
    return from_mjcf(file)
