"""Measures what is mended around a solve: blurred chroma, regions that know one label, faint residue,
few colours.

    python benchmarks/mending.py --folder alphamatting --output benchmarks/compare/results/mending.json

`--folder` is one that `trimatte.datasets.folder` opens, with two trimaps. Errors are means over the
pictures of a set, but for "one-sided"; SAD, gradient and connectivity are divided by 1000.

"chroma": the pictures as they are, and after JPEG 4:2:0, with their colours as they are and with
chroma sharpened. "edges": the width in pixels of 0.05 < alpha < 0.95 along discs of flat colours;
that of the truth is 0.95. "one-sided": the sum of SAD in the unknown regions that touch known
pixels of one kind only, over the pictures that have any. "residue": errors, and pixels of 1 to 3
(252 to 254) of 255 where the truth is 0 (1).
"""

import argparse
import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

import trimatte as tm
from trimatte._regions import one_sided

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

METHODS = ("closed-form", "best")
QUALITIES = (95, 85)  # of the discs
PICTURE_QUALITY = 90
COLOURS = {
    "dark on warm": ((30, 30, 30), (240, 200, 90)),
    "yellow on green": ((240, 220, 40), (20, 120, 60)),
    "red on light blue": ((200, 60, 40), (120, 200, 235)),
    "red on blue of nearly its luma": ((200, 40, 40), (60, 110, 160)),
}


def jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file))


def eight_bits(image):
    return image if image.dtype == np.uint8 else np.rint(image * 255).astype(np.uint8)


def unit(truth):
    return truth if truth.dtype.kind == "f" else truth / np.iinfo(truth.dtype).max


def discs(size=240, fine=8):
    """The alpha of antialiased discs, and a trimap with a band of 8 pixels along their edges."""
    y, x = (np.mgrid[: size * fine, : size * fine] + 0.5) / fine
    inside = np.zeros(y.shape, bool)
    for cy, cx, radius in ((70.3, 70.7, 40.2), (70.2, 180.6, 28.4), (180.7, 60.1, 22.7), (170.4, 170.9, 45.3)):
        inside |= np.hypot(y - cy, x - cx) < radius
    alpha = inside.reshape(size, fine, size, fine).mean((1, 3))
    distance = np.where(alpha >= 0.5, distance_transform_edt(alpha >= 0.5), distance_transform_edt(alpha < 0.5))
    return alpha, np.where(distance <= 4, 128, np.where(alpha >= 0.5, 255, 0)).astype(np.uint8)


def edges():
    truth, trimap = discs()
    found = {}
    for name, (front, back) in COLOURS.items():
        image = np.rint(truth[..., np.newaxis] * np.subtract(front, back) + back).astype(np.uint8)
        for quality in QUALITIES:
            stored = jpeg(image, quality)
            widths = []
            for kind in ("full", "auto"):
                alpha = tm.estimate_alpha(stored, trimap, chroma=kind, method="closed-form")
                soft = [np.count_nonzero((a > 0.05) & (a < 0.95)) for a in (alpha, truth)]
                widths.append(round(0.95 * soft[0] / soft[1], 2))
            found[f"{name}, quality {quality}"] = widths
    return found


def chroma(samples):
    rows = {method: [] for method in METHODS}
    for sample in samples:
        image, truth = eight_bits(sample.image), unit(sample.truth)
        if image.ndim == 2:
            continue
        stored = jpeg(image, PICTURE_QUALITY)
        for method, found in rows.items():
            ways = ((image, "full"), (stored, "full"), (stored, "auto"))
            alphas = [tm.estimate_alpha(i, sample.trimap, method=method, chroma=kind) for i, kind in ways]
            found.append([tm.metrics.sad(alpha, truth, sample.trimap) for alpha in alphas])
        print(f"\rchroma {sample.name:30}", end="", file=sys.stderr)
    names = ("before JPEG", "after JPEG", "sharpened")
    return {
        method: {
            **dict(zip(names, np.mean(sads, axis=0).tolist(), strict=True)),
            "largest ratio": max(after / before for _, before, after in sads),
        }
        for method, sads in rows.items()
    }


