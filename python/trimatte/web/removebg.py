"""POST /v1.0/removebg and GET /v1.0/account, as remove.bg has them.

Names, defaults, error codes and headers are those of remove.bg's published OpenAPI document,
version 1.0.0. docs/service.md lists what is kept, ignored and refused.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .errors import Refused
from .fields import Field, shown, values
from .finish import Colour, Finish, Margin
from .form import Form, decoded, given_texts
from .service import Order, Service, response
from .task import Answer, Task

_MEGAPIXELS = {
    "preview": 0.25,
    "small": 0.25,
    "regular": 0.25,
    "medium": 1.5,
    "hd": 4.0,
    "auto": None,
    "4k": None,
    "full": None,
    "50MP": None,
}
_NO_CREDITS = "0"

FIELDS = (
    Field("image_file", bytes, "The picture."),
    Field("image_file_b64", str, "The picture in base64."),
    Field("image_url", str, "Where the picture is; needs the switch --fetch."),
    Field("mask", bytes, "A rough mask in place of a model's; not known to remove.bg."),
    Field("trimap", bytes, "A trimap in place of a mask; not known to remove.bg."),
    Field("size", str, "The most pixels of the result: preview 0.25, medium 1.5, hd 4 million; else all.",
          "preview", tuple(_MEGAPIXELS)),
    Field("format", str, "auto is PNG if something is transparent, else JPEG; zip holds color.jpg and alpha.png.",
          "auto", ("auto", "png", "jpg", "webp", "zip")),
    Field("channels", str, "rgba, or alpha alone.", "rgba", ("rgba", "alpha")),
    Field("crop", bool, "Whether empty borders are cut off.", False),
    Field("crop_margin", str, "What stays around a cropped subject, such as 30px, 10% or four of them.", "0"),
    Field("bg_color", str, "A colour behind the subject: hex digits, 3, 4, 6 or 8, or a name."),
    Field("bg_image_file", bytes, "A picture behind the subject."),
    Field("bg_image_url", str, "Where that picture is; needs the switch --fetch."),
    Field("type", str, "Ignored."),
    Field("type_level", str, "Ignored."),
    Field("semitransparency", bool, "Ignored: the matte says what is transparent.", True),
    Field("roi", str, "Only the whole picture, the default; else refused.", "0% 0% 100% 100%",
          ("0% 0% 100% 100%",)),
    Field("scale", str, "Only the default; else refused.", "original", ("original",)),
    Field("position", str, "Only the default; else refused.", "original", ("original",)),
    Field("add_shadow", bool, "Only false; else refused.", False),
    Field("shadow_type", str, "Only the default; else refused.", "none", ("none",)),
    Field("shadow_method", str, "Ignored."),
    Field("shadow_opacity", str, "Ignored."),
)  # fmt: skip
"""The fields of POST /v1.0/removebg."""

FILES = ("image_file", "mask", "trimap", "bg_image_file")


async def removebg(request: Request) -> Response:
    """Answer a request to remove a background."""
    service: Service = request.app.state.service
    form = await service.form(request, FILES)
    try:
        texts = given_texts({}, form)
        found = values(FIELDS, texts)
        finish = _finish(found)
        source = await _source(service, form, texts, ("image_url", "image_file", "image_file_b64"), "")
        if source is None:
            message = "expected a picture in image_url, image_file or image_file_b64, got none"
            raise Refused(400, "missing_source", f"No image given: {message}")
        behind = await _source(service, form, texts, ("bg_color", "bg_image_url", "bg_image_file"), "bg_")
        service.refuse_without_guide(form)
        order = _order(service, form, finish, source, behind)
    except BaseException:
        await form.close()
        raise
    answer = await service.answer(request, order)
    if "application/json" in request.headers.get("accept", ""):
        return _as_json(answer)
    made = response(answer)
    made.headers["X-Credits-Charged"] = _NO_CREDITS
    return made


async def account(request: Request) -> Response:
    """Say that there is credit: this service charges nothing."""
    credits = {"total": 1_000_000, "subscription": 0, "payg": 1_000_000, "enterprise": 0}
    return JSONResponse({"data": {"attributes": {"credits": credits, "api": {"free_calls": 0, "sizes": "all"}}}})


def _finish(found: dict[str, Any]) -> Finish:
    if found["add_shadow"]:
        raise Refused(400, "invalid_add_shadow", "add_shadow: expected false, got true; this service adds none")
    megapixels = _MEGAPIXELS[found["size"]]
    return Finish(
        found["format"],
        found["channels"],
        None if megapixels is None else int(megapixels * 1e6),
        found["crop"],
        _margins(found["crop_margin"]),
        _colour(found.get("bg_color")),
        True,
    )


async def _source(
    service: Service, form: Form, texts: dict[str, str], names: tuple[str, ...], prefix: str
) -> str | None:
    """Return the field of several that is given, with its picture in the form; None if there is none."""
    given = [name for name in names if texts.get(name) or name in form.files]
    if len(given) > 1:
        message = f"expected one of {', '.join(names)}, got {' and '.join(given)}"
        raise Refused(400, f"multiple_{prefix}sources", message)
    if not given:
        return None
    name = given[0]
    if name.endswith("_url"):
        await service.fetched(form, name, texts[name])
    elif name.endswith("_b64"):
        form.files[name] = decoded(texts[name], name)
    return name


def _order(service: Service, form: Form, finish: Finish, source: str, behind: str | None) -> Order:
    names = {"image": source}
    names.update({guide: guide for guide in ("trimap", "mask") if guide in form.files})
    if behind in ("bg_image_url", "bg_image_file"):
        names["bg_image_file"] = behind
    task = Task({}, model=service.settings.model, finish=finish, settings={"bits": 8})
    return Order(task, form, names)


def _colour(text: str | None) -> Colour | None:
    """Return a colour with its opacity, from hex digits with or without # or from a name."""
    from PIL import ImageColor

    if text is None:
        return None
    is_hex = re.fullmatch(r"#?(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})", text)
    try:
        colour = ImageColor.getcolor(f"#{text.removeprefix('#')}" if is_hex else text[:40], "RGBA")
    except ValueError:
        wanted = "hex digits such as 81d4fa or a colour's name"
        raise Refused(400, "invalid_bg_color", f"bg_color: expected {wanted}, got {shown(text)}") from None
    assert isinstance(colour, tuple)
    return colour  # type: ignore[return-value]


def _margins(text: str) -> tuple[Margin, Margin, Margin, Margin]:
    """Return the margins at the top, right, bottom and left."""
    parts = text.split()
    matches = [re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(px|%)?", part) for part in parts]
    if len(parts) not in (1, 2, 4) or None in matches:
        wanted = "one, two or four sizes such as 30px or 10%"
        raise Refused(400, "invalid_crop_margin", f"crop_margin: expected {wanted}, got {shown(text)}")
    sides = [(float(match[1]), match[2] == "%") for match in matches if match is not None]
    top, right, bottom, left = (sides * 4)[:4]
    return top, right, bottom, left


def _as_json(answer: Answer) -> Response:
    places = {
        f"foreground_{name.lower()}": int(answer.headers[f"X-Foreground-{name}"])
        for name in ("Top", "Left", "Width", "Height")
    }
    data = {"result_b64": base64.b64encode(answer.content).decode(), **places}
    return JSONResponse({"data": data}, 200, {**answer.headers, "X-Credits-Charged": _NO_CREDITS})
