"""The rendered pictures of all benchmarks, as files in the folder in which asv runs them."""

import os

import numpy as np

import trimatte as tm

SCENES = ("dandelion", "hair")
NOISE = 0.01  # as photographs have; without noise there are two to three times as many iterations (0.2 megapixels)
MEGAPIXELS = tuple(float(size) for size in os.environ.get("TRIMATTE_BENCH_MEGAPIXELS", "0.3 1 4 16").split())


def render_all():
    for name in SCENES:
        for megapixels in MEGAPIXELS:
            height = round((megapixels * 1e6 / 1.5) ** 0.5)
            scene = getattr(tm.datasets, name)(height, round(1.5 * height), noise=NOISE)
            image = np.round(scene.image * 255).astype(np.uint8)
            np.savez(f"{name}-{megapixels}.npz", image=image, trimap=scene.trimap, alpha=scene.alpha)


def load(name, megapixels):
    """Image (8 bits), trimap and exact alpha."""
    with np.load(f"{name}-{megapixels}.npz") as stored:
        return stored["image"], stored["trimap"], stored["alpha"]
