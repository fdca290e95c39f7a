"""Small pictures of noise in 8 and 16 bits, and a profile."""

import numpy as np
from PIL import ImageCms

RGB = np.random.default_rng(1).integers(0, 256, (13, 17, 3), dtype=np.uint8)
ALPHA = np.random.default_rng(2).integers(0, 256, (13, 17), dtype=np.uint8)
RGBA = np.dstack([RGB, ALPHA])
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
DEEP = np.random.default_rng(3).integers(0, 65536, (4, 5, 4), dtype=np.uint16)
