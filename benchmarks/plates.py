"""Measure mattes from clean plates beside the ordinary trimaps of the same two pictures.

    python benchmarks/plates.py --output benchmarks/compare/results/plates.json

Every rendered subject stands before the background of every rendered scene. The plate is that
background, moved by 0.5 and -0.5 pixels. Both have noise of 0.01 and 8 bits. "Distance" is the
trimap of `keys.py`: what differs from the plate by 60 of 255 at most is background, 3 pixels beside
it are unknown. "Mask" is a mask of what differs by 20 of 255, cleaned, with an unknown band of 10
pixels. Closed-form matting solves both. "Plate" is `trimatte.matte_from_plate`, "see-through" the
same with `solid=False`. SAD is the sum of absolute differences over the whole picture, in
thousands; "excess" is how much more of the background's hue at the same place than the true cutout's
the cutout has over grey, at soft pixels, for glass with `solid=False`.

On each subject's own background the picture is also changed as a camera or a program would, and
the plate is not: it is sharpened, out of focus, or brighter by a third of a stop. `--seeds` takes
other scenes: constants are chosen on those, not on the ones that are reported.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import numpy as np
from keys import usual
from scipy.ndimage import binary_opening, gaussian_filter, shift, uniform_filter

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

BACKGROUNDS = {"lights": "flower", "bricks": "hair", "meadow": "dandelion", "leaves": "net", "books": "glass"}
KINDS = ("flower", "hair", "dandelion", "net", "glass")
CHANGES = ("none", "sharpened", "out of focus", "brighter")
SEE_THROUGH = ("glass",)
NOISE = 0.01


def shot(kind, background, change, seed, size):
    """A subject before a background and the plate, as 8-bit pixels, the true layers, and the background."""
    scene = getattr(tm.datasets, kind)(*size, seed=seed)
    behind = getattr(tm.datasets, BACKGROUNDS[background])(*size, seed=seed).background
    rng = np.random.default_rng((seed, 7))
    plate = np.stack([shift(behind[..., c], (-0.5, 0.5), order=3, mode="nearest") for c in range(3)], axis=2)
    picture, alpha = tm.composite(scene.foreground, scene.alpha, behind), scene.alpha
    if change == "out of focus":
        picture, alpha = gaussian_filter(picture, (0.8, 0.8, 0)), gaussian_filter(alpha, 0.8)
    if change == "brighter":
        picture = picture * 2 ** (1 / 3 / 2.2)
    picture = picture + rng.normal(0, NOISE, picture.shape)
    if change == "sharpened":
        picture = picture + 0.7 * (picture - gaussian_filter(picture, (1, 1, 0)))
    plate = plate + rng.normal(0, NOISE, plate.shape)
    return as_bytes(picture), as_bytes(plate), (scene.foreground, alpha), behind


def as_bytes(pixels):
    return np.clip(np.rint(pixels * 255), 0, 255).astype(np.uint8)


def by_mask(pixels, plate):
    apart = np.linalg.norm(pixels - plate.astype(np.float64), axis=2) > 20
    rough = binary_opening(uniform_filter(apart.astype(np.float32), 5) > 0.5, iterations=2)
    return tm.estimate_alpha(pixels, tm.trimap_from_mask(rough, erode=4, dilate=6), method="closed-form")


def excess(found, truth, behind):
    """How much of the background's hue is in the cutout over grey above the true one, at soft pixels."""
    cutouts = [a[..., np.newaxis] * f + (1 - a[..., np.newaxis]) * 0.5 for f, a in (found, truth)]
    hue = behind - behind.mean(2, keepdims=True)
    hue = hue / np.maximum(np.linalg.norm(hue, axis=2, keepdims=True), 0.1)
    soft = (truth[1] > 0) & (truth[1] < 1)
    return float(np.maximum(((cutouts[0] - cutouts[1]) * hue).sum(2), 0)[soft].mean())


def row_of(kind, background, change, seed, size):
    pixels, plate, truth, behind = shot(kind, background, change, seed, size)

    def sad(alpha):
        return round(float(abs(alpha - truth[1]).sum() / 1000), 3)

    found = {solid: tm.matte_from_plate(pixels, plate, solid=solid) for solid in (True, False)}
    best = found[kind not in SEE_THROUGH]
    row = {
        "distance": sad(usual(pixels, plate / 255)),
        "mask": sad(by_mask(pixels, plate)),
        "plate": sad(found[True].alpha),
        "see-through": sad(found[False].alpha),
        "excess": round(excess((best.foreground, best.alpha), truth, behind), 4),
    }
    print(kind, background, change, seed, row, flush=True)
    return {"kind": kind, "background": background, "change": change, "seed": seed, **row}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--backgrounds", nargs="+", choices=BACKGROUNDS, default=tuple(BACKGROUNDS))
    parser.add_argument("--changes", nargs="+", choices=CHANGES, default=CHANGES)
    parser.add_argument("--seeds", nargs="+", type=int, default=(3,))
    parser.add_argument("--size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), default=(300, 400))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore", tm.errors.TrimatteWarning)  # of both ordinary ways
    rows = [
        row_of(kind, background, change, seed, options.size)
        for change in options.changes
        for seed in options.seeds
        for kind in options.kinds
        for background in options.backgrounds
        if change == "none" or BACKGROUNDS[background] == kind
    ]
    if options.output:
        options.output.write_text(json.dumps({"machine": machine.machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
