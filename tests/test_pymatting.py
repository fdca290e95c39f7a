"""PyMatting's functions on trimatte: how other programs call them, what those catch, and the solver."""

import warnings

import numpy as np
import pytest
import scipy.sparse
from reference import closed_form_layers, multilevel_by_rows
from tolerances import COLOUR_SEEN, LAYERS, PYMATTING

import trimatte as tm
import trimatte.pymatting as pymatting
from trimatte.errors import TrimatteWarning

ESTIMATORS = ["cf", "knn", "lbdm", "lkm", "rw"]


@pytest.fixture(scope="module")
def picture(scene):
    """Image and trimap as PyMatting's users have them, and the exact alpha."""
    trimap = np.where(scene.trimap == 128, 0.5, scene.trimap / 255.0)
    return scene.image.astype(np.float64), trimap, scene.alpha


def options_of(name):
    """Options with windows that fit into a small picture."""
    return {"laplacian_kwargs": {"radius": 3}} if name == "lkm" else {}


# How other programs call


def test_rembg(picture):
    """Also backgroundremover: a trimap of uint8 divided by 255, deep imports, ValueError as the way out."""
    from trimatte.pymatting.alpha.estimate_alpha_cf import estimate_alpha_cf
    from trimatte.pymatting.foreground.estimate_foreground_ml import estimate_foreground_ml
    from trimatte.pymatting.util.util import stack_images

    image, trimap, truth = picture
    image8 = (image * 255).astype(np.uint8)
    trimap8 = np.where(trimap == 0.5, 128, trimap * 255).astype(np.uint8)
    normalized = image8 / 255.0
    alpha = estimate_alpha_cf(normalized, trimap8 / 255.0)
    foreground = estimate_foreground_ml(normalized, alpha)
    cutout = stack_images(foreground, alpha)
    assert cutout.shape == (40, 48, 4)
    assert abs(alpha - truth).mean() < 0.05
    exact = tm.estimate_alpha(normalized, trimap8, solver="cholesky", method="closed-form")
    assert abs(alpha - exact).max() < PYMATTING
    with pytest.raises(ValueError, match="did not contain background"):
        estimate_alpha_cf(normalized, np.ones((40, 48)))


def test_transparent_background(picture):
    """It passes alpha in float32; the import of the GPU's version has to fail with ImportError."""
    image, _, truth = picture
    foreground = pymatting.estimate_foreground_ml(image, truth.astype(np.float32))
    assert foreground.dtype == np.float32
    with pytest.raises(ImportError):
        run_import("trimatte.pymatting.foreground.estimate_foreground_ml_cupy")


def run_import(name):
    __import__(name)


def test_comfyui_nodes(picture):
    """LayerStyle and ComfyUI-Image-Filters: fix_trimap, options of the Laplacian and of CG, the background."""
    image, trimap, _ = picture
    trimap = pymatting.fix_trimap(trimap, 0.01, 0.99)
    alpha = pymatting.estimate_alpha_cf(
        image * 1.0005, trimap, laplacian_kwargs={"epsilon": 1e-6}, cg_kwargs={"maxiter": 10}
    )
    foreground, background = pymatting.estimate_foreground_ml(image, alpha, return_background=True)
    assert foreground.shape == background.shape == image.shape
    smoother = tm.estimate_alpha(image, trimap, epsilon=1e-6, solver="cholesky", method="closed-form")
    assert abs(alpha - smoother).max() < 10 * PYMATTING  # the image was scaled


def test_chainner(picture):
    """It passes float32 all the way."""
    image, trimap, _ = (part.astype(np.float32) for part in picture)
    alpha = pymatting.estimate_alpha_cf(image, trimap)
    assert alpha.dtype == np.float32
    assert pymatting.estimate_foreground_ml(image, alpha, 1e-5, 10, 2).dtype == np.float32


