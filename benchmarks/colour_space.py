"""Measures what the encoding of the colours does to alpha: SAD and MSE on several encodings.

    python benchmarks/colour_space.py --folder alphamatting --output benchmarks/compare/results/colour_space.json

`--folder` is one that `trimatte.datasets.folder` opens. Its photos are encoded for the display;
they are solved as they are and decoded to linear. The scenes are composited in linear light, as a
renderer or a lens does it. An exposure multiplies the light (4 is two stops over), so that
highlights lie above 1. The noise has one size in the encoding by `srgb_from_linear`, which is
nearly a square root, because the noise of photons has.

"linear" takes the values divided by the largest one. "clipped" takes values that are encoded for
the display and cut off at 1. "colour_space=linear" is what trimatte does.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import trimatte as tm
from trimatte.colour import linear_from_srgb, srgb_from_linear

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

METHODS = ("closed-form", "best")
SCENES = ("dandelion", "hair", "net", "flower")


def over_largest(linear):
    return np.clip(linear / max(1, linear.max()), 0, 1).astype(np.float32)


WAYS = {
    "linear": lambda linear, *rest, **options: tm.estimate_alpha(over_largest(linear), *rest, **options),
    "clipped": lambda linear, *rest, **options: tm.estimate_alpha(
        np.clip(srgb_from_linear(linear), 0, 1), *rest, **options
    ),
    "colour_space=linear": lambda linear, *rest, **options: tm.estimate_alpha(
        linear, *rest, colour_space="linear", **options
    ),
}


def photos(folder):
    for sample in tm.datasets.folder(folder):
        image = np.asarray(sample.image) / np.float32(255)
        yield sample.name, linear_from_srgb(image), sample.trimap, sample.truth


def scenes(exposure, megapixels, noise):
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    for index, name in enumerate(SCENES):
        scene = getattr(tm.datasets, name)(height, round(1.5 * height))
        front, back = (exposure * linear_from_srgb(layer) for layer in (scene.foreground, scene.background))
        light = scene.alpha[..., None] * front + (1 - scene.alpha[..., None]) * back
        grain = np.random.default_rng(index).normal(0, noise, light.shape)
        light = linear_from_srgb(srgb_from_linear(light) + grain).astype(np.float32)
        yield name, light, scene.trimap, scene.alpha


def measure(samples):
    rows = {method: {way: [] for way in WAYS} for method in METHODS}
    for name, linear, trimap, truth in samples:
        for method in METHODS:
            for way, solve in WAYS.items():
                alpha = solve(linear, trimap, method=method)
                sad = tm.metrics.sad(alpha, truth, trimap)
                rows[method][way].append((sad, tm.metrics.mse(alpha, truth, trimap) * 1000))
        print(f"\r{name:40}", end="", file=sys.stderr)
    return {m: {w: np.mean(found, axis=0).tolist() for w, found in ways.items()} for m, ways in rows.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--megapixels", type=float, default=0.5)
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--exposures", type=float, nargs="+", default=[1, 4, 16])
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    results = {}
    if options.folder:
        results["photos"] = measure(photos(options.folder))
    for exposure in options.exposures:
        found = measure(scenes(exposure, options.megapixels, options.noise))
        results[f"scenes, exposure {exposure:g}"] = found
    print(f"\n\n| pictures | method | {' | '.join(WAYS)} |\n|---|---|{'---|' * len(WAYS)}")
    for pictures, methods in results.items():
        for method, ways in methods.items():
            cells = (f"{sad:.2f} ({mse:.2f})" for sad, mse in ways.values())
            print(f"| {pictures} | {method} | {' | '.join(cells)} |")
    if options.output:
        record = {"machine": machine.machine(), "sad_in_thousands_and_mse_per_thousand": results}
        options.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
