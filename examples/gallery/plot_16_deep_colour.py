"""
Scene-linear EXR and 16 bits
============================

With the extra ``[vfx]`` trimatte reads and writes EXR, DPX and 16-bit colour. EXR is scene-linear and
premultiplied, and values above 1 survive in the foreground.
"""

import tempfile
from pathlib import Path

import numpy as np
from side_by_side import side_by_side

import trimatte as tm

folder = Path(tempfile.mkdtemp())
scene = tm.datasets.flower(300, 450, seed=2)
bright = 4 * tm.colour.linear_from_srgb(scene.image)  # the sun comes out: colours up to 4
tm.io.save_image(folder / "plate.exr", bright.astype(np.float32), depth="half")

# %%
# The picture says how its colours are meant. Alpha is found on their display encoding, layers on the
# linear values.

plate = tm.io.read_picture(folder / "plate.exr")
print(f"{plate.format}, {plate.depth}, {plate.colour_space}, up to {plate.pixels.max():.2f}")
cut = tm.cutout(plate.pixels[..., :3], scene.trimap, colour_space=plate.colour_space)
tm.io.save_image(folder / "cutout.exr", cut, depth=plate.depth, metadata=plate.metadata)

# %%
# Over a new linear background, and encoded for the display:

over = tm.composite(cut[..., :3], cut[..., 3], (0.02, 0.04, 0.1), colour_space="linear")
side_by_side(
    {
        "the plate, at a quarter": tm.colour.srgb_from_linear(np.clip(plate.pixels[..., :3] / 4, 0, 1)),
        "alpha": cut[..., 3],
        "composite, at a quarter": tm.colour.srgb_from_linear(np.clip(over / 4, 0, 1)),
    },
    width=3.6,
)
