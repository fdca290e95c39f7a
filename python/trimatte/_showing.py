"""How results show themselves: one line in a terminal, pictures in a notebook."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

_LONGEST_SIDE = 320  # pixels of a picture in a notebook
_SQUARE = 8  # pixels of a checkerboard's square


def one_line(name: str, fields: Mapping[str, Any]) -> str:
    """Write an object with the shape and dtype of its arrays in place of their numbers."""
    return f"{name}({', '.join(f'{field}={_short(value)}' for field, value in fields.items())})"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"<{' x '.join(str(side) for side in value.shape)} {value.dtype}>"
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else repr(value)


def as_html(pictures: Mapping[str, npt.NDArray[Any]]) -> str:
    """Show pictures side by side, with what they are below them, for ``_repr_html_``.

    Parameters
    ----------
    pictures : dict of str to (H, W), (H, W, 3) or (H, W, 4) ndarray
        Integers span their whole range; floats are cut off at 0 and 1. Transparency is shown over a
        checkerboard.
    """
    cells = "".join(
        f'<figure style="display:inline-block;margin:4px"><img alt="{escape(name)}" src="{_data(pixels)}"/>'
        f"<figcaption>{escape(name)}, {pixels.shape[1]} x {pixels.shape[0]}</figcaption></figure>"
        for name, pixels in pictures.items()
    )
    return f"<div>{cells}</div>"


def _data(pixels: npt.NDArray[Any]) -> str:
    """Return a small PNG as a data URL."""
    from PIL import Image  # here, so that importing trimatte stays light

    step = max(1, -(-max(pixels.shape[:2]) // (4 * _LONGEST_SIDE)))  # coarse first: pictures may be large
    part = pixels[::step, ::step]
    top = np.iinfo(part.dtype).max if part.dtype.kind == "u" else 1.0
    levels = np.rint(np.clip(part / top, 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(levels)
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BOX)
    if image.mode == "RGBA":
        image = Image.alpha_composite(_checkerboard(image.size), image).convert("RGB")
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _checkerboard(size: tuple[int, int]) -> Any:
    from PIL import Image

    rows, columns = np.indices((size[1], size[0])) // _SQUARE
    grey = np.where((rows + columns) % 2, 204, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGBA")
