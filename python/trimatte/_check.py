"""Checks and conversions of arguments: copies happen here or nowhere.

Every function takes the name that its messages use, and returns what the core wants: C-contiguous
arrays in the machine's byte order, in one of few dtypes, three-dimensional for images.
"""

from __future__ import annotations

import difflib
import math
import numbers
import operator
import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import warn

Array = npt.NDArray[Any]

# Values of the core's labels (cpp/include/trimatte/image.hpp).
BACKGROUND, FOREGROUND, UNKNOWN = 0, 1, 2

_DTYPES = "uint8, uint16, or floating point in [0, 1]"
# Channels of a neutral grey may differ by this much after a trip through JPEG or a colour space.
_GREY_TOLERANCE = 3 / 255
# What is said of values above 1, by what a function's `linear` is; None: it takes display colours
# only.
LINEAR_HINTS = {
    None: " (scene-linear? encode them by trimatte.colour.srgb_from_linear)",
    False: ' (scene-linear? choose the colour space "linear")',
}
_BLOCK = 2**16  # elements that stay in the cache while several passes go over them


def unmasked(value: object, name: str) -> Array:
    """Return any array; refuse one with masked values, which would count as if they were not."""
    if np.ma.is_masked(value):
        raise TypeError(f"{name}: expected an array without masked values, got some; fill them: .filled(value)")
    return _in_memory(_from_pillow(value, name), name)


def _in_memory(value: object, name: str) -> Array:
    """Return an array of any library as NumPy's, without a copy where it gives its memory away.

    Tensors have ``__array__``, which refuses those of a graphics card; ``__dlpack__`` is asked where
    that is missing.
    """
    try:
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.asarray(np.from_dlpack(value))
        return np.asarray(value)
    except (TypeError, RuntimeError, BufferError) as error:
        if not hasattr(value, "__array__") and not hasattr(value, "__dlpack__"):
            raise
        kind = type(value).__name__
        where = f" on {value.device}" if hasattr(value, "device") else ""
        way = _way_to_memory(value)
        hint = f"; pass {name}{way}" if way else f" ({error})"
        raise TypeError(f"{name}: expected an array that NumPy can read, got a {kind}{where}{hint}") from error


def _way_to_memory(value: Any) -> str:
    """Return the calls that bring a tensor to where NumPy can read it; empty if none is known."""
    way = ".detach()" if getattr(value, "requires_grad", False) else ""
    if str(getattr(value, "device", "cpu")) != "cpu":
        way += ".cpu()" if hasattr(value, "cpu") else ".get()" if hasattr(value, "get") else ""
    return way + (".float()" if "bfloat16" in str(getattr(value, "dtype", "")) else "")


# Modes of Pillow's pictures whose numbers are no levels of grey or RGB, and what converts them.
_CONVERTED_MODES = {"1": "L", "P": "RGB", "YCbCr": "RGB", "HSV": "RGB", "RGBX": "RGB"}
_REFUSED_MODES = {
    "LA": 'convert("L") to ignore the transparency',
    "La": 'convert("LA").convert("L") to ignore the transparency',
    "PA": 'convert("RGB") to ignore the transparency',
    "RGBa": 'convert("RGBA")',
    "CMYK": 'convert("RGB"), or PIL.ImageCms with its profile for exact colours',
    "LAB": "PIL.ImageCms.profileToProfile with a profile of sRGB",
}


def _from_pillow(value: object, name: str) -> object:
    """Return a Pillow picture in a mode whose numbers are levels of light; other values as they are."""
    mode = getattr(value, "mode", None)
    if not isinstance(mode, str) or not type(value).__module__.startswith("PIL."):
        return value
    if mode in _REFUSED_MODES:
        raise TypeError(
            f"{name}: expected a picture of mode L, RGB or RGBA, got mode {mode}; use {_REFUSED_MODES[mode]}"
        )
    if mode in _CONVERTED_MODES:
        target = "RGBA" if mode == "P" and "transparency" in getattr(value, "info", {}) else _CONVERTED_MODES[mode]
        return value.convert(target)  # type: ignore[attr-defined]
    return value


def native(value: object, name: str) -> Array:
    """Return an array of one of the core's dtypes, C-contiguous, aligned, in the machine's byte order."""
    if isinstance(value, (str, bytes, os.PathLike)):
        raise TypeError(f"{name}: expected an array, got the path {value!r}; trimatte.io.load_image reads files")
    array = unmasked(value, name)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f" and size == 2:
        array = array.astype(np.float32)
    elif kind == "f" and size > 8:
        array = array.astype(np.float64)
    elif not ((kind == "f" and size in (4, 8)) or (kind == "u" and size in (1, 2))):
        raise TypeError(f"{name}: expected {_DTYPES}, got {kind_of(value, array)}")
    return np.require(array, dtype=array.dtype.newbyteorder("="), requirements=["C", "A"])


