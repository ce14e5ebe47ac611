"""Which OpenGL MuJoCo draws with where there is no screen."""

import ctypes
import os
import sys
from collections.abc import MutableMapping

LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}


def choose(environ: MutableMapping[str, str] = os.environ) -> str:
    """Set MUJOCO_GL where it is unset and there is no screen; return what it is then ("": MuJoCo chooses).

    MuJoCo reads it when it is first imported: whoever imports mujoco before pocketworld.sim chooses alone.
    EGL comes first because it uses a GPU where there is one.
    """
    if "MUJOCO_GL" not in environ and sys.platform == "linux" and not screen(environ):
        found = [name for name, library in LIBRARIES.items() if _loads(library)]
        if found:
            environ["MUJOCO_GL"] = found[0]
    return environ.get("MUJOCO_GL", "")


def screen(environ: MutableMapping[str, str] = os.environ) -> bool:
    """Say whether there is a screen to open a window on."""
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
