"""Who may ask: pages of this server that know its token, and in measure."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...errors import TrimatteError
from ..caller import LOOPBACK, called_host, is_own_page

Endpoint = Callable[[Request], Awaitable[Response]]

TOKEN_HEADER = "x-trimatte-token"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Limits:
    """What a request may cost.

    Attributes
    ----------
    file_bytes : int
        Most bytes of a picture file.
    megapixels : float
        Most pixels of a picture, in millions.
    message_bytes : int
        Most bytes of strokes and wishes.
    paintings : int
        Pictures that are kept; the one that was not used for the longest time goes first.
    """

    file_bytes: int = 256 * 2**20
    megapixels: float = 100
    message_bytes: int = 16 * 2**20
    paintings: int = 4


class Refused(Exception):
    """A request that is answered by an error.

    Attributes
    ----------
    status : int
        HTTP's number.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """Checks requests before their endpoints see them.

    Parameters
    ----------
    token : str
        What the page must send with each request.
    hosts : sequence of str
        Names by which the server may be called.
    """

    def __init__(self, token: str, hosts: tuple[str, ...] = LOOPBACK) -> None:
        self._token = token.encode()
        self._hosts = frozenset(hosts)

    def page(self, endpoint: Endpoint) -> Endpoint:
        """Check the host of a request for a file of the page."""

        async def guarded(request: Request) -> Response:
            try:
                self._refuse_other_host(request)
                response = await endpoint(request)
            except Refused as error:
                response = _refusal(error.status, str(error))
            response.headers.update(HEADERS)
            return response

        return guarded

    def data(self, endpoint: Endpoint) -> Endpoint:
        """Check host, origin and token of a request for data, and answer errors by a message."""

        async def guarded(request: Request) -> Response:
            try:
                self._refuse_other_origin(request)
                if not secrets.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), self._token):
                    raise Refused(
                        401, "expected the token of this server; open the address that the command printed"
                    )
                return await endpoint(request)
            except Refused as error:
                return _refusal(error.status, str(error))
            except (ValueError, TypeError, TrimatteError) as error:
                return _refusal(400, str(error))

        return self.page(guarded)

    def _refuse_other_host(self, request: Request) -> None:
        if called_host(request.headers) not in self._hosts:
            raise Refused(421, "expected a request to this machine by its own name")

    def _refuse_other_origin(self, request: Request) -> None:
        origin = request.headers.get("origin")
        if origin is not None and not is_own_page(origin, request.headers):
            raise Refused(403, "expected a request from the server's own page")


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"error": " ".join(message.split())}, status)


async def body_of(request: Request, most_bytes: int) -> bytes:
    """Return what a request holds.

    Raises
    ------
    Refused
        If it is longer than allowed; no more than that is read.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            raise Refused(413, f"expected at most {most_bytes / 2**20:.0f} MiB, got more")
        parts.append(part)
    return b"".join(parts)
