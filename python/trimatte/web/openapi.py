"""The description of the service's APIs: an OpenAPI document, and a page without scripts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from .. import _core
from . import rembg, removebg
from .fields import MATTE, Field
from .task import MEDIA_TYPES

_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", bytes: "string"}
_REFUSALS = {
    400: "A field or a picture is wrong; the message says what was expected.",
    401: "The key is missing or wrong.",
    403: "The request comes from another site, or calls the service by another name.",
    408: "The body came too slowly.",
    413: "A picture has too many bytes or pixels, or would need too much memory.",
    415: "The body is no form.",
    422: "The solver did not reach its tolerance.",
    429: "The queue is full; Retry-After says how many seconds to wait.",
    503: "The process that worked on the picture died, or the service is closing.",
    504: "The time was up.",
}


def document() -> dict[str, Any]:
    """Return the OpenAPI document, version 3.1."""
    pictures: dict[str, Any] = {kind: {} for kind in (*MEDIA_TYPES.values(), "application/zip")}
    own = {"schema": _schema(MATTE, required=("image",))}
    paths = {
        "/v1/matte": {"post": _operation("Matte a picture", own, pictures, "Error")},
        "/api/remove": {
            "get": {
                **_operation("Remove a background, as rembg's server does", None, {"image/png": {}}, "Detail"),
                "parameters": [_parameter(field) for field in rembg.FIELDS if field.kind is not bytes],
            },
            "post": _operation(
                "Remove a background, as rembg's server does",
                {"schema": _schema([f for f in rembg.FIELDS if f.name != "url"], required=("file",))},
                {"image/png": {}},
                "Detail",
            ),
        },
        "/v1.0/removebg": {
            "post": _operation(
                "Remove a background, as remove.bg does",
                {"schema": _schema(removebg.FIELDS)},
                {**pictures, "application/json": {}},
                "Errors",
            )
        },
        "/v1.0/account": {"get": _operation("Say that there is credit", None, {"application/json": {}}, "Errors")},
        "/health": {"get": _operation("Say whether the service works", None, {"application/json": {}}, "Error")},
        "/metrics": {"get": _operation("Numbers for Prometheus", None, {"text/plain": {}}, "Error")},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "trimatte", "version": _core.__version__, "description": "Image matting over HTTP."},
        "paths": paths,
        "components": {
            "schemas": _error_schemas(),
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
        },
    }


def _error_schemas() -> dict[str, Any]:
    text = {"type": "string"}

    def of(properties: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "required": list(properties), "properties": properties}

    return {
        "Error": of({"error": of({"code": text, "message": text})}),
        "Detail": of({"detail": text}),
        "Errors": of({"errors": {"type": "array", "items": of({"title": text, "code": text})}}),
    }


def _operation(summary: str, form: dict[str, Any] | None, answers: dict[str, Any], error: str) -> dict[str, Any]:
    refused = {"application/json": {"schema": {"$ref": f"#/components/schemas/{error}"}}}
    responses: dict[str, Any] = {"200": {"description": "Done.", "content": answers}}
    for status, text in _REFUSALS.items():
        responses[str(status)] = {"description": text, "content": refused}
    operation: dict[str, Any] = {"summary": summary, "responses": responses, "security": [{"key": []}, {}]}
    if form is not None:
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": form}}
    return operation


def _schema(fields: Iterable[Field], required: tuple[str, ...] = ()) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: _of_field(field) for field in fields},
        "additionalProperties": fields is not MATTE,  # as the foreign APIs do, which ignore what they do not know
    }
    return {**made, "required": list(required)} if required else made


def _of_field(field: Field) -> dict[str, Any]:
    made: dict[str, Any] = {"type": _JSON_TYPES[field.kind], "description": field.help}
    if field.kind is bytes:
        made["format"] = "binary"
    bounds = {"enum": list(field.choices), "minimum": field.least, "maximum": field.most, "default": field.default}
    made.update({name: value for name, value in bounds.items() if value not in (None, [])})
    return made


def _parameter(field: Field) -> dict[str, Any]:
    schema = {name: value for name, value in _of_field(field).items() if name != "description"}
    required = field.name == "url"
    return {"name": field.name, "in": "query", "required": required, "description": field.help, "schema": schema}


_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid var(--line); }
code, pre { font: 14px/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .1em .3em; }
pre { padding: .8rem; overflow-x: auto; }
td:first-child { white-space: nowrap; }
"""

_EXAMPLES = {
    "/v1/matte": (
        "curl -F image=@photo.jpg -F trimap=@trimap.png {base}/v1/matte -o cutout.png\n"
        "curl -F image=@photo.jpg -F mask=@mask.png -F what=all {base}/v1/matte -o mattes.zip\n"
        "curl -F image=@shot.jpg -F key=auto -F format=webp {base}/v1/matte -o cutout.webp"
    ),
    "/api/remove": "curl -F file=@photo.jpg -F mask=@mask.png {base}/api/remove -o cutout.png",
    "/v1.0/removebg": (
        "curl -H 'X-Api-Key: KEY' -F image_file=@photo.jpg -F mask=@mask.png -F size=full \\\n"
        "  {base}/v1.0/removebg -o cutout.png"
    ),
}
_TITLES = {
    "/v1/matte": (
        "POST /v1/matte",
        "Mattes a picture that comes with a trimap, a mask, scribbles or a key.",
        MATTE,
    ),
    "/api/remove": ("GET, POST /api/remove", "Speaks as rembg's server does.", rembg.FIELDS),
    "/v1.0/removebg": ("POST /v1.0/removebg", "Speaks as remove.bg does.", removebg.FIELDS),
}


def page(base: str) -> str:
    """Return the page that describes the service, for a service at an address."""
    parts = []
    for path, (title, text, fields) in _TITLES.items():
        rows = "".join(_row(field) for field in fields)
        example = escape(_EXAMPLES[path].format(base=base))
        head = "<tr><th>field</th><th>kind</th><th>default</th><th>meaning</th></tr>"
        parts.append(
            f"<h2><code>{escape(title)}</code></h2><p>{escape(text)}</p>"
            f"<pre>{example}</pre><table>{head}{rows}</table>"
        )
    refusals = "".join(f"<tr><td>{status}</td><td>{escape(text)}</td></tr>" for status, text in _REFUSALS.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>trimatte</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>trimatte {escape(_core.__version__)}</h1>"
        '<p>Image matting over HTTP. Programs read <a href="openapi.json">openapi.json</a>; '
        '<a href="health">health</a> and <a href="metrics">metrics</a> tell how the service is. '
        'People cut out by hand on <a href="paint/">a page to paint on</a>.</p>'
        f"{''.join(parts)}<h2>Refusals</h2><table>{refusals}</table></body></html>"
    )


def _row(field: Field) -> str:
    kind = "file" if field.kind is bytes else ", ".join(field.choices) or _JSON_TYPES[field.kind]
    default = "" if field.default is None else str(field.default).lower()
    only = f" With {' or '.join(field.only)} only." if field.only else ""
    bounds = "".join(
        f", {word} {value:g}" for word, value in (("from", field.least), ("to", field.most)) if value is not None
    )
    cells = (f"<code>{field.name}</code>", escape(kind + bounds), escape(default), escape(field.help + only))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
