"""
Levels, specks and choke
========================

A matte that is right may still not be what a composite needs. Four functions change a finished
alpha, and each has an option of the command line with the same name.
"""

import numpy as np
from scipy import ndimage
from side_by_side import side_by_side

import trimatte as tm

scene = tm.datasets.flower(300, 450, seed=1)
rng = np.random.default_rng(1)
haze = ndimage.gaussian_filter(rng.random(scene.alpha.shape), 2)
alpha = np.clip(scene.alpha + 0.8 * (haze - haze.mean()), 0, 1).astype(np.float32)
alpha[40:46, 30:36] = 1  # a speck

stretched = tm.levels(alpha, 0.15, 0.85)
cleared = tm.remove_specks(stretched, area=60)
choked = tm.choke(cleared, 2)
side_by_side(
    {
        "alpha with haze and a speck": alpha,
        "levels(alpha, 0.15, 0.85)": stretched,
        "remove_specks(..., area=60)": cleared,
        "choke(..., 2)": choked,
    },
    columns=2,
    width=4.2,
)

# %%
# ``tm.settle`` is gentler than ``levels``: it takes away faint residue only, and keeps every value at
# an edge. The method "best" does so unasked.

print(f"pixels with alpha below 0.02: {np.sum((alpha > 0) & (alpha < 0.02)):,}")
settled = tm.settle(alpha, faint=0.02)
print(f"after settle: {np.sum((settled > 0) & (settled < 0.02)):,}")

# %%
# ``tm.crop_box`` finds the rows and columns that hold the subject.

box = tm.crop_box(choked, margin=10)
side_by_side({"cropped": np.dstack([scene.foreground, choked])[box.rows, box.columns]})
