"""``trimatte paint``."""

from __future__ import annotations

import os
import secrets
import warnings
import webbrowser
from typing import Any

import click

from ..errors import TrimatteError, TrimatteWarning
from ..io.picture import Picture
from ..io.read import read_finite, without_transparency
from ._app import app
from ._session import Session, command, tell

HOST = "127.0.0.1"
# What the person at this machine may open; a day is enough for any solve.
LIMITS: dict[str, Any] = {"paintings": 4, "body_bytes": 256 * 2**20, "pixels": 100_000_000, "seconds": 86400.0}
MASK_HELP = "Start from a rough mask: grey, or a cutout whose transparency is used."
TRIMAP_HELP = "Start from a trimap."
KEY_HELP = "Start from an even background: auto, #rrggbb or a CSS name."
PORT_HELP = "Port of this machine. [default: a free one]"
BROWSER_HELP = "Open the page. [default: browser]"


def _started(picture: Picture, name: str, mask: str | None, trimap: str | None, key: str | None) -> Any:
    """Return the picture with what there is before the first stroke."""
    from ..web.paint import Opened
    from ..web.paint._start import FromKey, Start, start_from

    pixels, transparent = without_transparency(picture.pixels)
    shape = (pixels.shape[0], pixels.shape[1])
    start: Start | None = None
    if mask is not None:
        start = start_from(read_finite(mask), mask, shape, "mask")
    elif trimap is not None:
        start = start_from(read_finite(trimap), trimap, shape, "trimap")
    elif key is not None:
        start = FromKey(key, True)
    elif transparent:
        start = start_from(picture, name, shape, "mask")
    return Opened(picture._replace(pixels=pixels), os.path.basename(name), start)


@command(
    app,
    "paint",
    "trimatte paint photo.jpg",
    "trimatte paint photo.jpg --mask mask.png",
    "trimatte paint shot.jpg --key auto",
    "trimatte paint --no-browser --port 8000",
)
@click.argument("image", required=False)
@click.option("--mask", metavar="FILE", help=MASK_HELP)
@click.option("--trimap", metavar="FILE", help=TRIMAP_HELP)
@click.option("--key", metavar="COLOUR", help=KEY_HELP)
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help=PORT_HELP)
@click.option("--browser/--no-browser", default=True, help=BROWSER_HELP)
def paint(
    session: Session,
    image: str | None,
    mask: str | None,
    trimap: str | None,
    key: str | None,
    port: int,
    browser: bool,
) -> None:
    """Paint on IMAGE in the browser, and see the cutout.

    Without IMAGE the page asks for a picture. It is served to this machine alone, at an address that
    holds a secret key. Nothing leaves the machine, and no network is needed. Ctrl-C ends it.
    """
    guides = {"--mask": mask, "--trimap": trimap, "--key": key}
    given = [name for name, value in guides.items() if value is not None]
    if len(given) > 1:
        raise click.UsageError(f"{given[1]}: not with {given[0]}")
    if given and image is None:
        raise click.UsageError(f"{given[0]}: only with IMAGE")
    try:
        from ..web.app import painting
        from ..web.server import listening, run, url_of
        from ..web.settings import Settings
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("trimatte"):
            raise
        raise TrimatteError('paint: the page needs the extra web: pip install "trimatte[web]"') from error
    opened = None if image is None else _started(read_finite(image), image, mask, trimap, key)
    token = secrets.token_urlsafe(24)
    site = painting(Settings(api_key=token, **LIMITS), opened, session.threads)
    with listening(HOST, port) as listener:
        address = f"{url_of(HOST, listener)}/#key={token}"
        session.record["address"] = address

        def ready() -> None:
            if not session.quiet:
                tell(address if session.as_json else f"{address}\nCtrl-C ends it.")
            if browser:
                webbrowser.open(address)

        warnings.simplefilter("ignore", TrimatteWarning)  # the page says what matters
        run(site, listener, ready=ready, patience=1)
