"""Helpers for arrays, pictures and sparse matrices, as PyMatting has them."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import warn

Array = npt.NDArray[Any]

_DTYPE_HINT = "Are you sure that you do not want to use np.float32 or np.float64 instead?"


def apply_to_channels(single_channel_func: Callable[..., Array]) -> Callable[..., Array]:
    """Return a function that applies another one to each channel of an image.

    Parameters
    ----------
    single_channel_func : callable
        It takes a plane (H, W) first, and returns one.
    """

    @functools.wraps(single_channel_func)
    def multi_channel_func(image: Array, *args: Any, **kwargs: Any) -> Array:
        if image.ndim == 2:
            return single_channel_func(image, *args, **kwargs)
        planes = image.reshape(*image.shape[:2], -1)
        done = [single_channel_func(planes[..., i].copy(), *args, **kwargs) for i in range(planes.shape[2])]
        result = np.stack(done, axis=2)
        return result.reshape(*result.shape[:2], *image.shape[2:])

    return multi_channel_func


def vec_vec_dot(a: Array, b: Array) -> Array:
    """Return the scalar products of vectors along the last axis."""
    return np.asarray(np.einsum("...i,...i->...", a, b))


def mat_vec_dot(A: Array, b: Array) -> Array:
    """Return the products of matrices (last two axes) and vectors (last axis)."""
    return np.asarray(np.einsum("...ij,...j->...i", A, b))


def vec_vec_outer(a: Array, b: Array) -> Array:
    """Return the outer products of vectors along the last axis."""
    return np.asarray(np.einsum("...i,...j->...ij", a, b))


def isiterable(obj: object) -> bool:
    """Whether `iter` accepts an object."""
    try:
        iter(obj)  # type: ignore[call-overload]
    except TypeError:
        return False
    return True


def div_round_up(x: Any, n: Any) -> Any:
    """Return ``x / n``, rounded up."""
    return -(-x // n)


def normalize(values: npt.ArrayLike) -> Array:
    """Shift and scale values so that the least becomes 0 and the largest 1."""
    values = np.asarray(values)
    least, most = values.min(), values.max()
    return np.asarray((values - least) / (most - least))


def grid_coordinates(width: int, height: int, flatten: bool = False) -> tuple[Array, Array]:
    """Return the x and y of each pixel, as planes (height, width) or flat."""
    y, x = np.mgrid[:height, :width]
    return (x.ravel(), y.ravel()) if flatten else (x, y)


def sanity_check_image(image: Array) -> None:
    """Warn of an image that is not (H, W, 3), not floating point, or not in [0, 1]."""
    if image.ndim != 3 or image.shape[2] != 3:
        warn(f"Expected RGB image of shape (?, ?, 3), but image.shape is {image.shape}.")
    _warn_range(image, "image")


def warn_trimap(trimap: Array) -> None:
    """Warn of a trimap that is not floating point, or not in [0, 1]."""
    _warn_range(trimap, "trimap")


def _warn_range(array: Array, name: str) -> None:
    if array.size:
        for value, which, wrong in (
            (array.min(), "min", array.min() < 0),
            (array.max(), "max", array.max() > 1),
        ):
            if wrong:
                warn(f"{name.capitalize()} values should be in [0, 1], but {name}.{which}() is {value}.")
    if array.dtype not in (np.float32, np.float64):
        warn(f"Unexpected {name}.dtype {array.dtype}. {_DTYPE_HINT}")


def blend(foreground: Array, background: Array, alpha: Array) -> Array:
    """Return ``alpha F + (1 - alpha) B``.

    Parameters
    ----------
    foreground, background : (H, W, C) ndarray
        The two layers, or colours that broadcast to them.
    alpha : (H, W) or (H, W, 1) ndarray
        Opacity in [0, 1].
    """
    opacity = alpha[..., np.newaxis] if alpha.ndim == 2 else alpha
    return np.asarray(opacity * foreground + (1 - opacity) * background)


def stack_images(*images: Array) -> Array:
    """Stack images (H, W) or (H, W, C) along their channels, for example colours and alpha."""
    return np.concatenate([image[..., np.newaxis] if image.ndim == 2 else image for image in images], axis=2)


def row_sum(A: Any) -> Array:
    """Return the sum of each row of a dense or sparse matrix."""
    return np.asarray(A @ np.ones(A.shape[1], A.dtype))


def normalize_rows(A: Any, threshold: float = 0.0) -> Any:
    """Divide each row of a dense or sparse matrix by its sum.

    Rows whose sum is below `threshold` stay as they are, and rows of a sum of zero too.
    """
    sums = row_sum(A)
    scale = 1.0 / np.where((sums < threshold) | (sums == 0), 1.0, sums)
    if isinstance(A, np.ndarray):
        return A * scale[:, np.newaxis]
    from scipy import sparse

    return sparse.csr_matrix(sparse.diags(scale) @ A)


def trimap_split(
    trimap: Array, flatten: bool = True, bg_threshold: float = 0.1, fg_threshold: float = 0.9
) -> tuple[Array, Array, Array, Array]:
    """Say which pixels are foreground, background, known, and unknown.

    Parameters
    ----------
    trimap : ndarray
        0 means background, 1 foreground, all between unknown.
    flatten : bool, default True
        Whether the results are flat.
    bg_threshold, fg_threshold : float, default 0.1 and 0.9
        Values ``<= bg_threshold`` are background, ``>= fg_threshold`` foreground.

    Returns
    -------
    is_fg, is_bg, is_known, is_unknown : ndarray of bool

    Raises
    ------
    ValueError
        If no pixel is background, or none is foreground.
    """
    values = trimap.ravel() if flatten else trimap
    is_fg = values >= fg_threshold
    is_bg = values <= bg_threshold
    if not is_bg.any():
        raise ValueError(f"Trimap did not contain background values (values <= {bg_threshold:f})")
    if not is_fg.any():
        raise ValueError(f"Trimap did not contain foreground values (values >= {fg_threshold:f})")
    is_known = is_fg | is_bg
    return is_fg, is_bg, is_known, ~is_known


def fix_trimap(trimap: Array, lower_threshold: float = 0.1, upper_threshold: float = 0.9) -> Array:
    """Make a trimap of 0, 0.5 and 1 from one with other levels.

    Parameters
    ----------
    trimap : ndarray
        Values below `lower_threshold` become 0, above `upper_threshold` 1, all others 0.5.
    lower_threshold, upper_threshold : float, default 0.1 and 0.9

    Raises
    ------
    ValueError
        If a threshold is outside [0, 1], or the lower one is above the upper one.
    """
    if not 0 <= lower_threshold <= 1:
        raise ValueError("Invalid lower threshold")
    if not 0 <= upper_threshold <= 1:
        raise ValueError("Invalid upper threshold")
    if lower_threshold > upper_threshold:
        raise ValueError("Lower threshold must be smaller than upper threshold")
    fixed = np.full(trimap.shape, 0.5, trimap.dtype if trimap.dtype.kind == "f" else np.float64)
    fixed[trimap < lower_threshold] = 0
    fixed[trimap > upper_threshold] = 1
    return fixed


def to_rgb8(image: Array) -> Array:
    """Return an image as RGB in uint8; floats in [0, 1] are multiplied by 255 and truncated."""
    pixels = _to_uint8(image)
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    return pixels.repeat(3, axis=2) if pixels.shape[2] in (1, 2) else pixels[..., :3]


def _to_uint8(image: Array) -> Array:
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind != "f":
        raise TypeError(f"image: expected floating point in [0, 1] or uint8, got {image.dtype}")
    scaled = np.nan_to_num(image * 255, nan=0.0)
    return np.asarray(np.clip(scaled, 0, 255).astype(np.uint8))


def load_image(
    path: str | os.PathLike[str],
    mode: str | None = None,
    size: float | Sequence[int] | None = None,
    resample: str = "box",
) -> Array:
    """Read a picture file as floats in [0, 1], in the orientation in which it is stored.

    Parameters
    ----------
    path : str or path-like
        A file that Pillow reads.
    mode : str, optional
        "GRAY", "RGB" or another mode of Pillow. The default is the file's own.
    size : float or (int, int), optional
        A factor, or the width and height of the result.
    resample : str, default "box"
        "none", "nearest", "box", "bilinear", "hamming", "bicubic" or "lanczos".

    Returns
    -------
    ndarray of float64
        (H, W) or (H, W, C). Files of 16 bits and of 1 bit span [0, 1] too.
    """
    from PIL import Image

    with Image.open(path) as picture:
        wanted = {"GRAY": "L"}.get(mode.upper(), mode.upper()) if mode is not None else None
        image: Any = picture
        if picture.mode == "1" and wanted is None:
            wanted = "L"
        # Pillow 10.1 opens PNG files of 16 bits with the mode "I".
        if picture.mode.startswith("I;16") or (picture.mode, picture.format) == ("I", "PNG"):
            image = Image.fromarray((np.asarray(picture) / 257).astype(np.float32))
            wanted = None if wanted in (None, "L", "I") else wanted
            image = image if wanted is None else image.convert("L")
        if wanted is not None and image.mode != wanted:
            image = image.convert(wanted)
        if size is not None:
            image = _resize_pil_image(image, size, resample)
        return np.asarray(np.array(image) / np.float64(255))


def _resize_pil_image(image: Any, size: float | Sequence[int], resample: str = "bicubic") -> Any:
    """Resize a picture of Pillow by a factor, or to a width and height."""
    from PIL import Image

    names = {name.lower(): value for name, value in Image.Resampling.__members__.items()}
    names["none"] = Image.Resampling.NEAREST
    if resample.lower() not in names:
        raise KeyError(resample)
    if isinstance(size, (int, float, np.number)):
        width, height = int(image.width * size), int(image.height * size)
    else:
        width, height = size
    return image.resize((width, height), names[resample.lower()])


def save_image(path: str | os.PathLike[str], image: Array, make_directory: bool = True) -> None:
    """Write a picture of 8 bits; floats in [0, 1] are multiplied by 255 and truncated.

    Parameters
    ----------
    path : str or path-like
        The ending of its name says the format.
    image : (H, W) or (H, W, C) ndarray
        Floats in [0, 1], or uint8; C is 1 to 4.
    make_directory : bool, default True
        Whether to make the folder if there is none.
    """
    from PIL import Image

    pixels = _to_uint8(image)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    folder = os.path.dirname(os.fspath(path))
    if make_directory and folder:
        os.makedirs(folder, exist_ok=True)
    Image.fromarray(pixels).save(path)


def make_grid(
    images: Iterable[Array], nx: int | None = None, ny: int | None = None, dtype: npt.DTypeLike | None = None
) -> Array | None:
    """Lay images out on a grid, row by row; images of other sizes leave room below and at right.

    Parameters
    ----------
    images : iterable of (H, W) or (H, W, C) ndarray
        Grey, RGB and RGBA may be mixed.
    nx, ny : int, optional
        Columns and rows. The default is a grid about as wide as high. Images without a cell are
        left out.
    dtype : dtype, optional
        The default is that of the first image.
    """
    pictures = list(images)
    count = len(pictures)
    if not count:
        return None
    if nx is None:
        nx = math.ceil(math.sqrt(count)) if ny is None else div_round_up(count, ny)
    if ny is None:
        ny = div_round_up(count, nx)
    pictures = [picture[..., np.newaxis] if picture.ndim == 2 else picture for picture in pictures]
    height, width, channels = (max(picture.shape[i] for picture in pictures) for i in range(3))
    dtype = np.dtype(pictures[0].dtype if dtype is None else dtype)
    grid = np.zeros((ny * height, nx * width, channels), dtype)
    for i, picture in enumerate(pictures[: nx * ny]):
        top, left = i // nx * height, i % nx * width
        cell = _with_channels(picture, channels)
        grid[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return grid[..., 0] if channels == 1 else grid


def _with_channels(image: Array, channels: int) -> Array:
    """Return grey as RGB, and RGB as opaque RGBA, where there should be so many channels."""
    if image.shape[2] == 1 and channels > 1:
        image = image.repeat(min(channels, 3), axis=2)
    if image.shape[2] == 3 and channels == 4:
        opaque = 255 if image.dtype == np.uint8 else 1
        image = np.concatenate([image, np.full_like(image[..., :1], opaque)], axis=2)
    return image


def show_images(images: Iterable[Array]) -> None:
    """Show images on a grid, by Matplotlib."""
    from matplotlib import pyplot

    grid = make_grid(images)
    if grid is not None:
        pyplot.imshow(grid, cmap="gray")
        pyplot.show()


def remove_background_bicolor(image: Array, fg_color: Array, bg_color: Array) -> Array:
    """Make the background transparent in an image that is a mix of two colours.

    Parameters
    ----------
    image : (H, W, 3) ndarray
        Colours in [0, 1].
    fg_color, bg_color : (3,) ndarray
        The two colours.

    Returns
    -------
    (H, W, 4) ndarray
        The foreground's colours, which give the image over `bg_color` as far as [0, 1] allows, and
        alpha.
    """
    foreground, background = np.asarray(fg_color), np.asarray(bg_color)
    line = foreground - background
    alpha = np.clip((image - background) @ line / (line @ line), 0, 1)[..., np.newaxis]
    solid = np.where(alpha > 0, alpha, 1)
    colours = np.where(alpha > 0, (image - (1 - alpha) * background) / solid, 0)
    return np.concatenate([np.clip(colours, 0, 1), alpha], axis=2)


def sparse_conv_matrix(width: int, height: int, kernel: Array) -> Any:
    """Return the sparse matrix of the correlation of planes with a kernel.

    Parameters
    ----------
    width, height : int
        Size of the planes.
    kernel : (h, w) ndarray
        Its element ``[h // 2, w // 2]`` meets the pixel itself. Pixels beyond the border are those
        nearest to them.

    Returns
    -------
    (width * height, width * height) csr_matrix
    """
    rows, columns = kernel.shape
    dx, dy = grid_coordinates(columns, rows, flatten=True)
    return sparse_conv_matrix_with_offsets(width, height, kernel.ravel(), dx - columns // 2, dy - rows // 2)


def sparse_conv_matrix_with_offsets(
    width: int, height: int, kernel: npt.ArrayLike, dx: npt.ArrayLike, dy: npt.ArrayLike
) -> Any:
    """Return the sparse matrix of ``sum(kernel[i] * p[y + dy[i], x + dx[i]])``.

    Pixels beyond the border are those nearest to them.
    """
    from scipy import sparse

    x, y = grid_coordinates(width, height, flatten=True)
    weights = np.asarray(kernel).ravel()
    count = width * height
    columns = [
        np.clip(x + i, 0, width - 1) + np.clip(y + j, 0, height - 1) * width
        for i, j in zip(np.ravel(dx), np.ravel(dy), strict=True)
    ]
    rows = np.tile(np.arange(count), len(columns))
    values = np.repeat(weights, count)
    return sparse.csr_matrix((values, (rows, np.concatenate(columns))), (count, count))


def weights_to_laplacian(W: Any, normalize: bool = True, regularization: float = 0.0) -> Any:
    """Return the Laplacian ``D - W`` of weights, where D holds the rows' sums.

    Parameters
    ----------
    W : dense or sparse matrix
        Weights.
    normalize : bool, default True
        Whether rows are divided by their sums first.
    regularization : float, default 0
        It is added to the diagonal.
    """
    from scipy import sparse

    if normalize:
        W = normalize_rows(W)
    return sparse.diags(regularization + row_sum(W)) - W
