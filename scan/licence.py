"""The licence that a capture brings along."""

import re

from pocketworld.scan.source import Source

_FILE = re.compile(r"^(licen[cs]e|copying)[^/]*$", re.IGNORECASE)
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
_TITLE = re.compile(r"^licen[cs]e$", re.IGNORECASE)


def licence(source: Source) -> str | None:
    """Return the first line of the licence file that says something, and the file's name; or None."""
    for name in filter(_FILE.match, source):
        text = source.read(name).decode("utf-8", "replace")  # names of people in whatever encoding
        lines = (_LINK.sub(r"\1", line).strip("#=-* \t") for line in text.splitlines())
        said = next((line for line in lines if line and not _TITLE.match(line)), "")
        if said:
            return f"{said} ({name})"
    return None
