"""Random walk matting: its operator against the paper's formula, and alpha on every way to it."""

import pickle

import numpy as np
import pytest
from operators import operator
from reference import random_walk
from tolerances import ALPHA_TOLERANCE, LAPLACIAN_NULL

import trimatte as tm
from trimatte.affinities import Affinity, RandomWalk


def pictures():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:11, 0:14] / 14
    return {
        "noise": rng.random((9, 12, 3)),
        "grey": rng.random((9, 12, 1)),
        "smooth": np.stack([x, y, (x + y) / 2], axis=-1),
        "constant": np.full((7, 8, 3), 0.3),
        "saturated": (rng.random((8, 8, 3)) > 0.7).astype(float),
        "row": rng.random((1, 20, 3)),
        "pixel": rng.random((1, 1, 3)),
    }


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("options", [{}, {"sigma": 0.3}])
def test_equals_the_reference(name, options):
    image = pictures()[name]
    L = operator(RandomWalk(**options), image)
    assert abs(L - random_walk.laplacian(image, **options)).max() < LAPLACIAN_NULL


@pytest.mark.parametrize("name", pictures())
def test_properties(name):
    L = operator(RandomWalk(), pictures()[name]).toarray()
    assert abs(L - L.T).max() == 0
    assert abs(L.sum(axis=1)).max() < LAPLACIAN_NULL
    assert np.linalg.eigvalsh(L).min() > -LAPLACIAN_NULL


def test_sigma_has_an_effect(noise):
    image, trimap = noise
    small, large = (tm.estimate_alpha(image, trimap, method="random-walk", sigma=s) for s in (0.05, 0.5))
    assert abs(small - large).max() > 0.1


@pytest.mark.parametrize("solver", ["multigrid", "graph-multigrid", "cg"])
@pytest.mark.parametrize("sigma", [1 / 30, 0.01])
def test_solvers_keep_their_promise(solver, sigma):
    scene = tm.datasets.hair(110, 90, noise=0.01)
    direct, alpha = (
        tm.estimate_alpha(scene.image, scene.trimap, method="random-walk", sigma=sigma, solver=s)
        for s in ("cholesky", solver)
    )
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


def test_it_is_a_value_that_says_what_a_solver_needs():
    one = RandomWalk(sigma=np.float32(0.5))
    assert isinstance(one, Affinity)
    assert one == RandomWalk(0.5) == pickle.loads(pickle.dumps(one))
    assert (one.reach, one.smallest_image, one.near_null) == (1, 1, "constant")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sigma": 0}, ValueError, "sigma: expected a number from 0.001 to .*, got 0"),
        ({"sigma": np.inf}, ValueError, "sigma: expected a finite number, got inf"),
        ({"sigma": "1"}, TypeError, "sigma: expected a number, got str"),
        ({"radius": 1}, TypeError, "radius: method 'random-walk' has no such option"),
    ],
)
def test_nonsense_is_refused(noise, options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(*noise, method="random-walk", **options)
