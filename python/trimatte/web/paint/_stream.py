"""An answer that comes while the work goes on: lines of progress, then the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from anyio import create_task_group, from_thread, to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ...errors import TrimatteError
from ._solving import Cancelled, Tell, Ticket

Work = Callable[[Tell], tuple[dict[str, Any], bytes]]


class Stream(Response):
    """Runs work in a thread and sends what it tells.

    The body is lines of JSON, ``{"phase": ..., "done": ...}``, then a line ``{"result": ...}`` whose
    "bytes" follow it, or a line ``{"error": ...}``, or ``{"cancelled": true}``.

    Parameters
    ----------
    work : callable
        It takes a function that reports progress, and returns what the last line says and the bytes.
    ticket : Ticket
        It is cancelled if the reader goes away.
    """

    def __init__(self, work: Work, ticket: Ticket) -> None:
        super().__init__(media_type="application/octet-stream")
        del self.headers["content-length"]
        self._work = work
        self._ticket = ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

        async def piece(content: bytes) -> None:
            await send({"type": "http.response.body", "body": content, "more_body": True})

        def tell(phase: str, done: float) -> None:
            from_thread.run(piece, _line({"phase": phase, "done": round(done, 3)}))

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self._ticket.cancel()

        async with create_task_group() as group:
            group.start_soon(watch)
            for part in await to_thread.run_sync(self._finished, tell):
                await piece(part)
            group.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _finished(self, tell: Tell) -> tuple[bytes, ...]:
        try:
            result, content = self._work(tell)
        except Cancelled:
            return (_line({"cancelled": True}),)
        except (ValueError, TypeError, TrimatteError) as error:
            return (_line({"error": " ".join(str(error).split())}),)
        except MemoryError:
            return (_line({"error": "not enough memory for this; paint more, so that less is unknown"}),)
        return _line({"result": {**result, "bytes": len(content)}}), content


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