def kind_of(value: object, array: Array | None = None) -> str:
    """Say what came in place of something else; `array` is what NumPy made of it."""
    if value is None:
        return "None (cv2.imread returns None for a file that it cannot read)"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if array is not None and (isinstance(value, np.ndarray) or array.dtype.kind not in "OSU"):
        return str(array.dtype)
    return type(value).__name__


def blocks(array: Array) -> Iterator[tuple[int, Array]]:
    """Yield (first row, a view of some rows), so that several passes over an array read memory once."""
    rows = max(1, _BLOCK // max(1, array[:1].size))
    for first in range(0, len(array), rows):
        yield first, array[first : first + rows]


def refuse_outside_unit(array: Array, name: str, linear_hint: str = "") -> None:
    """Raise ValueError at the first value that is not a number in [0, 1]; the hint is for values above."""
    if array.dtype.kind == "u" or array.size == 0:
        return
    for first, rows in blocks(array):
        if rows.min() >= 0 and rows.max() <= 1:  # NaN fails both
            continue
        where = tuple(int(i) for i in np.argwhere(~((rows >= 0) & (rows <= 1)))[0])
        value, place = rows[where], (first + where[0], *where[1:])
        hint = ""
        if 1 < value <= 255:
            hint = " (divide 8-bit values by 255)" if array.max() > 16 else linear_hint
        raise ValueError(f"{name}: expected values in [0, 1], got {value} at {place}{hint}")


def refuse_not_finite(array: Array, name: str) -> None:
    """Raise ValueError at the first value that is NaN or infinite."""
    if array.dtype.kind == "u" or array.size == 0:
        return
    if math.isfinite(array.max()) and math.isfinite(array.min()):  # NaN is in both
        return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise ValueError(f"{name}: expected finite values, got {array[where]} at {where}")


def image(value: object, name: str = "image", *, smallest: int = 1, linear: bool | None = None) -> Array:
    """Return an image as (H, W, C), C = 1 or 3.

    `smallest` is the least height and width. Floats of a `linear` image may be any finite numbers;
    None stands for functions that take display colours only.
    """
    array = native(value, name)
    if _is_tensor(value) and array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] > 4:
        array = np.ascontiguousarray(np.moveaxis(array, 0, 2))
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3):
        hint = _way_to_channels_last(name, array.shape, "permute" if _is_tensor(value) else "transpose")
        raise ValueError(f"{name}: expected shape (H, W, 3) or (H, W), got {array.shape}{hint}")
    if min(array.shape[:2]) < smallest:
        raise ValueError(f"{name}: expected at least {smallest} x {smallest} pixels, got {array.shape}")
    if linear:
        refuse_not_finite(array, name)
    else:
        refuse_outside_unit(array, name, LINEAR_HINTS[linear])
    return array


def _is_tensor(value: object) -> bool:
    """Whether a value is a tensor as PyTorch's are, whose pictures have the channels first."""
    return hasattr(value, "permute")


def _way_to_channels_last(name: str, shape: tuple[int, ...], turn: str) -> str:
    """Say how an array of another layout becomes an image; empty if it is none.

    `turn` is what its library calls the exchange of axes.
    """
    if len(shape) == 3 and shape[2] == 4:
        return f"; pass {name}[..., :3] to ignore the transparency"
    if len(shape) == 3 and shape[0] in (1, 3, 4):
        return f"; the channels come first: pass {name}.{turn}(1, 2, 0)"
    if len(shape) == 4 and shape[0] == 1:
        last = "" if shape[3] in (1, 3) else f".{turn}(1, 2, 0)" if shape[1] in (1, 3) else None
        if last is not None:
            return f"; this is a batch of one picture: pass {name}[0]{last}"
    return ""


def most_of_eight_bits(array: Array) -> int:
    """Return the largest value of uint16 that only holds what 8 bits could; else 0. Most pictures end it early."""
    most = 0
    if array.dtype == np.uint16:
        for _, rows in blocks(array):
            most = max(most, int(rows.max(initial=0)))
            if most > 255:
                return 0
    return most


