"""The pictures that are measured. Each is a description for the results, and its arrays in float64."""

from pathlib import Path

import numpy as np
from PIL import Image

import trimatte as tm

SCENES = ("dandelion", "hair", "net")


def scenes(megapixels, noise, names=SCENES):
    """Rendered pictures, 3:2, with exact answers."""
    for size in megapixels:
        height = round((size * 1e6 / 1.5) ** 0.5)
        for name in names:
            scene = getattr(tm.datasets, name)(height, round(1.5 * height), noise=noise)
            arrays = {
                "image": scene.image.astype(np.float64),
                "trimap": scene.trimap / 255,
                "alpha": scene.alpha.astype(np.float64),
                "foreground": scene.foreground.astype(np.float64),
            }
            yield {"picture": name, "noise": noise}, arrays


def files(pairs, factors):
    """Pictures with their trimaps, enlarged; they have no exact answers."""
    for image_path, trimap_path in pairs:
        image = Image.open(image_path).convert("RGB")
        trimap = Image.open(trimap_path).convert("L")
        for factor in factors:
            size = round(factor * image.width), round(factor * image.height)
            arrays = {
                "image": np.asarray(image.resize(size, Image.Resampling.BICUBIC)) / 255,
                "trimap": np.asarray(trimap.resize(size, Image.Resampling.NEAREST)) / 255,
            }
            yield {"picture": Path(image_path).name, "enlarged": factor}, arrays
