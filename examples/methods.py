"""What every method makes of the same pictures: panels side by side, and their errors.

    python examples/methods.py --output docs

Renders samples of the suite `trimatte.datasets.scenes`, finds alpha by each affinity by itself, by the
sampling that is a method alone, and by the method "best", and writes one picture for each sample,
methods_NAME.png: the part with the most half-transparent pixels as picture, trimap, true alpha, and
the alpha of each method with its SAD/1000 over the whole picture. Prints all errors.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import trimatte as tm

SAMPLES = ("hair-noise", "glass", "dandelion")
CROP = 120  # pixels of the picture that a panel shows
PANEL = 180
LINE = 18  # height of the text under a panel
COLUMNS = 4
GREYS, COLOURS = 24, 96  # the written pictures have a palette of both, so that they stay small


def chosen_methods():
    """Return the affinities, the sampling methods, and "best"."""
    names = tm.methods.names()
    affinities = [name for name in names if name != tm.methods.AUTO and not tm.methods.has_prior(name)]
    return [*affinities, *(name for name in names if name.endswith("sampling")), tm.methods.BEST]


def most_telling_crop(alpha):
    """Return where the most half-transparent pixels are, among parts that are mostly background."""

    def mean(plane):
        total = np.pad(plane.astype(np.float64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        inside = total[CROP:, CROP:] - total[:-CROP, CROP:] - total[CROP:, :-CROP] + total[:-CROP, :-CROP]
        return inside / CROP**2

    mixed = mean((alpha > 0.05) & (alpha < 0.95))
    y, x = np.unravel_index(np.argmax(np.where(mean(alpha) < 0.5, mixed, 0)), mixed.shape)
    return np.s_[y : y + CROP, x : x + CROP]


def panel(pixels, crop, title):
    """Return a crop of a picture, enlarged, with a line of text under it."""
    if pixels.dtype != np.uint8:
        pixels = np.round(pixels * 255).astype(np.uint8)
    image = Image.fromarray(pixels[crop]).convert("RGB").resize((PANEL, PANEL), Image.Resampling.BICUBIC)
    whole = Image.new("RGB", (PANEL + 6, PANEL + LINE), "white")
    whole.paste(image, (3, 0))
    ImageDraw.Draw(whole).text((4, PANEL + 3), title, fill="black")
    return np.asarray(whole)


def overview(panels):
    """Return the panels in rows."""
    panels = [*panels, *[np.full_like(panels[0], 255)] * (-len(panels) % COLUMNS)]
    rows = [np.concatenate(panels[i : i + COLUMNS], axis=1) for i in range(0, len(panels), COLUMNS)]
    return np.concatenate(rows)


def with_palette(whole, picture):
    """Return the panels with the colours of the one that has any, and with greys."""
    palette = Image.fromarray(picture).quantize(COLOURS, dither=Image.Dither.NONE).getpalette()[: 3 * COLOURS]
    greys = np.linspace(0, 255, GREYS).round().astype(int).repeat(3)
    both = Image.new("P", (1, 1))
    both.putpalette([*palette, *greys.tolist()])
    return Image.fromarray(whole).quantize(palette=both, dither=Image.Dither.NONE)


def compared(sample, methods):
    """Return the panels of one sample; print each method's error."""
    truth = sample.truth.astype(np.float32)
    crop = most_telling_crop(truth)
    panels = [
        panel(sample.image, crop, "picture"),
        panel(sample.trimap, crop, "trimap"),
        panel(truth, crop, "true alpha"),
    ]
    for method in methods:
        alpha = tm.estimate_alpha(sample.image, sample.trimap, method=method)
        sad = tm.metrics.sad(alpha, truth, sample.trimap)
        print(f"{sample.name:20} {method:24} SAD / 1000 {sad:8.3f}")
        panels.append(panel(alpha, crop, f"{method}: {sad:.2f}"))
    return panels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("methods"), help="a folder, made if missing")
    parser.add_argument("--samples", nargs="+", choices=tm.datasets.scenes().names, default=SAMPLES)
    parser.add_argument("--methods", nargs="+", help="default: all affinities, sampling methods, best")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", tm.TrimatteWarning)
    for sample in tm.datasets.scenes().select(options.samples):
        panels = compared(sample, options.methods or chosen_methods())
        path = options.output / f"methods_{sample.name.replace('-', '_')}.png"
        with_palette(overview(panels), panels[0]).save(path, optimize=True)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
