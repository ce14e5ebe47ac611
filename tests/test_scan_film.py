"""Pictures of a film: each is the same in whatever order they are asked for."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pocketworld.errors import CaptureError
from pocketworld.rng import stream
from pocketworld.scan.film import NEAR, Film
from pocketworld.scan.source import Source

COUNT = 3 * NEAR


def drawn(number: int) -> np.ndarray:
    """Return a picture (48, 64, 3) whose halves are as bright as the digits of its number."""
    picture = np.full((48, 64, 3), 20 + number // 10 * 20, np.uint8)
    picture[:, 32:] = 20 + number % 10 * 20
    return picture


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film of pictures that tell their numbers; every twelfth is whole."""
    folder = tmp_path_factory.mktemp("film")
    writer = cv2.VideoWriter(str(folder / "rgb.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 30, (64, 48))
    for k in range(COUNT):
        writer.write(drawn(k))
    writer.release()
    return folder


def numbers(film: Film, source: Source, wanted: list[int]) -> list[int]:
    """Return the numbers that the wanted pictures tell."""
    found = [film(source, str(k)) for k in wanted]
    digits = [[round((half.mean() - 20) / 20) for half in (p[:, 4:28], p[:, 36:60])] for p in found]
    return [10 * tens + ones for tens, ones in digits]


def test_pictures_in_order_and_out_of_order_are_the_same(filmed: Path) -> None:
    source = Source.of(filmed)
    film = Film(source, "rgb.mp4")
    assert (len(film), film.width, film.height) == (COUNT, 64, 48)
    in_order = [film(source, str(k)) for k in range(COUNT)]
    assert numbers(Film(source, "rgb.mp4"), source, list(range(COUNT))) == list(range(COUNT))
    for k in [COUNT - 1, 0, 50, 49, 50, 13, 12, 11, 88, *stream(0, "film").permutation(COUNT)[:20].tolist()]:
        np.testing.assert_array_equal(film(source, str(k)), in_order[k])
        np.testing.assert_array_equal(Film(source, "rgb.mp4")(source, str(k)), in_order[k])


def test_a_film_in_a_zip_is_the_same(filmed: Path, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "x"), "zip", filmed)
    packed, plain = Source.of(tmp_path / "x.zip"), Source.of(filmed)
    one, other = Film(packed, "rgb.mp4"), Film(plain, "rgb.mp4")
    np.testing.assert_array_equal(one(packed, "40"), other(plain, "40"))


def test_a_process_of_its_own_reads_the_same(filmed: Path) -> None:
    """A child that goes on in the parent's open file would move it under the parent."""
    source = Source.of(filmed)
    film, fresh = Film(source, "rgb.mp4"), Film(source, "rgb.mp4")
    wanted = fresh(source, "5")
    film(source, "3")
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(film(source, "5"), wanted) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert numbers(film, source, [4, 5, 60]) == [4, 5, 60]


def test_a_picture_that_is_not_there_is_named(filmed: Path) -> None:
    source = Source.of(filmed)
    with pytest.raises(CaptureError, match=rf"rgb\.mp4 has {COUNT} pictures, and none of number {COUNT}$"):
        Film(source, "rgb.mp4")(source, str(COUNT))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no MP4 or MOV"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "is no MP4 or MOV"),
        (b"\0\0\0\x18ftypmp42" + bytes(100), "is no film that can be read"),
    ],
)
def test_what_is_no_film_is_one_line(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "rgb.mp4").write_bytes(content)
    with pytest.raises(CaptureError, match=why):
        Film(Source.of(tmp_path), "rgb.mp4")


def test_a_film_that_is_damaged_inside_is_one_line(filmed: Path, tmp_path: Path) -> None:
    """What can be decoded is; what can't raises nothing but our own error."""
    data = bytearray((filmed / "rgb.mp4").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(600)
    (tmp_path / "rgb.mp4").write_bytes(data)
    source = Source.of(tmp_path)
    film = Film(source, "rgb.mp4")
    assert sum(decodes(film, source, k) for k in range(len(film))) > COUNT // 4


def decodes(film: Film, source: Source, number: int) -> bool:
    try:
        return film(source, str(number)).shape == (48, 64, 3)
    except CaptureError:
        return False
