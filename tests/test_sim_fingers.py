"""The fingers: what they are asked for they do, also where the hand presses their tips on a front."""

import numpy as np
import pytest

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.scene import HandleKind, Scene
from pocketworld.sim.cousin import FACTS
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.robots.fingers import TIP
from pocketworld.sim.robots.reach import LEASH, STRIDE, action_of
from pocketworld.sim.vectors import turned_back

WIDE, FITS = 0.022, 0.006  # m free on each side of the lip: tips meet the front; are in its slots


@pytest.mark.parametrize("lead", [LEASH, 0.03, 0.005])
def test_fingers_too_wide_for_a_recess_close_and_go_in_however_hard_the_hand_presses(lead: float) -> None:
    """Where friction held them there a policy could not find out that narrower fingers go in."""
    made = Front(kind=FrontKind.DRAWER, handle=usual(HandleKind.RECESSED))
    env = WorldEnv([Scene("recess", (build(Cabinet(0.5, 0.45, 0.3, made), "cab"),))], 4, threads=1)
    env.reset(seed=0)
    worlds = env.worlds
    half = worlds.facts[:, FACTS.index("handle_thickness_m")] / 2

    def go(ahead: float | None, free: float, steps: int) -> np.ndarray:
        """Lead the hand by so much towards the handle, lined up, or line up 50 mm before it."""
        for _ in range(steps):
            turn, grip = worlds.senses.grip_turn, worlds.senses.grip
            wanted = turned_back(turn, worlds.senses.handle - grip)
            wanted[:, 0] = wanted[:, 0] + 0.05 if ahead is None else -ahead
            move = (wanted - turned_back(turn, worlds.aim.target - grip)) / STRIDE
            env.step(np.clip(np.column_stack([move, action_of(half + free)]), -1, 1).astype(np.float32))
        depth: np.ndarray = turned_back(worlds.senses.grip_turn, worlds.senses.handle - worlds.senses.grip)[
            :, 0
        ]
        return depth

    go(None, WIDE, 30)
    pressed = go(lead, WIDE, 15)
    assert (pressed < -TIP).all(), "on the front: too wide to go in"
    assert (go(lead, FITS, 25) > -TIP).all()
    env.close()
