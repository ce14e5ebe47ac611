"""The scripts in tools/: what they import from pocketworld is there, though no test runs them."""

import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
SCRIPTS = sorted(p for p in TOOLS.iterdir() if "python" in p.read_text().partition("\n")[0])


def imports(source: str) -> Iterator[tuple[str, str]]:
    """Return what a script takes from where in pocketworld; whole modules as taken from their package."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pocketworld":
            yield from ((str(node.module), name.name) for name in node.names)
        if isinstance(node, ast.Import):
            yield from (
                (package, name)
                for package, _, name in (one.name.rpartition(".") for one in node.names)
                if package.split(".")[0] == "pocketworld"
            )


def there(module: str, name: str) -> bool:
    """Say whether a module has a name, or a module of that name."""
    try:
        return hasattr(import_module(module), name) or find_spec(f"{module}.{name}") is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.name))
def test_what_a_script_imports_is_there(script: Path) -> None:
    taken = list(imports(script.read_text()))
    assert taken
    assert not [one for one in taken if not there(*one)]


def test_the_scripts_are_found_and_what_is_not_there_is_told() -> None:
    assert TOOLS / "picture" in SCRIPTS
    gone = "from pocketworld.sim.picture import picture\nimport pocketworld.nothing\n"
    assert [there(*one) for one in imports(gone)] == [False, False]
    assert [there(*one) for one in imports("from pocketworld import api, no_such\nimport numpy")] == [
        True,
        False,
    ]
