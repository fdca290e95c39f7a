"""Bodies of requests, read within their limits."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from .errors import Gone, Refused
from .fields import shown

Result = TypeVar("Result")

_MOST_FILES = 8
_MOST_FIELDS = 64
_MOST_IN_MEMORY = 1_000_000


@dataclass
class Form:
    """What a request has sent.

    Attributes
    ----------
    texts : dict of str to str
        Its fields that are texts.
    files : dict of str to binary file
        Its fields that are files, on the disk if they are large.
    """

    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, IO[bytes]] = field(default_factory=dict)

    def content(self, name: str) -> bytes:
        """Return what a file holds."""
        self.files[name].seek(0)
        return self.files[name].read()

    def keep(self, name: str, content: bytes) -> None:
        """Put a file aside until its turn comes."""
        # Not `with`: the file is closed with the form.
        file: IO[bytes] = SpooledTemporaryFile(max_size=_MOST_IN_MEMORY)  # noqa: SIM115
        file.write(content)
        self.files[name] = file

    def close(self) -> None:
        """Remove what was put aside."""
        for file in self.files.values():
            file.close()


async def read_form(request: Request, most_bytes: int, seconds: float, files: Iterable[str]) -> Form:
    """Read a form: multipart, URL-encoded or JSON.

    Parameters
    ----------
    request : Request
        The request.
    most_bytes, seconds : float
        A longer or slower body is refused.
    files : iterable of str
        The fields that are files.

    Raises
    ------
    Refused
        If the body is too long or too slow, or no such form, or a file is sent as text.
    Gone
        If the client goes away.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limited = Request(request.scope, _limited(request, most_bytes))
    try:
        form = await _in_time(_read(limited, kind, most_bytes), seconds)
    except HTTPException as error:
        message = f"body: expected a form ({error.detail})" if error.status_code == 400 else str(error.detail)
        raise Refused(error.status_code, "bad_form", message) from None
    wanted = set(files)
    for name in wanted & form.texts.keys():
        if form.texts.pop(name):
            form.close()
            raise Refused(
                400, f"invalid_{name}", f"{name}: expected a file, got text; curl sends one by -F {name}=@"
            )
    return form


async def read_body(request: Request, most_bytes: int, seconds: float) -> bytes:
    """Read a body that is no form; raises as `read_form` does."""
    return await _in_time(Request(request.scope, _limited(request, most_bytes)).body(), seconds)


async def _in_time(reading: Awaitable[Result], seconds: float) -> Result:
    try:
        return await asyncio.wait_for(reading, seconds)
    except asyncio.TimeoutError:
        raise Refused(408, "too_slow", f"body: expected all of it within {seconds:g} s, got a part") from None
    except ClientDisconnect:
        raise Gone from None


def _limited(request: Request, most_bytes: int) -> Callable[[], Awaitable[Message]]:
    """Return a way to receive a body that is not too long."""
    got = 0
    too_long = Refused(413, "file_too_large", f"body: expected at most {most_bytes} bytes, got more")

    async def receive() -> Message:
        nonlocal got
        announced = request.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > most_bytes:
            raise too_long
        message = await request.receive()
        got += len(message.get("body", b""))
        if got > most_bytes:
            raise too_long
        return message

    return receive


async def _read(request: Request, kind: str, most_bytes: int) -> Form:
    if kind == "application/json":
        return Form(_of_json(await request.body()))
    if kind not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        wanted = "multipart/form-data, application/x-www-form-urlencoded or application/json"
        raise Refused(415, "unsupported_media_type", f"Content-Type: expected {wanted}, got {shown(kind)}")
    # A picture in base64 is a text.
    data = await request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=most_bytes)
    form = Form()
    for name, value in data.multi_items():
        if name in form.texts or name in form.files:
            await data.close()
            raise Refused(400, "repeated_field", f"{shown(name)}: expected it once, got it twice")
        if isinstance(value, str):
            form.texts[name] = value
        elif value.filename or value.size:  # a browser sends a nameless file where none was chosen
            form.files[name] = value.file
    return form


def _of_json(body: bytes) -> dict[str, str]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "bad_form", "body: expected a JSON object, got something else") from None
    if not isinstance(given, dict) or any(isinstance(value, (dict, list)) for value in given.values()):
        raise Refused(400, "bad_form", "body: expected a JSON object of texts, numbers and true or false")
    return {name: _text(value) for name, value in given.items() if value is not None}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def decoded(text: str, name: str) -> bytes:
    """Return what a field in base64 holds; a head such as ``data:image/png;base64,`` may be there."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, f"invalid_{name}", f"{name}: expected base64, got something else") from None


async def while_wanted(request: Request, work: Awaitable[Result], seconds: float) -> Result:
    """Await work as long as the client waits for it, and no longer than so many seconds.

    Raises
    ------
    Gone
        If the client has gone; the work is cancelled.
    Refused
        If the time is up; the work is cancelled.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        ended = (await asyncio.wait({working, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED))[0]
        if working in ended:
            return working.result()
        if leaving in ended:
            raise Gone
        message = f"expected an answer within {seconds:g} s, got none; send a smaller picture, or try again later"
        raise Refused(504, "too_slow", message, 10)
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def discard(receive: Callable[[], Awaitable[Message]], most_bytes: int, seconds: float) -> None:
    """Read the rest of a body away: who is still sending would not see the answer."""

    async def rest() -> None:
        got = 0
        while got <= most_bytes:
            message = await receive()
            got += len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body", False):
                return

    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(rest(), seconds)
