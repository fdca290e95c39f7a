"""KNN matting: its operator against the paper's formula, and alpha on every way to it."""

import pickle

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from operators import operator
from reference import knn
from reference.minimum import minimum
from tolerances import ALPHA_PRIOR, ALPHA_TOLERANCE, KNN_SOFT, LAPLACIAN, LAPLACIAN_NULL

import trimatte as tm
from trimatte.affinities import Affinity, Knn


def pictures():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:11, 0:14] / 14
    return {
        "noise": rng.random((9, 12, 3)),
        "grey": rng.random((9, 12, 1)),
        "smooth": np.stack([x, y, (x + y) / 2], axis=-1) + 1e-3 * rng.random((11, 14, 3)),
        "row": rng.random((1, 40, 3)),
        "pixel": rng.random((1, 1, 3)),
    }


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("soft", [False, True])
def test_equals_the_reference(name, soft):
    image = pictures()[name]
    tolerance = KNN_SOFT if soft else LAPLACIAN
    assert abs(operator(Knn(soft=soft), image) - knn.laplacian(image, soft=soft)).max() < tolerance
    method = Knn(neighbours=4, position_weight=0.5, far_neighbours=1, soft=soft)
    assert abs(operator(method, image) - knn.laplacian(image, (4, 1), (0.5, 0.1), soft)).max() < tolerance


@pytest.mark.parametrize("soft", [False, True])
def test_properties(soft):
    L = operator(Knn(soft=soft), pictures()["noise"]).toarray()
    assert abs(L - L.T).max() == 0
    assert abs(L.sum(axis=1)).max() < LAPLACIAN_NULL * L.max()
    assert np.linalg.eigvalsh(L).min() > -LAPLACIAN_NULL * L.max()


@pytest.mark.parametrize("solver", ["graph-multigrid", "cg"])
def test_solvers_keep_their_promise(solver):
    scene = tm.datasets.hair(150, 120, noise=0.01)
    direct = tm.estimate_alpha(scene.image, scene.trimap, method="knn", solver="cholesky")
    alpha = tm.estimate_alpha(scene.image, scene.trimap, method="knn", solver=solver)
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


def test_with_a_prior(noise):
    image, trimap = noise
    guess = np.random.default_rng(1).random(trimap.shape).astype(np.float32)
    alpha = tm.estimate_alpha(image, trimap, method=Knn(), prior=guess, confidence=0.5, solver="cholesky")
    assert abs(alpha - minimum(knn.laplacian(image), trimap, guess, 0.5)).max() < ALPHA_PRIOR


def test_it_is_a_value_that_says_what_a_solver_needs():
    one = Knn(neighbours=np.int64(7), far_position_weight=np.float32(0.5))
    assert isinstance(one, Affinity)
    assert one == Knn(7, 2.0, 10, 0.5) == pickle.loads(pickle.dumps(one))
    assert (one.reach, one.smallest_image, one.near_null) == (None, 1, "constant")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"neighbours": 1}, ValueError, "neighbours: expected .*2.*, got 1"),
        ({"neighbours": 2.5}, TypeError, "neighbours: expected an integer, got float"),
        ({"far_neighbours": 0}, ValueError, "far_neighbours: expected .*1.*, got 0"),
        ({"position_weight": -1}, ValueError, "position_weight: expected a number from 0"),
        ({"far_position_weight": np.nan}, ValueError, "far_position_weight: expected a finite number, got nan"),
        ({"soft": 1}, TypeError, "soft: expected"),
        ({"sigma": 1}, TypeError, "sigma: method 'knn' has no such option"),
    ],
)
def test_nonsense_is_refused(noise, options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(*noise, method="knn", **options)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
def test_a_soft_system_most_of_which_is_known(threads, tolerance):
    scene = tm.datasets.hair(100, 120, noise=0.01)
    L = tm.laplacians.knn(scene.image)
    known = scene.trimap != 128
    assert known.mean() > 0.6
    exact = scipy.sparse.linalg.spsolve(
        (L + 100 * scipy.sparse.diags_array(known.ravel().astype(float))).tocsc(),
        100.0 * (scene.trimap == 255).ravel(),
    )
    alpha, info = tm.solve(
        L,
        scene.trimap,
        known_weight=100,
        solver="graph-multigrid",
        tolerance=tolerance,
        threads=threads,
    )
    assert abs(alpha.ravel() - np.clip(exact, 0, 1)).max() < tolerance
    assert info.error_estimate < tolerance
    assert info.solver == "graph-multigrid"
