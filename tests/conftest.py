"""Fixtures: small pictures of several kinds, rendered here."""

import numpy as np
import pytest

import trimatte as tm


@pytest.fixture(scope="session")
def scene():
    """A rendered picture with exact alpha, small enough for the slow references."""
    return tm.datasets.hair(40, 48, seed=3)


@pytest.fixture(scope="session")
def noise():
    """A picture of noise with a trimap: a square of foreground in a frame of unknown, on background."""
    rng = np.random.default_rng(7)
    image = rng.random((24, 31, 3))
    trimap = np.zeros((24, 31))
    trimap[4:20, 5:26] = 0.5
    trimap[10:14, 12:19] = 1
    return image, trimap
