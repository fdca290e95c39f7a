"""``trimatte serve``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from ..models import PRESETS, load
from ._app import app
from ._batch import parsed_bytes
from ._remove import PRESET_HELP
from ._session import Session, command, tell

if TYPE_CHECKING:
    from ..web.settings import Settings

KEY_VARIABLE = "TRIMATTE_API_KEY"

HOST_HELP = "The address to listen at. [default: 127.0.0.1, this machine only]"
PORT_HELP = "The port; 0 takes a free one. [default: 7000]"
WORKERS_HELP = "Processes that solve. [default: one per CPU]"
QUEUE_HELP = "Requests that may wait; further ones get status 429. [default: 256]"
BYTES_HELP = "The most that a request may hold: 50M. [default: 50M]"
MEGAPIXELS_HELP = "The most million pixels of a picture. [default: 50]"
SECONDS_HELP = "Seconds after which a request is given up. [default: 120]"
MEMORY_HELP = "What solves side by side may take: 8G. [default: 80 % of what is free]"
PAINTINGS_HELP = "Pictures that the page at /paint/ keeps open; 0 leaves the page out. [default: 16]"
FETCH_HELP = "Fetch pictures from URLs in requests; public addresses only."
MODEL_HELP = "The segmentation network for photographs that come alone, as for 'trimatte remove'."
ALLOW_HOST_HELP = "A further name of the service; * is any. May be repeated."
ALLOW_ORIGIN_HELP = "A web page that may use the service: https://shop.example. May be repeated."
OPEN_HELP = f"Listen to other machines without a key ({KEY_VARIABLE})."


@command(
    app,
    "serve",
    "trimatte serve",
    "trimatte serve --port 8000 --workers 4 --memory 8G",
    "TRIMATTE_API_KEY=secret trimatte serve --host 0.0.0.0 --allow-host mattes.example",
)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", help=HOST_HELP)
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", default=7000, help=PORT_HELP)
@click.option("--workers", type=click.IntRange(1, 1024), metavar="N", default=None, help=WORKERS_HELP)
@click.option("--queue", type=click.IntRange(0, 10_000), metavar="N", default=256, help=QUEUE_HELP)
@click.option("--max-bytes", metavar="SIZE", default="50M", help=BYTES_HELP)
@click.option(
    "--max-megapixels", type=click.FloatRange(0.001, 1000), metavar="X", default=50.0, help=MEGAPIXELS_HELP
)
@click.option("--timeout", type=click.FloatRange(0.1, 86400), metavar="X", default=120.0, help=SECONDS_HELP)
@click.option("--memory", metavar="SIZE", default=None, help=MEMORY_HELP)
@click.option("--paintings", type=click.IntRange(0, 10_000), metavar="N", default=16, help=PAINTINGS_HELP)
@click.option("--model", metavar="FILE|NAME", help=MODEL_HELP)
@click.option("--preset", type=click.Choice(list(PRESETS)), metavar="NAME", help=PRESET_HELP)
@click.option("--fetch", is_flag=True, help=FETCH_HELP)
@click.option("--allow-host", multiple=True, metavar="NAME", help=ALLOW_HOST_HELP)
@click.option("--allow-origin", multiple=True, metavar="URL", help=ALLOW_ORIGIN_HELP)
@click.option("--open", "is_open", is_flag=True, help=OPEN_HELP)
def serve(
    session: Session,
    host: str,
    port: int,
    workers: int | None,
    queue: int,
    max_bytes: str,
    max_megapixels: float,
    timeout: float,
    memory: str | None,
    paintings: int,
    model: str | None,
    preset: str | None,
    fetch: bool,
    allow_host: tuple[str, ...],
    allow_origin: tuple[str, ...],
    is_open: bool,
) -> None:
    """Serve mattes over HTTP, as rembg and remove.bg do.

    POST /v1/matte takes a picture with a trimap, a mask, scribbles or a key colour; /api/remove
    is that of rembg's server, /v1.0/removebg that of remove.bg. /docs describes the fields, and
    /paint/ is the page of 'trimatte paint' for all who may use the service.

    TRIMATTE_API_KEY holds the key that requests have to show. SIGTERM lets the requests that are
    in the service end, then the command ends with 0.
    """
    try:
        from ..web.app import PAINT, application, log_to_standard_error
        from ..web.server import listening, run, url_of
    except ModuleNotFoundError as error:
        raise click.UsageError(f'serve needs {error.name}: pip install "trimatte[web]"') from error
    limits = {
        "workers": workers or 0,
        "queue": queue,
        "body_bytes": parsed_bytes(max_bytes, "--max-bytes"),
        "pixels": int(max_megapixels * 1e6),
        "seconds": timeout,
        "memory": 0 if memory is None else parsed_bytes(memory),
        "paintings": paintings,
        "fetch": fetch,
        "model": model,
        "preset": preset,
    }
    if model is not None:
        load(model, preset=preset)  # a wrong one is told here, not by every worker
    settings = _settings(host, allow_host, allow_origin, is_open, limits)
    with listening(host, port) as listener:
        if not session.quiet:
            log_to_standard_error()
        url = url_of(host, listener)

        def ready() -> None:
            if session.as_json:
                tell(json.dumps({"command": "serve", "url": url}))
            elif not session.quiet:
                tell(f"{url}/docs describes the service; Ctrl-C ends it")
                if paintings:
                    tell(f"{url}{PAINT}/ is the page to paint on")

        run(application(settings), listener, ready=ready, patience=int(timeout) + 1)


def _settings(
    host: str, names: tuple[str, ...], origins: tuple[str, ...], is_open: bool, limits: dict[str, Any]
) -> Settings:
    """Return the service's settings; refuse to be open to other machines by oversight."""
    from ..web.caller import LOOPBACK
    from ..web.settings import Settings

    key = os.environ.get(KEY_VARIABLE) or None
    local = host in LOOPBACK
    if not local and key is None and not is_open:
        raise click.UsageError(
            f"--host: {host} is open to other machines, and there is no key; set {KEY_VARIABLE}, or say --open"
        )
    hosts = () if "*" in names or not (local or names) else tuple(dict.fromkeys((*LOOPBACK, host, *names)))
    return Settings(api_key=key, hosts=hosts, origins=origins, **limits)
