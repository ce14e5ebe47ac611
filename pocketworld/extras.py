"""Parts that are installed when asked for: what needs them says so in one line where they are missing."""

from importlib.util import find_spec

from pocketworld.errors import PocketworldError


def require(extra: str, *modules: str) -> None:
    """Raise PocketworldError where a module that an extra brings is not installed; import nothing."""
    for module in modules:
        if find_spec(module) is None:
            raise PocketworldError(f"{module} is not installed", f"pip install 'pocketworld[{extra}]'")
