"""GET and POST /api/remove, as the server of rembg has them.

Names, defaults and meanings are those of rembg 2.0.86 (``rembg s``), whose page /api describes
them. docs/service.md lists what is kept, ignored and refused.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .errors import Refused
from .fields import Field, values
from .finish import Colour, Finish
from .form import Form, given_texts
from .service import Order, Service, response
from .task import Task

FIELDS = (
    Field("file", bytes, "The picture, for POST."),
    Field("url", str, "Where the picture is, for GET; needs the switch --fetch."),
    Field("mask", bytes, "A rough mask in place of a model's; not known to rembg."),
    Field("trimap", bytes, "A trimap in place of a mask; not known to rembg."),
    Field("model", str, "Ignored: the service has one model."),
    Field("a", bool, "Whether the mask is refined; unlike rembg's, the default is true.", True),
    Field("af", int, "Values of the mask from this on count as 255.", 240, (), 0, 255),
    Field("ab", int, "Values of the mask up to this count as 0.", 10, (), 0, 255),
    Field("ae", int, "Half the width of the unknown band, in pixels.", None, (), 0, 1_000_000),
    Field("om", bool, "Whether alpha alone is sent.", False),
    Field("ppm", bool, "Whether small parts and holes of the mask are removed.", False),
    Field("dc", bool, "Ignored: the colours of edges are always freed from the background's.", False),
    Field("vm", bool, "Ignored: there is one way of refining.", False),
    Field("bgc", str, "A background's red, green, blue and alpha, from 0 to 255, with commas between them."),
    Field("extras", str, "A JSON object; its contents are ignored."),
)
"""The fields of /api/remove."""

FILES = ("file", "mask", "trimap")


async def remove(request: Request) -> Response:
    """Answer a request to remove a background."""
    service: Service = request.app.state.service
    if request.method == "POST":
        form = await service.form(request, FILES)
    else:
        form = Form()
    try:
        texts = given_texts(request.query_params, form)
        found = values(FIELDS, texts)
        name = await _source(service, request, form, texts)
        service.refuse_without_guide(form)
        order = _order(service, form, found, name)
    except BaseException:
        await form.close()
        raise
    return response(await service.answer(request, order))


async def _source(service: Service, request: Request, form: Form, texts: dict[str, str]) -> str:
    """Return the field that holds the picture."""
    if request.method == "POST":
        if "file" not in form.files:
            raise Refused(400, "missing_source", "file: expected a picture file, got none")
        return "file"
    if not texts.get("url"):
        raise Refused(400, "missing_source", "url: expected the URL of a picture, got none")
    await service.fetched(form, "url", texts["url"])
    return "url"


def _order(service: Service, form: Form, found: dict[str, Any], name: str) -> Order:
    if "extras" in found:
        _refuse_no_object(found["extras"])
    if found["ab"] >= found["af"]:
        raise Refused(400, "invalid_ab", f"ab: expected a number below af, {found['af']}, got {found['ab']}")
    names = {"image": name}
    names.update({guide: guide for guide in ("trimap", "mask") if guide in form.files})
    options = {"band": found["ae"]} if "ae" in found and "trimap" not in names else {}
    task = Task(
        {},
        options=options,
        model=service.settings.model,
        levels=(found["ab"], found["af"], found["ppm"]),
        refine=found["a"],
        finish=Finish(channels="alpha" if found["om"] else "rgba", colour=_colour(found.get("bgc"))),
        settings={"bits": 8},
    )
    return Order(task, form, names)


def _colour(text: str | None) -> Colour | None:
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isdecimal() and int(part) <= 255 for part in parts):
        raise Refused(400, "invalid_bgc", "bgc: expected red,green,blue,alpha from 0 to 255, got something else")
    red, green, blue, alpha = (int(part) for part in parts)
    return red, green, blue, alpha


def _refuse_no_object(text: str) -> None:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Refused(400, "invalid_extras", "extras: expected a JSON object, got something else")
