"""The picture that the tests of the commands cut out, and the files that it is in."""

import numpy as np
from PIL import ImageCms

from trimatte.io import save_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
HEIGHT, WIDTH = 36, 48


def disc():
    """A soft red disc on a blue slope: image, trimap, alpha."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    radius = np.hypot(y - HEIGHT / 2, x - WIDTH / 2)
    alpha = np.clip((12 - radius) / 4 + 0.5, 0, 1)
    front = np.stack([0.9 - 0.004 * x, 0.2 + 0.002 * y, 0.1 + 0 * x], -1)
    back = np.stack([0.1 + 0 * x, 0.3 + 0.004 * x, 0.8 - 0.005 * y], -1)
    trimap = np.full(alpha.shape, 128, np.uint8)
    trimap[radius < 8], trimap[radius > 16] = 255, 0
    image = alpha[..., None] * front + (1 - alpha[..., None]) * back
    return (image * 255 + 0.5).astype(np.uint8), trimap, alpha


IMAGE, TRIMAP, ALPHA = disc()

INPUTS = ["alpha.png", "image.png", "trimap.png", "wide.png"]
MATTE = ["cutout", "image.png", "trimap.png"]


def write_inputs():
    """Write the inputs into the current folder."""
    save_image("image.png", IMAGE, icc_profile=SRGB)
    save_image("trimap.png", TRIMAP)
    save_image("alpha.png", ALPHA)
    save_image("wide.png", np.dstack([np.full((20, 90), value, np.uint8) for value in (10, 200, 30)]))


def names(folder):
    return sorted(path.name for path in folder.iterdir())
