"""The routes of the page and of its data."""

from __future__ import annotations

import io
import json
import re
import secrets
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Any, NamedTuple, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ... import foreground, methods
from ...affinities._base import option_fields
from ...batch._cost import bytes_for
from ...errors import TrimatteError
from ...io.picture import Picture
from ...io.read import pixel_count_in, read_picture, without_transparency
from ...io.write import Output, encoded
from ..errors import Refused
from ..form import read_body, while_wanted
from ..settings import Settings
from ._files import HEADERS, PAGES
from ._painting import RESULTS, Painting
from ._solving import Tell, Ticket, Wish
from ._start import FromKey, FromMask, FromTrimap, Nothing, Start, start_from
from ._stream import Stream
from ._strokes import strokes_from

Endpoint = Callable[[Request], Awaitable[Response]]
Place = Callable[[int], AbstractAsyncContextManager["int | None"]]
"""Waits until work may take so many bytes, and gives the threads that it may have; None means all."""
_Done = TypeVar("_Done")

_MESSAGE_BYTES = 16 * 2**20  # most bytes of strokes and wishes
_SHARE_OF_MEMORY = 0.25  # part of the memory for solves that pictures may take which nobody solves
_SMALL = 4e6  # pixels up to which a page gets a picture without loss
_SIZES = ("quick", "fine")


class Opened(NamedTuple):
    """A picture with which a page starts.

    Attributes
    ----------
    picture : Picture
    name : str
        What the file is called.
    start : Start or None
        What there is before the first stroke.
    """

    picture: Picture
    name: str
    start: Start | None = None


class Paintings:
    """The pictures that are painted on, by what the page calls them.

    Parameters
    ----------
    most : int
        How many are kept.
    most_bytes : float
        How much memory they may take; the last one stays even if it takes more.
    """

    def __init__(self, most: int, most_bytes: float) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: dict[str, Painting] = {}
        self._changing = threading.Lock()

    def add(self, painting: Painting) -> str:
        """Keep one and return its name; the one that was not used for the longest time goes."""
        key = secrets.token_urlsafe(12)
        with self._changing:
            self._kept[key] = painting
            gone = []
            while len(self._kept) > 1 and self._are_too_many():
                gone.append(self._kept.pop(next(iter(self._kept))))
        for old in gone:
            old.cancel()
        return key

    def _are_too_many(self) -> bool:
        kept = self._kept.values()
        return len(kept) > self._most or sum(painting.memory for painting in kept) > self._most_bytes

    def get(self, key: str) -> Painting:
        """Return one, which is then the last one used."""
        with self._changing:
            painting = self._kept.pop(key, None)
            if painting is None:
                raise Refused(404, "not_open", "this picture is no longer open; open it again")
            self._kept[key] = painting
            return painting


