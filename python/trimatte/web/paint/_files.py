"""The files of the page, and the headers with which it is sent."""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePosixPath

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def _page_files() -> dict[str, tuple[bytes, str]]:
    """Return content and media type of each file by its path below the page's."""
    found = {}
    for file in (files(__package__) / "static").iterdir():
        kind = _KINDS.get(PurePosixPath(file.name).suffix)
        if kind is not None:
            path = "/" if file.name == "index.html" else f"/{file.name}"
            found[path] = (file.read_bytes(), kind)
    return found


PAGES = _page_files()
"""Content and media type of each file of the page, by its path below the page's."""
