"""How an arm's joints have to move for its grip to move so: damped least squares on its Jacobian.

For all environments at once, with numpy's or torch's arrays, summed in an order that their number does not
change: an environment alone gets the same bits as among others (see `vectors.py`).
"""

from pocketworld.sim.arrays import Array, namespace
from pocketworld.sim.vectors import cross, dot, length


def jacobian(anchor: Array, axis: Array, slides: tuple[bool, ...], grip: Array) -> Array:
    """Return the geometric Jacobian (n, 6, k): how each joint shifts and turns a grip (n, 3) in the world.

    anchor, axis (n, k, 3): where the joints are now, and their axes
    """
    xp = namespace(grip)
    columns = []
    for i, slide in enumerate(slides):
        along = axis[:, i]
        shift = along if slide else cross(along, grip - anchor[:, i])
        columns.append(xp.concat([shift, 0 * along if slide else along], axis=1))
    return xp.stack(columns, axis=2)


def times(matrix: Array, vector: Array) -> Array:
    """Return matrix @ vector for each (n, i, k) and (n, k)."""
    out = matrix[:, :, 0] * vector[:, 0, None]
    for k in range(1, vector.shape[1]):
        out = out + matrix[:, :, k] * vector[:, k, None]
    return out


def pulled(jacobian: Array, error: Array, damping: float) -> Array:
    """Return the joints' move (n, k) that undoes an error (n, 6), small where it would take long ways.

    The least squares of Wampler (1986): J^T (J J^T + damping^2)^-1 error.
    """
    xp = namespace(error)
    square = jacobian[:, :, None, 0] * jacobian[:, None, :, 0]
    for k in range(1, jacobian.shape[2]):
        square = square + jacobian[:, :, None, k] * jacobian[:, None, :, k]
    return times(xp.permute_dims(jacobian, (0, 2, 1)), solved(square, error, damping**2))


def solved(square: Array, right: Array, ridge: float) -> Array:
    """Return x (n, m) with (square + ridge) x = right, for symmetric matrices (n, m, m): Cholesky's way."""
    xp = namespace(right)
    m = right.shape[1]
    lower: list[list[Array]] = []
    for i in range(m):
        row: list[Array] = []
        for j in range(i + 1):
            left = square[:, i, j] + (ridge if i == j else 0.0)
            for k in range(j):
                left = left - row[k] * (row[k] if i == j else lower[j][k])
            row.append(xp.sqrt(left) if i == j else left / lower[j][j])
        lower.append(row)
    half: list[Array] = []
    for i in range(m):
        left = right[:, i]
        for k in range(i):
            left = left - lower[i][k] * half[k]
        half.append(left / lower[i][i])
    out: list[Array] = [right[:, 0]] * m
    for i in reversed(range(m)):
        left = half[i]
        for k in range(i + 1, m):
            left = left - lower[k][i] * out[k]
        out[i] = left / lower[i][i]
    return xp.stack(out, axis=1)


def turn_between(at: Array, wanted: Array) -> Array:
    """Return the turn (n, 3) from rotations (n, 3, 3) to wanted ones: axis times the angle's sine.

    Beyond 90 degrees its length is 1: which way to turn is what counts then.
    """
    xp = namespace(at)
    axis, cosine = 0 * at[:, 0], -1.0
    for k in range(3):
        axis = axis + cross(at[:, :, k], wanted[:, :, k]) / 2
        cosine = cosine + dot(at[:, :, k], wanted[:, :, k])
    size = xp.clip(length(axis), min=1e-9)
    return axis * xp.where(cosine < 0, 1 / size, 1 + 0 * size)[:, None]
