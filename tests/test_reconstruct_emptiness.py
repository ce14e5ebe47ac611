"""Places at which a box is asked whether it was seen to be empty: about so many, and evenly, of any shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.emptiness import PLACES, _grid

side = st.floats(1e-6, 10.0)


@given(side, side, side, st.floats(-3, 3))
def test_a_box_of_any_shape_has_about_so_many_places_inside(w: float, d: float, h: float, yaw: float) -> None:
    box = UprightBox((0.3, -0.2, 0.1), yaw, (w, d, h))
    places = _grid(box)
    assert PLACES / 2 < len(places) < 2 * PLACES
    local = se3.apply(se3.inverse(box.world_from_box), places) / box.size
    assert (np.abs(local[:, :2]) < 0.5).all()
    assert ((local[:, 2] > 0) & (local[:, 2] < 1)).all()
    assert np.abs(local.mean(0) - (0, 0, 0.5)).max() < 1e-6


def test_places_are_as_far_apart_along_each_side_that_is_not_thin() -> None:
    places = _grid(UprightBox((0.0, 0.0, 0.0), 0.0, (1.0, 0.6, 1e-4)))
    x, y, z = (np.unique(places[:, axis].round(9)) for axis in range(3))
    assert z == pytest.approx([5e-5])
    assert np.diff(x).mean() == pytest.approx(np.diff(y).mean(), rel=0.05)


@pytest.mark.parametrize("size", [(0.0, 0.0, 0.0), (0.4, 0.3, 0.0)])
def test_what_has_no_volume_has_places_all_the_same(size: tuple[float, float, float]) -> None:
    places = _grid(UprightBox((0.0, 0.0, 0.0), 0.0, size))
    assert 1 <= len(places) < 2 * PLACES
    assert np.isfinite(places).all()
