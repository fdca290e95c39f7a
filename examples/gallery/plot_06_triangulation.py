"""
Exact alpha from two backgrounds
================================

A still subject before two known backgrounds gives two equations for each colour of each pixel, and
alpha follows exactly (Smith and Blinn, "Blue Screen Matting", 1996). ``tm.triangulate`` solves them,
and weighs nothing but the pixel itself, so that smoke and glass come out as well as hair.
"""

from side_by_side import side_by_side

import trimatte as tm

scene = tm.datasets.glass(400, 600)
green, blue = (0.1, 0.7, 0.2), (0.1, 0.2, 0.7)
before_green = tm.composite(scene.foreground, scene.alpha, green)
before_blue = tm.composite(scene.foreground, scene.alpha, blue)

found = tm.triangulate(before_green, green, before_blue, blue)
side_by_side(
    {
        "before green": before_green,
        "before blue": before_blue,
        "alpha": found.alpha,
        "over grey": tm.composite(found.foreground, found.alpha, (0.5, 0.5, 0.5)),
    },
    columns=2,
)

# %%
print(f"largest error of alpha: {abs(found.alpha - scene.alpha).max():.1e}")