@pytest.mark.parametrize("name", ESTIMATORS)
def test_paddleseg(picture, name):
    """It calls each estimator by its name, and rounds to 8 bits."""
    image, trimap, truth = picture
    estimate = getattr(pymatting, f"estimate_alpha_{name}")
    alpha = estimate(image, trimap, **options_of(name))
    assert alpha.dtype == np.float64
    assert alpha.shape == trimap.shape
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    assert abs(alpha - truth).mean() < 0.1
    known = trimap != 0.5
    assert (alpha[known] == trimap[known]).all()
    assert pymatting.to_rgb8(alpha).dtype == np.uint8


def test_cutout(picture, tmp_path):
    image, trimap, truth = picture
    pymatting.save_image(tmp_path / "made" / "image.png", image)
    pymatting.save_image(tmp_path / "trimap.png", trimap)
    pymatting.cutout(tmp_path / "made" / "image.png", tmp_path / "trimap.png", tmp_path / "cutout.png")
    made = pymatting.load_image(tmp_path / "cutout.png")
    assert made.shape == (40, 48, 4)
    assert abs(made[..., 3] - truth).mean() < 0.05


# Options, dtypes, shapes


def test_known_pixels_keep_the_values_of_the_trimap(picture):
    image, trimap, _ = picture
    soft = np.where(trimap == 0, 0.05, trimap)
    alpha = pymatting.estimate_alpha_cf(image, soft)
    assert (alpha[trimap == 0] == 0.05).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_closed_form_returns_the_dtype_and_shape_of_the_trimap(picture, dtype):
    image, trimap, _ = picture
    given = trimap[..., np.newaxis].astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrimatteWarning)  # float16
        alpha = pymatting.estimate_alpha_cf(image, given)
    assert alpha.dtype == dtype
    assert alpha.shape == given.shape


def test_options_of_conjugate_gradients(picture):
    image, trimap, _ = picture
    counter = pymatting.CounterCallback()
    start = np.full(np.count_nonzero(trimap == 0.5), 0.3)
    exact = tm.estimate_alpha(image, trimap, solver="cholesky", method="closed-form")
    for x0 in (start, np.full(trimap.size, 0.3)):
        alpha = pymatting.estimate_alpha_cf(
            image,
            trimap,
            preconditioner=pymatting.jacobi,
            laplacian_kwargs={"epsilon": 1e-7, "radius": 1},
            cg_kwargs={"x0": x0, "rtol": 1e-9, "atol": 0, "maxiter": 1, "callback": counter},
        )
        assert abs(alpha - exact).max() < PYMATTING
    assert counter.n == 2


def test_a_tiny_epsilon_is_raised(picture):
    image, trimap, _ = picture
    alpha = pymatting.estimate_alpha_cf(image, trimap, laplacian_kwargs={"epsilon": 0})
    assert (alpha == pymatting.estimate_alpha_cf(image, trimap, laplacian_kwargs={"epsilon": 1e-8})).all()


@pytest.mark.parametrize(
    ("name", "options", "wanted"),
    [
        ("cf", {"laplacian_kwargs": {"sigma": 1}}, r"cf_laplacian\(\) got an unexpected keyword argument 'sigma'"),
        ("cf", {"laplacian_kwargs": {"is_known": None}}, "cf_laplacian"),
        ("cf", {"cg_kwargs": {"M": None}}, r"cg\(\) got an unexpected"),
        ("knn", {"laplacian_kwargs": {"epsilon": 1}}, "knn_laplacian"),
        ("lbdm", {"cg_kwargs": {"tol": 1}}, "cg"),
        ("rw", {"laplacian_kwargs": {"epsilon": 1}}, "rw_laplacian"),
        ("lkm", {"laplacian_kwargs": {"is_known": 1}}, "lkm_laplacian"),
    ],
)
def test_unknown_options_are_type_errors(picture, name, options, wanted):
    image, trimap, _ = picture
    with pytest.raises(TypeError, match=wanted):
        getattr(pymatting, f"estimate_alpha_{name}")(image, trimap, **options)


