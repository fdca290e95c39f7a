"""A dandelion, five ways: what learning from the trimap gives, and what it is worth beside the matting Laplacian.

    python examples/dandelion.py --output dandelion

Renders a dandelion whose alpha is known exactly, gives it a trimap, and finds its alpha

1. by linear regression: weights that turn the 5 x 5 pixels around each known pixel into its alpha, by least
   squares;
2. by a neural network on the same patches, two hidden layers of 150 neurons: strands that the linear function
   loses appear;
3. by closed-form matting (Levin et al. 2008), which has never heard of training;
4. by closed-form matting with the network's answer as its prior;
5. by closed-form matting with a better teacher: a network that sees one pixel and its place, trained on mixtures
   of the known colours instead of on labels (`method="best"` uses it).

Prints the error of each over the unknown pixels and writes the pictures.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import trimatte as tm

WAYS = {
    "linear regression": {"method": "patch-regression"},
    "patch network": {"method": "patch-network"},
    "closed-form": {"method": "closed-form"},
    "closed-form + patch network": {"prior": "patch-network"},
    "closed-form + composite network": {"prior": "composite-network"},
}
CROP = 170  # pixels of the picture that a panel shows
PANEL = 340


def most_telling_crop(scene):
    """Where the most strands stand before the background: many half-transparent pixels, mostly background."""

    def mean(plane):
        total = np.pad(plane.astype(np.float64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        return (
            total[CROP:, CROP:] - total[:-CROP, CROP:] - total[CROP:, :-CROP] + total[:-CROP, :-CROP]
        ) / CROP**2

    mixed = mean((scene.alpha > 0.05) & (scene.alpha < 0.95))
    y, x = np.unravel_index(np.argmax(np.where(mean(scene.alpha) < 0.35, mixed, 0)), mixed.shape)
    return np.s_[y : y + CROP, x : x + CROP]


def panel(pixels, crop, title):
    """A crop of a picture, enlarged, with a line of text under it."""
    if pixels.dtype != np.uint8:
        pixels = np.round(pixels * 255).astype(np.uint8)
    image = Image.fromarray(pixels[crop]).convert("RGB").resize((PANEL, PANEL), Image.Resampling.NEAREST)
    whole = Image.new("RGB", (PANEL + 8, PANEL + 26), "white")
    whole.paste(image, (4, 0))
    ImageDraw.Draw(whole).text((8, PANEL + 6), title, fill="black")
    return np.asarray(whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("dandelion"), help="a folder, made if missing")
    parser.add_argument("--height", type=int, default=600)
    parser.add_argument("--width", type=int, default=900)
    parser.add_argument("--noise", type=float, default=0.01, help="of the sensor, standard deviation")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    scene = tm.datasets.dandelion(options.height, options.width, seed=options.seed, noise=options.noise)
    image = np.round(scene.image * 255).astype(np.uint8)
    unknown = scene.trimap == 128
    crop = most_telling_crop(scene)
    panels = [
        panel(image, crop, "picture"),
        panel(scene.trimap, crop, "trimap"),
        panel(scene.alpha, crop, "exact alpha"),
    ]
    print(f"{'':32} SAD / 1000    MSE / 1e-3   seconds")
    for name, way in WAYS.items():
        alpha, info = tm.solve_alpha(image, scene.trimap, seed=options.seed, **way)
        sad = tm.metrics.sad(alpha, scene.alpha, region=unknown)
        mse = tm.metrics.mse(alpha, scene.alpha, region=unknown)
        print(f"{name:32} {sad:10.3f} {1e3 * mse:12.3f} {sum(info.seconds.values()):10.2f}")
        tm.io.save_image(options.output / f"{name.replace(' ', '_')}.png", alpha)
        panels.append(panel(alpha, crop, f"{name}: SAD {sad:.2f}"))
    tm.io.save_image(options.output / "image.png", image)
    tm.io.save_image(options.output / "trimap.png", scene.trimap)
    tm.io.save_image(options.output / "exact_alpha.png", scene.alpha)
    rows = [np.concatenate(panels[i : i + 4], axis=1) for i in (0, 4)]
    tm.io.save_image(options.output / "overview.png", np.concatenate(rows))
    print(f"pictures: {options.output}")


if __name__ == "__main__":
    main()
