"""rembg's `remove`, with rembg's networks and trimatte's way from their mask to a cutout."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from .. import _check
from ..finish import remove_specks
from ..foreground import estimate_foreground
from ..mask import matte_from_mask
from ..pymatting import install

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Array = npt.NDArray[Any]

SMALLEST_SPECK = 1e-3
"""Parts of a mask that are smaller than this part of the picture are removed on demand."""


SMALLEST_SIDE = 3
"""The mask of a picture with fewer rows or columns is its alpha."""


class Session(Protocol):
    """What rembg's sessions have."""

    def predict(self, img: Picture) -> Sequence[Picture]:
        """Return one or more masks of a picture's size."""


def remove(
    data: Any,
    alpha_matting: bool = True,
    alpha_matting_foreground_threshold: int = 240,
    alpha_matting_background_threshold: int = 10,
    alpha_matting_erode_size: float | None = None,
    session: Session | None = None,
    only_mask: bool = False,
    post_process_mask: bool = False,
    bgcolor: tuple[int, int, int, int] | None = None,
    *,
    learn: bool = True,
) -> Any:
    """Remove the background of a picture.

    Parameters
    ----------
    data : Pillow picture, (H, W), (H, W, 3) or (H, W, 4) ndarray of uint8, or bytes of a file
        The picture. It is turned by its EXIF orientation.
    alpha_matting : bool, default True
        Whether the mask is refined to a matte (`trimatte.matte_from_mask`); otherwise it is alpha,
        as for pictures of fewer than 3 rows or columns.
    alpha_matting_foreground_threshold, alpha_matting_background_threshold : int, default 240 and 10
        Values of the mask, from 0 to 255, that count as 1 and as 0.
    alpha_matting_erode_size : float, optional
        Half the width of the unknown band in pixels. The default is chosen from the mask.
    session : Session, optional
        The network: ``rembg.new_session(...)``, or another object whose ``predict`` takes a Pillow
        picture to masks. The default is rembg's.
    only_mask : bool, default False
        Whether the result is alpha instead of a cutout.
    post_process_mask : bool, default False
        Whether small parts and holes are removed from the mask first.
    bgcolor : (int, int, int, int), optional
        Red, green, blue and alpha, from 0 to 255, of a background to put the cutout over.
    learn : bool, default True
        See `trimatte.matte_from_mask`; it takes half a second more and lowers the error.

    Returns
    -------
    Pillow picture, ndarray of uint8, or bytes of a PNG file
        As `data` was. The cutouts of several masks are below each other.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    """
    picture = _opened(data)
    if session is None:
        install()
        from rembg import new_session

        session = new_session()
    low = _check.at_least(alpha_matting_background_threshold, 0, "alpha_matting_background_threshold", 254)
    high = _check.at_least(alpha_matting_foreground_threshold, low + 1, "alpha_matting_foreground_threshold", 255)
    pixels = np.asarray(picture)
    cutouts = []
    for predicted in session.predict(picture):
        mask = np.asarray(predicted.convert("L").resize(picture.size), np.float32)
        if post_process_mask:
            mask = 255 * remove_specks(mask / 255, max(1, round(SMALLEST_SPECK * mask.size)))
        if alpha_matting and min(pixels.shape[:2]) >= SMALLEST_SIDE:
            sure = np.clip((mask - low) / (high - low), 0, 1)
            alpha = matte_from_mask(pixels, sure, band=alpha_matting_erode_size, learn=learn)
        else:
            alpha = mask / 255
        cutouts.append(_eight_bits(alpha) if only_mask else _cutout(pixels, alpha, bgcolor))
    return _as_given(np.concatenate(cutouts), data)


def _opened(data: Any) -> Picture:
    """Return a picture in RGB."""
    from PIL import Image, ImageOps

    if isinstance(data, (bytes, bytearray)):
        image: Picture = Image.open(io.BytesIO(data))
    elif isinstance(data, np.ndarray):
        image = Image.fromarray(data)
    elif isinstance(data, Image.Image):
        image = data
    else:
        kind = type(data).__name__
        raise TypeError(f"data: expected a Pillow picture, an ndarray or the bytes of a file, got {kind}")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    return image.convert("RGB")


def _cutout(pixels: Array, alpha: Array, bgcolor: tuple[int, int, int, int] | None) -> Array:
    """Return the foreground's colours with alpha, over a background if there is one."""
    colours = estimate_foreground(pixels, alpha).foreground
    if bgcolor is None:
        return np.concatenate([_eight_bits(colours), _eight_bits(alpha)[..., np.newaxis]], axis=2)
    if len(bgcolor) != 4:
        raise ValueError(f"bgcolor: expected red, green, blue and alpha, got {bgcolor}")
    below, opacity = np.array(bgcolor[:3]) / 255, bgcolor[3] / 255
    above = alpha[..., np.newaxis]
    whole = above + (1 - above) * opacity
    seen = above * colours + (1 - above) * opacity * below
    return _eight_bits(np.concatenate([seen / np.maximum(whole, 1e-6), whole], axis=2))


def _eight_bits(values: Array) -> Array:
    return np.asarray(np.clip(np.rint(values * 255), 0, 255).astype(np.uint8))


def _as_given(pixels: Array, data: Any) -> Any:
    """Return pixels in the form that the picture had."""
    from PIL import Image

    if isinstance(data, np.ndarray):
        return pixels
    made = Image.fromarray(pixels)
    if not isinstance(data, (bytes, bytearray)):
        return made
    file = io.BytesIO()
    made.save(file, "PNG")
    return file.getvalue()
