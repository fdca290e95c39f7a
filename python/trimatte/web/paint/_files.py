"""The files of the page, which are read once when the server starts."""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePosixPath

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def page_files() -> dict[str, tuple[bytes, str]]:
    """Return content and media type of each file by its name."""
    found = {}
    for file in (files(__package__) / "static").iterdir():
        kind = _KINDS.get(PurePosixPath(file.name).suffix)
        if kind is not None:
            found[file.name] = (file.read_bytes(), kind)
    return found
