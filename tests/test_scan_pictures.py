"""Pictures and maps: looked at without decoding, decoded exactly, refused in one line."""

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pocketworld.errors import CaptureError
from pocketworld.rng import stream
from pocketworld.scan.pictures import Header, Kind, colour, depth, header, levels
from pocketworld.scan.source import Source

NOISE = stream(0, "pictures").integers(0, 65535, (48, 64), np.uint16)
ANY: tuple[Kind, ...] = ("colour", "uint8", "uint16")


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def jpeg(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def held(folder: Path, **files: bytes) -> Source:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return Source.of(folder)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_depth_is_exact_in_metres_and_0_where_unknown(tmp_path: Path) -> None:
    steps = NOISE.copy()
    steps[0, :3] = [0, 65535, 5000]
    found = depth(held(tmp_path, d=png(steps)), "d", 5000)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[1:], steps[1:] / 5000, rtol=1e-6)
    assert found[0, :3].tolist() == [0, 0, 1]


def test_levels_and_colours_keep_their_values(tmp_path: Path) -> None:
    grey, rgb = (NOISE % 3).astype(np.uint8), np.dstack([NOISE % 251] * 3).astype(np.uint8)
    rgb[..., 0] //= 2
    source = held(tmp_path, c=png(grey), p=png(rgb[..., ::-1]))
    np.testing.assert_array_equal(levels(source, "c"), grey)
    np.testing.assert_array_equal(colour(source, "p"), rgb)
    assert header(source, "p", "colour") == Header(64, 48, "colour")
    assert colour(source, "c").shape == (48, 64, 3), "a grey picture is a picture"


def test_a_picture_stays_as_the_sensor_saw_it(tmp_path: Path) -> None:
    """Intrinsics are for the sensor; a note to turn the picture for people would break them."""
    image, out = Image.fromarray(np.zeros((48, 64, 3), np.uint8)), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    image.save(out, "JPEG", exif=exif)
    source = held(tmp_path, p=out.getvalue())
    assert colour(source, "p").shape == (48, 64, 3)
    assert header(source, "p", "colour") == Header(64, 48, "colour")


def test_two_jpegs_in_one_file_are_the_first(tmp_path: Path) -> None:
    """As phones write them, with a note behind that no decoder minds."""
    first, out = Image.fromarray(np.full((48, 64, 3), 200, np.uint8)), io.BytesIO()
    first.save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (32, 24))])
    source = held(tmp_path, p=out.getvalue() + b"note" * 99)
    assert header(source, "p", "colour") == Header(64, 48, "colour")
    assert abs(colour(source, "p").astype(int) - 200).max() < 4


@pytest.mark.parametrize("data", [png(NOISE), jpeg((NOISE % 256).astype(np.uint8))])
@pytest.mark.parametrize("keep", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_file_cut_short_is_noticed_without_decoding(data: bytes, keep: float, tmp_path: Path) -> None:
    source = held(tmp_path, x=data[: int(keep * len(data))])
    with pytest.raises(
        CaptureError, match=r"/x (is cut short; copy it again|is no PNG or JPEG that can be read)$"
    ):
        header(source, "x", *ANY)


def test_any_cut_or_flipped_byte_gives_a_picture_or_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = png(NOISE)
    for k in range(200):
        draw = stream(k, "damage")
        hurt = bytearray(data)
        for at in draw.integers(0, len(data), 4):
            hurt[at] = draw.integers(0, 256)
        (tmp_path / "x").write_bytes(hurt)
        with suppress(CaptureError):  # and nothing else
            assert depth(Source.of(tmp_path), "x", 1000).ndim == 2
    capfd.readouterr()  # OpenCV says so too


def test_a_file_damaged_inside_says_so_when_it_is_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = png(NOISE)
    middle = len(data) // 2
    source = held(tmp_path, x=data[:middle] + bytes(99) + data[middle + 99 :])
    assert header(source, "x", "uint16") == Header(64, 48, "uint16")
    with pytest.raises(CaptureError, match=r"x is damaged; copy it again, or delete this frame's files$"):
        depth(source, "x", 1000)
    capfd.readouterr()


def test_the_wrong_kind_of_pixels_is_refused(tmp_path: Path) -> None:
    source = held(tmp_path, grey=png((NOISE % 256).astype(np.uint8)), deep=png(NOISE), text=b"hello")
    with pytest.raises(CaptureError, match=r"grey has pixels of kind L, not uint16$"):
        depth(source, "grey", 1000)
    with pytest.raises(CaptureError, match=r"deep has pixels of kind I;16, not uint8$"):
        levels(source, "deep")
    with pytest.raises(CaptureError, match=r"deep has pixels of kind I;16, not colour or uint8$"):
        colour(source, "deep")
    with pytest.raises(CaptureError, match=r"text is no PNG or JPEG that can be read$"):
        colour(source, "text")
    with pytest.raises(CaptureError, match=r"gone is missing$"):
        colour(source, "gone")


@pytest.mark.parametrize(("width", "height"), [(9000, 9000), (12_000, 12_000), (60_000, 60_000)])
def test_a_bomb_is_not_unpacked(width: int, height: int, tmp_path: Path) -> None:
    head = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(9)))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")
    source = held(tmp_path, x=data)
    with pytest.raises(CaptureError, match=r"x (has \d+x\d+ pixels, over 64 MP|is no)"):
        depth(source, "x", 1000)


def test_what_opencv_refuses_by_itself_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(data: object, how: int) -> None:
        raise cv2.error("too many pixels")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    with pytest.raises(CaptureError, match=r"x is damaged; "):
        depth(held(tmp_path, x=png(NOISE)), "x", 1000)
