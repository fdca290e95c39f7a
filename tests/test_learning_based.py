"""Learning-based matting: its operator against the paper's formula, and alpha on every way to it."""

import json
import pickle

import numpy as np
import pytest
from reference import closed_form, learning_based
from test_drawings import DRAWINGS
from tolerances import ALPHA_DIRECT, ALPHA_PRIOR, ALPHA_TOLERANCE, LAPLACIAN, LAPLACIAN_NULL

import trimatte as tm
from trimatte._context import make_context
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


def operator(image, threads=1, **options):
    labels = np.full(image.shape[:2], 2, np.uint8)
    return LearningBased(**options).laplacian(image, labels, make_context(threads, None))


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("options", [{}, {"regularization": 1e-3}, {"radius": 2}])
def test_equals_the_reference(name, options):
    image = pictures()[name]
    assert abs(operator(image, **options) - learning_based.laplacian(image, **options)).max() < LAPLACIAN


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("radius", [1, 2])
def test_properties(name, radius):
    image = pictures()[name]
    L = operator(image, radius=radius).toarray()
    assert abs(L - L.T).max() < LAPLACIAN_NULL
    assert abs(L.sum(axis=1)).max() < LAPLACIAN_NULL
    assert np.linalg.eigvalsh(L).min() > -LAPLACIAN_NULL
    colour_line = image.reshape(len(L), -1).sum(axis=1) + 0.7  # an affine function of the colours
    assert abs(colour_line @ (L @ colour_line)) < image.shape[2] * 1e-7 * len(L)


@pytest.mark.parametrize("change", [{"bias": 1.0}, {"least": 0.0}])
def test_what_is_not_the_papers_hardly_matters(change):
    """A penalty of the bias, or no cost of spread, changes the operator of an 8-bit picture by little."""
    image = np.round(np.random.default_rng(1).random((9, 12, 3)) * 255) / 255
    assert abs(operator(image) - learning_based.laplacian(image, **change)).max() < LAPLACIAN


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("radius", [1, 2])
def test_alpha_is_the_minimum(noise, channels, radius):
    image, trimap = noise
    image = image[..., :channels]
    L = learning_based.laplacian(image, radius=radius)
    expected = closed_form.solve_hard(L, trimap == 1, trimap == 0)
    alpha, info = tm.solve_alpha(image, trimap, method="learning-based", radius=radius, solver="cholesky")
    assert abs(alpha - expected).max() < ALPHA_DIRECT
    assert info.method == "learning-based"


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


@pytest.mark.parametrize("name", DRAWINGS)
def test_rounding_does_not_decide_about_drawings(name):
    make, *arguments = DRAWINGS[name]
    image, trimap = make(*arguments)
    alpha = tm.estimate_alpha(image, trimap, method="learning-based")
    direct = tm.estimate_alpha(image, trimap, method="learning-based", solver="cholesky")
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


def test_foreground_and_background_may_change_places(scene):
    alpha, other = (
        tm.estimate_alpha(scene.image, trimap, method="learning-based", regularization=0.1, solver="cholesky")
        for trimap in (scene.trimap, 255 - scene.trimap)
    )
    assert abs(alpha + other - 1).max() < ALPHA_DIRECT


@pytest.mark.parametrize("threads", [2, 7])
def test_same_bits_for_any_number_of_threads(threads):
    scene = tm.datasets.hair(150, 120, noise=0.01)
    for radius in (1, 2):
        one, many = (operator(scene.image, threads=n, radius=radius) for n in (1, threads))
        assert (one.data == many.data).all()
    one, many = (
        tm.estimate_alpha(scene.image, scene.trimap, method="learning-based", threads=n) for n in (1, threads)
    )
    assert (one == many).all()


def test_with_a_prior(scene):
    alpha, info = tm.solve_alpha(scene.image, scene.trimap, method="learning-based+sampling", seed=1)
    assert (info.method, info.prior) == ("learning-based+sampling", "sampling")
    prior = tm.priors.GlobalSampling(seed=1)
    assert (alpha == tm.estimate_alpha(scene.image, scene.trimap, method=LearningBased(), prior=prior)).all()


def test_the_command_line(scene, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    image = np.round(scene.image * 255).astype(np.uint8)
    tm.io.save_image("image.png", image)
    tm.io.save_image("trimap.png", scene.trimap)
    options = ["--method", "learning-based", "--regularization", "1e-4", "--radius", "2"]
    assert run(["alpha", "image.png", "trimap.png", "-o", "alpha.png", "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out)["alpha"]["method"] == "learning-based"
    expected = tm.estimate_alpha(image, scene.trimap, method=LearningBased(regularization=1e-4, radius=2))
    assert abs(tm.io.load_image("alpha.png") / 255 - expected).max() < 0.51 / 255
    assert run(["alpha", "image.png", "trimap.png", "-o", "b.png", "--regularization", "1e-4"]) == 1
    assert "method 'closed-form' has no such option" in capsys.readouterr().err


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
