"""Fixtures: small pictures of several kinds, rendered here."""

import signal

import numpy as np
import pytest
from own_affinity import FourNeighbours

import trimatte as tm
from trimatte import affinities
from trimatte.affinities._base import AFFINITIES

# A shell's jobs in the background are started deaf to Ctrl-C, and so would be all processes that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def scene():
    """A rendered picture with exact alpha, small enough for the slow references."""
    return tm.datasets.hair(40, 48, seed=3)


@pytest.fixture
def registered():
    """An affinity of one's own, known by its name while a test runs."""
    affinities.register(FourNeighbours)
    yield FourNeighbours.name
    del AFFINITIES[FourNeighbours.name]


@pytest.fixture(scope="session")
def noise():
    """A picture of noise with a trimap: a square of foreground in a frame of unknown, on background."""
    rng = np.random.default_rng(7)
    image = rng.random((24, 31, 3))
    trimap = np.zeros((24, 31))
    trimap[4:20, 5:26] = 0.5
    trimap[10:14, 12:19] = 1
    return image, trimap


@pytest.fixture(scope="module")
def client():
    """A client of a service that runs while the tests of a module do."""
    from service_client import running

    with running() as client:
        yield client


@pytest.fixture(scope="module")
def guided():
    """A small picture with all that can guide it: as arrays, and as files."""
    from service_client import pictures

    return pictures()


@pytest.fixture(scope="module")
def files(guided):
    """The files of `guided`."""
    return guided[1]
