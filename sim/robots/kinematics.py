"""Where an arm's grip is for many joint positions at once, and joint positions for where it is wanted.

Forward: the product of exponentials (Brockett 1984; Lynch and Park, "Modern Robotics", 4). Inverse: damped
least squares (Wampler 1986) within the joints' limits, what is left of their freedom drawn to a rest posture
(Liegeois 1977). Written out here because thousands of small problems are solved at once: scipy's and mink's
solvers take one at a time, a hundred times slower in all.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Of the least squares: far from a solution joints slow down near a singularity instead of running wild, and
# near one they go straight there. Grows with the error (Sugihara 2011), from a floor that rounding asks for.
DAMPING, FLOOR = 0.4, 1e-3
STRIDE = 0.35  # rad or m that a joint moves at most in an iteration
FAR = 0.25  # m and rad of error that an iteration goes for at most: the linear picture holds so far
REST = 0.1  # share of the way to the rest posture that is gone in an iteration
CLOSE = 0.002, 0.02  # m, rad: solved
MARGIN = 0.02  # rad or m: kept from each limit


@dataclass(frozen=True, eq=False, slots=True)
class Chain:
    """An arm's joints in order, all at 0, in the frame of its base; n joints.

    slides (n,), axis (n, 3), anchor (n, 3)   what moves how;  low, high (n,): limits, a margin taken off
    grip (4, 4)   base_from_grip
    rest (n,)     the posture it is drawn to
    """

    slides: Bools
    axis: Array
    anchor: Array
    low: Array
    high: Array
    grip: Array
    rest: Array

    @classmethod
    def of(
        cls, model: mujoco.MjModel, joints: tuple[str, ...], site: str, base: str, rest: tuple[float, ...]
    ) -> "Chain":
        """Return the chain of a model's joints to a site, in the frame of a body that they stand on."""
        data = mujoco.MjData(model)
        data.qpos[:] = 0
        mujoco.mj_kinematics(model, data)
        ids = [model.joint(name).id for name in joints]
        turn, place = data.body(base).xmat.reshape(3, 3), data.body(base).xpos
        grip = np.eye(4)
        grip[:3, :3] = turn.T @ data.site(site).xmat.reshape(3, 3)
        grip[:3, 3] = turn.T @ (data.site(site).xpos - place)
        limited = model.jnt_limited[ids].astype(bool)
        low = np.where(limited, model.jnt_range[ids, 0] + MARGIN, -np.pi)
        high = np.where(limited, model.jnt_range[ids, 1] - MARGIN, np.pi)
        return cls(
            model.jnt_type[ids] == mujoco.mjtJoint.mjJNT_SLIDE,
            data.xaxis[ids] @ turn,
            (data.xanchor[ids] - place) @ turn,
            low,
            high,
            grip,
            np.clip(np.array(rest), low, high),
        )

    def forward(self, q: Array) -> tuple[Array, Array]:
        """Return base_from_grip (m, 4, 4) at q (m, n), and the geometric Jacobian (m, 6, n) of the grip."""
        m, n = q.shape
        turn, place = np.broadcast_to(np.eye(3), (m, 3, 3)), np.zeros((m, 3))
        axes, anchors = np.empty((m, n, 3)), np.empty((m, n, 3))
        for i in range(n):
            axes[:, i] = turn @ self.axis[i]
            anchors[:, i] = turn @ self.anchor[i] + place
            if self.slides[i]:
                place = place + q[:, i, None] * axes[:, i]
            else:
                about = turned_about(self.axis[i], q[:, i])
                place = place + np.einsum("mij,mj->mi", turn, self.anchor[i] - about @ self.anchor[i])
                turn = turn @ about
        out = np.zeros((m, 4, 4))
        out[:, :3, :3], out[:, 3, 3] = turn @ self.grip[:3, :3], 1
        out[:, :3, 3] = turn @ self.grip[:3, 3] + place
        moved = np.where(self.slides[None, :, None], axes, np.cross(axes, out[:, None, :3, 3] - anchors))
        spun = np.where(self.slides[None, :, None], 0.0, axes)
        return out, np.concatenate([moved, spun], 2).transpose(0, 2, 1)

    def step(self, q: Array, wanted: Array) -> tuple[Array, Array]:
        """Return q (m, n) one iteration nearer to grips wanted (m, 4, 4), and how far off it was (m, 6)."""
        at, jacobian = self.forward(q)
        error = difference(at, wanted)
        limited = _shortened(error)
        ridge = FLOOR**2 + DAMPING**2 * (limited**2).sum(1)
        squared = jacobian @ jacobian.transpose(0, 2, 1) + ridge[:, None, None] * np.eye(6)
        rest = REST * (self.rest - q)
        undone = limited - np.einsum("mij,mj->mi", jacobian, rest)
        pulled = np.linalg.solve(squared, undone[:, :, None])
        change = rest + (jacobian.transpose(0, 2, 1) @ pulled)[:, :, 0]
        most = np.abs(change).max(1, keepdims=True)
        change = change * np.minimum(1.0, STRIDE / np.maximum(most, 1e-12))
        return np.clip(q + change, self.low, self.high), error

    def solve(self, q: Array, wanted: Array, iterations: int) -> tuple[Array, Bools]:
        """Return q (m, n) with the grip where it is wanted (m, 4, 4), begun at q, and which (m,) got there.

        What is solved is left alone, so that it does not depend on what else is.
        """
        q, solved = q.copy(), np.zeros(len(q), bool)
        for _ in range(iterations):
            live = np.flatnonzero(~solved)
            if not len(live):
                break
            moved, error = self.step(q[live], wanted[live])
            there = close(error)
            q[live[~there]] = moved[~there]
            solved[live[there]] = True
        return q, solved

    def manipulability(self, q: Array) -> Array:
        """Return Yoshikawa's measure (m,) sqrt(det(J J^T)): 0 where some way is barred."""
        _, jacobian = self.forward(q)
        out: Array = np.sqrt(np.maximum(np.linalg.det(jacobian @ jacobian.transpose(0, 2, 1)), 0.0))
        return out


