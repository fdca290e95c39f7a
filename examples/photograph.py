"""A photograph before and after: the pictures of the landing page and of the README.

    python examples/photograph.py --output docs

The photograph shows the astronaut Eileen Collins. NASA made it; it is in the public domain, and comes
with scikit-image (skimage.data.astronaut). A rough outline, drawn by hand, becomes a mask, the mask a
trimap, and the default method finds alpha. The new background is rendered by trimatte.datasets.
Writes photograph.jpg, photograph_over.jpg, and photograph_steps.jpg: photograph, trimap, alpha and the
new picture side by side.
"""

import argparse
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw

import trimatte as tm

OUTLINE = (
    *((154, 75), (165, 45), (190, 22), (225, 14), (262, 20), (288, 42), (300, 80), (298, 105), (285, 122)),  # hair
    *((272, 132), (266, 158), (256, 178)),  # neck
    *((285, 200), (304, 240), (322, 255), (347, 280), (360, 315), (362, 350)),  # collar, arm
    *((400, 344), (440, 352), (470, 380), (490, 425), (497, 455), (508, 470), (512, 512)),  # helmet
    *((52, 512), (34, 478), (22, 450), (20, 410), (30, 335), (48, 270), (85, 228), (112, 208)),  # arm
    *((113, 185), (125, 160), (150, 150), (183, 150)),  # collar
    *((182, 130), (165, 115), (155, 95)),  # hair
)
BAND = 11  # pixels on both sides of the outline that are unknown


def outline_mask(size):
    """Return what the outline encloses, as a mask of size x size pixels."""
    mask = Image.new("L", (size, size))
    ImageDraw.Draw(mask).polygon(OUTLINE, fill=255)
    return np.asarray(mask)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("photograph"), help="a folder, made if missing")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)

    photo = skimage.data.astronaut()
    trimap = tm.trimap_from_mask(outline_mask(len(photo)), erode=BAND, dilate=BAND)
    cut = tm.cutout(photo, trimap)
    lights = tm.datasets.flower(*photo.shape[:2], seed=4).background
    over = np.round(255 * tm.composite(cut[..., :3] / np.float32(255), cut[..., 3], lights)).astype(np.uint8)

    steps = [photo, *(np.repeat(plane[..., None], 3, axis=2) for plane in (trimap, cut[..., 3])), over]
    rows = np.concatenate([np.pad(step, ((0, 0), (0, 12), (0, 0)), constant_values=255) for step in steps], axis=1)
    size = 1200, 1200 * rows.shape[0] // rows.shape[1]
    small = Image.fromarray(rows[:, :-12]).resize(size, Image.Resampling.LANCZOS)
    small.save(folder / "photograph_steps.jpg", quality=88)
    for name, picture in (("photograph", photo), ("photograph_over", over)):
        Image.fromarray(picture).save(folder / f"{name}.jpg", quality=88)
    print(f"pictures: {folder}")


if __name__ == "__main__":
    main()