@pytest.mark.filterwarnings("ignore::trimatte.errors.TrimatteWarning")
@pytest.mark.parametrize("name", [*ESTIMATORS, "sm"])
@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda i, t: (i[..., 0], t), "image: expected shape"),
        (lambda i, t: (i[..., :1], t), "image: expected shape"),
        (lambda i, t: (np.concatenate([i, i[..., :1]], axis=2), t), "image: expected shape"),
        (lambda i, t: (i[:-1], t), "trimap: expected shape"),
        (lambda i, t: (np.where(i == i.max(), np.nan, i), t), "image: expected values"),
        (lambda i, t: (i * 255, t), "divide 8-bit values by 255"),
        (lambda i, t: (i, t * 255), "divide 8-bit values by 255"),
        (lambda i, t: (i, (t * 255).astype(np.uint8)), "trimap: expected floating point"),
        (lambda i, t: (i, t > 0.5), "trimap: expected floating point"),
        (lambda i, t: (i, np.where(t == 0.5, np.nan, t)), "trimap: expected values"),
        (lambda i, t: (i, np.where(t == 0, 0.5, t)), r"background values \(values <= 0.100000\)"),
        (lambda i, t: (i, np.where(t == 1, 0.5, t)), r"foreground values \(values >= 0.900000\)"),
    ],
)
def test_bad_input_is_a_value_error(picture, name, change, wanted):
    image, trimap = change(*picture[:2])
    with pytest.raises(ValueError, match=wanted):
        getattr(pymatting, f"estimate_alpha_{name}")(image, trimap)


def test_doubtful_input_is_warned_of_in_the_callers_name(picture):
    image, trimap, _ = picture
    with pytest.warns(UserWarning, match=r"Image values should be in \[0, 1\], but image.max\(\) is") as caught:
        pymatting.estimate_alpha_cf(image + 0.2, trimap)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"Expected RGB image of shape \(\?, \?, 3\)"):
        pymatting.sanity_check_image(image[..., 0])
    with pytest.warns(UserWarning, match=r"Unexpected image.dtype uint8"):
        pymatting.sanity_check_image((image > 0.5).astype(np.uint8))


@pytest.mark.parametrize("error", [tm.ConvergenceError, tm.FactorizationError])
def test_a_solve_that_gives_up_is_a_value_error(picture, monkeypatch, error):
    from trimatte.pymatting.alpha import _estimate

    def give_up(image, trimap, **options):
        result = tm.solve_alpha(image, trimap, method="closed-form")
        raise error("cg: no", *result) if error is tm.ConvergenceError else error("no")

    image, trimap, _ = picture
    monkeypatch.setattr(_estimate, "solve_alpha", give_up)
    with pytest.raises(ValueError, match=r"^Conjugate gradient descent did not converge within \d+ iterations"):
        pymatting.estimate_alpha_cf(image, trimap)


def test_random_walks_and_neighbours_with_options_of_pymatting_alone(picture):
    image, trimap, truth = picture
    far = pymatting.estimate_alpha_rw(image, trimap, laplacian_kwargs={"radius": 2, "sigma": 0.1})
    one_list = {"n_neighbors": [12], "distance_weights": [1.0], "kernel": "soft"}
    lists = pymatting.estimate_alpha_knn(image, trimap, laplacian_kwargs=one_list)
    for alpha in (far, lists):
        assert abs(alpha - truth).mean() < 0.1
    with pytest.raises(ValueError, match="kernel must be binary/soft, but not hard"):
        pymatting.estimate_alpha_knn(image, trimap, laplacian_kwargs={"kernel": "hard"})


def test_shared_sampling(picture):
    image, trimap, truth = picture
    alpha, foreground, background = pymatting.estimate_alpha_sm(image, trimap, return_foreground_background=True)
    assert alpha.dtype == foreground.dtype == background.dtype == np.float32
    assert abs(alpha - truth).mean() < 0.1
    with pytest.warns(TrimatteWarning, match="local_smoothing_sigma_sq2: 0.5 has no effect"):
        pymatting.estimate_alpha_sm(image, trimap, local_smoothing_sigma_sq2=0.5)


# Colours of the foreground


