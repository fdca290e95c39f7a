"""Learning-based matting: its operator against the paper's formula, and alpha on every way to it."""

import pickle

import numpy as np
import pytest
from operators import operator
from reference import learning_based
from tolerances import ALPHA_DIRECT, ALPHA_PRIOR, ALPHA_TOLERANCE, LAPLACIAN, LAPLACIAN_NULL

import trimatte as tm
from trimatte.affinities import Affinity, LearningBased
from trimatte.cli import run


def pictures():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:11, 0:14] / 14
    return {
        "noise": rng.random((9, 12, 3)),
        "grey": rng.random((9, 12, 1)),
        "smooth": np.stack([x, y, (x + y) / 2], axis=-1),
        "one-colour-line": rng.random((9, 9, 1)) * np.array([0.9, 0.5, 0.2]),
        "constant": np.full((7, 8, 3), 0.3),
        "saturated": (rng.random((8, 8, 3)) > 0.7).astype(float),
        "narrow": rng.random((5, 20, 3)),
    }


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("options", [{}, {"regularization": 1e-3}, {"radius": 2}])
def test_equals_the_reference(name, options):
    image = pictures()[name]
    L = operator(LearningBased(**options), image)
    assert abs(L - learning_based.laplacian(image, **options)).max() < LAPLACIAN


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("radius", [1, 2])
def test_properties(name, radius):
    image = pictures()[name]
    L = operator(LearningBased(radius=radius), image).toarray()
    assert abs(L - L.T).max() < LAPLACIAN_NULL
    assert abs(L.sum(axis=1)).max() < LAPLACIAN_NULL
    assert np.linalg.eigvalsh(L).min() > -LAPLACIAN_NULL
    colour_line = image.reshape(len(L), -1).sum(axis=1) + 0.7  # an affine function of the colours
    assert abs(colour_line @ (L @ colour_line)) < image.shape[2] * 1e-7 * len(L)


@pytest.mark.parametrize("change", [{"bias": 1.0}, {"least": 0.0}])
def test_what_is_not_the_papers_hardly_matters(change):
    """A penalty of the bias, or no cost of spread, changes the operator of an 8-bit picture by little."""
    image = np.round(np.random.default_rng(1).random((9, 12, 3)) * 255) / 255
    assert abs(operator(LearningBased(), image) - learning_based.laplacian(image, **change)).max() < LAPLACIAN


@pytest.mark.parametrize("known_weight", [None, 10.0])
def test_the_planes_equal_the_rows(noise, known_weight):
    """The rows of the operator, given as a matrix, have the same solution."""
    image, trimap = noise

    class ByRows(LearningBased):
        core = Affinity.core

        def laplacian(self, image, labels, context):
            return learning_based.laplacian(image, self.regularization)

    guess = np.random.default_rng(0).random(trimap.shape)
    options = {"prior": guess, "confidence": 0.01, "known_weight": known_weight, "solver": "cholesky"}
    fused = tm.estimate_alpha(image, trimap, method=LearningBased(), **options)
    assert abs(fused - tm.estimate_alpha(image, trimap, method=ByRows(), **options)).max() < ALPHA_PRIOR


@pytest.mark.parametrize("name", ["dandelion", "hair", "net"])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_multigrid_equals_cholesky(name, noise):
    scene = getattr(tm.datasets, name)(90, 120, noise=noise)
    image = np.round(scene.image * 255).astype(np.uint8)
    direct, many = (
        tm.solve_alpha(image, scene.trimap, method="learning-based", solver=solver)
        for solver in ("cholesky", "multigrid")
    )
    assert many.info.solver == "multigrid"
    assert abs(many.alpha - direct.alpha).max() < ALPHA_TOLERANCE


def test_foreground_and_background_may_change_places(scene):
    alpha, other = (
        tm.estimate_alpha(scene.image, trimap, method="learning-based", regularization=0.1, solver="cholesky")
        for trimap in (scene.trimap, 255 - scene.trimap)
    )
    assert abs(alpha + other - 1).max() < ALPHA_DIRECT


def test_the_command_line_knows_whose_option_it_is(scene, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tm.io.save_image("image.png", np.round(scene.image * 255).astype(np.uint8))
    tm.io.save_image("trimap.png", scene.trimap)
    assert run(["alpha", "image.png", "trimap.png", "-o", "b.png", "--regularization", "1e-4"]) == 1
    assert "method 'auto' has no such option" in capsys.readouterr().err


def test_it_is_a_value_that_says_what_a_solver_needs():
    one = LearningBased(regularization=np.float32(0.5), radius=np.int64(3))
    assert one == LearningBased(0.5, 3) == pickle.loads(pickle.dumps(one))
    assert (one.reach, one.smallest_image, one.near_null) == (6, 7, "colours")
    assert one.constant_regions


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"regularization": 0}, ValueError, "regularization: expected a number from .* to 1e.06, got 0"),
        ({"regularization": np.nan}, ValueError, "regularization: expected a finite number, got nan"),
        ({"regularization": "1"}, TypeError, "regularization: expected a number, got str"),
        ({"radius": 0}, ValueError, "radius: expected at least 1, got 0"),
        ({"radius": 1.5}, TypeError, "radius: expected an integer, got float"),
        ({"epsilon": 1e-6}, TypeError, "epsilon: method 'learning-based' has no such option; it has reg"),
    ],
)
def test_nonsense_is_refused(noise, options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(*noise, method="learning-based", **options)
