"""Options of public functions: one that there is not is named in one line, with those that there are."""

from collections.abc import Callable
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, signature
from typing import ParamSpec, TypeVar

from pocketworld.errors import PocketworldError

Given = ParamSpec("Given")
Result = TypeVar("Result")


def named_options(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a function of explicit options raise PocketworldError, not TypeError, for those that it has not."""
    parameters = signature(function).parameters
    options = [name for name, one in parameters.items() if one.kind is not Parameter.POSITIONAL_ONLY]

    @wraps(function)
    def called(*words: Given.args, **given: Given.kwargs) -> Result:
        for name in given:
            if name not in options:
                raise PocketworldError(_unknown(function.__name__, name, options), _told(options))
        return function(*words, **given)

    return called


def _unknown(function: str, name: str, options: list[str]) -> str:
    near = get_close_matches(name, options, n=1)
    return f"{function} has no option {name!r}" + (f", perhaps {near[0]}" if near else "")


def _told(options: list[str]) -> str:
    return f"there are: {', '.join(options)}"
