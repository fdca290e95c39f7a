"""
From a rough mask
=================

A segmentation network, or a quick hand, gives a mask that is right about where the subject is and
wrong about its edge. ``tm.matte_from_mask`` makes a trimap from the mask, finds alpha in its band,
and lets the mask help where the colours say little.
"""

import numpy as np
from scipy import ndimage
from side_by_side import side_by_side

import trimatte as tm

scene = tm.datasets.dandelion(400, 600, seed=2, noise=0.01)

# %%
# This mask is made coarse on purpose: it is the true alpha, blurred, at an eighth of the size, and
# without any strand.

small = ndimage.gaussian_filter(ndimage.grey_opening(scene.alpha, 5), 6)[::8, ::8]
mask = np.clip(2 * ndimage.zoom(small, 8, order=1) - 0.4, 0, 1)

trimap = tm.trimap_from_soft_mask(mask)
alpha = tm.matte_from_mask(scene.image, mask)
side_by_side({"picture": scene.image, "mask": mask, "the trimap made from it": trimap, "alpha": alpha}, columns=2)

# %%
# The mean error over all pixels falls:

for name, guess in (("mask", mask), ("matte", alpha)):
    print(f"{name}: {abs(guess - scene.alpha).mean():.4f}")

# %%
# Where the mask misses parts of the subject, a wider ``band``, in pixels, gives them a chance, and
# takes longer.

wide = tm.matte_from_mask(scene.image, mask, band=40)
print(f"band of 40 pixels: {abs(wide - scene.alpha).mean():.4f}")
