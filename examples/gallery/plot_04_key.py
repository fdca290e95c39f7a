"""
Before a green screen
=====================

Where the background is one even colour, no trimap is needed. ``tm.matte_from_key`` finds the colour
by itself, or takes it as ``key``, and returns alpha, both layers, and the trimap that it used.
"""

from side_by_side import side_by_side

import trimatte as tm

scene = tm.datasets.hair(300, 450, seed=3)
screen = tm.composite(scene.foreground, scene.alpha, (0.12, 0.65, 0.2))

found = tm.matte_from_key(screen)
side_by_side({"before the screen": screen, "alpha": found.alpha, "foreground": found.foreground}, width=3.6)

# %%
# The hair keeps no green, because the foreground's colours are found, not taken from the picture.

green = tm.composite(screen, found.alpha, (0.3, 0.1, 0.1))
clean = tm.composite(found.foreground, found.alpha, (0.3, 0.1, 0.1))
detail = (slice(60, 210), slice(120, 345))
side_by_side({"with the picture's colours": green[detail], "with clean colours": clean[detail]}, width=4.5)

# %%
# Glass, veils and smoke are see-through inside: ``solid=False`` allows for that.

glass = tm.datasets.glass(240, 360)
screen = tm.composite(glass.foreground, glass.alpha, (0.12, 0.65, 0.2))
opaque = tm.matte_from_key(screen)
through = tm.matte_from_key(screen, solid=False)
for name, matte in (("solid", opaque), ("solid=False", through)):
    print(f"{name:12} mean error {abs(matte.alpha - glass.alpha).mean():.5f}")
side_by_side({"a glass": screen, "solid": opaque.alpha, "solid=False": through.alpha}, width=3.6)
