"""What a training is asked for: written, read, compared; and which cousins are learnt in."""

import json
from dataclasses import fields, replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.cousins import sequence
from pocketworld.cousins.sequence import Cousins
from pocketworld.cousins.spec import dump, parse, preset
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.scene import HandleKind, Scene, Side
from pocketworld.sim.training.beginning import possible
from pocketworld.sim.training.origin import changes
from pocketworld.sim.training.progress import Pace, Progress
from pocketworld.sim.training.settings import Settings
from pocketworld.sim.training.split import Split as Parts
from pocketworld.sim.training.split import needed, split

FRONTS = (
    Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR)),
    Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.KNOB, 0.9, 0.5)),
)


@pytest.fixture(scope="module")
def cousins() -> Cousins:
    twin = Scene("twin", (build(Cabinet(0.5, 0.45, 0.7, Split(True, (1.0, 1.5), FRONTS)), "chest"),))
    return sequence.make(twin, preset("near"), count=9)


# Settings

widths = st.lists(st.integers(1, 512), min_size=1, max_size=4).map(tuple)
settings = st.builds(
    Settings,
    seed=st.integers(0, 2**40),
    envs=st.integers(4, 500),
    iterations=st.integers(1, 500),
    gamma=st.floats(0.01, 1.0),
    rate=st.floats(1e-6, 1.0),
    noise_mm=st.floats(0, 1000),
    noise_deg=st.floats(0, 180),
    hidden=widths,
)


@given(settings)
def test_settings_are_read_as_they_were_written(given: Settings) -> None:
    assert Settings.from_json(json.loads(json.dumps(given.to_json()))) == given
    assert given.differences(given) == ()
    assert given.env_steps == given.envs * given.steps * given.iterations


@pytest.mark.parametrize("field", [field.name for field in fields(Settings)])
def test_each_setting_is_written_and_compared(field: str) -> None:
    usual = Settings()
    value: Any = getattr(usual, field)
    others: dict[type, Any] = {str: "close", tuple: (8, 4), int: 8, float: 0.323}
    other = others[type(value)]
    (told,) = usual.differences(replace(usual, **{field: other}))
    assert told.startswith(f"{field} was {json.dumps(usual.to_json()[field])}, is ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("envs", 0),
        ("steps", 0),
        ("iterations", -1),
        ("checkpoint_every", 0),
        ("max_steps", 0),
        ("gamma", 1.5),
        ("lam", 0.0),
        ("rate", 0.0),
        ("rate", float("nan")),
        ("clip", float("inf")),
        ("seed", -1),
        ("noise_mm", -1.0),
        ("noise_mm", 1000.1),
        ("noise_mm", float("inf")),
        ("noise_deg", float("nan")),
        ("noise_deg", 181.0),
        ("hidden", (8, 0)),
        ("minibatches", 10**6),
    ],
)
def test_settings_that_can_not_be_are_one_line(name: str, value: Any) -> None:
    with pytest.raises(PocketworldError, match=f"^{name} is ") as caught:
        Settings(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"odd": 1}, "'odd' is unknown or missing"),
        ({"gamma": "high"}, "gamma is high; a float"),
        ({"envs": 2.5}, "envs is 2.5; a int"),
        ({"envs": True}, "envs is True; a int"),
        ({"hidden": 3}, "hidden is 3; a tuple"),
    ],
)
def test_settings_from_a_damaged_file_are_one_line(change: dict[str, Any], told: str) -> None:
    with pytest.raises(PocketworldError, match=told):
        Settings.from_json(Settings().to_json() | change)
    short = Settings().to_json()
    short.pop("lam")
    with pytest.raises(PocketworldError, match="'lam' is unknown or missing"):
        Settings.from_json(short)


@pytest.mark.parametrize(
    ("steps", "words"), [(256, "256"), (1000, "1.0 k"), (12_288, "12.3 k"), (1_240_000, "1.24 M")]
)
def test_progress_is_told_in_words(steps: int, words: str) -> None:
    now = Progress(3, steps, 50, 0.5, 0.01, 0.2, 0.5, 1e-3)
    assert now.text() == f"iteration 3, {words} steps: 50% of episodes succeed"
    assert replace(now, success=None).text() == f"iteration 3, {words} steps: no episode ended yet"


