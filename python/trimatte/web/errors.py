"""How a request is refused, in the words of the API that it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response


class Refused(Exception):
    """A request that gets no picture; it passes from a worker process to its parent.

    Parameters
    ----------
    status : int
        The HTTP status.
    code : str
        A word for programs.
    message : str
        A sentence for people: the argument, what was wanted, what came.
    retry_after : int, optional
        Seconds after which another try is worth while.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(status, code, message, retry_after)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class Gone(Exception):
    """The client has closed its connection, so that nobody waits for an answer."""


def refusal(path: str, refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer to a refused request, in the form of the API that its path belongs to."""
    body: Any
    status = refused.status
    if path.startswith("/v1.0/"):
        status = 403 if status == 401 else status  # as remove.bg answers
        body = {"errors": [{"title": refused.message, "code": refused.code}]}
    elif path.startswith("/api/"):
        body = {"detail": refused.message}
    else:
        body = {"error": {"code": refused.code, "message": refused.message}}
    return JSONResponse(body, status, {**refused.headers, **(headers or {})})
