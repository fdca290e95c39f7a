"""POST /v1/matte: the service's own API."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .errors import Refused
from .fields import FORMATS, GUIDES, MATTE, shown, values
from .form import Form
from .service import Order, Service, response
from .task import Task

FILES = tuple(field.name for field in MATTE if field.kind is bytes)
# Fields that say something else than how alpha is found.
_OF_OUTPUTS = ("what", "format", "key", "see_through")
_OF_ITEM = ("foreground_method", "colour_space", "bits")


async def matte(request: Request) -> Response:
    """Answer a request for a matte."""
    service: Service = request.app.state.service
    form = await service.form(request, FILES)
    try:
        order = _order(form)
    except Refused:
        await form.close()
        raise
    return response(await service.answer(request, order))


def _order(form: Form) -> Order:
    known = [field.name for field in MATTE]
    for name in (*form.texts, *form.files):
        if name not in known:
            raise Refused(
                400, "unknown_field", f"{shown(name)}: expected fields of {', '.join(known)}, got another"
            )
    if "image" not in form.files:
        raise Refused(400, "missing_image", "image: expected a picture file, got none")
    given = {name: text for name, text in form.texts.items() if text != ""}
    guides = [name for name in GUIDES if name in form.files or name in given]
    if not guides or (len(guides) > 1 and guides != ["trimap", "scribbles"]):
        got = " and ".join(guides) or "none"
        raise Refused(400, "bad_guide", f"trimap: expected one of {', '.join(GUIDES)}, got {got}")
    for field in MATTE:
        if field.name in given and field.only and not set(field.only) & set(guides):
            wanted = f"{field.name}: expected it with {' or '.join(field.only)} only"
            raise Refused(400, f"invalid_{field.name}", f"{wanted}, got it with {' and '.join(guides)}")
    task = _task(values(MATTE, given))
    files = ["image", *(name for name in guides if name != "key")]
    return Order(task, form, {name: name for name in files})


def _task(found: dict[str, Any]) -> Task:
    what = found["what"]
    settings = {name: found[name] for name in _OF_ITEM if name in found}
    if "bits" in settings:
        settings["bits"] = int(settings["bits"])
    return Task(
        {},
        ("cutout", "alpha", "foreground") if what == "all" else (what,),
        FORMATS[found["format"]],
        {name: value for name, value in found.items() if name not in (*_OF_OUTPUTS, *_OF_ITEM)},
        found.get("key"),
        not found["see_through"],
        settings=settings,
    )
