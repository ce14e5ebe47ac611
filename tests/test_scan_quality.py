"""The quality of a capture: real ones as measured before, planted faults, verdicts with reasons."""

import json
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pocketworld.errors import CaptureError
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.scan.agreement import Agreement
from pocketworld.scan.capture import Capture, Frame
from pocketworld.scan.coverage import Coverage
from pocketworld.scan.quality import Quality, assess
from pocketworld.scan.readers import read
from pocketworld.scan.verdict import Grade, Measures, judge

ROOT = Path(__file__).parent / "data" / "chair"
NAMES = ("tum_fr3_cabinet", "3dscannerapp_chair", "3dscannerapp_corridor")


@pytest.fixture(scope="module")
def real(captures: Path) -> dict[str, Quality]:
    return {name: assess(read(captures / name)) for name in NAMES}


def bent(capture: Capture, **changes: Any) -> Capture:
    """Return a capture whose frames are changed by functions of (frame) as they are read."""

    def load(index: int) -> Frame:
        frame = capture.load(index)
        return replace(frame, **{name: change(frame) for name, change in changes.items()})

    return replace(capture, load=load)


@pytest.mark.parametrize(
    ("name", "frames", "pictures", "walk", "known", "sure", "median"),
    [
        ("tum_fr3_cabinet", 58, 58, 8.3, 0.862, None, 0.0123),
        ("3dscannerapp_chair", 70, 2, 2.6, 1.0, 0.763, 0.0039),
        ("3dscannerapp_corridor", 160, 54, 23.2, 1.0, 0.720, 0.0098),
    ],
)
def test_real_captures_are_as_measured_before(
    name: str,
    frames: int,
    pictures: int,
    walk: float,
    known: float,
    sure: float | None,
    median: float,
    real: dict[str, Quality],
) -> None:
    found = real[name].measures
    assert (found.frames, found.pictures, found.unreadable) == (frames, pictures, ())
    assert found.walk_m == pytest.approx(walk, abs=0.1)
    assert found.known_share == pytest.approx(known, abs=0.005)
    assert found.sure_share == (None if sure is None else pytest.approx(sure, abs=0.005))
    assert found.agreement.median_m == pytest.approx(median, rel=0.1)
    assert found.seconds is not None
    assert 10 < found.seconds < 40
    assert real[name].grade is Grade.GOOD
    assert real[name].verdict.startswith("good: neighbouring frames agree to ")


def test_the_blurred_picture_of_the_corridor_is_named(real: dict[str, Quality]) -> None:
    assert real["3dscannerapp_corridor"].blurred == ("00141",)
    assert real["tum_fr3_cabinet"].blurred == ()


def test_the_pedestal_in_the_middle_was_seen_from_all_around(real: dict[str, Quality]) -> None:
    plan = real["tum_fr3_cabinet"].coverage
    column, row = np.floor((np.array([-1.513, 0.452]) - plan.corner) / plan.cell).astype(int)
    around = plan.frames[row - 2 : row + 3, column - 2 : column + 3]
    assert around.min() > 40
    assert plan.well[row - 2 : row + 3, column - 2 : column + 3].all()
    assert plan.thin < 0.1


def test_the_start_of_the_corridor_was_seen_in_passing(real: dict[str, Quality]) -> None:
    quality = real["3dscannerapp_corridor"]
    assert quality.coverage.patches[0].area > 1
    (note,) = (finding for finding in quality.findings if finding.code == "seen-too-little-here")
    assert note.severity is Severity.NOTE
    assert note.numbers["area_m2"] == pytest.approx(quality.coverage.patches[0].area)
    assert quality.coverage.place_area == pytest.approx(23 * 2, rel=0.15), "23 m of it, 2 m wide"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_to_machines_and_to_people(name: str, real: dict[str, Quality]) -> None:
    quality = real[name]
    data = json.loads(json.dumps(quality.to_json(), allow_nan=False))
    assert (data["name"], data["grade"], data["verdict"]) == (name, "good", quality.verdict)
    assert data["agreement"]["median_m"] == quality.measures.agreement.median_m
    assert data["coverage"]["thin_share"] == pytest.approx(quality.coverage.thin)
    lines = quality.summary().splitlines()
    assert lines[0] == f"{name}: {quality.verdict}"
    assert lines[1].startswith(f"frames: {quality.measures.frames}, 0 unreadable; ")
    picture = quality.picture()
    assert picture.pixels.shape[2] == 3
    assert len(np.unique(picture.pixels.reshape(-1, 3), axis=0)) > 5


class Watched(np.ndarray[Any, Any]):
    """An array that can be watched: plain ones can't be told from their views."""


