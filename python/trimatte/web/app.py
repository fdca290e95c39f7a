"""The service as an ASGI application, for uvicorn and other servers.

uvicorn --factory trimatte.web.app:from_environment
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from . import matte, measures, openapi, rembg, removebg
from .guard import Guard, JsonLines, reraise
from .service import Service
from .settings import Settings
from .settings import from_environment as _settings
from .task import LOG

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

    paths = frozenset(route.path for route in ROUTES)
    middleware = [Middleware(Guard, settings=settings, measures=service.measures, paths=paths)]
    if settings.origins:
        shared = Middleware(
            CORSMiddleware, allow_origins=settings.origins, allow_methods=["*"], allow_headers=["*"]
        )
        middleware.insert(0, shared)
    handlers = {HTTPException: reraise}
    app = Starlette(routes=ROUTES, middleware=middleware, exception_handlers=handlers, lifespan=lifespan)
    app.state.service = service
    return app


def log_to_standard_error() -> None:
    """Write the service's log to standard error, one JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    LOG.handlers, LOG.propagate = [handler], False
    LOG.setLevel(logging.INFO)


def from_environment() -> Starlette:
    """Return the service with the settings of the environment; see `trimatte.web.settings`."""
    log_to_standard_error()
    return application(_settings())
