"""Which server a request means, and which page it comes from, by its headers."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine, under which nobody else reaches its servers; others are DNS rebinding."""


def called_host(headers: Headers) -> str:
    """Return the name by which a request calls the server, without the port; "" if there is none."""
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:  # a bracket that is not closed
        return ""


def is_own_page(origin: str, headers: Headers) -> bool:
    """Whether an origin is the server that the request is sent to."""
    try:
        return urlsplit(origin).netloc == headers.get("host")
    except ValueError:
        return False
