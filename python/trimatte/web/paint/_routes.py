"""The routes of the page and of its data."""

from __future__ import annotations

import io
import json
import re
import secrets
import threading
from functools import partial
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ... import foreground, methods
from ...affinities._base import option_fields
from ...io.picture import Picture
from ...io.read import pixel_count_in, read_picture, without_transparency
from ...io.write import Output, encoded
from ..caller import LOOPBACK
from ._files import page_files
from ._guard import Guard, Limits, Refused, body_of
from ._painting import RESULTS, Painting
from ._solving import Tell, Ticket, Wish
from ._start import FromKey, FromMask, FromTrimap, Nothing, Start, start_from
from ._stream import Stream
from ._strokes import strokes_from

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
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[str, Painting] = {}
        self._changing = threading.Lock()

    def add(self, painting: Painting) -> str:
        """Keep one and return its name; the one that was not used for the longest time goes."""
        key = secrets.token_urlsafe(12)
        with self._changing:
            self._kept[key] = painting
            gone = [self._kept.pop(next(iter(self._kept))) for _ in range(len(self._kept) - self._most)]
        for old in gone:
            old.cancel()
        return key

    def get(self, key: str) -> Painting:
        """Return one, which is then the last one used."""
        with self._changing:
            painting = self._kept.pop(key, None)
            if painting is None:
                raise Refused(404, "this picture is no longer open; open it again")
            self._kept[key] = painting
            return painting


class _Desk:
    """The endpoints."""

    def __init__(self, opened: Opened | None, limits: Limits, threads: int | None) -> None:
        self.limits = limits
        self.threads = threads
        self.paintings = Paintings(limits.paintings)
        self.first: str | None = None
        if opened is not None:
            picture, name, start = opened
            self.first = self.paintings.add(Painting(picture, name, start=start, threads=threads))

    async def begin(self, request: Request) -> Response:
        """Say which picture the page starts with, and which methods there are."""
        found = {
            "first": self.first,
            "methods": {name: _options(name) for name in methods.names()},
            "colours": list(foreground.METHODS),
            "limits": {"file_bytes": self.limits.file_bytes, "megapixels": self.limits.megapixels},
        }
        return JSONResponse(found)

    async def load(self, request: Request) -> Response:
        """Read a picture file."""
        content = await body_of(request, self.limits.file_bytes)
        name = _file_name(request.query_params.get("name", ""))
        return JSONResponse(await run_in_threadpool(self._load, content, name))

    def _load(self, content: bytes, name: str) -> dict[str, Any]:
        picture = self._read(content, name)
        pixels, transparent = without_transparency(picture.pixels)
        start = start_from(picture, name, pixels.shape[:2]) if transparent else None
        painting = Painting(picture._replace(pixels=pixels), name, start=start, threads=self.threads)
        return {"id": self.paintings.add(painting), **painting.state()}

    def _read(self, content: bytes, name: str) -> Picture:
        pixels, _ = pixel_count_in(io.BytesIO(content), name)
        if pixels > self.limits.megapixels * 1e6:
            most = self.limits.megapixels
            raise Refused(413, f"{name}: expected at most {most:g} million pixels, got {pixels / 1e6:.0f} million")
        return read_picture(io.BytesIO(content))

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
        content = await body_of(request, self.limits.file_bytes)
        name = _file_name(request.query_params.get("name", ""))
        kind = request.query_params.get("kind", "auto")

        def begin() -> dict[str, Any]:
            start = start_from(self._read(content, name), name, painting.scales.shape, kind)
            return {**painting.begin_with(start), "start": start.as_json(), "guide": start.kind}

        return JSONResponse(await run_in_threadpool(begin))

    async def start(self, request: Request) -> Response:
        """Start from nothing, from the guide's file again, or from a key colour."""
        painting = self._painting(request)
        value = await self._message(request)
        start = _start(value, painting)
        known = await run_in_threadpool(painting.begin_with, start)
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

        def work(tell: Tell) -> tuple[dict[str, Any], bytes]:
            result, finer = painting.solve(wish, size, ticket, tell)
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

        return Stream(work, ticket)

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
        ticket = Ticket() if what == "trimap" else painting.ticket()  # a trimap needs no solve, and stops none

        def work(tell: Tell) -> tuple[dict[str, Any], bytes]:
            name, content = painting.save(what, wish, ticket, tell)
            return {"name": name}, content

        return Stream(work, ticket)

    def _painting(self, request: Request) -> Painting:
        return self.paintings.get(request.path_params["id"])

    async def _message(self, request: Request) -> dict[str, Any]:
        content = await body_of(request, self.limits.message_bytes)
        try:
            value = json.loads(content)
        except ValueError:
            raise Refused(400, "expected JSON, got something else") from None
        if not isinstance(value, dict):
            raise Refused(400, f"expected a JSON object, got {type(value).__name__}")
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


def routes(
    token: str,
    *,
    opened: Opened | None = None,
    limits: Limits | None = None,
    threads: int | None = None,
    hosts: tuple[str, ...] = LOOPBACK,
) -> list[BaseRoute]:
    """Return the routes of the page to paint on; they may be mounted below any path that ends in "/".

    Parameters
    ----------
    token : str
        What opens the page: its address ends in ``#token=TOKEN``. Requests without it are refused.
    opened : Opened, optional
        A picture with which the page starts.
    limits : Limits, optional
        What a request may cost.
    threads : int, optional
        Threads of a solve; the default is all usable cores.
    hosts : tuple of str, optional
        Names by which the server may be called; the default is those of the loopback device.

    Returns
    -------
    list of starlette.routing.BaseRoute
    """
    guard, desk = Guard(token, hosts), _Desk(opened, limits or Limits(), threads)

    async def file(request: Request, content: bytes, kind: str) -> Response:
        return Response(content, media_type=kind)

    found: list[BaseRoute] = []
    for name, (content, kind) in page_files().items():
        path = "/" if name == "index.html" else f"/{name}"
        found.append(Route(path, guard.page(partial(file, content=content, kind=kind)), methods=["GET"]))
    for method, path, endpoint in (
        ("GET", "/api/begin", desk.begin),
        ("POST", "/api/pictures", desk.load),
        ("GET", "/api/pictures/{id}", desk.state),
        ("GET", "/api/pictures/{id}/picture", desk.picture),
        ("GET", "/api/pictures/{id}/trimap", desk.trimap),
        ("POST", "/api/pictures/{id}/guide", desk.guide),
        ("POST", "/api/pictures/{id}/start", desk.start),
        ("POST", "/api/pictures/{id}/strokes", desk.strokes),
        ("POST", "/api/pictures/{id}/solve", desk.solve),
        ("POST", "/api/pictures/{id}/cancel", desk.cancel),
        ("POST", "/api/pictures/{id}/save", desk.save),
    ):
        found.append(Route(path, guard.data(endpoint), methods=[method]))
    return found
