"""The figures of docs/tutorials, from rendered scenes.

    python examples/figures/tutorials.py --output docs/tutorials

Writes trimap.png, mask.png and keys.png.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
from panels import eight_bits, panel, side_by_side, write

import trimatte as tm
from trimatte.cli import run

SIDE = 250  # width of a panel in pixels
BEHIND = (0.2, 0.55, 0.6)  # the new background


def over(cutout, colour=BEHIND):
    """Return a cutout of 8 bits over a colour."""
    return tm.composite(cutout[..., :3] / 255, cutout[..., 3] / 255, colour)


def trimap(folder, scene):
    """Show what too little, enough, and too much unknown region does."""
    crop = np.s_[scene.alpha.shape[0] // 5 :, scene.alpha.shape[1] // 4 :]
    image = eight_bits(scene.image)
    trimaps = {
        "too narrow: strands are cut": tm.trimap_from_mask(scene.alpha > 0.5, erode=4, dilate=2),
        "right": scene.trimap,
        "too wide: guesses, and a haze": tm.trimap_from_mask(scene.alpha > 0.5, erode=45, dilate=70),
    }
    panels = [panel(plane, title, side=SIDE, crop=crop) for title, plane in trimaps.items()]
    for plane in trimaps.values():
        alpha = tm.estimate_alpha(image, plane)
        error = tm.metrics.sad(alpha, scene.alpha)
        cutout = tm.cutout(image, plane)
        panels.append(panel(over(cutout), f"SAD/1000 {error:.2f}", side=SIDE, crop=crop))
    write(folder / "trimap.png", side_by_side(panels, 3))


def mask(folder, scene):
    """Show a hard mask that has lost hair, and what refining it gives."""
    crop = np.s_[scene.alpha.shape[0] // 5 :, scene.alpha.shape[1] // 4 :]
    image, hard = eight_bits(scene.image), scene.alpha > 0.5
    with tempfile.TemporaryDirectory() as name:
        paths = [str(Path(name, part)) for part in ("photo.png", "mask.png", "cutout.png", "trimap.png")]
        tm.io.save_image(paths[0], image)
        tm.io.save_image(paths[1], eight_bits(hard))
        run(["refine", *paths[:2], "-o", paths[2], "--trimap-output", paths[3], "--quiet"])
        cutout, found = tm.io.read_picture(paths[2]).pixels, tm.io.load_image(paths[3])
    panels = [
        panel(image, "photo", side=SIDE, crop=crop),
        panel(hard.astype(float), "mask", side=SIDE, crop=crop),
        panel(found, "trimap that was found", side=SIDE, crop=crop),
        panel(over(np.dstack([image, eight_bits(hard)])), "cutout by the mask", side=SIDE, crop=crop),
        panel(over(cutout), "refined", side=SIDE, crop=crop),
        panel(tm.composite(scene.foreground, scene.alpha, BEHIND), "truth", side=SIDE, crop=crop),
    ]
    write(folder / "mask.png", side_by_side(panels, 3))


def keys(folder, scene):
    """Show a shot before a green screen and its key."""
    light = np.linspace(1, 0.7, scene.alpha.shape[1])[None, :, None]
    screen = np.broadcast_to(light * [0.1, 0.7, 0.2], scene.image.shape)
    shot = tm.composite(scene.foreground, scene.alpha, screen)
    shot = eight_bits(shot + np.random.default_rng(1).normal(0, 0.008, shot.shape))
    found = tm.matte_from_key(shot)
    grey = tm.composite(found.foreground, found.alpha, (0.5, 0.5, 0.5))
    panels = [
        panel(shot, "shot", side=SIDE),
        panel(found.trimap, "trimap that was found", side=SIDE),
        panel(grey, "cutout over grey", side=SIDE),
    ]
    write(folder / "keys.png", side_by_side(panels, 3))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("tutorials"), help="a folder, made if missing")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", tm.TrimatteWarning)
    scene = tm.datasets.hair(360, 480, noise=0.01)
    trimap(options.output, scene)
    mask(options.output, scene)
    keys(options.output, tm.datasets.hair(300, 400, noise=0.0))


if __name__ == "__main__":
    main()
