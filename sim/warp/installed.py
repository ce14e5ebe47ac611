"""MuJoCo Warp, Warp and torch: imported where they are used, and quiet."""

import contextlib
import io
import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from pocketworld.errors import PocketworldError

LOG = logging.getLogger("pocketworld.warp")
EXTRA = "pip install 'pocketworld[warp]'"
TORCH = "a torch built for CUDA: see pytorch.org/get-started/locally"


@dataclass(frozen=True, slots=True)
class Library:
    """The modules."""

    mjw: Any
    wp: Any
    torch: Any


@cache
def library() -> Library:
    """Return the modules; raises PocketworldError where one is not installed."""
    try:
        with told(), _native():
            wp, mjw, torch = map(import_module, ("warp", "mujoco_warp", "torch"))
            wp.init()
    except ImportError as error:
        raise PocketworldError(f"backend warp: {error.name or error} is not installed", EXTRA) from error
    return Library(mjw, wp, torch)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Send what Warp prints (which kernels it loads or compiles) to the log, line by line.

    Python has one stdout and one stderr: what other threads print meanwhile goes to the log, too.
    """
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            yield
    finally:
        for line in filter(None, map(str.strip, text.getvalue().splitlines())):
            LOG.info(line)


@contextlib.contextmanager
def _native() -> Iterator[None]:
    """Send what Warp's own library prints as it starts (that there is no GPU) to the log."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            for line in file.read().decode(errors="replace").splitlines():
                LOG.info(line)


def chosen(device: str | None) -> str:
    """Return the device to use: the one asked for, else a GPU where there is one, else the CPU.

    A GPU counts where both Warp and torch can use it.

    Raises PocketworldError for a device that is not there.
    """
    lib = library()
    there = [str(one.alias) for one in lib.wp.get_devices()]
    both = lib.torch.cuda.is_available()
    found = [name for name in there if both or not name.startswith("cuda")]
    if device is None:
        return "cuda:0" if "cuda:0" in found else "cpu"
    name = "cuda:0" if device == "cuda" else device
    if name in there and name not in found:
        raise PocketworldError(f"torch {lib.torch.__version__} has no CUDA, Warp has {name}", TORCH)
    if name not in found:
        raise PocketworldError(f"there is no device {device!r}", f"there are: {', '.join(found)}")
    return name


def cache_folder() -> str:
    """Return where Warp keeps compiled kernels: a folder per version, in the user's cache."""
    return os.environ.get("WARP_CACHE_PATH") or str(library().wp.config.kernel_cache_dir)
