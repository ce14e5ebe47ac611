"""One chair in two formats, and a door handle too near to see its floor: what becomes of them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import KDTree

from pocketworld.api import build_twin
from pocketworld.reconstruct.surfaces.fusion import fuse
from pocketworld.scan.capture import Capture
from pocketworld.scan.readers import read

SAME = 1e-4  # m, and of a rotation's entries: files round


def picked(capture: Capture, which: Iterable[int]) -> Capture:
    """Return these frames of a capture."""
    chosen = list(which)
    return replace(
        capture,
        world_from_camera=capture.world_from_camera[chosen].copy(),
        order=tuple(capture.order[i] for i in chosen),
        coloured=capture.coloured[chosen].copy(),
    )


@pytest.mark.slow
@pytest.mark.captures
def test_the_chair_is_one_surface_in_two_formats(captures: Path) -> None:
    stray, app = read(captures / "strayscanner_chair"), read(captures / "3dscannerapp_chair")
    apart = np.abs(stray.world_from_camera[:, None] - app.world_from_camera[None]).max((2, 3))
    shared, same = np.flatnonzero(apart.min(1) < SAME), apart.argmin(1)
    one = fuse(picked(stray, shared)).surface.vertices
    other = fuse(picked(app, same[shared])).surface.vertices
    far = np.concatenate([KDTree(other).query(one)[0], KDTree(one).query(other)[0]])
    assert len(shared) == 24
    assert np.median(far) < 0.001
    assert np.quantile(far, 0.99) < 0.005


@pytest.mark.slow
@pytest.mark.captures
@pytest.mark.parametrize("name", ["strayscanner_chair", "3dscannerapp_chair"])
def test_a_chair_opens_nothing(name: str, captures: Path) -> None:
    twin = build_twin(read(captures / name))
    assert twin.assets
    assert [asset.id for asset in twin.assets if asset.joints] == []


@pytest.mark.slow
@pytest.mark.captures
def test_a_door_handle_alone_becomes_a_world_that_says_what_is_missing(captures: Path) -> None:
    twin = build_twin(read(captures / "record3d_door_handle"))
    assert [asset.id for asset in twin.assets if asset.joints] == []
    assert "no-floor" in [finding.code for finding in twin.findings]
