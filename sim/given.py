"""What is given from outside, checked before anything is made of it: one line for what can't be."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene

NUMBERS = ("float", "int", "uint", "bfloat")  # what names of types of real numbers begin with


def check_scenes(scenes: Any) -> None:
    """Raise PocketworldError for what are no scenes; of what is built on demand none is built."""
    if isinstance(scenes, Scene):
        raise PocketworldError("environments are made of several scenes, this is one", "give [scene]")
    if not isinstance(scenes, Sequence) or isinstance(scenes, str | bytes):
        what = type(scenes).__name__
        raise PocketworldError(f"environments are made of scenes, not {what}", "or name a world's path")
    if not len(scenes):
        raise PocketworldError("an environment needs at least one cousin", "make some")
    for one in scenes if isinstance(scenes, list | tuple) else ():
        if not isinstance(one, Scene):
            raise PocketworldError(f"environments are made of scenes, not {type(one).__name__}", "load them")


def check_whole(**values: Any) -> None:
    """Raise PocketworldError for what is no whole number from 1 on."""
    for name, value in values.items():
        if not whole(value):
            raise PocketworldError(f"{name} is {value!r}", "a whole number, at least 1")
        if value < 1:
            raise PocketworldError(f"{name} is {value}", "at least 1")


def check_text(**values: Any) -> None:
    """Raise PocketworldError for what is no text."""
    for name, value in values.items():
        if not isinstance(value, str):
            raise PocketworldError(f"{name} is {value!r}", "a name, in quotes")


def check_replicas(replicas: Any) -> None:
    """Raise PocketworldError for what are no whole numbers; None are none."""
    if replicas is None:
        return
    if not isinstance(replicas, Sequence | np.ndarray) or not all(map(whole, replicas)):
        raise PocketworldError(f"replicas are {replicas!r}", "whole numbers, one an environment")


def check_seeds(seeds: Any) -> None:
    """Raise PocketworldError for what is neither a seed, one for all or one each, nor None."""
    each = [seeds] if seeds is None or whole(seeds) else seeds
    known = isinstance(each, Sequence | np.ndarray) and not isinstance(each, str)
    if not known or not all(one is None or whole(one) for one in each):
        raise PocketworldError(f"seed is {seeds!r}", "a whole number from 0 on, or one an environment")


def whole(value: Any) -> bool:
    """Say whether a value is a whole number; a truth is none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def numbers(actions: Any, shape: tuple[int, ...]) -> Any:
    """Return actions, numpy's, torch's or a list's; raise PocketworldError where they are no real numbers."""
    try:
        given = actions if hasattr(actions, "dtype") else np.asarray(actions)
    except ValueError as error:  # of a list of lists of different lengths
        raise PocketworldError("actions are no array", f"give {shape}") from error
    kind = str(given.dtype).removeprefix("torch.")
    if not kind.startswith(NUMBERS):
        raise PocketworldError(f"actions are {kind}", f"give real numbers in -1..1, {shape}")
    return given
