"""PyMatting's functions on trimatte: how other programs call them, what those catch, and the helpers."""

import inspect
import pickle
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import scipy.sparse
from PIL import Image
from tolerances import PYMATTING

import trimatte as tm
import trimatte.pymatting as pymatting
from trimatte.errors import TrimatteWarning

ESTIMATORS = ["cf", "knn", "lbdm", "lkm", "rw"]


@pytest.fixture(scope="module")
def picture():
    """Image and trimap as PyMatting's users have them, and the exact alpha."""
    scene = tm.datasets.hair(40, 48, seed=3)
    trimap = np.where(scene.trimap == 128, 0.5, scene.trimap / 255.0)
    return scene.image.astype(np.float64), trimap, scene.alpha


def options_of(name):
    """Options with windows that fit into a small picture."""
    return {"laplacian_kwargs": {"radius": 3}} if name == "lkm" else {}


def run(code, *arguments):
    """Run Python lines in a process of their own; return what they print."""
    done = subprocess.run(
        [sys.executable, *arguments, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
    exact = tm.estimate_alpha(normalized, trimap8, solver="cholesky")
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
    smoother = tm.estimate_alpha(image, trimap, epsilon=1e-6, solver="cholesky")
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
    exact = tm.estimate_alpha(image, trimap, solver="cholesky")
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
        result = tm.solve_alpha(image, trimap)
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
    expected = tm.estimate_foreground(image, truth, exact_composite=False).foreground
    assert (colours == expected).all()


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
    layers = tm.estimate_foreground(image, truth, method="closed-form", exact_composite=False)
    assert (foreground == layers.foreground).all()
    assert (background == layers.background).all()
    assert pymatting.estimate_foreground_cf(image.astype(np.float32), truth).dtype == np.float32
    with pytest.raises(TypeError, match="ichol"):
        pymatting.estimate_foreground_cf(image, truth, ichol_kwargs={"level": 1})
    with pytest.raises(ValueError, match="neighbors: expected the four"):
        pymatting.estimate_foreground_cf(image, truth, neighbors=[(0, 1)])


# Entry


SIGNATURES = {
    "estimate_alpha_cf": "image, trimap, preconditioner, laplacian_kwargs, cg_kwargs",
    "estimate_alpha_lkm": "image, trimap, laplacian_kwargs, cg_kwargs",
    "estimate_foreground_ml": "image, alpha, regularization, n_small_iterations, n_big_iterations, small_size, "
    "return_background, gradient_weight",
    "cf_laplacian": "image, epsilon, radius, is_known",
    "cg": "A, b, x0, atol, rtol, maxiter, callback, M, reorthogonalize",
    "load_image": "path, mode, size, resample",
    "make_linear_system": "L, trimap, lambda_value, return_c",
    "vcycle": "A, shape, num_pre_iter, num_post_iter, omega, direct_solve_size, cache",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_have_pymattings_names_and_order(name):
    assert ", ".join(inspect.signature(getattr(pymatting, name)).parameters) == SIGNATURES[name]


def test_install_lets_other_programs_import_it():
    run("""
        import sys
        import trimatte.pymatting as ours
        assert "scipy" not in sys.modules and "numba" not in sys.modules
        ours.install()
        ours.install()
        import pymatting
        assert pymatting is ours and pymatting.__version__ == "1.1.16"
        from pymatting import *
        from pymatting.alpha.estimate_alpha_sm import estimate_alpha_sm
        from pymatting.cutout.cutout import cutout as deep
        from pymatting.laplacian.rw_laplacian import _rw_laplacian
        from pymatting.util.kdtree import knn as deep_knn
        import pymatting.util.util, pymatting.preconditioner.ichol, pymatting.solver.cg
        assert deep is cutout and deep_knn is knn and estimate_alpha is estimate_alpha_cf
        for name in ("cupy", "pyopencl"):
            try:
                __import__(f"pymatting.foreground.estimate_foreground_ml_{name}")
            except ImportError:
                continue
            raise AssertionError(name)
    """)


def test_install_refuses_beside_pymatting_itself():
    out = run("""
        import sys, types
        sys.modules["pymatting"] = types.ModuleType("pymatting")
        import trimatte.pymatting
        try:
            trimatte.pymatting.install()
        except ImportError as error:
            print(error)
        assert sys.modules["pymatting"] is not trimatte.pymatting
    """)
    assert "install: expected that PyMatting is not imported yet" in out


def test_programs_that_cannot_be_edited(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, pymatting\nprint(pymatting.__name__, sys.argv[1:], __name__)\n", encoding="utf-8"
    )
    call = [sys.executable, "-m", "trimatte.pymatting"]
    done = subprocess.run([*call, str(program), "i", "-a"], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "trimatte.pymatting ['i', '-a'] __main__"
    done = subprocess.run([*call, "-m", "program", "-x"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split("\n")[0] == "trimatte.pymatting ['-x'] __main__"
    done = subprocess.run([*call, "trimatte", "--version"], capture_output=True, text=True, check=True)
    assert tm.__version__ in done.stdout
    for arguments, wanted in (
        (["no-such-program"], "PROGRAM: expected a command that is installed"),
        (["no_such_file.py"], "PROGRAM: expected a Python file"),
        ([], "Usage: python -m trimatte.pymatting PROGRAM"),
    ):
        done = subprocess.run([*call, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert wanted in done.stderr


def test_functions_can_be_pickled():
    for function in (pymatting.blend, pymatting.estimate_alpha_cf, pymatting.cf_laplacian):
        assert pickle.loads(pickle.dumps(function)) is function


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


# Helpers


def test_trimaps():
    trimap = np.array([[0, 0.05, 0.1, 0.5, 0.9, 1]])
    is_fg, is_bg, is_known, is_unknown = pymatting.trimap_split(trimap)
    assert is_fg.tolist() == [False] * 4 + [True] * 2
    assert is_bg.tolist() == [True] * 3 + [False] * 3
    assert (is_known == (is_fg | is_bg)).all()
    assert (is_unknown == ~is_known).all()
    assert pymatting.trimap_split(trimap, flatten=False)[0].shape == (1, 6)
    assert pymatting.fix_trimap(np.array([0, 0.1, 0.4, 0.9, 1]), 0.2, 0.8).tolist() == [0, 0, 0.5, 1, 1]
    for thresholds, wanted in (
        ((-1, 0.5), "Invalid lower threshold"),
        ((0.1, 2), "Invalid upper threshold"),
        ((0.9, 0.1), "Lower threshold must be smaller than upper threshold"),
    ):
        with pytest.raises(ValueError, match=wanted):
            pymatting.fix_trimap(trimap, *thresholds)


def test_pictures(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "rgb.png")
    image = pymatting.load_image(tmp_path / "rgb.png")
    assert image.dtype == np.float64
    assert (image == pixels / 255).all()
    assert pymatting.load_image(tmp_path / "rgb.png", "gray").shape == (10, 16)
    for size in (0.5, (8, 5)):
        for resample in ("none", "nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"):
            assert pymatting.load_image(tmp_path / "rgb.png", "RGB", size, resample).shape == (5, 8, 3)
    deep = pixels[..., 0].astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    for mode in (None, "GRAY"):
        assert abs(pymatting.load_image(tmp_path / "deep.png", mode) - deep / 65535).max() < 3e-3
    Image.fromarray(pixels[..., 0] > 100).save(tmp_path / "bits.png")
    assert set(np.unique(pymatting.load_image(tmp_path / "bits.png"))) == {0, 1}
    pymatting.save_image(tmp_path / "saved.png", np.full((2, 3, 1), 0.9999))
    assert np.asarray(Image.open(tmp_path / "saved.png")).tolist() == [[254] * 3] * 2
    with pytest.raises(TypeError, match="expected floating point"):
        pymatting.save_image(tmp_path / "saved.png", np.ones((2, 2), int))


def test_files_keep_the_orientation_in_which_they_are_stored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((4, 9, 3), np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    assert pymatting.load_image(tmp_path / "turned.jpg").shape == (4, 9, 3)


def test_grids_of_images():
    grey, colour, clear = np.full((2, 3), 0.3), np.ones((4, 3, 3)), np.ones((1, 1, 4))
    grid = pymatting.make_grid([grey, colour, clear])
    assert grid.shape == (8, 6, 4)
    assert grid[0, 0].tolist() == [0.3, 0.3, 0.3, 1]
    assert grid[3, 0].tolist() == [0] * 4
    assert pymatting.make_grid([grey] * 5).shape == (4, 9)
    assert pymatting.make_grid([grey] * 5, ny=1).shape == (2, 15)
    assert pymatting.make_grid([]) is None


def test_arrays():
    a = np.arange(12.0).reshape(3, 4)
    assert pymatting.vec_vec_dot(a, a).tolist() == [14, 126, 366]
    assert pymatting.vec_vec_outer(a, a).shape == (3, 4, 4)
    assert pymatting.mat_vec_dot(np.ones((5, 2, 3)), np.ones((5, 3))).tolist() == [[3, 3]] * 5
    assert pymatting.div_round_up(7, 3) == 3
    assert pymatting.isiterable([]) is True
    assert pymatting.isiterable(3) is False
    x, y = pymatting.grid_coordinates(3, 2, flatten=True)
    assert x.tolist() == [0, 1, 2] * 2
    assert y.tolist() == [0] * 3 + [1] * 3
    assert pymatting.normalize([0, 1, 3, 10]).tolist() == [0, 0.1, 0.3, 1]
    assert pymatting.row_sum(scipy.sparse.csr_matrix(a)).tolist() == [6, 22, 38]
    rows = pymatting.normalize_rows(np.array([[1.0, 1], [1, 2], [0, 0]]), threshold=2.5)
    assert rows[0].tolist() == [1, 1]
    assert rows[1].sum() == 1
    assert rows[2].tolist() == [0, 0]
    doubled = pymatting.apply_to_channels(lambda plane, factor: plane * factor)
    assert (doubled(np.ones((2, 3, 4, 5)), 2) == 2).all()
    assert doubled(np.ones((2, 3)), 2).shape == (2, 3)
    assert pymatting.blend(np.ones((1, 1, 3)), np.zeros(3), np.array([[0.25]])).tolist() == [[[0.25] * 3]]


def test_windows_and_distances():
    src = np.random.default_rng(0).random((9, 11, 2))
    for mode, grow in (("valid", -2), ("same", 0), ("full", 2)):
        sums = pymatting.boxfilter(src, 2, mode)
        padded = np.pad(src, [(grow + 2,) * 2, (grow + 2,) * 2, (0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(0, 1))
        assert abs(sums - windows.sum(axis=(-1, -2))).max() < 1e-12
    with pytest.raises(ValueError, match="mode: expected"):
        pymatting.boxfilter(src, 2, "half")
    mask = np.ones((3, 4))
    mask[0, 0] = 0
    y, x = np.mgrid[:3, :4]
    assert abs(pymatting.distance_transform(mask) - np.hypot(x, y)).max() < 1e-12
    assert np.isinf(pymatting.distance_transform(np.ones((2, 2)))).all()


def test_nearest_neighbours():
    points = np.random.default_rng(0).random((60, 3)).astype(np.float32)
    distances, indices = pymatting.knn(points, points[:7], k=4)
    apart = np.linalg.norm(points[:7, np.newaxis] - points, axis=2)
    assert (indices == np.argsort(apart, axis=1)[:, :4]).all()
    assert abs(distances - np.sort(apart, axis=1)[:, :4]).max() < 1e-6
    assert pymatting.KDTree(points, min_leaf_size=3).query(points, k=1)[1].shape == (60, 1)
    with pytest.raises(ValueError, match="less than the number of neighbors requested"):
        pymatting.knn(points[:3], points, k=5)
    with pytest.raises(ValueError, match="expected finite values"):
        pymatting.KDTree(points * np.nan)


def test_correlation_as_a_matrix():
    rng = np.random.default_rng(0)
    plane, kernel = rng.random((5, 6)), rng.random((3, 3))
    padded = np.pad(plane, 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    expected = (windows * kernel).sum(axis=(2, 3))
    assert abs(pymatting.sparse_conv_matrix(6, 5, kernel) @ plane.ravel() - expected.ravel()).max() < 1e-12
    right = pymatting.sparse_conv_matrix_with_offsets(3, 2, [1.0, -2.0], [0, 1], [0, 0]).toarray()
    assert right[0].tolist() == [1, -2, 0, 0, 0, 0]
    assert right[2].tolist() == [0, 0, -1, 0, 0, 0]


def test_two_colours():
    foreground, background = np.array([1.0, 0.2, 0]), np.array([0, 0.1, 1.0])
    image = np.stack([foreground, background, (foreground + background) / 2])[np.newaxis]
    cut = pymatting.remove_background_bicolor(image, foreground, background)
    assert np.allclose(cut[0, :, 3], [1, 0, 0.5])
    assert np.allclose(cut[0, 0, :3], foreground)
    assert np.allclose(cut[0, 2, :3], foreground)


def test_timer(capsys):
    timer = pymatting.Timer()
    assert timer.stop() >= 0
    timer.stop("Time")
    assert capsys.readouterr().out.startswith("Time - ")
