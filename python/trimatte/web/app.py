"""The service as an ASGI application, for uvicorn and other servers.

uvicorn --factory trimatte.web.app:from_environment
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from . import matte, measures, openapi, rembg, removebg
from .errors import LOG
from .guard import Guard, JsonLines, reraise
from .measures import Measures
from .paint import PAGES, Opened, routes
from .service import Service
from .settings import Settings
from .settings import from_environment as _settings

_STYLED = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


async def _health(request: Request) -> Response:
    """Say whether requests can be served."""
    service: Service = request.app.state.service
    state = service.desk.state()
    works = state["alive"] > 0
    body = {"status": "ok" if works else "no worker", "workers": service.settings.workers, **state}
    return JSONResponse(body, 200 if works else 503)


async def _metrics(request: Request) -> Response:
    service: Service = request.app.state.service
    return Response(service.measures.text(), media_type=measures.MEDIA_TYPE)


async def _document(request: Request) -> Response:
    return JSONResponse(openapi.document())


async def _page(request: Request) -> Response:
    return HTMLResponse(openapi.page(str(request.base_url).rstrip("/")), headers=_STYLED)


ROUTES = (
    Route("/v1/matte", matte.matte, methods=["POST"]),
    Route("/api/remove", rembg.remove, methods=["GET", "POST"]),
    Route("/v1.0/removebg", removebg.removebg, methods=["POST"]),
    Route("/v1.0/account", removebg.account),
    Route("/health", _health),
    Route("/metrics", _metrics),
    Route("/openapi.json", _document),
    Route("/docs", _page),
)


PAINT = "/paint"
"""Where a service has the page to paint on."""
_PUBLIC = ("/health", "/docs", "/openapi.json")


def application(settings: Settings) -> Starlette:
    """Return the service; its workers start and end with the server.

    Parameters
    ----------
    settings : Settings
        Limits and permissions.
    """
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.desk.open()
        try:
            yield
        finally:
            await service.desk.close()

    found, paths, public = list[BaseRoute](ROUTES), [route.path for route in ROUTES], [*_PUBLIC]
    if settings.paintings:
        found += [Route(PAINT, _to_the_page), Mount(PAINT, routes=routes(settings, service.place))]
        paths += [PAINT, f"{PAINT}/"]
        public += [PAINT, *(PAINT + page for page in PAGES)]
    app = Starlette(
        routes=found,
        middleware=_middleware(settings, service.measures, paths, public),
        exception_handlers={HTTPException: reraise},
        lifespan=lifespan,
    )
    app.state.service = service
    return app


def painting(settings: Settings, opened: Opened | None = None, threads: int | None = None) -> Starlette:
    """Return the page to paint on alone, without workers.

    Parameters
    ----------
    settings : Settings
        Limits and permissions; the key is what opens the page.
    opened : Opened, optional
        A picture with which the page starts.
    threads : int, optional
        Threads of a solve; the default is all usable cores.
    """

    @asynccontextmanager
    async def at_once(_: int) -> AsyncIterator[int | None]:
        yield threads

    return Starlette(
        routes=routes(settings, at_once, opened),
        middleware=_middleware(settings, Measures(), ["/"], PAGES),
        exception_handlers={HTTPException: reraise},
    )


async def _to_the_page(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}{PAINT}/")


def _middleware(
    settings: Settings, measures: Measures, paths: Sequence[str], public: Collection[str]
) -> list[Middleware]:
    guard = Middleware(Guard, settings=settings, measures=measures, paths=paths, public=public)
    if not settings.origins:
        return [guard]
    shared = Middleware(CORSMiddleware, allow_origins=settings.origins, allow_methods=["*"], allow_headers=["*"])
    return [shared, guard]


def log_to_standard_error() -> None:
    """Write the service's log to standard error, one JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for log, level in ((LOG, logging.INFO), (logging.getLogger("uvicorn.error"), logging.WARNING)):
        log.handlers, log.propagate = [handler], False
        log.setLevel(level)


def from_environment() -> Starlette:
    """Return the service with the settings of the environment; see `trimatte.web.settings`."""
    log_to_standard_error()
    return application(_settings())
