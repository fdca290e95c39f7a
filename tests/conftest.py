"""Fixtures: small pictures of several kinds, rendered here."""

import os
import signal
import sys

import numpy as np
import pytest
from own_affinity import FourNeighbours

import trimatte as tm
from trimatte import affinities
from trimatte._runtime.threads import usable_cpus
from trimatte.affinities._base import AFFINITIES

# A shell's jobs in the background are started deaf to Ctrl-C, and so would be all processes that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """``-n auto``: one for each core that this process may use; more than eight have too little to share."""
    return min(usable_cpus(), 8)


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


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the inputs of the commands, made the current one."""
    from disc_picture import write_inputs

    monkeypatch.chdir(tmp_path)
    write_inputs()
    return tmp_path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Six pictures with trimaps and masks."""
    root = tmp_path_factory.mktemp("pictures")
    for name in ("in", "tri", "masks"):
        (root / name).mkdir()
    for index in range(6):
        scene = (tm.datasets.hair, tm.datasets.flower)[index % 2](48, 64, seed=index)
        tm.io.save_image(root / "in" / f"p{index}.png", scene.image)
        tm.io.save_image(root / "tri" / f"p{index}.png", scene.trimap)
        tm.io.save_image(root / "masks" / f"p{index}.png", (scene.alpha > 0.5).astype(np.float32))
    return root


@pytest.fixture
def here(pictures, tmp_path, monkeypatch):
    """A folder to run batches in, with copies of the pictures, made the current one."""
    for name in ("in", "tri", "masks"):
        (tmp_path / name).mkdir()
        for path in (pictures / name).iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
            os.utime(tmp_path / name / path.name, ns=(10**18, 10**18))
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module of functions that an evaluation may measure."""
    from made_samples import MODULE

    (tmp_path / "their_matting.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield "their_matting"
    sys.modules.pop("their_matting", None)


@pytest.fixture(scope="session")
def scenes():
    """The rendered scenes, small."""
    return tm.datasets.scenes(height=40, width=56)
