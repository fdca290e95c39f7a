"""
Clean colours by three methods
==============================

Alpha says how much of a pixel is foreground. Its colour is still a mixture.
``tm.estimate_foreground`` parts it, for any alpha, also one that comes from elsewhere.
"""

import time

from side_by_side import side_by_side

import trimatte as tm

scene = tm.datasets.hair(400, 600, seed=4, noise=0.01)

pictures, lines = {}, []
for method in ("multi-level", "closed-form", "blur-fusion"):
    start = time.perf_counter()
    layers = tm.estimate_foreground(scene.image, scene.alpha, method=method)
    seconds = time.perf_counter() - start
    error = tm.metrics.evaluate_foreground(layers.foreground, scene.foreground, scene.alpha)
    lines.append(f"{method:12} {seconds:6.2f} s   {error}")
    pictures[method] = tm.composite(layers.foreground, scene.alpha, (0.15, 0.3, 0.2))
pictures["truth"] = tm.composite(scene.foreground, scene.alpha, (0.15, 0.3, 0.2))

detail = (slice(100, 300), slice(150, 450))
side_by_side({name: picture[detail] for name, picture in pictures.items()}, columns=2, width=4.5)

# %%
# The seconds are those of the machine that built this page.

print("\n".join(lines))

# %%
# By default the layers reproduce the picture exactly: ``alpha F + (1 - alpha) B`` is the picture.
# ``exact_composite=False`` leaves them as the method found them.

layers = tm.estimate_foreground(scene.image, scene.alpha)
again = tm.composite(layers.foreground, scene.alpha, layers.background)
print(f"largest difference to the picture: {abs(again - scene.image).max():.1e}")
