"""
A photo alone, with a network of yours
======================================

``tm.mask_from_model`` takes the name of a file that rembg has downloaded, an ONNX file, or any
callable from a picture to a mask. trimatte has no such network itself. Here a function that draws
the outline of this one photograph, coarsely and at a quarter of its size, plays its part.

The photograph shows Eileen Collins. NASA made it; it is in the public domain, and comes with
scikit-image.
"""

import numpy as np
import skimage.data
from PIL import Image, ImageDraw
from side_by_side import side_by_side

import trimatte as tm

photo = skimage.data.astronaut()


OUTLINE = [
    *[(38, 19), (44, 8), (56, 3), (72, 10), (75, 24), (68, 33), (64, 44)],  # head
    *[(76, 60), (87, 70), (91, 87), (110, 88), (122, 106), (128, 128)],  # collar, arm, helmet
    *[(13, 128), (5, 105), (8, 82), (28, 52), (31, 40), (45, 37)],  # the other arm, collar
]


def network(picture):
    """Return a mask of the photograph: (128, 128), as coarse as networks' masks are."""
    mask = Image.new("L", (128, 128))
    ImageDraw.Draw(mask).polygon(OUTLINE, fill=255)
    return np.asarray(mask)


mask = tm.mask_from_model(photo, network)
cut = tm.cutout(photo, mask=mask)
side_by_side({"photograph": photo, "mask": mask, "cutout": cut}, width=3.6)

# %%
# From the command line the same is ``trimatte remove photo.jpg -o cutout.png --model u2netp``.
