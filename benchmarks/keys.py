"""Measure mattes from keys beside a trimap by colour distance, in PNG and in JPEG.

    python benchmarks/keys.py --output benchmarks/compare/results/keys.json

Rendered subjects stand before green, blue, magenta and unevenly lit green. "Usual" is what people do:
the key's neighbourhood (60 of 255) is background, 3 pixels beside it are unknown, all else is
foreground, and closed-form matting solves this. "Key" is `trimatte.matte_from_key`. SAD is the sum of
absolute differences over the whole picture, in thousands; "excess" is how much more of the key's hue
than the true cutout's the cutout has over grey, at soft pixels. `--frame` measures the processor
seconds of one frame of 1920 x 1080 instead, with one thread.
"""

import argparse
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

KEYS = {"green": (0.15, 0.62, 0.22), "blue": (0.12, 0.22, 0.68), "magenta": (0.85, 0.1, 0.8)}
SCREENS = (*KEYS, "uneven green")
KINDS = ("hair", "dandelion", "net", "glass")


def shot(kind, screen, height, width, noise=0.008):
    """A subject before a screen as 8-bit pixels, its exact scene, and the key."""
    key = np.array(KEYS[screen.split()[-1]])
    scene = getattr(tm.datasets, kind)(height, width, seed=3)
    y, x = np.mgrid[:height, :width]
    light = (
        1.05 - 0.35 * (x / width) ** 1.5 - 0.15 * y / height if "uneven" in screen else np.ones((height, width))
    )
    cover = scene.alpha[..., np.newaxis]
    picture = cover * scene.foreground + (1 - cover) * key * light[..., np.newaxis]
    picture += np.random.default_rng(5).normal(0, noise, picture.shape)
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8), scene, key


def as_jpeg(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file))


def usual(pixels, key):
    background = np.linalg.norm(pixels - key * 255, axis=2) <= 60
    trimap = np.full(background.shape, 255, np.uint8)
    trimap[binary_dilation(background, iterations=3)] = 128
    trimap[background] = 0
    return tm.estimate_alpha(pixels, trimap, method="closed-form")


def excess(key, found, scene):
    hue = (key - key.mean()) / np.linalg.norm(key - key.mean())
    layers = ((found.foreground, found.alpha), (scene.foreground, scene.alpha))
    cutouts = [a[..., np.newaxis] * f + (1 - a[..., np.newaxis]) * 0.5 for f, a in layers]
    soft = (scene.alpha > 0) & (scene.alpha < 1)
    return float(np.maximum((cutouts[0] - cutouts[1]) @ hue, 0)[soft].mean())


def row_of(kind, screen, file, size):
    pixels, scene, key = shot(kind, screen, *size)
    pixels = as_jpeg(pixels) if file == "JPEG" else pixels
    found = tm.matte_from_key(pixels, solid=kind != "glass")

    def sad(alpha):
        return round(float(abs(alpha - scene.alpha).sum() / 1000), 3)

    row = {"usual": sad(usual(pixels, key)), "key": sad(found.alpha), "excess": excess(key, found, scene)}
    print(kind, screen, file, row, flush=True)
    return {"kind": kind, "screen": screen, "file": file, **row}


def frame():
    """Processor seconds of a frame of 1920 x 1080, and its error."""
    pixels, scene, _ = shot("hair", "uneven green", 1080, 1920)
    start = time.process_time()
    found = tm.matte_from_key(pixels, threads=1)
    seconds = time.process_time() - start
    return {"cpu_seconds": round(seconds, 2), "sad": float(abs(found.alpha - scene.alpha).sum() / 1000)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--files", nargs="+", choices=("PNG", "JPEG"), default=("PNG", "JPEG"))
    parser.add_argument("--size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), default=(300, 400))
    parser.add_argument("--frame", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.frame:
        print(frame())
        return
    rows = [
        row_of(kind, screen, file, options.size)
        for file in options.files
        for kind in options.kinds
        for screen in SCREENS
    ]
    if options.output:
        options.output.write_text(json.dumps({"machine": machine.machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
