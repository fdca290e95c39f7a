"""
From a trimap to a cutout
=========================

A trimap is white where the picture is surely foreground, black where it is surely background, and
grey where that is to be found out. ``tm.estimate_alpha`` finds the opacity of every grey pixel,
``tm.cutout`` finds clean colours as well.
"""

from side_by_side import side_by_side

import trimatte as tm

scene = tm.datasets.hair(400, 600, seed=1, noise=0.01)
alpha = tm.estimate_alpha(scene.image, scene.trimap)
cut = tm.cutout(scene.image, scene.trimap)

side_by_side({"picture": scene.image, "trimap": scene.trimap, "alpha": alpha, "cutout": cut}, columns=2)

# %%
# The scene is rendered, so that its alpha is known. The error is the mean absolute difference over
# the grey pixels.

grey = scene.trimap == 128
print(f"{grey.sum():,} unknown pixels, mean error {tm.metrics.mad(alpha, scene.alpha, region=grey):.4f}")

# %%
# Over a new background only the cutout's colours look right. The picture's own colours hold light
# of the old background along every hair.

beach = (0.95, 0.85, 0.6)
side_by_side(
    {
        "the picture's own colours": tm.composite(scene.image, alpha, beach),
        "the cutout's colours": tm.composite(cut[..., :3], alpha, beach),
    },
    width=4.5,
)
