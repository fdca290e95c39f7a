"""Pictures side by side, with a title each; cutouts stand before a checkerboard."""

import matplotlib.pyplot as plt
import numpy as np


def side_by_side(pictures, columns=None, width=3.2):
    """Show pictures.

    Parameters
    ----------
    pictures : dict of str to array
        Title and picture: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, or floats in [0, 1].
    columns : int, optional
        Pictures in a row; by default all of them.
    width : float
        Inches of each picture.
    """
    columns = columns or len(pictures)
    rows = -(-len(pictures) // columns)
    height, wide = next(iter(pictures.values())).shape[:2]
    size = (columns * width, rows * (width * height / wide + 0.35))
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for axis in axes.flat[len(pictures) :]:
        axis.axis("off")
    for axis, (title, picture) in zip(axes.flat, pictures.items(), strict=False):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_color("0.6")
        axis.imshow(before_checkerboard(picture), cmap="gray", vmin=0, vmax=largest(picture))
        axis.set_title(title, fontsize=10)
    return figure


def largest(picture):
    return np.iinfo(picture.dtype).max if picture.dtype.kind == "u" else 1


def before_checkerboard(picture, square=12):
    if picture.ndim == 2 or picture.shape[2] == 3:
        return picture
    pixels = picture / largest(picture)
    y, x = np.indices(picture.shape[:2]) // square
    board = np.where((y + x) % 2, 0.72, 0.88)[..., None]
    return pixels[..., :3] * pixels[..., 3:] + board * (1 - pixels[..., 3:])
