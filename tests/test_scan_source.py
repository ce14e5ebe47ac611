"""The door for bytes from outside: one capture, whatever holds it, and no way out of it."""

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pocketworld.errors import CaptureError
from pocketworld.scan import source as door
from pocketworld.scan.source import Source

FILES = {"a.txt": b"one", "rgb/2.txt": b"two", "rgb/deep/3.json": b'{"x": [1, 2.5]}'}


def folder(at: Path, files: dict[str, bytes] = FILES) -> Path:
    for name, data in files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_bytes(data)
    return at


def packed(at: Path, files: dict[str, bytes] = FILES, how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(at, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return at


def in_a_folder(at: Path) -> Path:
    return folder(at / "walk")


def in_a_zip(at: Path) -> Path:
    return packed(at / "walk.zip")


def in_a_wrapped_zip(at: Path) -> Path:
    mac = {"__MACOSX/x/._a.txt": b"?", "Scan 7/.DS_Store": b"?"}
    return packed(at / "walk.zip", {f"Scan 7/{name}": data for name, data in FILES.items()} | mac)


def in_a_wrapped_folder(at: Path) -> Path:
    folder(at / "walk" / "2024" / "07")
    return at / "walk"


HOLDERS = [in_a_folder, in_a_zip, in_a_wrapped_zip, in_a_wrapped_folder]


@pytest.mark.parametrize("hold", HOLDERS)
def test_whatever_holds_a_capture_it_reads_the_same(hold: Callable[[Path], Path], tmp_path: Path) -> None:
    source = Source.of(hold(tmp_path))
    assert list(source) == sorted(FILES)
    assert source.name == "walk"
    assert {name: source.read(name) for name in source} == FILES
    assert source.text("rgb/2.txt") == "two"
    assert source.json("rgb/deep/3.json") == {"x": [1, 2.5]}
    assert "a.txt" in source
    assert "b.txt" not in source
    with source.open("a.txt") as stream:
        stream.seek(1)
        assert stream.read() == b"ne"


def test_names_are_the_same_whatever_order_files_were_made_in(tmp_path: Path) -> None:
    backwards = folder(tmp_path / "b", dict(reversed(FILES.items())))
    assert list(Source.of(backwards)) == list(Source.of(folder(tmp_path / "a")))
    assert list(Source.of(packed(tmp_path / "c.zip", dict(reversed(FILES.items()))))) == sorted(FILES)


def test_hidden_files_are_no_part_of_it(tmp_path: Path) -> None:
    place = folder(tmp_path / "walk", FILES | {".DS_Store": b"", ".git/config": b"", "rgb/.x": b""})
    assert list(Source.of(place)) == sorted(FILES)


def test_a_relative_path_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(in_a_folder(tmp_path))
    assert Source.of(".").name == "walk"


def test_what_is_no_capture_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"nowhere does not exist; name a capture's folder or zip$"):
        Source.of(tmp_path / "nowhere")
    with pytest.raises(CaptureError, match=r"is empty; name the folder or zip that holds the frames$"):
        Source.of(tmp_path)
    (tmp_path / "x.mp4").write_bytes(b"....")
    with pytest.raises(CaptureError, match=r"x\.mp4 is neither a folder nor a zip; "):
        Source.of(tmp_path / "x.mp4")
    with pytest.raises(CaptureError, match=r"void\.zip is empty; "):
        Source.of(packed(tmp_path / "void.zip", {}))
    with pytest.raises(CaptureError, match=r"walk/b\.txt is missing$"):
        Source.of(in_a_folder(tmp_path)).read("b.txt")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "..", "a\\..\\x", "C:/x"])
def test_a_zip_whose_names_lead_out_of_it_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"a name that leads out of it; zip the capture again$"):
        Source.of(packed(tmp_path / "x.zip", {"a.txt": b"", name: b""}))


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/hostname", "rgb/../../secret.txt"])
def test_no_name_leads_out_of_a_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    source = Source.of(in_a_folder(tmp_path))
    assert name not in source
    with pytest.raises(CaptureError, match=r"is missing$"):
        source.read(name)


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("frame.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/hostname")
    with pytest.raises(CaptureError, match=r"x\.zip/frame\.json is a link; zip the files themselves$"):
        Source.of(tmp_path / "x.zip")


