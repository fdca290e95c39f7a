"""What is asked of every affinity in the same words; `test_NAME.py` has what is asked of one alone."""

import json

import numpy as np
import pytest
from operators import operator
from reference import closed_form, knn, learning_based, random_walk
from test_drawings import DRAWINGS
from tolerances import ALPHA_DIRECT, ALPHA_TOLERANCE

import trimatte as tm
from trimatte import _check
from trimatte.affinities import InformationFlow, Knn, LargeKernel, LearningBased, RandomWalk
from trimatte.cli import run


@pytest.mark.parametrize(
    ("name", "options", "laplacian"),
    [
        ("knn", {}, knn.laplacian),
        ("knn", {"soft": True}, knn.laplacian),
        ("learning-based", {}, learning_based.laplacian),
        ("learning-based", {"radius": 2}, learning_based.laplacian),
        ("random-walk", {}, random_walk.laplacian),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_is_the_minimum(noise, name, options, laplacian, channels):
    """Known pixels that are in the rows of unknown ones count as well."""
    image, trimap = noise
    image = image[..., :channels]
    expected = closed_form.solve_hard(laplacian(image, **options), trimap == 1, trimap == 0)
    alpha, info = tm.solve_alpha(image, trimap, method=name, solver="cholesky", **options)
    assert abs(alpha - expected).max() < ALPHA_DIRECT
    assert info.method == name


@pytest.mark.parametrize(("name", "laplacian"), [("knn", knn.laplacian), ("random-walk", random_walk.laplacian)])
def test_soft_known_pixels(noise, name, laplacian):
    image, trimap = noise
    expected = closed_form.solve_soft(laplacian(image), trimap == 1, trimap == 0, 10.0)
    alpha = tm.estimate_alpha(image, trimap, method=name, known_weight=10, solver="cholesky")
    assert abs(alpha - expected).max() < ALPHA_DIRECT


@pytest.mark.parametrize("drawing", DRAWINGS)
@pytest.mark.parametrize(
    ("name", "solver"),
    [
        ("information-flow", "auto"),
        ("knn", "auto"),
        ("learning-based", "auto"),
        ("random-walk", "auto"),
        ("random-walk", "graph-multigrid"),
    ],
)
def test_drawings(name, solver, drawing):
    """Flat colours give equal distances, parts that hang together by little, and much to rounding."""
    make, *arguments = DRAWINGS[drawing]
    image, trimap = make(*arguments)
    alpha = tm.estimate_alpha(image, trimap, method=name, solver=solver)
    direct = tm.estimate_alpha(image, trimap, method=name, solver="cholesky")
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


@pytest.mark.parametrize("threads", [2, 7])
@pytest.mark.parametrize(
    ("method", "size", "solver"),
    [
        (InformationFlow(), (150, 120), "auto"),
        (Knn(), (150, 120), "auto"),
        (Knn(soft=True), (150, 120), "auto"),
        (LearningBased(), (150, 120), "auto"),
        (LearningBased(radius=2), (150, 120), "auto"),
        (RandomWalk(), (300, 240), "multigrid"),
    ],
)
def test_same_bits_for_any_number_of_threads(method, size, solver, threads):
    scene = tm.datasets.hair(*size, noise=0.01)
    labels = _check.labels(scene.trimap, scene.image.shape)
    one, many = (operator(method, scene.image, labels, n) for n in (1, threads))
    assert (one.data == many.data).all()
    assert (one.indices == many.indices).all()
    one, many = (
        tm.estimate_alpha(scene.image, scene.trimap, method=method, solver=solver, threads=n) for n in (1, threads)
    )
    assert (one == many).all()


@pytest.mark.parametrize("method", [InformationFlow(), LargeKernel(), LearningBased()])
def test_with_a_prior(scene, method):
    name = f"{method.name}+sampling"
    alpha, info = tm.solve_alpha(scene.image, scene.trimap, method=name, seed=1)
    assert (info.method, info.prior) == (name, "sampling")
    prior = tm.priors.GlobalSampling(seed=1)
    assert (alpha == tm.estimate_alpha(scene.image, scene.trimap, method=method, prior=prior)).all()


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (InformationFlow(trim=False, known_flow=0.1), "--no-trim --known-flow 0.1"),
        (Knn(neighbours=12, far_neighbours=5), "--neighbours 12 --far-neighbours 5"),
        (LargeKernel(epsilon=1e-4, radius=7), "--epsilon 1e-4 --radius 7"),
        (LearningBased(regularization=1e-4, radius=2), "--regularization 1e-4 --radius 2"),
    ],
)
def test_the_command_line(scene, tmp_path, monkeypatch, capsys, method, options):
    monkeypatch.chdir(tmp_path)
    image = np.round(scene.image * 255).astype(np.uint8)
    tm.io.save_image("image.png", image)
    tm.io.save_image("trimap.png", scene.trimap)
    files = ["image.png", "trimap.png", "-o", "alpha.png"]
    assert run(["alpha", *files, "--json", "--method", method.name, *options.split()]) == 0
    assert json.loads(capsys.readouterr().out)["alpha"]["method"] == method.name
    expected = tm.estimate_alpha(image, scene.trimap, method=method)
    assert abs(tm.io.load_image("alpha.png") / 255 - expected).max() < 0.51 / 255