def test_never_more_than_two_frames_are_held() -> None:
    chair = read(ROOT)
    alive: list[weakref.ref[Watched]] = []
    held: list[int] = []

    def load(index: int) -> Frame:
        frame = chair.load(index)
        assert frame.depth is not None
        depth = frame.depth.copy().view(Watched)
        alive.append(weakref.ref(depth))
        held.append(sum(one() is not None for one in alive))
        return replace(frame, depth=depth)

    poses = np.tile(chair.world_from_camera, (5, 1, 1))
    many = replace(
        chair, load=load, order=(0, 1, 2) * 5, world_from_camera=poses, coloured=np.zeros(15, bool)
    )
    assert assess(many).measures.frames == 15
    assert len(held) == 15
    assert max(held) == 2, "the one before, and the one at hand"
    assert not any(one() is not None for one in alive)


def test_the_few_frames_kept_here_are_judged_without_any_capture_folder() -> None:
    quality = assess(read(ROOT))
    assert quality.measures.frames == 3
    assert quality.measures.agreement.median_m == pytest.approx(0.004, abs=0.002)
    assert quality.measures.pictures_per_place > 1
    assert quality.grade is Grade.POOR, "half a second of standing still shows nothing from another side"
    assert quality.verdict == "poor: nothing was seen by enough frames from enough directions"


def test_choosing_frames_assesses_those(captures: Path) -> None:
    half = assess(read(captures / "tum_fr3_cabinet", "0:20:2"))
    assert half.measures.frames == 10
    assert half.measures.agreement.overlap is not None
    assert half.measures.walk_m < 4


def test_poses_that_are_wrong_are_found_out(captures: Path) -> None:
    capture = read(captures / "tum_fr3_cabinet", "0:20")
    wrong = bent(capture, world_from_camera=lambda frame: se3.inverse(frame.world_from_camera))
    quality = assess(wrong)
    assert quality.grade is Grade.POOR
    assert "surfaces come out double" in quality.verdict
    assert Severity.LOST in [finding.severity for finding in quality.findings]


def test_noise_that_hides_fronts_makes_a_capture_less_than_good(captures: Path) -> None:
    """Kinect's 12 mm and another 20 mm of normal noise on each frame: fronts of 18 mm are lost."""
    from pocketworld.rng import stream

    def noisy(frame: Frame) -> Any:
        assert frame.depth is not None
        noise = stream(0, "noise", frame.index).normal(0, 0.02, frame.depth.shape)
        return np.where(frame.depth > 0, frame.depth + noise, 0).astype(np.float32)

    quality = assess(bent(read(captures / "tum_fr3_cabinet", "0:40"), depth=noisy))
    assert quality.grade is Grade.USABLE
    assert "a front, 18 mm thick, is lost in that" in quality.verdict


def test_a_jump_of_the_tracking_is_named(captures: Path) -> None:
    capture = read(captures / "3dscannerapp_chair", "0:30")

    def jump(frame: Frame) -> Any:
        lift = np.eye(4)
        lift[:3, 3] = (0.1, 0.1, 0.1)
        return lift @ frame.world_from_camera if frame.index >= 15 else frame.world_from_camera

    quality = assess(bent(capture, world_from_camera=jump))
    (note,) = (finding for finding in quality.findings if finding.code == "neighbours-apart")
    assert note.text == "frames 00014 and 00015, neighbours, disagree most"
    assert note.severity is Severity.NOTE


def test_smeared_pictures_are_counted_and_named(captures: Path) -> None:
    capture = read(captures / "tum_fr3_cabinet", "0:30")
    shaken = {4, 9, 14, 19, 20, 24, 28}

    def smeared(frame: Frame) -> Any:
        assert frame.colour is not None
        return cv2.blur(frame.colour, (9, 9)) if frame.index in shaken else frame.colour

    quality = assess(bent(capture, colour=smeared))
    expected = {capture[index].name for index in shaken}
    assert set(quality.blurred) == expected
    assert quality.measures.blurred_share == pytest.approx(7 / 30)
    assert quality.grade is Grade.USABLE
    assert "23% of the pictures are blurred: turn slower, or make more light" in quality.verdict


def test_frames_that_cannot_be_read_are_said_and_the_rest_is_judged(captures: Path) -> None:
    capture = read(captures / "3dscannerapp_chair")

    def load(index: int) -> Frame:
        if index in (5, 6):
            raise CaptureError(f"depth_{index}.png is damaged")
        return capture.load(index)

    quality = assess(replace(capture, load=load))
    assert quality.measures.frames == 68
    assert quality.measures.unreadable == ("depth_5.png is damaged", "depth_6.png is damaged")
    assert quality.grade is Grade.USABLE
    assert "2 frames can't be read, the first: depth_5.png is damaged" in quality.verdict


def test_frames_without_depth_picture_or_time_are_no_error() -> None:
    capture = read(ROOT)
    bare = assess(
        bent(
            capture,
            depth=lambda _: None,
            depth_camera=lambda _: None,
            confidence=lambda _: None,
            time=lambda _: None,
        )
    )
    assert (bare.measures.seconds, bare.measures.known_share, bare.measures.agreement) == (
        None,
        0,
        Agreement(),
    )
    assert bare.measures.pictures == 1
    assert bare.grade is Grade.POOR
    assert "no two neighbouring frames see the same place" in bare.verdict
    dark = bent(capture, colour=lambda f: None if f.colour is None else np.zeros_like(f.colour))
    assert assess(dark).measures.edge_width_px is None
    none = replace(capture, order=(), world_from_camera=np.zeros((0, 4, 4)), coloured=np.zeros(0, bool))
    with pytest.raises(CaptureError, match=r"chair has no frames to assess$"):
        assess(none)