def test_links_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    place = in_a_folder(tmp_path)
    (place / "rgb" / "same.txt").symlink_to("../a.txt")
    assert Source.of(place).read("rgb/same.txt") == b"one"
    for target, why in (
        ("../secret.txt", r"link\.txt is a link to .*secret\.txt, outside the capture; put the file itself"),
        (str(tmp_path), r"link\.txt is a link to .*, outside the capture; "),
        ("rgb", r"link\.txt is a link to a folder; put the folder itself there$"),
        ("gone", r"link\.txt is a link that leads nowhere; "),
        ("link.txt", r"link\.txt is a link that leads nowhere; "),
    ):
        (place / "link.txt").symlink_to(target)
        with pytest.raises(CaptureError, match=why):
            Source.of(place)
        (place / "link.txt").unlink()
    (tmp_path / "alias").symlink_to(place)
    assert Source.of(tmp_path / "alias").read("a.txt") == b"one", "the capture itself may be a link"


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    place = in_a_folder(tmp_path)
    os.mkfifo(place / "pipe")  # opening it would wait for ever
    assert "pipe" not in Source.of(place)


def test_a_disk_is_no_capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "FILES", 2)
    for path in (in_a_folder(tmp_path), in_a_zip(tmp_path)):
        with pytest.raises(CaptureError, match=r"holds over 2 files; name the folder of one capture$"):
            Source.of(path)


def test_no_file_is_larger_than_agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (in_a_folder(tmp_path), in_a_zip(tmp_path)):
        assert Source.of(path).read("a.txt", limit=3) == b"one"
        with pytest.raises(CaptureError, match=r"a\.txt is larger than 1\.90735e-06 MB$"):
            Source.of(path).read("a.txt", limit=2)
    monkeypatch.setattr(door, "LARGEST", 10)
    with pytest.raises(CaptureError, match=r"3\.json is larger than"):
        Source.of(in_a_zip(tmp_path))


def test_a_bomb_that_lies_about_its_size_unpacks_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "x.zip", {"a.txt": b"0" * 5000})
    raw = path.read_bytes()
    path.write_bytes(raw.replace((5000).to_bytes(4, "little"), (5).to_bytes(4, "little")))
    monkeypatch.setattr(door, "LARGEST", 100)
    with pytest.raises(CaptureError, match=r"a\.txt (is larger than|can't be unpacked)"):
        Source.of(path).read("a.txt", limit=100)


def test_a_damaged_zip_is_one_line(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", {"a.txt": b"hello hello"}, zipfile.ZIP_STORED)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"hello hello", b"hello jello"))
    with pytest.raises(
        CaptureError, match=r"x\.zip/a\.txt can't be unpacked: Bad CRC.*; zip the capture again$"
    ):
        Source.of(path).read("a.txt")
    path.write_bytes(b"PK\x01\x02" + raw[4:60] + raw[-22:])
    with pytest.raises(CaptureError, match=r"x\.zip (is no zip that can be read|is empty)"):
        Source.of(path)


def test_a_locked_zip_says_so(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", {"a.txt": b"hello"}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    raw[6] |= 1  # the flag of the file
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # and in the list
    path.write_bytes(raw)
    with pytest.raises(CaptureError, match=r"a\.txt can't be unpacked: .*encrypted"):
        Source.of(path).read("a.txt")


def test_a_zip_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", "one")
        archive.writestr("./a.txt", "two")
    with pytest.raises(CaptureError, match=r"holds two files of the same name; zip the capture again$"):
        Source.of(tmp_path / "x.zip")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe\x00", r"is no text in UTF-8$"),
        (b"{", r"is no JSON: Expecting property name"),
        (b"", r"is no JSON: Expecting value"),
        (b"[1]", r"holds a list, not an object$"),
        (b'{"t": NaN}', r"is no JSON: NaN is no number$"),
        (b'{"t": [-Infinity]}', r"is no JSON: -Infinity is no number$"),
        (b'{"a":' * 100_000, r"is no JSON: "),
    ],
)
def test_text_that_is_no_json_is_one_line(data: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=why) as caught:
        Source.of(folder(tmp_path, {"x.json": data})).json("x.json")
    assert "\n" not in str(caught.value)
    assert "x.json" in str(caught.value)


def test_a_closed_file_or_folder_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = in_a_folder(tmp_path)
    source = Source.of(place)
    (place / "a.txt").unlink()  # root reads whatever its mode is: let it be gone instead
    with pytest.raises(CaptureError, match=r"a\.txt can't be opened: No such file or directory$"):
        source.read("a.txt")

    def closed(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(CaptureError, match=r"walk can't be opened: Permission denied$"):
        Source.of(place)