def close(error: Array) -> Bools:
    """Say which errors (m, 6) are none."""
    far, off = CLOSE
    out: Bools = (np.linalg.norm(error[:, :3], axis=1) < far) & (np.linalg.norm(error[:, 3:], axis=1) < off)
    return out


def difference(at: Array, wanted: Array) -> Array:
    """Return the way (m, 6) from frames (m, 4, 4) to wanted ones: a shift, and a turn as axis times angle."""
    turn = wanted[:, :3, :3] @ at[:, :3, :3].transpose(0, 2, 1)
    spin = np.stack(
        [turn[:, 2, 1] - turn[:, 1, 2], turn[:, 0, 2] - turn[:, 2, 0], turn[:, 1, 0] - turn[:, 0, 1]], 1
    )
    sine, cosine = np.linalg.norm(spin, axis=1) / 2, (np.trace(turn, axis1=1, axis2=2) - 1) / 2
    scale = np.arctan2(sine, cosine) / np.maximum(2 * sine, 1e-9)
    return np.concatenate([wanted[:, :3, 3] - at[:, :3, 3], spin * scale[:, None]], 1)


def turned_about(axis: Array, angle: Array) -> Array:
    """Return rotations (m, 3, 3) about an axis (3,) by angles (m,): Rodrigues' formula."""
    x, y, z = axis
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    sine, cosine = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    out: Array = np.eye(3) + sine * skew + (1 - cosine) * (skew @ skew)
    return out


def _shortened(error: Array) -> Array:
    shift, turn = (
        part * np.minimum(1.0, FAR / np.maximum(np.linalg.norm(part, axis=1), 1e-12))[:, None]
        for part in (error[:, :3], error[:, 3:])
    )
    return np.concatenate([shift, turn], 1)
