"""Every instruction set that the machine has gives the same bits."""

import hashlib
import os
import subprocess
import sys

import pytest

from trimatte import _core

LEVELS = ["baseline", "v3", "v4"]

CODE = """
import hashlib
import numpy as np
import trimatte as tm
from trimatte import _core
rng = np.random.default_rng(0)
image = rng.random((61, 75, 3))
alpha = np.clip(rng.random((61, 75)) * 3 - 1, 0, 1)
digest = hashlib.sha256()
for picture in (image, image[..., 0], np.round(image, 1)):
    digest.update(tm.closed_form_laplacian(picture).data)
    for exact in (False, True):
        for layer in tm.estimate_foreground(picture, alpha, exact_composite=exact):
            digest.update(layer)
scene = tm.datasets.hair(48, 64)
for prior in (
    tm.priors.CompositeNetwork(hidden=(20, 12), steps=30),
    tm.priors.GlobalSampling(),
    tm.priors.SharedSampling(),
    tm.priors.PatchNetwork(hidden=(20,), steps=30),
    tm.priors.PatchRegression(),
):
    digest.update(prior.estimate(scene.image, scene.trimap).alpha)
digest.update(tm.estimate_alpha(scene.image, scene.trimap, solver="multigrid"))
print(_core.simd_level(), digest.hexdigest())
"""


def run(level):
    environment = {**os.environ, "TRIMATTE_SIMD": level}
    out = subprocess.run([sys.executable, "-c", CODE], env=environment, check=True, capture_output=True, text=True)
    return out.stdout.split()


def test_levels_have_the_same_bits():
    best = LEVELS.index(_core.simd_level())
    name, expected = run("baseline")
    assert name == "baseline"
    assert len(expected) == 2 * hashlib.sha256().digest_size
    for level in LEVELS[1 : best + 1]:
        assert run(level) == [level, expected]


@pytest.mark.parametrize("wanted", ["v4", "nonsense"])
def test_never_more_than_the_machine_has(wanted):
    environment = {key: value for key, value in os.environ.items() if key != "TRIMATTE_SIMD"}
    code = "from trimatte import _core; print(_core.simd_level())"
    best, got = (
        subprocess.run([sys.executable, "-c", code], env=e, check=True, capture_output=True, text=True).stdout
        for e in (environment, {**environment, "TRIMATTE_SIMD": wanted})
    )
    assert got == best