@pytest.mark.parametrize(
    ("each", "told"), [(2.0, "; 16 s left"), (60.0, "; 8 min left"), (3600.0, "; 8.0 h left")]
)
def test_the_time_that_is_left_is_that_of_the_iterations_that_were_watched(each: float, told: str) -> None:
    """Also where it goes on from the tenth: those before took their time in another process."""
    ticks = count(step=each)
    pace = Pace(20, lambda: next(ticks))
    now = Progress(11, 256, 50, 0.5, 0.01, 0.2, 0.5, 1e-3)
    assert pace.text(now) == now.text()
    second = replace(now, iteration=12)
    assert pace.text(second) == second.text() + told
    for i in range(13, 20):
        assert " left" in pace.text(replace(now, iteration=i))
    last = replace(now, iteration=20)
    assert pace.text(last) == last.text()


def test_a_leg_shorter_than_an_episode_is_one_line_and_one_as_long_is_not() -> None:
    with pytest.raises(PocketworldError) as caught:
        possible(Settings(checkpoint_every=1), None)
    assert str(caught.value) == (
        "checkpoint_every is 1; at least 7, as an episode has 200 steps, and after each all begin anew"
    )
    possible(Settings(checkpoint_every=7), None)
    possible(Settings(checkpoint_every=1, steps=50, max_steps=50), None)


# What a spec says differently

FAR, NEAR = preset("far"), preset("near")


def test_nothing_changes_in_a_spec_that_is_read_as_it_was_written() -> None:
    for spec in (FAR, NEAR):
        assert changes(spec, parse(dump(spec), "")) == ()


def test_what_a_spec_says_differently_is_named_by_its_keys() -> None:
    wider = replace(FAR, placement=replace(FAR.placement, shift={**FAR.placement.shift, "x": 1.0}))
    assert changes(FAR, wider) == (f"placement.shift.x was {FAR.placement.shift['x']}, is 1.0",)
    assert (changes(NEAR, FAR)) != ()
    assert len(changes(NEAR, FAR)) == len(changes(FAR, NEAR))
    assert 'name was "near", is "far"' in changes(NEAR, FAR)
    less = replace(FAR, families={})
    assert any(
        one.startswith("cabinet.scale.width was 0") and one.endswith("not there")
        for one in changes(FAR, less)
    )


# Which cousins


def test_no_cousin_is_learnt_in_and_held_out(cousins: Cousins) -> None:
    for train in range(1, 5):
        for skip in range(3):
            parts = split(cousins, train, 2, skip)
            assert not set(parts.train.ids) & set(parts.held.ids)
            assert (len(parts.train), len(parts.held)) == (train, 2)


def test_the_same_are_held_out_whatever_is_learnt_in(cousins: Cousins) -> None:
    held = [split(cousins, train, 3, skip).held.ids for train in (1, 3) for skip in (0, 3)]
    assert set(held) == {cousins.ids[:3]}


def test_parts_that_are_skipped_do_not_overlap(cousins: Cousins) -> None:
    first, second = (split(cousins, 3, 2, skip=skip).train.ids for skip in (0, 3))
    assert not set(first) & set(second)


def test_too_few_cousins_are_one_line_with_the_command(cousins: Cousins) -> None:
    with pytest.raises(PocketworldError, match=r"has 9 cousins; 8 to learn in, 2 held out.*--count 10"):
        split(cousins, 8, 2)
    assert len(cousins) == needed(4, 2, 3)
    split(cousins, 4, 2, 3)
    for wrong in ((0, 2, 0), (2, 0, 0), (2, 2, -1)):
        with pytest.raises(PocketworldError, match="at least 1 of each"):
            split(cousins, *wrong)


def test_parts_that_share_a_cousin_are_refused(cousins: Cousins) -> None:
    with pytest.raises(PocketworldError, match=f"cousin {cousins.ids[2]} is both"):
        Parts(cousins[:3], cousins[2:])
