"""A picture with a region that touches known pixels of one kind only."""

import numpy as np


def ring():
    """A ring of foreground with background inside that no known pixel tells of."""
    yy, xx = np.mgrid[:60, :60]
    r = np.hypot(yy - 30, xx - 30)
    image = (np.array([40, 120, 50]) + np.random.default_rng(0).normal(0, 8, (60, 60, 3))).clip(0, 255)
    image[(r < 20) & (r > 10)] = 200, 90, 40
    trimap = np.where(r < 12, 128, np.where(r < 18, 255, np.where(r < 22, 128, 0))).astype(np.uint8)
    return image.astype(np.uint8), trimap, r < 9
