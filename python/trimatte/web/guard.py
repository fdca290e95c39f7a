"""What every request passes on its way in and out: permission, refusals, the log, the numbers."""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import time
from collections.abc import Collection, MutableMapping, Sequence
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .caller import called_host, is_own_page
from .errors import LOG, Gone, Refused, refusal
from .form import discard
from .measures import Measures
from .settings import Settings

_GONE = 499
# What the log says of a request and of a worker; nothing that a client has named or sent.
_LOGGED = (
    "id",
    "method",
    "path",
    "status",
    "code",
    "seconds",
    "bytes_in",
    "bytes_out",
    "client",
    "worker",
    "reason",
)
# So long the rest of a refused body is read away.
_SECONDS_OF_REST = 5.0


class Guard:
    """Lets permitted requests through, and notes what became of all.

    Parameters
    ----------
    app : ASGIApp
        What lies behind.
    settings : Settings
        Who is permitted.
    measures : Measures
        Gets the numbers.
    paths : sequence of str
        The paths that are counted by name; one that ends in "/" stands for all below it. Others count
        as "other".
    public : collection of str
        Paths that need no key, and to which other pages may lead.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, measures: Measures, paths: Sequence[str], public: Collection[str]
    ) -> None:
        self._app, self._settings, self._measures = app, settings, measures
        self._paths, self._public = paths, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            self._permit(scope["path"], scope["method"], Headers(scope=scope))
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:
            await exchange.fail(error, self._settings)
        finally:
            self._note(scope, exchange)

    def _permit(self, path: str, method: str, headers: Headers) -> None:
        """Raise Refused unless host, origin and key are those of a client that may use the service."""
        settings = self._settings
        if settings.hosts and called_host(headers) not in settings.hosts:
            wanted = f"Host: expected {' or '.join(settings.hosts)}, got another name"
            raise Refused(403, "host_refused", f"{wanted}; see trimatte serve --allow-host")
        origin = headers.get("origin")
        if origin is not None and origin not in settings.origins and not is_own_page(origin, headers):
            wanted = "Origin: expected this service's own page, got another; see trimatte serve --allow-origin"
            raise Refused(403, "origin_refused", wanted)
        is_link = path in self._public and headers.get("sec-fetch-mode") == "navigate"
        if origin is None and not is_link and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise Refused(403, "origin_refused", "Sec-Fetch-Site: expected a request of this service's own page")
        if settings.api_key is None or path in self._public or (method == "OPTIONS" and origin is not None):
            return
        shown = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(shown.encode(), settings.api_key.encode()):
            raise Refused(401, "auth_failed", "X-Api-Key: expected the key of this service, got another or none")

    def _label(self, path: str) -> str:
        def is_at(known: str) -> bool:
            return path.startswith(known) if known.endswith("/") else path == known

        return next(filter(is_at, self._paths), "other")

    def _note(self, scope: Scope, exchange: _Exchange) -> None:
        path = self._label(scope["path"])
        seconds = time.perf_counter() - exchange.started
        self._measures.requests.labels(path, str(exchange.status)).inc()
        self._measures.seconds.labels(path).observe(seconds)
        LOG.log(
            logging.DEBUG if path in ("/health", "/metrics") else logging.INFO,
            "request",
            extra={
                "id": exchange.number,
                "method": scope["method"],
                "path": path,
                "status": exchange.status,
                "code": exchange.code,
                "seconds": round(seconds, 4),
                "bytes_in": exchange.bytes_in,
                "bytes_out": exchange.bytes_out,
                "client": (scope.get("client") or ("",))[0],
            },
        )


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self.number, self.started = secrets.token_hex(6), time.perf_counter()
        self.status, self.code = _GONE, ""
        self.bytes_in = self.bytes_out = 0
        self._whole = self._begun = False

    async def receive(self) -> Message:
        message = await self._receive()
        self.bytes_in += len(message.get("body", b""))
        self._whole = self._whole or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self._begun = message["status"], True
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.number
            headers["X-Content-Type-Options"] = "nosniff"
        self.bytes_out += len(message.get("body", b""))
        await self._send(message)

    async def fail(self, error: Exception, settings: Settings) -> None:
        """Answer a request that has failed."""
        if isinstance(error, Gone):
            return
        if self._begun:
            raise error
        refused, headers = _as_refused(error)
        if refused.status == 500:
            LOG.error("failed", extra={"id": self.number}, exc_info=error)
        self.code = refused.code
        announced = Headers(scope=self._scope).get("expect") is not None
        if not self._whole and not announced and refused.status not in (408, 413):
            await discard(self.receive, settings.body_bytes, _SECONDS_OF_REST)
        answer: Response = refusal(self._scope["path"], refused, headers)
        await answer(self._scope, self.receive, self.send)


def _as_refused(error: Exception) -> tuple[Refused, MutableMapping[str, str]]:
    if isinstance(error, Refused):
        return error, {}
    if isinstance(error, HTTPException):
        return Refused(error.status_code, "http_error", str(error.detail)), dict(error.headers or {})
    return Refused(500, "failed", "the service failed on this request; its log says more"), {}


async def reraise(_: Request, error: Exception) -> Response:
    """Let the guard answer, which knows the words of each API."""
    raise error


class JsonLines(logging.Formatter):
    """Formats records as JSON, one a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record with what it carries besides."""
        line: dict[str, Any] = {"time": self.formatTime(record), "level": record.levelname.lower()}
        line["event"] = record.getMessage()
        line.update(
            {name: record.__dict__[name] for name in _LOGGED if record.__dict__.get(name) not in (None, "")}
        )
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)
