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
NEXT, LATER = [1, 2, 0], [2, 0, 1]  # the axes after x, y and z, and those after them
SKEW = np.zeros((3, 9))  # a vector times it: the matrix (3, 3) that takes the cross product with the vector
SKEW[range(3), [3 * k + j for j, k in zip(NEXT, LATER, strict=True)]] = 1
SKEW[range(3), [3 * j + k for j, k in zip(NEXT, LATER, strict=True)]] = -1


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
        skew = (self.axis @ SKEW).reshape(n, 3, 3)
        turn = np.where(self.slides, 0.0, q)[:, :, None, None]
        moves = np.zeros((m, n, 4, 4))
        moves[:, :, :3, :3] = np.eye(3) + np.sin(turn) * skew + (1 - np.cos(turn)) * (skew @ skew)
        slid = np.where(self.slides, q, 0.0)[:, :, None] * self.axis
        moves[:, :, :3, 3] = self.anchor - (moves[:, :, :3, :3] @ self.anchor[:, :, None])[..., 0] + slid
        moves[:, :, 3, 3] = 1
        for i in range(1, n):
            moves[:, i] = moves[:, i - 1] @ moves[:, i]
        out = moves[:, -1] @ self.grip
        axes = (moves[:, :, :3, :3] @ self.axis[:, :, None])[..., 0]
        anchors = (moves[:, :, :3, :3] @ self.anchor[:, :, None])[..., 0] + moves[:, :, :3, 3]
        jacobian = np.empty((m, 6, n))
        swept = _cross(axes, out[:, None, :3, 3] - anchors)
        jacobian[:, :3] = np.where(self.slides[:, None], axes, swept).transpose(0, 2, 1)
        jacobian[:, 3:] = np.where(self.slides[:, None], 0.0, axes).transpose(0, 2, 1)
        return out, jacobian

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
    out: Bools = (_length(error[:, :3]) < far) & (_length(error[:, 3:]) < off)
    return out


def difference(at: Array, wanted: Array) -> Array:
    """Return the way (m, 6) from frames (m, 4, 4) to wanted ones: a shift, and a turn as axis times angle."""
    turn = wanted[:, :3, :3] @ at[:, :3, :3].transpose(0, 2, 1)
    spin = turn[:, LATER, NEXT] - turn[:, NEXT, LATER]
    sine, cosine = _length(spin) / 2, (turn[:, 0, 0] + turn[:, 1, 1] + turn[:, 2, 2] - 1) / 2
    scale = np.arctan2(sine, cosine) / np.maximum(2 * sine, 1e-9)
    return np.concatenate([wanted[:, :3, 3] - at[:, :3, 3], spin * scale[:, None]], 1)


def _shortened(error: Array) -> Array:
    shift, turn = (
        part * np.minimum(1.0, FAR / np.maximum(_length(part), 1e-12))[:, None]
        for part in (error[:, :3], error[:, 3:])
    )
    return np.concatenate([shift, turn], 1)


def _length(vectors: Array) -> Array:
    out: Array = np.sqrt((vectors * vectors).sum(1))
    return out


def _cross(one: Array, other: Array) -> Array:
    """Return one x other (..., 3): numpy's own is five times as slow for few of them."""
    out: Array = one[..., NEXT] * other[..., LATER] - one[..., LATER] * other[..., NEXT]
    return out
