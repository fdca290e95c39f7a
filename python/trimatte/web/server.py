"""The one way in which commands listen and serve: a socket, a server on it, and the word that it answers."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from ..errors import WorkerError

MOST_CONNECTIONS = 1024
"""Further connections get status 503."""


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Parameters
    ----------
    host : str
        The address, of IPv4 or IPv6, or a name.
    port : int
        0 takes a free one.

    Raises
    ------
    OSError
        If the port cannot be had; the error names address and port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=MOST_CONNECTIONS)
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from error


def url_of(host: str, listener: socket.socket) -> str:
    """Return the address at which a socket is reached."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def run(app: ASGIApp, listener: socket.socket, *, ready: Callable[[], None], patience: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    app : ASGI application
        What answers.
    listener : socket
        A socket that listens; see `listening`.
    ready : callable
        It is called as soon as requests are answered.
    patience : int
        Seconds that requests which run have at the end.

    Raises
    ------
    WorkerError
        If the application does not start.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=patience,
    )
    server = uvicorn.Server(config)
    start = server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await start(sockets)
        ready()

    server.startup = startup  # type: ignore[method-assign]
    with _sigterm_is_no_failure(), suppress(SystemExit):  # which is how uvicorn says that it has not started
        server.run(sockets=[listener])
    if not server.started:
        raise WorkerError("the service did not start; its log says why")


@contextmanager
def _sigterm_is_no_failure() -> Iterator[None]:
    """Let SIGTERM end the service as its operators expect: with 0, after what runs has ended.

    The server takes the signal while it runs, and sends it again when all is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