def measures(**changes: Any) -> Measures:
    fine = Measures(
        frames=50,
        pictures=50,
        unreadable=(),
        seconds=25.0,
        walk_m=8.0,
        known_share=0.9,
        sure_share=0.8,
        edge_width_px=0.9,
        blurred_share=0.02,
        agreement=Agreement(0.01, 0.04, 0.9, 0.7, 0.02, ("3", "4")),
    )
    return replace(fine, **changes)


def plan(well: float = 1.0) -> Coverage:
    """Return 4 m² of a place, of which a share was seen well."""
    seen = np.zeros((20, 20), bool)
    seen.ravel()[: round(400 * well)] = True
    return Coverage(0.1, (0, 0), seen * 5 + ~seen * 1, seen, np.ones((20, 20), bool), np.zeros((1, 2)))


def agreement(**changes: Any) -> Agreement:
    return replace(measures().agreement, **changes)


def test_a_good_capture_has_no_findings() -> None:
    assert judge("x", measures(), plan()) == (
        Grade.GOOD,
        "good: neighbouring frames agree to 10 mm, 80% of the depth is sure, 98% of the pictures are sharp",
        (),
    )
    assert "90% of the depth is known" in judge("x", measures(sure_share=None), plan())[1]


@pytest.mark.parametrize(
    ("changes", "well", "code", "grade"),
    [
        ({"frames": 2}, 1.0, "few-frames", Grade.POOR),
        ({"agreement": Agreement()}, 1.0, "no-overlap", Grade.POOR),
        ({"agreement": agreement(median_m=0.05)}, 1.0, "frames-disagree", Grade.POOR),
        ({}, 0.0, "seen-too-little", Grade.POOR),
        ({"agreement": agreement(median_m=0.025)}, 1.0, "frames-disagree", Grade.USABLE),
        ({"agreement": agreement(overlap=0.5)}, 1.0, "too-fast", Grade.USABLE),
        ({"unreadable": ("a.png is damaged",)}, 1.0, "frame-unreadable", Grade.USABLE),
        ({"sure_share": 0.3}, 1.0, "depth-unsure", Grade.USABLE),
        ({"sure_share": None, "known_share": 0.3}, 1.0, "depth-unsure", Grade.USABLE),
        ({"pictures": 0, "edge_width_px": None}, 1.0, "no-pictures", Grade.USABLE),
        ({"pictures": 2}, 1.0, "pictures-rare", Grade.USABLE),
        ({"blurred_share": 0.3}, 1.0, "pictures-blurred", Grade.USABLE),
        ({"edge_width_px": 3.0}, 1.0, "pictures-soft", Grade.USABLE),
        ({}, 0.7, "seen-too-little", Grade.USABLE),
    ],
)
def test_each_fault_alone_is_found_graded_and_told(
    changes: dict[str, Any], well: float, code: str, grade: Grade
) -> None:
    got, verdict, findings = judge("x", measures(**changes), plan(well))
    (finding,) = (f for f in findings if f.severity is not Severity.NOTE)
    assert (got, finding.code) == (grade, code)
    assert finding.severity is (Severity.LOST if grade is Grade.POOR else Severity.DEGRADED)
    assert verdict == f"{grade}: {finding.text}"
    assert "\n" not in verdict


def test_the_gravest_fault_is_told_first() -> None:
    grade, verdict, found = judge("x", measures(frames=1, blurred_share=0.5, pictures=0), plan(0.0))
    findings = [finding for finding in found if finding.severity is not Severity.NOTE]
    assert grade is Grade.POOR
    reasons = verdict.removeprefix("poor: ").split("; ")
    assert len(reasons) == len(findings) == 4
    assert reasons[0] == "only 1 of the 3 frames that a surface takes can be read"
    assert [f.severity for f in findings].count(Severity.LOST) == 2


def test_worse_is_never_better() -> None:
    """Whatever gets worse, the grade does not rise."""
    order = [Grade.GOOD, Grade.USABLE, Grade.POOR]
    cases: dict[str, Sequence[Any]] = {
        "agreement": [agreement(median_m=m) for m in np.linspace(0, 0.1, 30)],
        "sure_share": np.linspace(1, 0, 30).tolist(),
        "blurred_share": np.linspace(0, 1, 30).tolist(),
        "edge_width_px": np.linspace(0.5, 6, 30).tolist(),
        "frames": range(50, 0, -1),
    }
    for name, values in cases.items():
        ranks = [order.index(judge("x", measures(**{name: value}), plan())[0]) for value in values]
        assert ranks == sorted(ranks)
        assert ranks[0] == 0
        assert ranks[-1] > 0
    ranks = [order.index(judge("x", measures(), plan(well))[0]) for well in np.linspace(1, 0, 30)]
    assert ranks == sorted(ranks)
