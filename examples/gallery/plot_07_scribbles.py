"""
From a few strokes
==================

White strokes on the subject and black ones on the background are enough to begin with.
``scribbles=`` takes a copy of the picture with strokes on it. ``trimatte paint photo.jpg`` opens a
page in the browser to paint them on.

The photograph shows Eileen Collins. NASA made it; it is in the public domain, and comes with
scikit-image.
"""

import numpy as np
import skimage.data
from PIL import Image, ImageDraw
from side_by_side import side_by_side

import trimatte as tm

photo = skimage.data.astronaut()

painted = Image.fromarray(photo)
pen = ImageDraw.Draw(painted)
white = [
    [(190, 60), (215, 40), (260, 45), (285, 75), (275, 110)],
    [(185, 90), (170, 70)],
    [(220, 150), (225, 250), (110, 260), (60, 330), (45, 420), (90, 480), (250, 500)],
    [(140, 200), (160, 270), (270, 270), (320, 270), (340, 330)],
    [(292, 480), (300, 420), (340, 370), (400, 355), (450, 375), (480, 430), (490, 500)],
    [(330, 490), (340, 420), (400, 400), (450, 450), (440, 500)],
    [(100, 230), (60, 270), (35, 380), (30, 440)],
    [(125, 190), (150, 160), (200, 190), (280, 200), (295, 240)],
    [(190, 80), (200, 130), (230, 170)],
    [(270, 300), (345, 320), (300, 340), (250, 400)],
    [(150, 300), (160, 380), (200, 420)],
]
black = [
    [(110, 10), (330, 12), (345, 120), (375, 290), (440, 330), (500, 330), (500, 40), (380, 20)],
    [(130, 20), (120, 120), (90, 150), (60, 230), (10, 330), (8, 490)],
    [(20, 20), (50, 200)],
]
for strokes, colour in ((white, "white"), (black, "black")):
    for stroke in strokes:
        pen.line(stroke, fill=colour, width=6, joint="curve")
painted = np.asarray(painted)

cut = tm.cutout(photo, scribbles=painted)
side_by_side({"photograph with strokes": painted, "alpha": cut[..., 3], "cutout": cut}, width=3.6)

# %%
# Strokes leave nearly everything unknown. ``method="auto"`` sees that and takes closed-form matting
# alone, because a network that learns from known colours would learn too little from strokes.

trimap = tm.trimap_from_scribbles(photo, painted)
result = tm.solve_alpha(photo, trimap)
print(f"{(trimap == 128).mean():.0%} of the pixels are unknown")
print(f"method auto: {result.info.choice}")
