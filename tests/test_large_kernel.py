"""Large-kernel matting: its products against the paper, and alpha on every way to it."""

import pickle

import numpy as np
import pytest
from reference import closed_form, large_kernel
from test_drawings import DRAWINGS
from tolerances import ALPHA_DIRECT, ALPHA_PRIOR, ALPHA_TOLERANCE, LARGE_KERNEL_PRODUCT

import trimatte as tm
from trimatte import _core
from trimatte.affinities import Affinity, ClosedForm, LargeKernel


def pictures():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:25, 0:31] / 31
    flat = np.where((x > y)[..., None], [0.9, 0.2, 0.1], [0.1, 0.3, 0.8])
    flat[12, 20] = 1
    return {
        "noise": rng.random((25, 31, 3)),
        "grey": rng.random((25, 31, 1)),
        "smooth": np.stack([x, y, (x + y) / 2], axis=-1),
        "one-colour-line": rng.random((25, 31, 1)) * np.array([0.9, 0.5, 0.2]),
        "constant": np.full((25, 31, 3), 0.3),
        "flat": flat,
        "narrow": rng.random((21, 60, 3)),
    }


def products(image, radius, epsilon=1e-7, threads=1):
    return _core.Products(_core.ClosedForm(epsilon, radius), image, threads, _core.Monitor(None))


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("radius", [2, 3, 10])
def test_products_equal_the_papers(name, radius):
    image = pictures()[name]
    p = np.random.default_rng(1).random(image.shape[:2])
    operator = products(image, radius)
    assert operator.shape == (p.size, p.size)
    windows = (2 * radius + 1) ** 2  # an entry of the diagonal is at most as large
    found = operator.matvec(p.ravel()).reshape(p.shape)
    assert abs(found - large_kernel.product(image, p, radius=radius)).max() < LARGE_KERNEL_PRODUCT * windows


@pytest.mark.parametrize("name", pictures())
def test_products_equal_closed_forms_rows(name):
    image = pictures()[name]
    p = np.random.default_rng(1).random(image.shape[0] * image.shape[1])
    L = closed_form.laplacian(image, radius=4)
    assert abs(products(image, 4).matvec(p) - L @ p).max() < LARGE_KERNEL_PRODUCT * 81


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_products_of_every_kind_of_image(dtype):
    image = pictures()["noise"]
    full = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    stored = (image * full).astype(dtype)
    p = np.random.default_rng(1).random(image.shape[0] * image.shape[1])
    expected = products(stored.astype(np.float64) / full, 5).matvec(p)
    assert abs(products(stored, 5).matvec(p) - expected).max() < LARGE_KERNEL_PRODUCT * 121


def test_colour_lines_and_constants_cost_next_to_nothing():
    image = pictures()["noise"]
    operator = products(image, 6)
    for alpha in (np.ones(image.shape[:2]), image @ [0.5, -0.2, 0.4] + 0.1):
        assert abs(operator.matvec(alpha.ravel())).max() < 1e-7 * 169


