"""An answer that comes while the work goes on: lines of progress, then the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from anyio import create_task_group, from_thread, sleep, to_thread
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
        It is cancelled if the reader goes away, or if the time is up.
    seconds : float
        How long the work may take.
    place : AsyncExitStack
        It is closed when the work has ended.
    """

    def __init__(self, work: Work, ticket: Ticket, seconds: float, place: AsyncExitStack) -> None:
        super().__init__(media_type="application/octet-stream")
        del self.headers["content-length"]
        self._work, self._ticket, self._seconds, self._place = work, ticket, seconds, place
        self._is_late = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        async with self._place:
            await self._answer(receive, send)

    async def _answer(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

        async def piece(content: bytes) -> None:
            await send({"type": "http.response.body", "body": content, "more_body": True})

        def tell(phase: str, done: float) -> None:
            from_thread.run(piece, _line({"phase": phase, "done": round(done, 3)}))

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self._ticket.cancel()

        async def limit() -> None:
            await sleep(self._seconds)
            self._is_late = True
            self._ticket.cancel()

        async with create_task_group() as group:
            group.start_soon(watch)
            group.start_soon(limit)
            for part in await to_thread.run_sync(self._finished, tell):
                await piece(part)
            group.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _finished(self, tell: Tell) -> tuple[bytes, ...]:
        try:
            result, content = self._work(tell)
        except Cancelled:
            late = f"expected a result within {self._seconds:g} s, got none; paint more, so that less is unknown"
            return (_line({"error": late} if self._is_late else {"cancelled": True}),)
        except (ValueError, TypeError, TrimatteError) as error:
            return (_line({"error": " ".join(str(error).split())}),)
        except MemoryError:
            return (_line({"error": "not enough memory for this; paint more, so that less is unknown"}),)
        return _line({"result": {**result, "bytes": len(content)}}), content


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