def plane(value: object, image_shape: tuple[int, ...] | None, name: str) -> Array:
    """Return one number per pixel as (H, W), of any accepted dtype."""
    given = unmasked(value, name)
    if _is_tensor(value) and given.ndim == 3 and given.shape[0] == 1 and given.shape[2] > 4:
        value = given = given[0]
    if given.dtype == bool:
        value = given.astype(np.uint8) * np.uint8(255)
    array = native(value, name)
    if array.ndim > 2 and max(array.shape[:-2]) == 1 and array.shape[-1] > 4:
        index = ", ".join(["0"] * (array.ndim - 2))
        raise ValueError(f"{name}: expected shape (H, W), got {array.shape}; pass {name}[{index}]")
    array = single_channel(array, name)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2:
        raise ValueError(f"{name}: expected shape (H, W), got {array.shape}")
    if image_shape is not None and array.shape != image_shape[:2]:
        wanted = tuple(image_shape[:2])
        turned = f"; is the {name} or the image turned by 90 degrees?" if array.shape == wanted[::-1] else ""
        raise ValueError(f"{name}: expected shape {wanted} to match image, got {array.shape}{turned}")
    refuse_outside_unit(array, name)
    if name == "mask" and array.dtype.kind == "u" and array.max(initial=0) == 1:  # labels, as of a bool mask
        return np.asarray(array * array.dtype.type(full_range(array.dtype)))
    refuse_part_of_range(array, name)
    return array


def refuse_part_of_range(array: Array, name: str) -> None:
    """Raise ValueError if integers are labels such as 0 and 1, or 8-bit values in uint16."""
    if array.dtype.kind != "u":
        return
    most = most_of_eight_bits(array) if array.dtype == np.uint16 else int(array.max(initial=0))
    top = f"{full_range(array.dtype):.0f}"
    wanted = f"{name}: expected {array.dtype} values up to {top}, got"
    if 1 <= most <= 2:
        one = "; pass mask == 1 for one of them" if name == "mask" else f"; scale them so that {top} is white"
        raise ValueError(f"{wanted} labels up to {most}{one}")
    if array.dtype == np.uint16 and most:
        raise ValueError(f"{wanted} 8-bit values up to {most}; convert them to uint8, or multiply them by 257")
    if name in ("mask", "alpha") and 2 < most < full_range(array.dtype) and _has_two_values(array, most):
        if name == "mask":
            raise ValueError(f"{wanted} only 0 and {most}, as in a mask of labels; pass mask > 0")
        warn(
            f"alpha: the only values are 0 and {most} of {top}, so nothing is opaque; "
            "if it is a mask of labels, pass alpha > 0"
        )


def _has_two_values(array: Array, most: int) -> bool:
    """Whether integers are all 0 or `most`, and both occur."""
    zeros = np.count_nonzero(array == 0)
    return bool(0 < zeros < array.size and zeros + np.count_nonzero(array == most) == array.size)


def full_range(dtype: np.dtype[Any]) -> float:
    """Return the number that means 1 in this dtype."""
    return float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0


def alpha(value: object, image_shape: tuple[int, ...] | None, name: str = "alpha") -> npt.NDArray[np.float32]:
    """Return alpha as float32 in [0, 1]."""
    array = plane(value, image_shape, name)
    if array.dtype.kind == "f":
        return array.astype(np.float32, copy=False)
    return np.asarray(array / np.float32(full_range(array.dtype)), dtype=np.float32)


def single_channel(value: Array, name: str) -> Array:
    """Reduce grey saved as grey+alpha, RGB or RGBA to its grey channel, or say why that cannot be."""
    if value.ndim != 3 or value.shape[2] == 1:
        return value
    channels = value.shape[2]
    if channels not in (2, 3, 4):
        raise ValueError(f"{name}: expected shape (H, W), got {value.shape}")
    top = full_range(value.dtype)
    if channels in (2, 4) and value.size and value[..., -1].min() < top:
        raise ValueError(
            f"{name}: expected an opaque picture, got shape {value.shape} with transparency: it is not clear "
            f"whether the {name} is in the colours or in the transparency; pass one of them"
        )
    if channels > 2 and not is_grey(value[..., :3]):
        raise ValueError(
            f"{name}: expected grey (white = foreground, black = background), got shape {value.shape} with "
            f"coloured pixels; are image and {name} swapped?"
        )
    return np.ascontiguousarray(value[..., 0])


def is_grey(colours: Array) -> bool:
    """Whether the channels of all pixels are alike, but for what JPEG and the like change."""
    most = _GREY_TOLERANCE * full_range(colours.dtype)
    for row in colours:
        spread = row.max(axis=-1) - row.min(axis=-1)  # never negative, so unsigned is fine
        if spread.max(initial=0) > most:
            return False
    return True


