"""Specs: presets, files of one's own, errors in one line."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.cousins import spec as specs
from pocketworld.cousins.spec import PLACEMENT, PRESETS, Spec, SpecError
from pocketworld.families import registry
from pocketworld.families.protocol import Spread

CABINET = registry.family("cabinet").widest
TABLES = ("scale", "shift", "chance")


def spreads(widest: Spread) -> st.SearchStrategy[Spread]:
    def some(words: dict[str, float]) -> st.SearchStrategy[dict[str, float]]:
        return st.fixed_dictionaries({}, optional={k: st.floats(0, v) for k, v in words.items()})

    options = {
        k: st.lists(st.sampled_from(v), min_size=1, unique=True).map(tuple) for k, v in widest.choices.items()
    }
    choices = st.fixed_dictionaries({}, optional=options)
    doubt = st.booleans() if widest.doubt else st.just(False)
    numbers = (some(dict(getattr(widest, table))) for table in TABLES)
    return st.builds(lambda a, b, c, d, e: Spread(a, b, d, c, e), *numbers, choices, doubt)


@given(spreads(CABINET), spreads(registry.family("box").widest), spreads(PLACEMENT))
def test_a_spec_survives_toml(cabinet: Spread, box: Spread, placement: Spread) -> None:
    spec = Spec("mine", {"cabinet": cabinet, "box": box}, placement)
    again = specs.parse(specs.dump(spec), "here")
    assert again == spec
    assert specs.digest(again) == specs.digest(spec)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_say_what_they_are(name: str) -> None:
    spec = specs.preset(name)
    assert spec.name == name
    assert specs.parse(specs.dump(spec), name) == spec
    assert all(spread.doubt for spread in spec.families.values())


def test_the_preset_twin_varies_nothing_on_purpose() -> None:
    spec = specs.preset("twin")
    assert spec.spread("cabinet") == Spread()
    assert spec.placement == Spread(doubt=False)


def test_presets_go_further_one_after_the_other() -> None:
    near, medium, far = (specs.preset(name) for name in PRESETS[1:])
    for less, more in ((near, medium), (medium, far)):
        for a, b in (
            (less.spread("cabinet"), more.spread("cabinet")),
            (less.spread("box"), more.spread("box")),
            (less.placement, more.placement),
        ):
            for table in TABLES:
                narrow, wide = getattr(a, table), getattr(b, table)
                assert narrow.keys() <= wide.keys()
                assert all(narrow[word] <= wide[word] for word in narrow)
            assert all(set(a.choices[word]) <= set(b.choices[word]) for word in a.choices)
        assert less.spread("cabinet").scale["width"] < more.spread("cabinet").scale["width"]


def test_digests_tell_specs_apart() -> None:
    assert len({specs.digest(specs.preset(name)) for name in PRESETS}) == len(PRESETS)
    one = specs.parse('name = "a"\n[cabinet.scale]\nwidth = 0.1\ndepth = 0.2', "one")
    two = specs.parse('name = "a"\n[cabinet.scale]\ndepth = 0.2\nwidth = 0.1', "two")
    assert specs.digest(one) == specs.digest(two)


def test_what_a_spec_does_not_name_stays() -> None:
    spec = specs.parse('name = "sizes"\n[cabinet.scale]\nwidth = 0.1', "here")
    assert spec.spread("cabinet") == Spread(scale={"width": 0.1})
    assert spec.spread("box") == spec.spread("solid") == Spread()
    certain = specs.parse('name = "sure"\n[cabinet]\ndoubt = false', "here")
    assert not certain.spread("cabinet").doubt


WRONG = {
    "width = ": "no TOML",
    "": "name is None; letters, digits",
    'name = "a/b"': "name is 'a/b'; letters, digits",
    'name = "a.b"': "name is 'a.b'; letters, digits",
    'name = "x"\n[cupboard]': "unknown key 'cupboard'; known are name, box, cabinet, ",
    'name = "x"\ncabinet = 3': "cabinet is 3; a table of scale",
    'name = "x"\n[cabinet.size]': "cabinet: unknown key 'size'; known are scale",
    'name = "x"\n[cabinet]\nscale = 3': "cabinet.scale is 3; a table of words and values",
    'name = "x"\n[cabinet]\ndoubt = 3': "cabinet.doubt is 3; true or false",
    'name = "x"\n[placement]\ndoubt = true': "placement.doubt is True; known are scale",
    'name = "x"\n[cabinet.scale]\nwdth = 0.1': "cabinet.scale: unknown key 'wdth'; known are width, depth",
    'name = "x"\n[placement.scale]\nx = 0.1': "placement.scale: unknown key 'x'; known are none",
    'name = "x"\n[cabinet.scale]\nwidth = 2.0': "cabinet.scale.width is 2.0; a number from 0 to 0.5",
    'name = "x"\n[cabinet.scale]\nwidth = -0.1': "cabinet.scale.width is -0.1; a number from 0 to 0.5",
    'name = "x"\n[cabinet.scale]\nwidth = nan': "cabinet.scale.width is nan; a number from 0 to 0.5",
    'name = "x"\n[cabinet.scale]\nwidth = "big"': "cabinet.scale.width is 'big'; a number from 0 to 0.5",
    'name = "x"\n[cabinet.chance]\nmerge = true': "cabinet.chance.merge is True; a number from 0 to 1",
    'name = "x"\n[cabinet.choices]\nhandle = "bar"': "cabinet.choices.handle is 'bar'; a list of some of bar",
    'name = "x"\n[cabinet.choices]\nhandle = []': "cabinet.choices.handle is []; a list of some of bar",
    'name = "x"\n[cabinet.choices]\nhandle = ["rope"]': "cabinet.choices.handle is ['rope']; a list of some",
    'name = "x"\n[placement.shift]\nyaw = 4': f"placement.shift.yaw is 4; a number from 0 to {math.pi:.4g}",
}


@pytest.mark.parametrize("text", WRONG)
def test_errors_are_one_line_with_file_and_field(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(SpecError) as error:
        specs.load(file)
    line = str(error.value)
    assert "\n" not in line
    assert line.startswith(str(file))
    assert WRONG[text] in line


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"none\.toml does not exist; give a TOML file"):
        specs.load(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="can't be read"):
        specs.load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="can't be read"):
        specs.load(tmp_path / "binary.toml")
    with pytest.raises(SpecError, match="no preset 'wild'; there are twin, near, medium, far"):
        specs.preset("wild")


def test_names_are_checked_in_one_line() -> None:
    assert [specs.checked_name(name) for name in ("mine", "My_2-b", "7")] == ["mine", "My_2-b", "7"]
    with pytest.raises(SpecError, match=r"^cousins: name is '\.\./x'; letters, digits, - and _"):
        specs.checked_name("../x")