class _Desk:
    """The endpoints."""

    def __init__(self, settings: Settings, place: Place, opened: Opened | None) -> None:
        self.settings = settings
        self.place = place
        self.paintings = Paintings(settings.paintings, _SHARE_OF_MEMORY * settings.memory)
        self.first: str | None = None
        if opened is not None:
            picture, name, start = opened
            self.first = self.paintings.add(Painting(picture, name, start=start))

    async def begin(self, request: Request) -> Response:
        """Say which picture the page starts with, and which methods there are."""
        found = {
            "first": self.first,
            "methods": {name: _options(name) for name in methods.names()},
            "colours": list(foreground.METHODS),
            "limits": {"file_bytes": self.settings.body_bytes, "megapixels": self.settings.pixels / 1e6},
        }
        return JSONResponse(found)

    async def load(self, request: Request) -> Response:
        """Read a picture file."""
        content, name = await self._file(request)
        cost = await run_in_threadpool(self._cost, content, name)
        return JSONResponse(await self._worked(request, cost, partial(self._load, content, name)))

    def _load(self, content: bytes, name: str) -> dict[str, Any]:
        picture = read_picture(io.BytesIO(content))
        pixels, transparent = without_transparency(picture.pixels)
        start = start_from(picture, name, pixels.shape[:2]) if transparent else None
        painting = Painting(picture._replace(pixels=pixels), name, start=start)
        return {"id": self.paintings.add(painting), **painting.state()}

    async def _file(self, request: Request) -> tuple[bytes, str]:
        """Return what a request holds, and what the page calls it."""
        content = await read_body(request, self.settings.body_bytes, self.settings.seconds)
        return content, _file_name(request.query_params.get("name", ""))

    async def _worked(self, request: Request, cost: int, work: Callable[[], _Done]) -> _Done:
        """Let a thread work when its turn has come."""

        async def done() -> _Done:
            async with self.place(cost):
                return await run_in_threadpool(work)

        return await while_wanted(request, done(), self.settings.seconds)

    def _cost(self, content: bytes, name: str) -> int:
        """Estimate the memory, in bytes, that a picture takes while it is decoded, by the file's head."""
        pixels, floats = pixel_count_in(io.BytesIO(content), name)
        if pixels > self.settings.pixels:
            most = self.settings.pixels / 1e6
            message = f"{name}: expected at most {most:g} million pixels, got {pixels / 1e6:.3g} million"
            raise Refused(413, "resolution_too_high", message)
        return bytes_for(pixels, floats, 0, {})

    async def state(self, request: Request) -> Response:
        """Return what there is of a picture."""
        return JSONResponse(self._painting(request).state())

    async def picture(self, request: Request) -> Response:
        """Return the picture for a display."""
        pixels = self._painting(request).picture()
        if pixels.shape[0] * pixels.shape[1] <= _SMALL:
            return Response(await run_in_threadpool(_png, pixels), media_type="image/png")
        return Response(await run_in_threadpool(_jpeg, pixels), media_type="image/jpeg")

    async def trimap(self, request: Request) -> Response:
        """Return the trimap for a display; the base has no strokes."""
        painted = request.query_params.get("of") != "base"
        pixels = await run_in_threadpool(self._painting(request).trimap, painted)
        return Response(await run_in_threadpool(_png, pixels), media_type="image/png")

    async def guide(self, request: Request) -> Response:
        """Start from a file: a trimap, a mask, or a cutout."""
        painting = self._painting(request)
        content, name = await self._file(request)
        kind = request.query_params.get("kind", "auto")
        cost = await run_in_threadpool(self._cost, content, name)
        painting.cancel()  # it may have the turn that this waits for

        def begin() -> dict[str, Any]:
            start = start_from(read_picture(io.BytesIO(content)), name, painting.scales.shape, kind)
            return {**painting.begin_with(start), "start": start.as_json(), "guide": start.kind}

        return JSONResponse(await self._worked(request, cost, begin))

    async def start(self, request: Request) -> Response:
        """Start from nothing, from the guide's file again, or from a key colour."""
        painting = self._painting(request)
        value = await self._message(request)
        start = _start(value, painting)
        painting.cancel()
        known = await self._worked(request, painting.memory, partial(painting.begin_with, start))
        return JSONResponse({**known, "start": start.as_json()})

    async def strokes(self, request: Request) -> Response:
        """Keep the first strokes and add others."""
        painting = self._painting(request)
        value = await self._message(request)
        keep = value.get("keep")
        if not isinstance(keep, int) or isinstance(keep, bool):
            raise TypeError(f"keep: expected a number of strokes, got {type(keep).__name__}")
        added = strokes_from(value.get("add"))
        return JSONResponse(await run_in_threadpool(painting.paint, keep, added))

    async def solve(self, request: Request) -> Response:
        """Find alpha and colours; the page says whether quickly or finely."""
        painting = self._painting(request)
        value = await self._message(request)
        wish, size = Wish.from_json(value.get("wish", {})), value.get("size", "quick")
        if size not in _SIZES:
            raise ValueError(f"size: expected one of {', '.join(_SIZES)}, got {size!r}")
        ticket = painting.ticket()

        def work(tell: Tell, threads: int | None) -> tuple[dict[str, Any], bytes]:
            result, finer = painting.solve(wish, size, ticket, tell, threads)
            height, width = result.alpha.shape
            record = {
                "width": width,
                "height": height,
                "factor": result.factor,
                "unknown": result.unknown,
                "one_sided": result.one_sided,
                "seconds": round(result.seconds, 4),
                "finer": finer,
            }
            return record, painting.shown(result).tobytes()

        return await self._stream(request, partial(painting.cost, wish, size), ticket, work)

    async def _stream(
        self,
        request: Request,
        cost: Callable[[], int],
        ticket: Ticket,
        work: Callable[[Tell, int | None], tuple[dict[str, Any], bytes]],
    ) -> Response:
        """Wait for a turn, and return the answer that comes while a thread works."""
        seconds = self.settings.seconds
        async with AsyncExitStack() as stack:
            turn = self.place(await run_in_threadpool(cost))
            threads = await while_wanted(request, stack.enter_async_context(turn), seconds)
            return Stream(lambda tell: work(tell, threads), ticket, seconds, stack.pop_all())

    async def cancel(self, request: Request) -> Response:
        """Stop the solve that runs."""
        self._painting(request).cancel()
        return JSONResponse({})

    async def save(self, request: Request) -> Response:
        """Return the file of a result at the picture's whole size."""
        painting = self._painting(request)
        value = await self._message(request)
        what, wish = value.get("what"), Wish.from_json(value.get("wish", {}))
        if what not in RESULTS:
            raise ValueError(f"what: expected one of {', '.join(RESULTS)}, got {what!r}")
        # A trimap needs no solve, and stops none.
        is_solved = what != "trimap"
        ticket = painting.ticket() if is_solved else Ticket()

        def cost() -> int:
            return painting.cost(wish, "whole") if is_solved else painting.memory

        def work(tell: Tell, threads: int | None) -> tuple[dict[str, Any], bytes]:
            name, content = painting.save(what, wish, ticket, tell, threads)
            return {"name": name}, content

        return await self._stream(request, cost, ticket, work)

    def _painting(self, request: Request) -> Painting:
        return self.paintings.get(request.path_params["id"])

    async def _message(self, request: Request) -> dict[str, Any]:
        most = min(_MESSAGE_BYTES, self.settings.body_bytes)
        content = await read_body(request, most, self.settings.seconds)
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            raise Refused(400, "bad_form", "body: expected JSON, got something else") from None
        if not isinstance(value, dict):
            raise Refused(400, "bad_form", f"body: expected a JSON object, got {type(value).__name__}")
        return value


