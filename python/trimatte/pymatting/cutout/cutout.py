"""From an image file and a trimap file to a cutout file."""

from __future__ import annotations

import os

from ..alpha.estimate_alpha_cf import estimate_alpha_cf
from ..foreground.estimate_foreground_ml import estimate_foreground_ml
from ..util.util import load_image, save_image, stack_images

Path = str | os.PathLike[str]


def cutout(image_path: Path, trimap_path: Path, cutout_path: Path) -> None:
    """Write the foreground of a picture with its alpha.

    Parameters
    ----------
    image_path, trimap_path : str or path-like
        The picture, and its trimap: white is foreground, black background.
    cutout_path : str or path-like
        The file to write, in a format with transparency such as PNG.
    """
    image, trimap = load_image(image_path, "RGB"), load_image(trimap_path, "GRAY")
    alpha = estimate_alpha_cf(image, trimap)
    save_image(cutout_path, stack_images(estimate_foreground_ml(image, alpha), alpha))