def regions(samples):
    priors = {"closed-form": None, "shared sampling": tm.priors.SharedSampling(), "robust": tm.priors.Robust()}
    rows = {name: [] for name in priors}
    for sample in samples:
        labels = np.choose(np.searchsorted([26, 230], sample.trimap, "right"), [0, 2, 1]).astype(np.uint8)
        mask, truth = one_sided(labels).mask, unit(sample.truth)
        if not mask.any():
            continue
        for name, prior in priors.items():
            given = None if prior is None else tm.priors.OneSided(prior)
            alpha = tm.estimate_alpha(sample.image, sample.trimap, method="closed-form", prior=given)
            rows[name].append(float(abs(alpha - truth)[mask].sum() / 1000))
        print(f"\rregions {sample.name:30}", end="", file=sys.stderr)
    return {"pictures": len(rows["robust"])} | {name: sum(found) for name, found in rows.items()}


def residue(samples):
    rows = {method: {"as solved": [], "settled": []} for method in METHODS}
    for sample in samples:
        truth = unit(sample.truth)
        unknown = (sample.trimap > 25) & (sample.trimap < 230)
        for method in METHODS:
            solved = tm.estimate_alpha(sample.image, sample.trimap, method=method, settle=False)
            for name, alpha in (("as solved", solved), ("settled", tm.settle(solved))):
                errors = tm.metrics.evaluate(alpha, truth.astype(alpha.dtype), sample.trimap)
                steps = np.rint(alpha * 255)
                below = unknown & (truth == 0) & (steps > 0) & (steps <= 3)
                above = unknown & (truth == 1) & (steps < 255) & (steps >= 252)
                measures = (errors.sad, 1000 * errors.mse, errors.gradient, errors.connectivity)
                rows[method][name].append((*measures, np.count_nonzero(below), np.count_nonzero(above)))
        print(f"\rresidue {sample.name:30}", end="", file=sys.stderr)
    names = ("sad", "mse/1e-3", "gradient", "connectivity", "faint at 0", "faint at 1")
    return {
        method: {way: dict(zip(names, np.mean(r, axis=0).tolist(), strict=True)) for way, r in ways.items()}
        for method, ways in rows.items()
    }


def few_colours(pixels):
    return np.asarray(Image.fromarray(pixels).quantize(64).convert("RGB"))


def cut_off(pixels):
    return np.rint(np.clip(2.0 * pixels - 127.5, 0, 255)).astype(np.uint8)


def colours(samples):
    found = {}
    for name, changed in (("64 colours", few_colours), ("cut off", cut_off)):
        sads = []
        for sample in samples:
            image, truth = changed(eight_bits(sample.image)), unit(sample.truth)
            alphas = [tm.estimate_alpha(image, sample.trimap, method=method) for method in METHODS]
            sads.append([tm.metrics.sad(alpha, truth, sample.trimap) for alpha in alphas])
            print(f"\r{name} {sample.name:30}", end="", file=sys.stderr)
        found[name] = dict(zip(METHODS, np.mean(sads, axis=0).tolist(), strict=True))
        found[name]["worse"] = sum(best > plain for plain, best in sads)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore", tm.TrimatteWarning)
    sets = {"scenes": tm.datasets.scenes()}
    if options.folder:
        sets |= {name: tm.datasets.folder(options.folder, trimap=name.lower()) for name in ("Trimap1", "Trimap2")}
    results = {"edges": edges()}
    for name, samples in sets.items():
        if name != "Trimap2":
            results[f"chroma, {name}"] = chroma(samples)
            results[f"colours, {name}"] = colours(samples)
        results[f"one-sided, {name}"] = regions(samples)
        results[f"residue, {name}"] = residue(samples)
    print("\n" + json.dumps(results, indent=1))
    if options.output:
        options.output.write_text(json.dumps({"machine": machine.machine(), **results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
