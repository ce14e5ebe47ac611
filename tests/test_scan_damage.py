"""Frames whose files are damaged inside are left out and said; what is read of the others stands."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pocketworld import api
from pocketworld.errors import CaptureError
from pocketworld.findings import Severity
from pocketworld.reconstruct.twin import reconstruct
from pocketworld.scan.capture import Capture, Frame
from pocketworld.scan.damage import Damage

CHAIR = Path(__file__).parent / "data" / "chair"


def holed(name: str, folder: Path) -> Path:
    """Return a copy of the chair's capture, one of whose files is damaged where its head does not tell."""
    shutil.copytree(CHAIR, folder)
    data = (folder / name).read_bytes()
    start = data.index(b"\xff\xda" if name.endswith(".jpg") else b"IDAT") + 4
    (folder / name).write_bytes(data[:start] + bytes(len(data) - 16 - start) + data[-16:])
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["depth_00001.png", "conf_00001.png", "frame_00000.jpg"])
def test_a_place_is_reconstructed_without_what_is_damaged(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capture = api.read(holed(name, tmp_path / "chair"))
    with pytest.raises(CaptureError, match="damaged"):
        list(capture)
    scene = reconstruct(capture).scene
    (told,) = (finding for finding in scene.findings if finding.code == "frame-unreadable")
    assert told.severity is Severity.DEGRADED
    assert told.numbers == {"frames": 1, "of": 3}
    assert name in told.text
    assert next(asset.family for asset in scene.assets) == "chair"
    capfd.readouterr()  # OpenCV says so too


def frames(broken: set[int], count: int = 6) -> Capture:
    """Return a capture whose frames hold nothing, some of which can't be read."""

    def load(number: int) -> Frame:
        if number in broken:
            raise CaptureError(f"{number}.png is damaged")
        return Frame(number, str(number), np.eye(4))

    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 0, 3] = range(count)
    seen = np.arange(count) % 2 == 0
    return Capture("c", Path(), "made up", poses, np.eye(4), load, tuple(range(count)), seen)


@pytest.mark.parametrize("broken", [set(), {0}, {1, 4}, {5}])
def test_what_is_left_is_the_capture_of_the_sound_frames(broken: set[int]) -> None:
    capture, damage = frames(broken)[::-1], Damage()
    sound = [number for number in range(5, -1, -1) if number not in broken]
    assert [frame.index for frame in damage.sound(capture)] == sound
    left = damage.without(capture)
    assert [frame.index for frame in left] == sound
    assert left.world_from_camera[:, 0, 3].tolist() == sound
    assert left.coloured.tolist() == [number % 2 == 0 for number in sound]
    assert sum(int(finding.numbers["frames"]) for finding in damage.findings(capture)) == len(broken)
    assert damage.findings(left) == ()


def test_what_is_known_to_be_damaged_is_not_read_again() -> None:
    capture, damage = frames({2}), Damage()
    list(damage.sound(capture, [1, 2]))
    assert damage.why == {2: "2.png is damaged"}
    mended = replace(capture, load=frames(set()).load)
    assert [frame.index for frame in damage.sound(mended)] == [0, 1, 3, 4, 5]


def test_where_nothing_can_be_read_all_is_lost() -> None:
    capture, damage = frames({0, 1}, 2), Damage()
    assert not list(damage.sound(capture))
    (told,) = damage.findings(capture)
    assert told.severity is Severity.LOST
    assert told.text == "2 of 2 frames can't be read and are left out; the first: 0.png is damaged"