def test_a_product_of_the_wrong_size_is_refused():
    with pytest.raises(ValueError, match="x: expected 775 numbers, one per pixel"):
        products(pictures()["noise"], 5).matvec(np.zeros(774))
    with pytest.raises(ValueError, match="affinity: expected one that has products"):
        products(pictures()["noise"], 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("radius", [2, 5])
def test_alpha_is_the_minimum(channels, radius):
    scene = tm.datasets.hair(60, 70, noise=0.02)
    image = scene.image[..., :channels]
    L = closed_form.laplacian(image, radius=radius)
    expected = closed_form.solve_hard(L, scene.trimap == 255, scene.trimap == 0)
    for solver, tolerance in (("cholesky", 1e-3), ("multigrid", 1e-7), ("cg", 1e-7)):
        options = {"radius": radius, "solver": solver, "tolerance": tolerance}
        alpha, info = tm.solve_alpha(image, scene.trimap, method="large-kernel", **options)
        assert abs(alpha - expected).max() < ALPHA_DIRECT
        assert (info.method, info.solver) == ("large-kernel", solver)


@pytest.mark.parametrize("known_weight", [None, 10.0])
@pytest.mark.parametrize("solver", ["multigrid", "cg"])
def test_products_solve_as_rows_do(noise, known_weight, solver):
    """The rows of the operator, given as a matrix, have the same solution."""
    image, trimap = noise

    class ByRows(LargeKernel):
        core = Affinity.core

        def laplacian(self, image, labels, context):
            return closed_form.laplacian(image, self.epsilon, self.radius)

    guess = np.random.default_rng(0).random(trimap.shape)
    options = {"prior": guess, "confidence": 0.01, "known_weight": known_weight}
    direct = tm.estimate_alpha(image, trimap, method=ByRows(radius=3), solver="cholesky", **options)
    fused = tm.estimate_alpha(
        image, trimap, method=LargeKernel(radius=3), solver=solver, tolerance=1e-7, **options
    )
    assert abs(fused - direct).max() < ALPHA_PRIOR


@pytest.mark.parametrize("name", ["dandelion", "hair", "net"])
@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("radius", [2, 4])
def test_alpha_is_that_of_cholesky(name, noise, radius):
    scene = getattr(tm.datasets, name)(90, 120, noise=noise)
    image = np.round(scene.image * 255).astype(np.uint8)
    direct, many = (
        tm.solve_alpha(image, scene.trimap, radius=radius, solver=s, method="closed-form")
        for s in ("cholesky", "auto")
    )
    assert many.info.solver == "multigrid"
    assert abs(many.alpha - direct.alpha).max() < ALPHA_TOLERANCE


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_solved_too(name):
    make, *arguments = DRAWINGS[name]
    image, trimap = make(*arguments)
    alpha, info = tm.solve_alpha(image, trimap, method="large-kernel", radius=2)
    assert info.iterations <= 60
    direct = tm.estimate_alpha(image, trimap, radius=2, solver="cholesky", method="closed-form")
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


def test_closed_form_goes_the_same_way(scene):
    alpha, info = tm.solve_alpha(scene.image, scene.trimap, radius=3, method="closed-form")
    assert (info.method, info.solver) == ("closed-form", "multigrid")
    assert (alpha == tm.estimate_alpha(scene.image, scene.trimap, method=LargeKernel(radius=3))).all()


def test_regions_are_solved_apart():
    """Unknown blocks farther apart than two windows are systems of their own."""
    image = np.random.default_rng(0).random((60, 160, 3))
    trimap = np.zeros((60, 160), np.uint8)
    trimap[:, 15:20] = trimap[:, 135:140] = 255
    trimap[20:40, 10:25] = trimap[20:40, 130:145] = 128
    alpha, info = tm.solve_alpha(image, trimap, method="large-kernel", radius=5)
    assert info.regions == {"multigrid": 2}
    direct = tm.estimate_alpha(image, trimap, radius=5, solver="cholesky", method="closed-form")
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


@pytest.mark.parametrize("threads", [2, 7])
def test_same_bits_for_any_number_of_threads(threads):
    scene = tm.datasets.hair(150, 120, noise=0.01)
    p = np.random.default_rng(0).random(150 * 120)
    one, many = (products(scene.image, 10, threads=n).matvec(p) for n in (1, threads))
    assert (one == many).all()
    for options in ({}, {"known_weight": 100.0}, {"radius": 2}):
        one, many = (
            tm.estimate_alpha(scene.image, scene.trimap, method="large-kernel", threads=n, **options)
            for n in (1, threads)
        )
        assert (one == many).all()


def test_a_solve_can_be_stopped():
    scene = tm.datasets.hair(200, 200)

    def stop(phase, fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tm.estimate_alpha(scene.image, scene.trimap, method="large-kernel", progress=stop)


def test_it_is_a_value_that_says_what_a_solver_needs():
    one = LargeKernel(epsilon=np.float32(0.5), radius=np.int64(3))
    assert one == LargeKernel(0.5, 3) == pickle.loads(pickle.dumps(one))
    assert (one.reach, one.smallest_image, one.near_null) == (6, 7, "colours")
    assert one.constant_regions
    assert LargeKernel().radius == 10
    assert [ClosedForm(radius=r).has_products for r in (1, 2)] == [False, True]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epsilon": 1e-9}, ValueError, "epsilon: expected a number from 1e-08 to 1e.06, got 1e-09"),
        ({"epsilon": np.nan}, ValueError, "epsilon: expected a finite number, got nan"),
        ({"epsilon": "1"}, TypeError, "epsilon: expected a number, got str"),
        ({"radius": 0}, ValueError, "radius: expected at least 1, got 0"),
        ({"radius": 1.5}, TypeError, "radius: expected an integer, got float"),
        ({"radius": 500}, ValueError, "image: expected at least 1001"),
        ({"regularization": 1e-6}, TypeError, "regularization: method 'large-kernel' has no such option; it has"),
    ],
)
def test_nonsense_is_refused(noise, options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(*noise, method="large-kernel", **options)
