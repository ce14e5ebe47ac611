"""A training's folder: whole files, one owner, and one clear line where it no longer fits."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
import torch

from pocketworld.errors import PocketworldError
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.training.curve import curve, smooth
from pocketworld.sim.training.policy import WEIGHTS
from pocketworld.sim.training.progress import Progress
from pocketworld.sim.training.run_folder import CHECKPOINTS, CONFIG, CURVE, Row, RunFolder, write
from pocketworld.sim.training.settings import Settings

SETTINGS = Settings(iterations=50)
ORIGIN = {"world": "hall", "twin": "a" * 64, "spec": "b" * 64, "cousins learnt in": 64}
STATE: dict[str, Any] = {
    "actor_state_dict": {"w": torch.arange(3.0)},
    "optimizer_state_dict": {"lr": 0.5, "betas": [0.9, 0.99]},
}


OTHER = replace(Hand(), actions=("out", "across", "along", "open", "twist"))


def rows(count: int) -> list[Row]:
    return [
        Row(Progress(i, i * 4096, i % 7, i / count, 0.1 * i, 1 / i, 0.6, 1e-3), round(1.37 * i, 2))
        for i in range(1, count + 1)
    ]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "some")
    made.begin(SETTINGS, ORIGIN)
    return made


def test_what_was_asked_for_is_read_again(run: RunFolder) -> None:
    assert run.config == (SETTINGS, ORIGIN)
    run.go_on(SETTINGS, ORIGIN)
    assert run.config == (SETTINGS, ORIGIN)


def test_a_training_is_not_begun_again_once_it_has_a_checkpoint(run: RunFolder) -> None:
    run.begin(replace(SETTINGS, seed=1), ORIGIN)
    assert run.config[0].seed == 1
    run.keep(25, STATE, Hand())
    with pytest.raises(PocketworldError, match="is a training already; --resume goes on"):
        run.begin(SETTINGS, ORIGIN)


def test_a_training_that_ended_before_a_whole_leg_is_not_begun_again(run: RunFolder) -> None:
    (run.path / WEIGHTS).write_bytes(b"some")
    with pytest.raises(PocketworldError, match="is a training already"):
        run.begin(SETTINGS, ORIGIN)


def test_more_iterations_may_be_asked_for(run: RunFolder) -> None:
    run.go_on(replace(SETTINGS, iterations=80), ORIGIN)
    assert run.config[0].iterations == 80


def test_fewer_iterations_than_a_checkpoint_has_are_one_line(run: RunFolder) -> None:
    """What would be exported had learnt more than is asked for."""
    run.keep(25, STATE, Hand())
    run.go_on(replace(SETTINGS, iterations=25), ORIGIN)
    before = (run.path / CONFIG).read_bytes()
    with pytest.raises(PocketworldError, match="has learnt 25 iterations, 24 are asked for; --iterations 25"):
        run.go_on(replace(SETTINGS, iterations=24), ORIGIN)
    assert (run.path / CONFIG).read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "origin", "told"),
    [
        (
            SETTINGS,
            {"spec": "c" * 64},
            "spec changed under the training; put it back, or train anew under another name",
        ),
        (SETTINGS, {"twin": "c" * 64}, "twin changed under the training; put it back"),
        (SETTINGS, {"cousins learnt in": 16}, "cousins learnt in changed under the training, from 64 to 16"),
        (SETTINGS, {"odd": 1}, "odd changed under the training, from null to 1"),
        (SETTINGS, {"odd": "wörld"}, 'odd changed under the training, from null to "wörld"; put it back'),
        (replace(SETTINGS, gamma=0.9), {}, "gamma was 0.97, is 0.9; a training goes on as it began"),
        (replace(SETTINGS, seed=1), {}, "seed was 0, is 1"),
    ],
)
def test_what_changed_under_a_training_is_one_line(
    run: RunFolder, settings: Settings, origin: dict[str, Any], told: str
) -> None:
    before = (run.path / CONFIG).read_bytes()
    with pytest.raises(PocketworldError) as caught:
        run.go_on(settings, ORIGIN | origin)
    assert told in str(caught.value)
    assert (run.path / CONFIG).read_bytes() == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "config.json does not exist; pocketworld train makes it"),
        ("{", "can't be read"),
        ("[1]", "is no object"),
        ("{}", "of format 2"),
        (json.dumps({"format": 0, "origin": {}}), "of format 2"),
        (json.dumps({"format": 2, "origin": {}, "settings": {"odd": 1}}), "is unknown or missing"),
    ],
)
def test_a_damaged_folder_is_one_line(run: RunFolder, content: str | None, told: str) -> None:
    (run.path / CONFIG).unlink()
    if content is not None:
        (run.path / CONFIG).write_text(content)
    with pytest.raises(PocketworldError, match=told) as caught:
        run.go_on(SETTINGS, ORIGIN)
    assert "\n" not in str(caught.value)


# Checkpoints


def test_the_last_checkpoint_is_found_and_read_as_it_was(run: RunFolder) -> None:
    assert run.last == 0
    for iteration in (25, 1000, 50):
        run.keep(iteration, STATE | {"iteration": iteration}, Hand())
    (run.path / CHECKPOINTS / ".001100.pt.new").write_bytes(b"half")
    assert run.last == 1000
    state = run.checkpoint(50, Hand())
    assert state["iteration"] == 50
    assert torch.equal(state["actor_state_dict"]["w"], STATE["actor_state_dict"]["w"])
    assert state["optimizer_state_dict"] == STATE["optimizer_state_dict"]


def test_a_checkpoint_of_another_spec_is_one_line(run: RunFolder) -> None:
    run.keep(25, STATE, OTHER)
    with pytest.raises(PocketworldError, match=r"25\.pt: the policy's action is another: 5 numbers, not 4"):
        run.checkpoint(25, Hand())


def test_a_checkpoint_that_is_none_is_one_line(run: RunFolder) -> None:
    with pytest.raises(PocketworldError, match=r"000025\.pt does not exist"):
        run.checkpoint(25, Hand())
    run.keep(25, STATE, Hand())
    file = run.path / CHECKPOINTS / "000025.pt"
    whole = file.read_bytes()
    for broken in (b"", b"nothing", whole[: len(whole) // 2]):
        file.write_bytes(broken)
        with pytest.raises(PocketworldError) as caught:
            run.checkpoint(25, Hand())
        assert str(caught.value) == f"{file} is damaged; delete it to go on from the one before"


class Evil:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("ran"),)


def test_a_checkpoint_runs_no_code(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"spec": Evil(), "state": {}}, run.path / CHECKPOINTS / "000025.pt")
    with pytest.raises(PocketworldError, match="is damaged"):
        run.checkpoint(25, Hand())
    assert not (tmp_path / "ran").exists()


# The curve


def test_the_curve_is_read_as_it_was_up_to_a_checkpoint(run: RunFolder) -> None:
    assert run.rows(50) == []
    run.write_rows(rows(50))
    assert run.rows(50) == rows(50)
    assert run.rows(25) == rows(50)[:25]
    assert run.rows(0) == []


def test_the_time_of_what_is_done_again_counts(run: RunFolder) -> None:
    assert run.cpu_s == 0.0
    run.write_rows(rows(50))
    assert run.cpu_s == rows(50)[-1].cpu_s > run.rows(25)[-1].cpu_s


def test_an_iteration_without_an_end_has_no_success(run: RunFolder) -> None:
    some = rows(3)
    some[1] = replace(some[1], progress=replace(some[1].progress, success=None))
    run.write_rows(some)
    assert run.rows(3) == some
    assert curve(some, "some").startswith(b"\x89PNG")


def test_a_damaged_curve_is_one_line(run: RunFolder) -> None:
    (run.path / CURVE).write_text("a,b\n1,2\n")
    with pytest.raises(PocketworldError, match=r"curve\.csv is damaged"):
        run.rows(50)


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "some"
    write(file, b"old")
    with pytest.raises(TypeError):
        write(file, "no bytes")  # type: ignore[arg-type]
    assert file.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["some"]


def test_a_world_that_is_moved_and_renamed_goes_on(run: RunFolder) -> None:
    run.go_on(SETTINGS, ORIGIN | {"world": "another hall"})
    assert run.config == (SETTINGS, ORIGIN | {"world": "another hall"})


def test_whose_checkpoints_are_gone_does_not_begin_anew(run: RunFolder) -> None:
    run.complete()
    run.write_rows(rows(24))
    run.complete()  # it had come to none
    run.write_rows(rows(50))
    run.keep(25, STATE, Hand())
    run.complete()  # one is there
    (run.path / CHECKPOINTS / "000025.pt").unlink()
    with pytest.raises(PocketworldError) as caught:
        run.complete()
    told = f"{run.path / CHECKPOINTS} holds none, the curve says 50 iterations"
    assert str(caught.value) == f"{told}; train anew under another name"


def test_of_a_training_that_did_not_begin_nothing_is_left(tmp_path: Path) -> None:
    new = RunFolder(tmp_path / "runs" / "new")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), new.held():
            raise KeyboardInterrupt
        assert list(tmp_path.iterdir()) == []
    other = RunFolder(tmp_path / "runs" / "other")
    with other.held(), new.held():
        other.begin(SETTINGS, ORIGIN)
    assert other.config == (SETTINGS, ORIGIN)
    assert not new.path.exists()


def test_what_is_in_a_folder_besides_stays(tmp_path: Path) -> None:
    new = RunFolder(tmp_path / "runs" / "new")
    new.path.mkdir(parents=True)
    (new.path / "notes").write_text("mine")
    with new.held():
        pass
    assert [p.name for p in new.path.iterdir()] == ["notes"]


def test_what_was_learnt_says_whether_anything_was(run: RunFolder) -> None:
    told = [run.trained]
    run.write_rows(rows(3))
    assert run.learnt == 3
    told.append(run.trained)
    (run.path / CURVE).unlink()
    run.keep(25, STATE, Hand())
    told.append(run.trained)
    (run.path / CONFIG).unlink()
    assert [*told, run.trained] == [False, True, True, False]


def test_one_process_trains_in_a_folder(run: RunFolder) -> None:
    with run.held(), pytest.raises(PocketworldError, match="is in use"), run.held():
        pass
    with run.held():
        pass


# The picture


def test_running_means_are_over_the_last_five() -> None:
    values = np.arange(12.0)
    expected = [values[max(i - 4, 0) : i + 1].mean() for i in range(12)]
    assert smooth(values) == pytest.approx(expected)


def test_running_means_leave_out_what_is_unknown() -> None:
    assert smooth(np.array([np.nan, 1.0, np.nan, 3.0])) == pytest.approx([np.nan, 1.0, 1.0, 2.0], nan_ok=True)


def test_the_curve_is_drawn_the_same_each_time_and_shows_success(tmp_path: Path) -> None:
    first = curve(rows(40), "some")
    assert first == curve(rows(40), "some")
    (tmp_path / "a.png").write_bytes(first)
    image = matplotlib.image.imread(tmp_path / "a.png")[..., :3]
    green = (np.abs(image - np.array([0x2F, 0x8F, 0x5B]) / 255) < 0.02).all(2)
    places = np.argwhere(green)
    high, low = places[places[:, 0].argmin()], places[places[:, 0].argmax()]
    assert high[1] > low[1] + 300  # it rises to the right


@pytest.mark.parametrize("name", ["wörld", "a$b$c", "$\\frac", "厨房.world", "\udcff", "two\nlines"])
def test_any_folders_name_is_a_title(name: str, recwarn: pytest.WarningsRecorder) -> None:
    assert curve(rows(3), name).startswith(b"\x89PNG")
    assert not recwarn.list


def test_one_iteration_is_a_curve() -> None:
    assert curve(rows(1), "some").startswith(b"\x89PNG")
