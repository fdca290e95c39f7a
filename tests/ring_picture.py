"""Pictures with parts that few known pixels tell of: a ring with a hole, and a long wire."""

import numpy as np


def ring():
    """A ring of foreground with background inside that no known pixel tells of."""
    yy, xx = np.mgrid[:60, :60]
    r = np.hypot(yy - 30, xx - 30)
    image = (np.array([40, 120, 50]) + np.random.default_rng(0).normal(0, 8, (60, 60, 3))).clip(0, 255)
    image[(r < 20) & (r > 10)] = 200, 90, 40
    trimap = np.where(r < 12, 128, np.where(r < 18, 255, np.where(r < 22, 128, 0))).astype(np.uint8)
    return image.astype(np.uint8), trimap, r < 9


def wire():
    """A dark wire, one pixel thin and 290 long, that meets known foreground at one end only, and its place."""
    random = np.random.default_rng(0)
    image = np.array([120, 150, 190]) + random.normal(0, 8, (80, 340, 3))
    place = np.zeros((80, 340), bool)
    place[40, 20:310] = True
    body = np.zeros((80, 340), bool)
    body[20:60, 5:20] = True
    image[place | body] = np.array([40, 30, 30]) + random.normal(0, 8, (np.count_nonzero(place | body), 3))
    trimap = np.where(body, 255, 0).astype(np.uint8)
    trimap[36:45, 20:314] = 128
    return image.clip(0, 255).astype(np.uint8), trimap, place
