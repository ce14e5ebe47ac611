"""bench transfer: equal steps, the same held-out cousins, results that are kept, and honest intervals."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pocketworld import api, scene_file
from pocketworld.bench import document, transfer
from pocketworld.bench.machine import machine
from pocketworld.bench.transfer import Row, Run, Transfer, measure, settings, wanted
from pocketworld.bench.transfer_picture import draw
from pocketworld.cli.main import main
from pocketworld.cousins import sequence
from pocketworld.cousins.sequence import Cousins
from pocketworld.cousins.spec import preset
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, Scene
from pocketworld.sim.share import Share
from pocketworld.sim.training.settings import Settings
from pocketworld.sim.training.split import split

torch.set_num_threads(1)
SMALL = Settings(envs=4, steps=4, iterations=1, hidden=(8,), minibatches=2, epochs=1, max_steps=6)
TWIN = Scene("some", (build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.BAR))), "chest"),))


@pytest.fixture(scope="module")
def cousins() -> Cousins:
    return sequence.make(TWIN, preset("near"), count=wanted((1, 2), 2, 2))


def runs(*held: tuple[int, int, float]) -> tuple[Run, ...]:
    return tuple(
        Run(count, seed, 401_408, 0.9, share, 200, {"drawer": share}, 100.0) for count, seed, share in held
    )


def result(*held: tuple[int, int, float]) -> Transfer:
    return Transfer("ped.world", "medium", 64, runs(*held), machine())


def nothing(_: str) -> None:
    """Show no progress."""


# What is run


def test_each_run_does_as_many_steps_and_is_kept(cousins: Cousins, tmp_path: Path) -> None:
    done = measure(cousins, tmp_path, SMALL, nothing, world="w", counts=(1, 2), seeds=1, held=2)
    assert {(run.count, run.seed) for run in done.runs} == {(1, 0), (2, 0)}
    assert {run.env_steps for run in done.runs} == {SMALL.env_steps}
    assert all(0 <= share <= 1 for run in done.runs for share in (run.own, run.held, *run.kinds.values()))
    files = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert len(files) == 2
    told: list[str] = []
    again = measure(cousins, tmp_path, SMALL, told.append, world="w", counts=(1, 2), seeds=1, held=2)
    assert again.runs == done.runs
    assert all(line.endswith(": known") for line in told)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == files


def test_seeds_learn_in_cousins_of_their_own_and_are_judged_on_the_same(
    cousins: Cousins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def noted(*words: Any, **named: Any) -> Any:
        parts = split(*words, **named)
        seen.append((parts.train.ids, parts.held.ids))
        return parts

    monkeypatch.setattr(transfer, "split", noted)
    measure(cousins, tmp_path, SMALL, nothing, world="w", counts=(1, 2), seeds=2, held=2)
    one, two, one_more, two_more = (set(train) for train, _ in seen)
    assert one < two
    assert one_more < two_more
    assert not two & two_more
    assert len({held for _, held in seen}) == 1


def test_results_of_other_settings_are_not_taken(cousins: Cousins, tmp_path: Path) -> None:
    once = {"world": "w", "counts": (1,), "seeds": 1, "held": 2}
    measure(cousins, tmp_path, SMALL, nothing, **once)  # type: ignore[arg-type]
    with pytest.raises(PocketworldError, match=r"was another run: settings: gamma was 0\.97, is 0\.5"):
        measure(cousins, tmp_path, replace(SMALL, gamma=0.5), nothing, **once)  # type: ignore[arg-type]
    for change, told in (
        ({"world": "v"}, 'origin: world was "w", is "v"'),
        ({"held": 3}, "origin: cousins held out was 2, is 3"),
    ):
        with pytest.raises(PocketworldError, match=told):
            measure(cousins, tmp_path, SMALL, nothing, **once | change)  # type: ignore[arg-type]
    others = sequence.make(TWIN, preset("far"), seed=1, count=len(cousins))
    with pytest.raises(PocketworldError, match="origin: cousins' seed was 0, is 1"):
        measure(others, tmp_path, SMALL, nothing, **once)  # type: ignore[arg-type]
    for part, name in (("origin", "twin"), ("origin", "spec"), ("machine", "processor")):
        file = tmp_path / "cousins_1_seed_0.json"
        whole = file.read_text()
        data = json.loads(whole)
        data[part][name] = "other"
        file.write_text(json.dumps(data))
        with pytest.raises(PocketworldError, match=f'{part}: {name} was "other"'):
            measure(cousins, tmp_path, SMALL, nothing, **once)  # type: ignore[arg-type]
        file.write_text(whole)
    (tmp_path / "cousins_1_seed_0.json").write_text("{")
    with pytest.raises(PocketworldError, match=r"is no run.*delete it"):
        measure(cousins, tmp_path, SMALL, nothing, **once)  # type: ignore[arg-type]


def test_steps_are_rounded_up_to_whole_iterations() -> None:
    assert settings(400_000).env_steps == 401_408
    assert settings(4096).iterations == 1
    assert settings(4097).iterations == 2


def test_as_many_cousins_are_drawn_as_are_needed(cousins: Cousins) -> None:
    assert wanted((1, 4, 16, 64), 5, 64) == 64 + 5 * 64
    split(cousins, 2, 2, skip=2)
    with pytest.raises(PocketworldError):
        split(cousins, 2, 2, skip=3)


# What is said


@pytest.mark.parametrize("true", [0.5, 0.8])
def test_the_interval_holds_the_mean_as_often_as_it_says(true: float) -> None:
    """Of seeds whose shares are spread as a normal law has it."""
    draws = stream(0, "transfer", str(true)).normal(true, 0.05, (2000, 5))
    holds = [
        low <= true <= high for low, high in (Row(1, tuple(row), 1.0, 100_000).interval for row in draws)
    ]
    assert 0.93 < np.mean(holds) < 0.97


def test_intervals_stay_within_0_and_1_and_one_seed_says_nothing() -> None:
    assert Row(1, (0.9,), 1.0, 200).interval == (0.0, 1.0)
    low, high = Row(1, (0.0, 0.1, 0.9), 1.0, 600).interval
    assert (low, high) == (0.0, 1.0)


def test_seeds_that_agree_leave_open_what_their_episodes_do() -> None:
    low, high = Row(1, (1.0,) * 5, 1.0, 5 * 60).interval
    assert (low, high) == pytest.approx(Share(300, 300).interval)
    assert 0.98 < low < 0.99
    agreed, apart = Row(1, (0.8,) * 5, 1.0, 1000), Row(1, (0.4, 0.6, 0.8, 1.0, 1.0), 1.0, 1000)
    assert agreed.interval == pytest.approx(Share(800, 1000).interval)
    assert np.ptp(apart.interval) > np.ptp(agreed.interval)


def test_rows_are_by_number_of_cousins_with_all_seeds() -> None:
    made = result((4, 0, 0.5), (1, 0, 0.1), (4, 1, 0.7), (1, 1, 0.3))
    assert [(row.count, row.held) for row in made.rows] == [(1, (0.1, 0.3)), (4, (0.5, 0.7))]
    assert made.rows[1].mean == pytest.approx(0.6)
    lines = made.text().splitlines()
    assert "0.40 M environment steps, 100 s of CPU" in lines[0]
    assert lines[3].split()[:3] == ["4", "0.900", "0.600"]
    assert lines[3].endswith("0.500 0.700")
    assert json.loads(json.dumps(made.to_json()))["runs"][0] == asdict(made.runs[0])


def test_it_has_a_place_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for held in (0.5, 0.6):
        document.put(page, result((1, 0, held), (1, 1, 0.7)), "pocketworld bench transfer w --into runs")
    text = page.read_text()
    assert text.count("## What more cousins are worth") == 1
    assert "0.600 0.700" in text
    assert "0.500" not in text


def test_the_picture_shows_more_as_more_succeeds(tmp_path: Path) -> None:
    few = [(1, seed, 0.1) for seed in range(4)]
    low = result(*few, *((4, seed, 0.1 + 0.01 * seed) for seed in range(4)))
    high = result(*few, *((4, seed, 0.8 + 0.01 * seed) for seed in range(4)))
    tops = []
    for i, made in enumerate((low, high, high)):
        draw(made, tmp_path / "new" / f"{i}.png")
        image = matplotlib.image.imread(tmp_path / "new" / f"{i}.png")[..., :3]
        green = np.all(np.abs(image - np.array([0x2F, 0x8F, 0x5B]) / 255) < 0.02, axis=2)
        right = green[:, image.shape[1] * 2 // 3 :][: image.shape[0] * 2 // 3]
        tops.append(int(np.argwhere(right)[:, 0].min()) if right.any() else image.shape[0])
    assert tops[1] < tops[0] - 100
    assert (tmp_path / "new" / "1.png").read_bytes() == (tmp_path / "new" / "2.png").read_bytes()


# The command


def test_the_command_measures_draws_and_documents(tmp_path: Path) -> None:
    world = tmp_path / "some.world"
    (world / "twin").mkdir(parents=True)
    scene_file.save(TWIN, world / "twin")
    words = ["bench", "transfer", str(world), "--into", str(tmp_path / "runs"), "--counts", "1,2"]
    words += ["--seeds", "1", "--steps", "1", "--held-out", "1"]
    words += ["--picture", str(tmp_path / "t.png"), "--document", str(tmp_path / "page.md")]
    cousins = api.make_cousins(world, count=3)
    for count in (1, 2):  # done before: learning is tested above, 4096 steps take seconds
        made = Run(count, 0, 4096, 0.5, 0.25, 4, {}, 1.0)
        (tmp_path / "runs").mkdir(exist_ok=True)
        data = transfer.made_of("some.world", cousins, settings(1), count, 1, 0, machine())
        file = tmp_path / "runs" / f"cousins_{count}_seed_0.json"
        file.write_text(json.dumps({**data, "run": asdict(made)}))
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.stderr
    assert "0.250" in done.stdout
    assert (tmp_path / "t.png").is_file()
    page = (tmp_path / "page.md").read_text()
    asked = "--preset medium --counts 1,2 --seeds 1 --steps 1 --held-out 1"
    assert f"pocketworld bench transfer some.world --into runs {asked}\n" in page
    assert str(tmp_path) not in page


@pytest.mark.parametrize("counts", ["", "1,a", "0,4", "1;4", "-1"])
def test_numbers_that_are_none_are_one_line(tmp_path: Path, counts: str) -> None:
    done = CliRunner().invoke(main, ["bench", "transfer", "w", "--into", str(tmp_path), "--counts", counts])
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: --counts is {counts}")
