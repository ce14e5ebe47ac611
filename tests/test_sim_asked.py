"""What environments are asked for: the defaults are those of the environments themselves."""

import inspect
from dataclasses import fields
from typing import Any

import pytest

from pocketworld import api
from pocketworld.errors import PocketworldError
from pocketworld.sim.asked import Asked
from pocketworld.sim.robots.hand import Hand


def test_what_is_not_asked_for_is_as_make_env_has_it() -> None:
    made = inspect.signature(api.make_env).parameters
    assert {field.name: field.default for field in fields(Asked)} == {
        field.name: made[field.name].default for field in fields(Asked)
    }
    assert Asked.of({}) == Asked()


def test_options_that_nothing_else_hangs_on_are_left_out() -> None:
    assert Asked.of({"task": "close", "threads": 3, "max_steps": 7}) == Asked("close")


def test_names_are_resolved_and_those_that_there_are_not_are_one_line() -> None:
    assert Asked().who() == Hand()
    assert Asked(robot=Hand()).who() == Hand()
    assert Asked("close").goal().done == "closed"
    with pytest.raises(PocketworldError, match="no task 'slam'"):
        Asked("slam").goal()
    with pytest.raises(PocketworldError, match="no robot 'snail'"):
        Asked(robot="snail").who()


@pytest.mark.parametrize(
    ("options", "gpus"),
    [({}, 0), ({"backend": "warp"}, 1), ({"backend": "warp", "device": "cpu"}, 0), ({"device": "cuda"}, 0)],
)
def test_only_warp_takes_a_gpu_and_only_where_it_may(options: dict[str, Any], gpus: int) -> None:
    assert Asked.of(options).gpus == gpus


def test_pictures_are_seen_where_they_are_asked_for() -> None:
    assert Asked(observation="rgbd").pictures
    assert not Asked().pictures