def test_foreground_of_any_channels(picture):
    image, _, truth = picture
    colours = pymatting.estimate_foreground_ml(image, truth)
    many = pymatting.estimate_foreground_ml(np.concatenate([image, image[..., :2]], axis=2), truth)
    assert (many[..., :3] == colours).all()
    assert (many[..., 3:] == colours[..., :2]).all()


@pytest.mark.parametrize(("height", "width"), [(23, 18), (1, 20), (20, 1), (1, 1), (40, 33)])
@pytest.mark.parametrize(("low", "high"), [(-1, 2), (0.2, 0.8)])  # in the second no start colour is known
def test_multi_level_foreground_is_pymattings(height, width, low, high):
    """`make check-rembg` compares it with PyMatting itself."""
    rng = np.random.default_rng(height)
    image = rng.random((height, width, 3))
    alpha = np.clip(rng.uniform(low, high, (height, width)), 0, 1)
    found = pymatting.estimate_foreground_ml(image, alpha, return_background=True)
    for layer, expected in zip(found, multilevel_by_rows.estimate(image, alpha), strict=True):
        assert abs(layer - expected).max() < LAYERS


def test_multi_level_foreground_with_other_parameters(picture):
    image, _, truth = picture
    alpha = truth.astype(np.float64)
    expected = multilevel_by_rows.estimate(image, alpha, 1e-3, 0.3, 20, 3, 4)
    found = pymatting.estimate_foreground_ml(image, alpha, 1e-3, 3, 4, 20, True, 0.3)
    for layer, want in zip(found, expected, strict=True):
        assert abs(layer - want).max() < LAYERS
    assert abs(found[0] - image)[alpha == 1].max() > 0.003  # opaque pixels are smoothed, as in PyMatting


def test_foreground_takes_what_pymatting_takes(picture):
    image, _, truth = picture
    wide = pymatting.estimate_foreground_ml(image * 1.1 - 0.05, truth * 1.1 - 0.05)
    assert wide.min() >= 0
    assert wide.max() <= 1
    pymatting.estimate_foreground_ml(image, truth, regularization=0, n_small_iterations=0, n_big_iterations=0)
    with pytest.raises(TypeError, match=r"expected shape \(H, W, C\)"):
        pymatting.estimate_foreground_ml(image[..., 0], truth)
    with pytest.raises(ValueError, match="alpha: expected shape"):
        pymatting.estimate_foreground_ml(image, truth[1:])


def test_closed_form_foreground(picture):
    image, _, truth = picture
    foreground, background = pymatting.estimate_foreground_cf(image, truth, return_background=True)
    assert foreground.dtype == np.float64
    alpha = truth.astype(np.float64)
    for layer, seen, want in zip(
        (foreground, background), (alpha, 1 - alpha), closed_form_layers.estimate(image, alpha), strict=True
    ):
        assert abs(seen[..., None] * (layer - np.clip(want, 0, 1))).max() < COLOUR_SEEN
    assert abs(foreground - image)[alpha == 1].max() > 0.01  # opaque pixels are smoothed, as in PyMatting
    assert pymatting.estimate_foreground_cf(image.astype(np.float32), truth).dtype == np.float32
    with pytest.raises(TypeError, match="ichol"):
        pymatting.estimate_foreground_cf(image, truth, ichol_kwargs={"level": 1})
    with pytest.raises(ValueError, match="neighbors: expected the four"):
        pymatting.estimate_foreground_cf(image, truth, neighbors=[(0, 1)])


# Laplacians


@pytest.mark.parametrize("function", pymatting.LAPLACIANS, ids=lambda function: function.__name__)
def test_laplacians_have_rows_that_sum_to_zero(picture, function):
    image = picture[0]
    L = function(image)
    assert isinstance(L, scipy.sparse.csr_matrix)
    assert abs(L @ np.ones(image.shape[0] * image.shape[1])).max() < 1e-4
    A, b = pymatting.make_linear_system(L, picture[1])
    assert abs(A.diagonal() - L.diagonal() - 100 * (picture[1].ravel() != 0.5)).max() < 1e-9
    assert (b == 100 * (picture[1].ravel() == 1)).all()


