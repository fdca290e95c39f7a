"""Random walk matting: its operator against the paper's formula, and alpha on every way to it."""

import pickle

import numpy as np
import pytest
from reference import closed_form, random_walk
from test_drawings import DRAWINGS
from tolerances import ALPHA_DIRECT, ALPHA_TOLERANCE, LAPLACIAN_NULL

import trimatte as tm
from trimatte._context import make_context
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


def operator(image, threads=1, **options):
    labels = np.full(image.shape[:2], 2, np.uint8)
    return RandomWalk(**options).laplacian(image, labels, make_context(threads, None))


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("options", [{}, {"sigma": 0.3}])
def test_equals_the_reference(name, options):
    image = pictures()[name]
    assert abs(operator(image, **options) - random_walk.laplacian(image, **options)).max() < LAPLACIAN_NULL


@pytest.mark.parametrize("name", pictures())
def test_properties(name):
    L = operator(pictures()[name]).toarray()
    assert abs(L - L.T).max() == 0
    assert abs(L.sum(axis=1)).max() < LAPLACIAN_NULL
    assert np.linalg.eigvalsh(L).min() > -LAPLACIAN_NULL


def test_sigma_has_an_effect(noise):
    image, trimap = noise
    small, large = (tm.estimate_alpha(image, trimap, method="random-walk", sigma=s) for s in (0.05, 0.5))
    assert abs(small - large).max() > 0.1


@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_is_the_minimum(noise, channels):
    image, trimap = noise
    image = image[..., :channels]
    expected = closed_form.solve_hard(random_walk.laplacian(image), trimap == 1, trimap == 0)
    alpha, info = tm.solve_alpha(image, trimap, method="random-walk", solver="cholesky")
    assert abs(alpha - expected).max() < ALPHA_DIRECT
    assert info.method == "random-walk"


def test_soft_known_pixels(noise):
    import scipy.sparse.linalg

    image, trimap = noise
    known = (trimap == 0) | (trimap == 1)
    D = scipy.sparse.diags_array(10.0 * known.ravel())
    expected = scipy.sparse.linalg.spsolve(
        (random_walk.laplacian(image) + D).tocsc(), 10.0 * (trimap == 1).ravel()
    )
    alpha = tm.estimate_alpha(image, trimap, method="random-walk", known_weight=10, solver="cholesky")
    assert abs(alpha.ravel() - np.clip(expected, 0, 1)).max() < ALPHA_DIRECT


@pytest.mark.parametrize("solver", ["multigrid", "graph-multigrid", "cg"])
@pytest.mark.parametrize("sigma", [1 / 30, 0.01])
def test_solvers_keep_their_promise(solver, sigma):
    scene = tm.datasets.hair(150, 120, noise=0.01)
    direct, alpha = (
        tm.estimate_alpha(scene.image, scene.trimap, method="random-walk", sigma=sigma, solver=s)
        for s in ("cholesky", solver)
    )
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("solver", ["auto", "multigrid"])
def test_drawings(name, solver):
    """Flat colours make islands that hang together by the least weight."""
    make, *arguments = DRAWINGS[name]
    image, trimap = make(*arguments)
    alpha = tm.estimate_alpha(image, trimap, method="random-walk", solver=solver)
    direct = tm.estimate_alpha(image, trimap, method="random-walk", solver="cholesky")
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


@pytest.mark.parametrize("threads", [2, 7])
def test_same_bits_for_any_number_of_threads(threads):
    scene = tm.datasets.hair(300, 240, noise=0.01)
    one, many = (operator(scene.image, threads=n) for n in (1, threads))
    assert (one.data == many.data).all()
    one, many = (
        tm.estimate_alpha(scene.image, scene.trimap, method="random-walk", solver="multigrid", threads=n)
        for n in (1, threads)
    )
    assert (one == many).all()


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