def _options(name: str) -> dict[str, Any]:
    """Return the numbers that a method takes, with their defaults."""
    affinity = methods.meaning(name).affinity
    fields = [] if affinity is None else option_fields(affinity)
    return {field.name: field.default for field in fields if isinstance(field.default, (int, float))}


def _start(value: dict[str, Any], painting: Painting) -> Start:
    kind = value.get("kind")
    if kind == "nothing":
        return Nothing()
    if kind == "key":
        return FromKey(value.get("key", "auto"), value.get("solid", True))
    if kind not in ("mask", "trimap"):
        raise ValueError(f"kind: expected nothing, mask, trimap or key, got {kind!r}")
    if painting.guide is None:
        raise ValueError(f"kind: expected a file to start from a {kind}, got none; choose one")
    guide = painting.guide.guide
    return FromMask(guide, value.get("band")) if kind == "mask" else FromTrimap(guide)


def _file_name(text: str) -> str:
    """Return the last part of a name, for messages and for the names of results. No file is opened by it."""
    return re.sub(r"[^\w .()+-]", "_", re.split(r"[/\\]", text)[-1]).strip(" .")[:100] or "picture"


def _png(pixels: Any) -> bytes:
    return encoded(Output("shown.png", pixels))


def _jpeg(pixels: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue()


def routes(settings: Settings, place: Place, opened: Opened | None = None) -> list[BaseRoute]:
    """Return the routes of the page to paint on; they may be mounted below any path that ends in "/".

    Parameters
    ----------
    settings : Settings
        What a request may cost. Who may ask is the matter of `trimatte.web.guard`, which lets the
        paths of `PAGES` pass without a key.
    place : callable
        It takes the bytes that work may need, and returns a context manager that waits for its turn
        and gives the number of threads, or None for all.
    opened : Opened, optional
        A picture with which the page starts.

    Returns
    -------
    list of starlette.routing.BaseRoute
    """
    desk = _Desk(settings, place, opened)

    async def file(request: Request, content: bytes, kind: str) -> Response:
        return Response(content, media_type=kind)

    endpoints: list[tuple[str, str, Endpoint]] = [
        ("GET", path, partial(file, content=content, kind=kind)) for path, (content, kind) in PAGES.items()
    ]
    endpoints += [
        ("GET", "/data/begin", desk.begin),
        ("POST", "/data/pictures", desk.load),
        ("GET", "/data/pictures/{id}", desk.state),
        ("GET", "/data/pictures/{id}/picture", desk.picture),
        ("GET", "/data/pictures/{id}/trimap", desk.trimap),
        ("POST", "/data/pictures/{id}/guide", desk.guide),
        ("POST", "/data/pictures/{id}/start", desk.start),
        ("POST", "/data/pictures/{id}/strokes", desk.strokes),
        ("POST", "/data/pictures/{id}/solve", desk.solve),
        ("POST", "/data/pictures/{id}/cancel", desk.cancel),
        ("POST", "/data/pictures/{id}/save", desk.save),
    ]
    return [Route(path, _answering(endpoint), methods=[method]) for method, path, endpoint in endpoints]


def _answering(endpoint: Endpoint) -> Endpoint:
    """Add the page's headers to an endpoint's answers, and refuse what it cannot use."""

    async def answer(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except (ValueError, TypeError, TrimatteError) as error:
            raise Refused(400, "bad_input", " ".join(str(error).split())) from None
        response.headers.update(HEADERS)
        return response

    return answer