def test_the_large_kernel_is_closed_forms_of_the_same_radius(picture):
    image = picture[0]
    v = np.random.default_rng(0).random(image.shape[0] * image.shape[1])
    L = pymatting.cf_laplacian(image, radius=3)
    product, diagonal = pymatting.lkm_laplacian(image, radius=3)
    assert abs(product(v) - L @ v).max() < 1e-7
    assert abs(diagonal - L.diagonal()).max() < 1e-7


def test_the_laplacian_without_windows_of_known_pixels(picture):
    image, trimap, _ = picture
    known = trimap != 0.5
    L = pymatting.cf_laplacian(image, is_known=known.ravel())
    expected = tm.closed_form_laplacian(image, known=known)
    assert abs(L - expected).max() == 0
    assert abs(pymatting.cf_laplacian(image, is_known=known) - expected).max() == 0


# Solver and preconditioners


@pytest.fixture(scope="module")
def system(picture):
    image, trimap, _ = picture
    A, b = pymatting.make_linear_system(pymatting.cf_laplacian(image), trimap)
    return A, b, scipy.sparse.linalg.spsolve(A.tocsc(), b)


@pytest.mark.parametrize(
    ("preconditioner", "most"),
    [
        (lambda A: None, 2000),
        (pymatting.jacobi, 1000),
        (pymatting.ichol, 10),
        (lambda A: pymatting.vcycle(A, (40, 48)), 300),
    ],
    ids=["none", "jacobi", "ichol", "vcycle"],
)
def test_conjugate_gradients(system, preconditioner, most):
    A, b, x = system
    counter = pymatting.CounterCallback()
    found = pymatting.cg(A, b, M=preconditioner(A), callback=counter)
    assert np.linalg.norm(b - A @ found) <= 1.01e-7 * np.linalg.norm(b)
    assert abs(found - x).max() < 5e-2  # a small residual is no small error
    assert 0 < counter.n <= most


def test_conjugate_gradients_say_when_they_give_up(system):
    A, b, _ = system
    with pytest.raises(ValueError, match="did not converge within 3 iterations"):
        pymatting.cg(A, b, maxiter=3)
    with pytest.raises(ValueError, match="did not converge"):
        pymatting.cg(A, b * np.nan)
    with pytest.raises(ValueError, match="did not converge"):
        pymatting.cg(np.array([[0.0, 1], [1, 0]]), np.array([1.0, 0]))
    assert (pymatting.cg(A, 0 * b) == 0).all()


def test_reorthogonalised_residuals_need_no_more_iterations(system):
    A, b, _ = system
    counts = []
    for reorthogonalize in (False, True):
        counter = pymatting.CounterCallback()
        pymatting.cg(A, b, M=pymatting.jacobi(A), callback=counter, reorthogonalize=reorthogonalize)
        counts.append(counter.n)
    assert counts[1] <= counts[0]


def test_progress_is_written(capsys):
    pymatting.cg(np.array([[3.0, 1], [1, 2]]), np.array([4.0, 3]), callback=pymatting.ProgressCallback())
    assert capsys.readouterr().out.startswith("iteration       1 - ")


def test_incomplete_cholesky(system):
    A, b, x = system
    exact = pymatting.ichol(A.tocsc(), discard_threshold=0.0)
    assert abs(exact.L @ exact.L.T - A).max() < 1e-9
    assert abs(exact(b) - x).max() < 1e-6
    with pytest.raises(ValueError, match=r"Matrix A must be a scipy.sparse.csc_matrix"):
        pymatting.ichol(A.toarray())
    with pytest.raises(ValueError, match="more than max_nnz"):
        pymatting.ichol(A, max_nnz=10)
    with pytest.raises(ValueError, match="insufficient positive-definiteness"):
        pymatting.ichol(scipy.sparse.csc_matrix(-np.eye(3)), shifts=[0.0, 0.5])
    assert abs(pymatting.ichol(scipy.sparse.csc_matrix(-np.eye(3)))(np.ones(3))).max() < 1
