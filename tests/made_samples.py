"""Samples from memory, and a module of functions that are measured as methods."""

import numpy as np

from trimatte.datasets import Sample

MODULE = """
import numpy as np

calls = []

def half(image, trimap):
    assert image.dtype == trimap.dtype == np.float64 and image.max() <= 1
    assert set(np.unique(trimap)) <= {0, 0.5, 1}
    return trimap

def wrong_shape(image, trimap):
    return trimap[1:]

def not_a_number(image, trimap):
    return np.where(trimap == 0.5, np.nan, trimap)

def too_large(image, trimap):
    return trimap * 2

def on_some(image, trimap):
    calls.append(image.shape)
    if image.mean() < 0.15:
        raise RuntimeError("too dark\\nfor me")
    return trimap

def exits(image, trimap):
    raise SystemExit(0)

class Mute(Exception):
    def __str__(self):
        raise ValueError("no text")

def mute(image, trimap):
    raise Mute

def odd(image, trimap):
    raise RuntimeError("\\udcff")

def nothing(image, trimap):
    return None

def prints_and_moves(image, trimap):
    import os
    print("hello")
    os.chdir("/")
    return trimap

def sleeps(image, trimap):
    import time
    open(__file__ + ".asleep", "w").close()
    time.sleep(60)

def dies(image, trimap):
    import os
    if image.mean() < 0.15:
        os._exit(9)
    return trimap
"""


class Made:
    """A sample from memory that counts how often it is loaded."""

    def __init__(self, name, brightness=0.5, seed=0, truth=None, error=None):
        self.name = name
        self.brightness, self.seed, self.truth, self.error = brightness, seed, truth, error
        self.loads = 0

    def load(self):
        self.loads += 1
        if self.error:
            raise self.error
        trimap = np.zeros((8, 12), np.uint8)
        trimap[:, 4:8], trimap[:, 8:] = 128, 255
        rng = np.random.default_rng(self.seed)
        image = np.clip(self.brightness + 0.1 * rng.standard_normal((8, 12, 3)), 0, 1)
        truth = trimap / 255 if self.truth is None else self.truth
        return Sample(self.name, image, trimap, truth)

    def state(self):
        return f"{self.brightness} {self.seed}"
