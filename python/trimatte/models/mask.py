"""A mask from a picture alone, by a segmentation network."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .. import _check
from .._pixels import eight_bits, resized
from ..errors import ModelError, warn
from .network import Network, load, one_plane
from .presets import Preset

LEAST_SURE = 0.5
"""A mask without a value of at least this has no subject."""

# A mask that was resized by a cubic filter goes so far beyond [0, 1].
_OVERSHOOT = 0.1


class RembgSession(Protocol):
    """What rembg's sessions have."""

    def predict(self, img: Any) -> Any:
        """Return masks, as Pillow pictures, of a Pillow picture."""


Model = str | os.PathLike[str] | Network | RembgSession | Callable[[npt.NDArray[np.uint8]], Any]
"""What `mask_from_model` takes as `model`."""


def mask_from_model(
    image: npt.ArrayLike,
    model: Model | None = None,
    *,
    preset: str | Preset | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Let a segmentation network find the subject of a picture.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Display (sRGB) colours; floats in [0, 1].
    model : str, path-like, Network, callable or session of rembg, optional
        * A file: see `trimatte.models.load`, which says what the default is. For several pictures,
          load it once.
        * A callable gets the picture as (H, W, 3) uint8 and returns one mask of the whole picture,
          of any size: an array in [0, 1], integers over their whole range, or a Pillow picture.
        * A session: ``rembg.new_session("u2net")``.
    preset : str or Preset, optional
        What the network in a file is given; see `trimatte.models.load`.
    threads : int, optional
        By default all usable cores. A callable or a session has its own.

    Returns
    -------
    (H, W) ndarray of float32
        1 where the subject is, 0 where it is not. `trimatte.matte_from_mask` refines it.

    Raises
    ------
    ModelError
        If there is no network, it cannot be used, or it answers with anything but one mask. The
        message says what to do next. Nothing is downloaded.
    ValueError, TypeError
        If an argument is not as described.

    Warns
    -----
    TrimatteWarning
        If the network has found no subject, or if its family is guessed from the size of its input.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> def bright(picture):
    ...     return picture.max(axis=2)
    >>> mask = tm.mask_from_model(scene.image, bright)
    >>> mask.shape, mask.dtype.name
    ((96, 96), 'float32')
    """
    mask = mask_by(image, model, preset=preset, threads=threads)
    if mask.max() < LEAST_SURE:
        warn(nothing_found(os.fspath(model) if isinstance(model, (str, os.PathLike)) else "model", mask))
    return mask


def mask_by(
    image: npt.ArrayLike,
    model: Model | None,
    *,
    preset: str | Preset | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Do what `mask_from_model` does, without its warning that nothing was found."""
    shown = _display_rgb(_check.image(image))
    if model is None or isinstance(model, (str, os.PathLike)):
        model = load(model, preset=preset, threads=threads)
    elif preset is not None:
        raise TypeError(f"preset: expected none beside {_check.kind_of(model)}, which is no file, got {preset!r}")
    name = model.path if isinstance(model, Network) else "model"
    return resized(_unit(_asked(model, shown), name), shown.shape[:2])


def nothing_found(name: str, mask: npt.NDArray[np.float32]) -> str:
    """Say that a network has found no subject, and what to do."""
    most = float(mask.max())
    return f"{name}: the network found no subject (largest value {most:.2g}); try another one, or give a mask"


def _display_rgb(picture: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return (H, W, 3) of 8 bits."""
    return np.ascontiguousarray(np.broadcast_to(eight_bits(picture), (*picture.shape[:2], 3)))


def _asked(model: Any, shown: npt.NDArray[np.uint8]) -> Any:
    """Return the answer of a session or a callable."""
    if not isinstance(model, type) and callable(getattr(model, "predict", None)):
        from PIL import Image

        answer = model.predict(Image.fromarray(shown))
    elif callable(model) and not isinstance(model, type):
        answer = model(shown)
    else:
        wanted = "a file's name, a callable or a session of rembg"
        raise TypeError(f"model: expected {wanted}, got {_check.kind_of(model)}")
    if isinstance(answer, (list, tuple)):
        if len(answer) != 1:
            raise ModelError(
                f"model: expected one mask as the answer, got {len(answer)}; choose one by a callable"
            )
        answer = answer[0]
    return answer


def _unit(answer: Any, name: str) -> npt.NDArray[np.float32]:
    """Return an answer as (h, w) in [0, 1]."""
    if hasattr(answer, "convert"):  # a Pillow picture
        answer = answer.convert("L")
    plane = one_plane(answer, name)
    if plane.dtype.kind == "f" and plane.min() >= -_OVERSHOOT and plane.max() <= 1 + _OVERSHOOT:
        plane = plane.clip(0, 1)
    try:
        return _check.alpha(plane, plane.shape, "mask")
    except (ValueError, TypeError) as error:
        raise ModelError(f"{name}: expected a mask in [0, 1] as the answer ({error})") from error