def labels(
    trimap: object,
    image_shape: tuple[int, ...],
    background_threshold: float = 0.1,
    foreground_threshold: float = 0.9,
) -> npt.NDArray[np.uint8]:
    """Split a trimap into the core's labels, one byte per pixel."""
    low = number(background_threshold, "background_threshold")
    high = number(foreground_threshold, "foreground_threshold")
    if not 0 <= low < high <= 1:
        raise ValueError(
            "background_threshold, foreground_threshold: expected 0 <= background < foreground <= 1, "
            f"got {low} and {high}"
        )
    array = plane(trimap, image_shape, "trimap")
    top = full_range(array.dtype)
    out: npt.NDArray[np.uint8] = np.empty(array.shape, np.uint8)
    for first, rows in blocks(array):
        # 0 (background), 2 (unknown) or 2 - 1 (foreground)
        of_rows = out[first : first + len(rows)]
        np.left_shift((rows > low * top).view(np.uint8), 1, out=of_rows)
        of_rows -= (rows >= high * top).view(np.uint8)
    return out


def path(value: object) -> str:
    """Return the name of a file."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"path: expected a str or path-like, got {type(value).__name__}")
    return os.fspath(value)


def number(value: object, name: str) -> float:
    """Return a finite real number."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number, got {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {value}")
    return float(value)


def positive(value: object, name: str) -> float:
    """Return a finite number above zero."""
    result = number(value, name)
    if result <= 0:
        raise ValueError(f"{name}: expected a number above 0, got {value}")
    return result


def between(value: object, least: float, most: float, name: str) -> float:
    """Return a number within bounds."""
    result = number(value, name)
    if not least <= result <= most:
        raise ValueError(f"{name}: expected a number from {least:g} to {most:g}, got {value}")
    return result


def at_least(value: object, least: int, name: str, most: int = 2**31 - 1) -> int:
    """Return an integer of at least `least`, at most `most`."""
    try:
        result = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {type(value).__name__}") from None
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected an integer, got bool")
    if result < least:
        raise ValueError(f"{name}: expected at least {least}, got {result}")
    if result > most:
        raise ValueError(f"{name}: expected at most {most}, got {result}")
    return result


def seed(value: object) -> int:
    """Return the seed of random numbers."""
    return at_least(value, 0, "seed", 2**63 - 1)


def network_shape(value: object, name: str) -> None:
    """Refuse hidden layers that no network can have."""
    if not isinstance(value, tuple):
        raise TypeError(f"{name}: expected a tuple of integers, got {type(value).__name__}")
    for size in value:
        at_least(size, 1, name, 4096)


def confidence(value: object, image_shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return a weight for each pixel, from one number or from a plane of them."""
    array = unmasked(value, "confidence")
    if array.ndim == 0:
        weight = number(array[()], "confidence")
        if not 0 <= weight <= 1e12:
            raise ValueError(f"confidence: expected a number from 0 to 1e12, got {value}")
        return np.full(image_shape[:2], weight, np.float32)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"confidence: expected numbers, got {array.dtype}")
    if array.shape != image_shape[:2]:
        raise ValueError(
            f"confidence: expected a number, or shape {tuple(image_shape[:2])} to match image, got {array.shape}"
        )
    if not (array.min(initial=0) >= 0 and array.max(initial=0) <= 1e12):  # NaN fails both
        bad = np.argwhere(~((array >= 0) & (array <= 1e12)))
        where = tuple(int(i) for i in bad[0])
        raise ValueError(f"confidence: expected numbers from 0 to 1e12, got {array[where]} at {where}")
    return np.ascontiguousarray(array, np.float32)


def flag(value: object, name: str) -> bool:
    """Return True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, got {type(value).__name__}")
    return bool(value)


def iterable(value: object, name: str, of: str) -> None:
    """Refuse what cannot be iterated over."""
    if not isinstance(value, Iterable):
        raise TypeError(f"{name}: expected an iterable of {of}, got {type(value).__name__}")


def one_of(value: object, choices: tuple[str, ...], name: str) -> str:
    """Return one of the given words."""
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}{meant(value, choices)}")
    return str(value)


def meant(value: object, choices: Iterable[str]) -> str:
    """Ask about the choice that a wrong word resembles most; empty if none does."""
    near = difflib.get_close_matches(value, list(choices), 1) if isinstance(value, str) else []
    return f"; did you mean {near[0]!r}?" if near else ""


def progress(value: object) -> None:
    """Refuse a progress callback that cannot be called."""
    if value is not None and not callable(value):
        raise TypeError(f"progress: expected a callable or None, got {type(value).__name__}")
