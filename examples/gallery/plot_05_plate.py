"""
With a clean plate
==================

A clean plate is the same shot without the subject. The camera must not move between the two.
``tm.matte_from_plate`` compares them; noise and a little change of light do no harm.
"""

import numpy as np
from side_by_side import side_by_side

import trimatte as tm

scene = tm.datasets.hair(300, 450, seed=6, noise=0.01)
rng = np.random.default_rng(0)
plate = np.clip(scene.background + rng.normal(0, 0.01, scene.background.shape), 0, 1).astype(np.float32)

found = tm.matte_from_plate(scene.image, plate)
side_by_side({"picture": scene.image, "plate": plate, "alpha": found.alpha, "true alpha": scene.alpha}, columns=2)

# %%
print(f"mean error over all pixels: {abs(found.alpha - scene.alpha).mean():.4f}")
side_by_side({"over a new background": tm.composite(found.foreground, found.alpha, (0.2, 0.25, 0.35))}, width=6)
