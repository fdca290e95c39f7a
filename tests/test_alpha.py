import json
import pickle

import numpy as np
import pytest
from reference import closed_form
from tolerances import ALPHA_CG, ALPHA_DIRECT, ALPHA_FLOAT32, ALPHA_TOLERANCE

import trimatte as tm
from trimatte import _solve


def split(trimap):
    return trimap >= 0.9, trimap <= 0.1


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("radius", [1, 2])
def test_hard_system_equals_the_reference(noise, radius, grey):
    image, trimap = noise
    image = image[..., 1] if grey else image
    L = closed_form.laplacian(image, radius=radius)
    expected = closed_form.solve_hard(L, *split(trimap))
    alpha = tm.estimate_alpha(image, trimap, solver="cholesky", radius=radius, method="closed-form")
    assert abs(alpha - expected).max() < ALPHA_DIRECT


def test_hard_system_equals_the_reference_on_a_scene(scene):
    image, trimap = scene.image.astype(np.float64), scene.trimap / 255
    expected = closed_form.solve_hard(closed_form.laplacian(image), *split(trimap))
    assert (
        abs(tm.estimate_alpha(image, trimap, solver="cholesky", method="closed-form") - expected).max()
        < ALPHA_DIRECT
    )


@pytest.mark.parametrize("weight", [100.0, 0.01])
def test_soft_system_equals_the_script(noise, weight):
    image, trimap = noise
    expected = closed_form.solve_soft(closed_form.laplacian(image), *split(trimap), weight)
    alpha, info = tm.solve_alpha(image, trimap, solver="cholesky", known_weight=weight)
    assert abs(alpha - expected).max() < ALPHA_DIRECT
    assert info.unknowns == trimap.size
    known = trimap != 0.5
    assert (alpha[known] != trimap[known]).any()


def test_cg_equals_cholesky(noise):
    image, trimap = noise
    direct = tm.estimate_alpha(image, trimap, solver="cholesky", method="closed-form")
    alpha, info = tm.solve_alpha(image, trimap, solver="cg", relative_residual=1e-12, method="closed-form")
    assert abs(alpha - direct).max() < ALPHA_CG
    assert info.solver == "cg"
    assert info.iterations > 10


@pytest.mark.parametrize("solver", ["cg", "multigrid"])
@pytest.mark.parametrize("weight", [1.0, 100.0, 1e6])
def test_iterative_solvers_equal_cholesky_in_the_soft_system(noise, solver, weight):
    image, trimap = noise
    direct = tm.estimate_alpha(image, trimap, solver="cholesky", known_weight=weight)
    alpha = tm.estimate_alpha(image, trimap, solver=solver, known_weight=weight)
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


def test_cg_does_not_claim_what_rounding_forbids(noise):
    image, trimap = noise
    for impossible in (1e-18, 1e-200):
        with pytest.raises(tm.ConvergenceError) as e:
            tm.solve_alpha(image, trimap, solver="cg", relative_residual=impossible, method="closed-form")
        assert np.isfinite(e.value.alpha).all()


@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-9])
def test_cg_reaches_the_residual_asked_for(noise, tolerance):
    image, trimap = noise
    info = tm.solve_alpha(image, trimap, solver="cg", relative_residual=tolerance, method="closed-form").info
    assert info.relative_residual <= 1.01 * tolerance
    assert info.relative_residual > 1e-4 * tolerance


def test_cg_that_gives_up_says_so_and_keeps_what_it_has(noise):
    image, trimap = noise
    with pytest.raises(
        tm.ConvergenceError, match=r"cg: relative residual .* after 5 iterations, wanted an error .* of 1e-10$"
    ) as e:
        tm.solve_alpha(image, trimap, solver="cg", relative_residual=1e-10, max_iterations=5, method="closed-form")
    error = e.value
    assert isinstance(error, RuntimeError)
    assert error.info.iterations == 5
    assert error.info.relative_residual > 1e-10
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert (copy.alpha == error.alpha).all()
    assert copy.info == error.info
    direct = tm.estimate_alpha(image, trimap, method="closed-form")
    assert 0.001 < abs(error.alpha - direct).max() < 1
    assert (error.alpha[trimap == 1] == 1).all()


@pytest.fixture(scope="module", params=["dandelion", "hair", "net"])
def solved(request):
    scene = getattr(tm.datasets, request.param)(150, 210, seed=4)
    return scene, tm.estimate_alpha(
        scene.image.astype(np.float64), scene.trimap, solver="cholesky", method="closed-form"
    )


class TestMultigrid:
    """The promise is the largest error of alpha, against a direct solution."""

    @pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-5])
    def test_keeps_the_tolerance(self, solved, tolerance):
        scene, direct = solved
        image = scene.image.astype(np.float64)
        alpha, info = tm.solve_alpha(
            image, scene.trimap, solver="multigrid", tolerance=tolerance, method="closed-form"
        )
        assert abs(alpha - direct).max() <= tolerance
        assert info.solver == "multigrid"
        assert 0 < info.error_estimate <= tolerance
        assert 3 <= info.iterations <= 200
        assert 1.1 < info.operator_complexity < 4  # a third of it the dense inverse of so small a system
        assert list(info.seconds) == ["regions", "laplacian", "hierarchy", "cg"]

    def test_auto_takes_it_for_many_unknowns(self):
        scene = tm.datasets.net(300, 420, seed=4)
        info = tm.solve_alpha(scene.image, scene.trimap, method="closed-form").info
        assert info.unknowns > 20_000
        assert info.regions["multigrid"] == 1

    def test_soft_system(self, noise):
        image, trimap = noise
        direct = tm.estimate_alpha(image, trimap, solver="cholesky", known_weight=100.0)
        alpha = tm.estimate_alpha(image, trimap, solver="multigrid", known_weight=100.0)
        assert abs(alpha - direct).max() <= ALPHA_TOLERANCE

    def test_cells_whose_columns_nearly_vanish(self):
        """A cell between the strands has no node of its own: P of least energy leaves it almost nothing."""
        scene = tm.datasets.net(120, 180, seed=776, noise=0.008)
        image = np.round(scene.image * 255).astype(np.uint8)
        alpha, info = tm.solve_alpha(image, scene.trimap, solver="multigrid", method="closed-form")
        direct = tm.estimate_alpha(image, scene.trimap, solver="cholesky", method="closed-form")
        assert abs(alpha - direct).max() <= ALPHA_TOLERANCE
        assert info.iterations <= 15

    def test_gives_up_aloud(self, solved):
        scene, direct = solved
        message = r"multigrid: .* after 2 iterations, wanted an error of 1e-06"
        with pytest.raises(tm.ConvergenceError, match=message) as e:
            tm.solve_alpha(
                scene.image,
                scene.trimap,
                solver="multigrid",
                tolerance=1e-6,
                max_iterations=2,
                method="closed-form",
            )
        with pytest.raises(
            tm.ConvergenceError, match="after 9 iterations"
        ):  # too few to be sure, though it is good
            tm.solve_alpha(scene.image, scene.trimap, solver="multigrid", max_iterations=9, method="closed-form")
        assert abs(e.value.alpha - direct).max() > 1e-6
        assert e.value.info.error_estimate > 1e-6


def test_info(scene):
    alpha, info = tm.solve_alpha(scene.image, scene.trimap, threads=1, method="closed-form")
    unknown = (scene.trimap > 25) & (scene.trimap < 230)
    assert info.method == "closed-form"
    assert info.solver == "cholesky"
    assert info.iterations == 0
    assert info.error_estimate == 0
    assert info.unknowns == unknown.sum()
    assert info.relative_residual < 1e-12
    assert info.threads == 1
    assert list(info.seconds) == ["regions", "laplacian", "ordering", "factorisation", "substitution"]
    assert info.regions == {"cholesky": 1}
    assert all(s >= 0 for s in info.seconds.values())
    # At least the matrix: 12 bytes an entry, near 25 of them a row.
    assert info.peak_bytes > 12 * 20 * info.unknowns
    assert json.loads(json.dumps(info.as_dict()))["unknowns"] == info.unknowns
    assert alpha.min() >= 0
    assert alpha.max() <= 1


def test_known_pixels_are_exact_and_the_matte_is_near_the_truth(scene):
    alpha = tm.estimate_alpha(scene.image, scene.trimap, method="closed-form")
    assert (alpha[scene.trimap == 255] == 1).all()
    assert (alpha[scene.trimap == 0] == 0).all()
    assert abs(alpha - scene.alpha).mean() < 0.03


def test_a_composite_of_two_flat_colours_is_recovered():
    truth = np.clip(np.add.outer(np.linspace(-0.5, 1.5, 20), np.linspace(-0.4, 0.4, 25)), 0, 1)
    image = truth[..., None] * [0.9, 0.3, 0.1] + (1 - truth[..., None]) * [0.1, 0.4, 0.8]
    trimap = np.where((truth > 0) & (truth < 1), 0.5, truth)
    # Not exact: epsilon asks for smoothness.
    assert abs(tm.estimate_alpha(image, trimap, method="closed-form") - truth).max() < 2e-3


def test_flips_and_channel_order_change_nothing(scene):
    image, trimap = scene.image.astype(np.float64), scene.trimap
    alpha = tm.estimate_alpha(image, trimap, method="closed-form")
    assert (
        abs(tm.estimate_alpha(image[::-1], trimap[::-1], method="closed-form")[::-1] - alpha).max() < ALPHA_DIRECT
    )
    assert (
        abs(tm.estimate_alpha(image[:, ::-1], trimap[:, ::-1], method="closed-form")[:, ::-1] - alpha).max()
        < ALPHA_DIRECT
    )
    assert abs(tm.estimate_alpha(image[..., ::-1], trimap, method="closed-form") - alpha).max() < ALPHA_DIRECT


class TestArrays:
    """Every way of storing the same numbers gives the same answer."""

    @pytest.fixture
    def eighths(self, noise):
        """A picture whose numbers every float has exactly."""
        image, trimap = noise
        return np.round(image * 256) / 256, trimap

    def test_floats(self, eighths):
        image, trimap = eighths
        alpha = tm.estimate_alpha(image, trimap, method="closed-form")
        assert alpha.dtype == np.float64
        single = tm.estimate_alpha(image.astype(np.float32), trimap.astype(np.float32), method="closed-form")
        assert single.dtype == np.float32
        assert abs(single - alpha).max() < ALPHA_FLOAT32
        assert (tm.estimate_alpha(image.astype(np.float16), trimap, method="closed-form") == single).all()

    def test_integers(self, noise):
        image, trimap = noise
        eight = np.round(image * 255).astype(np.uint8)
        alpha = tm.estimate_alpha(eight / 255, trimap, method="closed-form")
        for array in (eight, eight.astype(np.uint16) * 257, eight.astype(">u2") * np.array(257, ">u2")):
            assert abs(tm.estimate_alpha(array, trimap, method="closed-form") - alpha).max() < ALPHA_FLOAT32

    def test_layouts(self, noise):
        image, trimap = noise
        alpha = tm.estimate_alpha(image, trimap, method="closed-form")
        read_only = image.copy()
        read_only.setflags(write=False)
        wide = np.repeat(np.repeat(image, 2, axis=0), 3, axis=1)
        for same in (
            np.asfortranarray(image),
            np.frombuffer(b"-" + image.tobytes(), offset=1).reshape(image.shape),
            read_only,
            wide[::2, ::3],
            image.astype(">f8"),
            image.tolist(),
        ):
            assert (tm.estimate_alpha(same, trimap, method="closed-form") == alpha).all()
        for same in (
            np.asfortranarray(trimap),
            trimap.astype(">f4"),
            trimap[..., None],
            trimap.astype(np.longdouble),
        ):
            assert (tm.estimate_alpha(image, same, method="closed-form") == alpha).all()

    def test_inputs_are_not_changed(self, noise):
        image, trimap = noise
        image_before, trimap_before = image.copy(), trimap.copy()
        tm.estimate_alpha(image, trimap, method="closed-form")
        assert (image == image_before).all()
        assert (trimap == trimap_before).all()

    def test_grey_with_and_without_a_third_axis(self, noise):
        image, trimap = noise
        grey = image[..., 0]
        assert (
            tm.estimate_alpha(grey, trimap, method="closed-form")
            == tm.estimate_alpha(grey[..., None], trimap, method="closed-form")
        ).all()


class TestTrimaps:
    def test_colours_that_are_grey(self, noise):
        image, trimap = noise
        alpha = tm.estimate_alpha(image, trimap, method="closed-form")
        eight = np.round(trimap * 255).astype(np.uint8)
        opaque = np.full_like(eight, 255)
        for same in (
            np.stack([eight] * 3, axis=-1),
            np.stack([eight, eight, eight, opaque], axis=-1),
            np.stack([eight, opaque], axis=-1),
        ):
            assert (tm.estimate_alpha(image, same, method="closed-form") == alpha).all()

    def test_thresholds(self, noise):
        image, trimap = noise
        many = np.where(trimap == 0.5, 0.3, np.where(trimap == 1, 0.8, 0.2))
        alpha = tm.estimate_alpha(image, trimap, method="closed-form")
        same = tm.estimate_alpha(
            image, many, background_threshold=0.2, foreground_threshold=0.8, method="closed-form"
        )
        assert (same == alpha).all()
        at_defaults = np.where(trimap == 0.5, 0.5, np.where(trimap == 1, 0.9, 0.1))
        assert (tm.estimate_alpha(image, at_defaults, method="closed-form") == alpha).all()

    @pytest.mark.parametrize("dtype", [bool, np.uint8, np.float64])
    def test_nothing_unknown(self, dtype):
        trimap = np.zeros((7, 9), dtype)
        trimap[2:4] = 255 if dtype == np.uint8 else 1
        with pytest.warns(tm.TrimatteWarning, match="trimap: no pixel is unknown, .*matte_from_mask"):
            alpha, info = tm.solve_alpha(np.random.default_rng(0).random((7, 9, 3)), trimap, method="closed-form")
        assert (alpha == (trimap > 0)).all()
        assert info.solver == "none"

    @pytest.mark.parametrize(("value", "kind"), [(0, "background"), (1, "foreground")])
    def test_all_of_one_kind(self, value, kind):
        message = f"trimap: no pixel is unknown, all are {kind}, so that alpha is {value} everywhere"
        with pytest.warns(tm.TrimatteWarning, match=message):
            alpha = tm.estimate_alpha(np.zeros((7, 9, 3)), np.full((7, 9), float(value)), method="closed-form")
        assert (alpha == value).all()

    @pytest.mark.parametrize(
        ("trimap", "message"),
        [
            (np.full((7, 9), 0.5), "trimap: expected some foreground and some background, got only unknown"),
            (np.tile([0.5, 0, 0], (7, 3)), "trimap: expected some foreground pixels, got none"),
            (np.tile([0.5, 1, 1], (7, 3)), "trimap: expected some background pixels, got none"),
        ],
    )
    def test_too_little_known(self, trimap, message):
        with pytest.raises(ValueError, match=message):
            tm.estimate_alpha(np.zeros((7, 9, 3)), trimap, method="closed-form")

    @pytest.mark.parametrize("top", [1, 2])
    def test_integer_labels_are_refused(self, noise, top):
        image, trimap = noise
        with pytest.raises(ValueError, match=f"trimap: expected uint8 values up to 255, got labels up to {top}"):
            tm.estimate_alpha(image, (trimap * top).astype(np.uint8), method="closed-form")

    @pytest.mark.parametrize("name", ["trimap", "prior", "start"])
    def test_eight_bit_values_in_sixteen_bits_are_refused(self, noise, name):
        image, trimap = noise
        planes = {name: np.round(trimap * 255).astype(np.uint16)}
        message = f"{name}: expected uint16 values up to 65535, got 8-bit values up to 255; convert them to uint8"
        with pytest.raises(ValueError, match=message):
            tm.estimate_alpha(image, **{"trimap": trimap, **planes})
        with pytest.raises(ValueError, match=f"{name}: .* got labels up to 2; scale them so that 65535 is white"):
            tm.estimate_alpha(image, **{"trimap": trimap, name: (trimap * 2).astype(np.uint16)})

    def test_colours_and_transparency_are_refused(self, noise):
        image, trimap = noise
        coloured = np.stack([trimap, trimap, trimap * 0.5], axis=-1)
        with pytest.raises(ValueError, match=r"trimap: expected grey .* coloured pixels"):
            tm.estimate_alpha(image, coloured, method="closed-form")
        transparent = np.stack([np.ones_like(trimap)] * 3 + [trimap], axis=-1)
        with pytest.raises(ValueError, match="trimap: expected an opaque picture"):
            tm.estimate_alpha(image, transparent, method="closed-form")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("image", lambda p, m: tm.estimate_alpha(m, p, method="closed-form")),
        ("trimap", lambda p, m: tm.estimate_alpha(p, m, method="closed-form")),
        ("trimap", lambda p, m: tm.estimate_alpha(p, m > 0.5, method="closed-form")),
        ("prior", lambda p, m: tm.estimate_alpha(p, p, prior=m)),
        ("confidence", lambda p, m: tm.estimate_alpha(p, p, prior=p, confidence=m)),
        ("start", lambda p, m: tm.estimate_alpha(p, p, start=m, method="closed-form")),
        ("mask", lambda p, m: tm.matte_from_mask(p, m)),
        ("foreground", lambda p, m: tm.trimap_from_strokes(m > 0.5, p)),
        ("alpha", lambda p, m: tm.estimate_foreground(p, m)),
        ("alpha", lambda p, m: tm.metrics.sad(m, p)),
        ("region", lambda p, m: tm.metrics.sad(p, p, region=m > 0.5)),
        ("known", lambda p, m: tm.closed_form_laplacian(p, known=m > 0.5)),
    ],
)
def test_masked_values_are_refused(name, call):
    plane = np.linspace(0, 1, 63).reshape(7, 9)
    with pytest.raises(TypeError, match=rf"{name}: expected an array without masked values, .*\.filled\(value\)"):
        call(plane, np.ma.masked_less(plane, 0.2))


def test_a_masked_array_without_masked_values_is_an_array(noise):
    image, trimap = noise
    np.testing.assert_array_equal(
        tm.estimate_alpha(np.ma.array(image), np.ma.array(trimap), method="closed-form"),
        tm.estimate_alpha(image, trimap, method="closed-form"),
    )


def with_value(value):
    image = np.full((7, 9, 3), 0.5)
    image[2, 4, 1] = value
    return image


GOOD = np.tile([0.0, 0.5, 1.0], (7, 3))


@pytest.mark.parametrize(
    ("image", "trimap", "error", "message"),
    [
        (
            np.zeros((7, 8, 3)),
            GOOD,
            ValueError,
            r"trimap: expected shape \(7, 8\) to match image, got \(7, 9\)",
        ),
        (np.zeros((7, 9, 3)), GOOD[:3], ValueError, r"trimap: expected shape \(7, 9\) .* got \(3, 9\)"),
        (
            np.zeros((7, 9, 4)),
            GOOD,
            ValueError,
            r"image: expected shape \(H, W, 3\).*got \(7, 9, 4\); pass image",
        ),
        (np.zeros((7, 9, 2)), GOOD, ValueError, r"image: expected shape .* got \(7, 9, 2\)"),
        (np.zeros((1, 7, 9, 3)), GOOD, ValueError, r"image: expected shape .* got \(1, 7, 9, 3\)"),
        (np.zeros(7), GOOD, ValueError, r"image: expected shape .* got \(7,\)"),
        (
            np.zeros((0, 9, 3)),
            GOOD[:0],
            ValueError,
            r"image: expected at least 3 x 3 pixels, got \(0, 9, 3\)",
        ),
        (
            np.zeros((2, 9, 3)),
            GOOD[:2],
            ValueError,
            r"image: expected at least 3 x 3 pixels, got \(2, 9, 3\)",
        ),
        (np.zeros((7, 9, 3)), GOOD[0], ValueError, r"trimap: expected shape \(H, W\), got \(9,\)"),
        (
            np.zeros((7, 9, 3), int),
            GOOD,
            TypeError,
            "image: expected uint8, uint16, or floating point .* got int64",
        ),
        (np.zeros((7, 9, 3), complex), GOOD, TypeError, "image: .* got complex128"),
        (np.zeros((7, 9, 3)), GOOD.astype(np.int8), TypeError, "trimap: expected .* got int8"),
        (with_value(np.nan), GOOD, ValueError, r"image: expected values in \[0, 1\], got nan at \(2, 4, 1\)"),
        (with_value(np.inf), GOOD, ValueError, r"image: .* got inf at \(2, 4, 1\)"),
        (with_value(-0.25), GOOD, ValueError, r"image: .* got -0.25 at \(2, 4, 1\)"),
        (
            with_value(255.0),
            GOOD,
            ValueError,
            r"image: .* got 255.0 at \(2, 4, 1\) \(divide 8-bit values by 255\)",
        ),
        (with_value(1.5), GOOD, ValueError, r"image: .* got 1.5 at \(2, 4, 1\) \(scene-linear\?"),
        (np.zeros((7, 9, 3)), with_value(np.nan)[..., 1], ValueError, r"trimap: .* got nan at \(2, 4\)"),
        ("a.png", GOOD, TypeError, "image: expected an array, got the path 'a.png'; trimatte.io.load_image"),
        (np.zeros((7, 9, 3)), GOOD * 255, ValueError, r"trimap: .* got 127.5 at \(0, 1\)"),
    ],
)
def test_bad_arrays(image, trimap, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(image, trimap, method="closed-form")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "magic"}, ValueError, "method: expected one of auto, best, closed-form, .*got 'magic'"),
        (
            {"solver": "lu"},
            ValueError,
            "solver: expected one of auto, cholesky, multigrid, graph-multigrid, cg, got 'lu'",
        ),
        ({"epsilon": -1}, ValueError, "epsilon: expected a number from 1e-08 to 1e.06, got -1"),
        ({"known_weight": 0}, ValueError, "known_weight: expected a number from 1e-12 to 1e.12, got 0"),
        ({"tolerance": 0}, ValueError, "tolerance: expected a number from 1e-12 to 1, got 0"),
        (
            {"solver": "multigrid", "radius": 2, "method": "learning-based"},
            ValueError,
            "solver: multigrid needs .* reach is at most 2 .* radius=2",
        ),
        ({"relative_residual": 0}, ValueError, "relative_residual: expected a number above 0"),
        ({"max_iterations": 0}, ValueError, "max_iterations: expected at least 1, got 0"),
        ({"radius": 4}, ValueError, r"image: expected at least 9 x 9 pixels, got \(7, 9, 3\)"),
        (
            {"background_threshold": 0.95},
            ValueError,
            "background_threshold, foreground_threshold: expected 0 <=",
        ),
        ({"threads": 0}, ValueError, "threads: expected at least 1, got 0"),
        ({"threads": 2**40}, ValueError, "threads: expected at most 1024, got 1099511627776"),
        ({"max_iterations": 2**70}, ValueError, "max_iterations: expected at most 2147483647, got"),
        ({"threads": 1.5}, TypeError, "threads: expected an integer or None, got float"),
        ({"progress": 3}, TypeError, "progress: expected a callable or None, got int"),
        ({"colour": 1}, TypeError, "colour"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_alpha(np.zeros((7, 9, 3)), GOOD, **options)


def test_eight_bit_colours_in_sixteen_bits_warn_once(noise):
    dark, trimap = (noise[0] * 255).astype(np.uint16), noise[1]
    message = r"image: expected uint16 values up to 65535, got none above 25.; 8-bit ones belong into uint8"
    for call in (
        lambda: tm.estimate_alpha(dark, trimap, method="closed-form"),
        lambda: tm.cutout(dark, trimap, method="closed-form"),
        lambda: tm.matte_from_mask(dark, trimap, learn=False),
    ):
        with pytest.warns(tm.TrimatteWarning, match=message) as heard:
            call()
        assert len(heard) == 1
    for fine in (dark * 0, dark + np.uint16(9)):
        tm.estimate_alpha(fine, trimap, method="closed-form")  # any warning would be an error


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (
            1,
            "trimap: 1 unknown region touches known pixels of one kind only, .* is that kind all over it;",
        ),
        (3, 'trimap: 3 unknown regions touch known .*; if each of them may .*method="best", or a prior$'),
    ],
)
def test_regions_with_a_constant_answer_are_said(noise, monkeypatch, count, words):
    def counted(*arguments):
        return {**solve(*arguments), "regions": {"cholesky": 2, "constant": count}}

    solve = _solve.solve
    monkeypatch.setattr(_solve, "solve", counted)
    with pytest.warns(tm.TrimatteWarning, match=words) as heard:
        info = tm.solve_alpha(*noise, method="closed-form").info
    assert info.regions == {"cholesky": 2, "constant": count}
    assert info.as_dict()["regions"]["constant"] == count
    assert heard[0].filename == __file__


@pytest.mark.parametrize(
    "call",
    [
        lambda image, trimap: tm.estimate_alpha(image, trimap, method="closed-form"),
        lambda image, trimap: tm.cutout(image, trimap, method="closed-form"),
        lambda image, trimap: next(tm.solve_sequence([image], [trimap], method="closed-form")),
    ],
)
def test_warnings_are_of_the_callers_line(noise, call):
    with pytest.warns(tm.TrimatteWarning, match="no pixel is unknown") as heard:
        call(noise[0], noise[1] > 0.6)
    assert heard[0].filename == __file__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": None}, "image: expected uint8, .* got None"),
        ({"image": {}}, "image: expected uint8, .* got dict"),
        ({"trimap": None}, "trimap: expected uint8, .* got None"),
        ({"trimap": np.zeros((7, 9), object)}, "trimap: expected uint8, .* got object"),
        ({"start": [["a"]]}, "start: expected uint8, .* got list"),
        ({"prior": tm.priors.Robust}, "prior: expected a name, .* or an array, got the class Robust"),
        ({"prior": ["sampling"]}, "prior: expected a name, .* or an array, got list"),
    ],
)
def test_arguments_of_another_kind(arguments, message):
    with pytest.raises(TypeError, match=message):
        tm.estimate_alpha(**{"image": np.zeros((7, 9, 3)), "trimap": GOOD, **arguments})


def test_hints_are_for_the_argument_that_is_wrong():
    bright, high = np.zeros((7, 9, 3)), np.zeros((7, 9))
    bright[0], high[0] = 1.5, 1.5
    with pytest.raises(ValueError, match=r'image: .* got 1.5 .*choose the colour space "linear"'):
        tm.estimate_alpha(bright, GOOD, method="closed-form")
    with pytest.raises(ValueError, match=r"image: .* got 1.5 .*trimatte.colour.srgb_from_linear"):
        tm.closed_form_laplacian(bright)
    for name in ("trimap", "prior", "start"):
        with pytest.raises(ValueError, match=rf"{name}: .* got 1.5 at \(0, 0\)$"):
            tm.estimate_alpha(bright * 0, **{"trimap": GOOD, name: high})
    with pytest.raises(ValueError, match=r"alpha: .* got 1.5 at \(0, 0\)$"):
        tm.metrics.sad(high, GOOD)
    with pytest.raises(ValueError, match=r"scribbled: .*pass scribbled\[..., :3\]"):
        tm.trimap_from_scribbles(bright * 0, np.zeros((7, 9, 4)))


def degenerate():
    rng = np.random.default_rng(5)
    frame = np.full((20, 24), 0.5)
    frame[:, 0] = 0
    frame[:, -1] = 1
    noise = rng.random((20, 24, 3))
    line = np.zeros((20, 24))
    line[:, 12:] = 1
    line[:, 11] = 0.5
    border = np.full((20, 24), 0.5)
    border[8:12, 4:10] = 1
    border[8:12, 14:20] = 0
    two = np.full((20, 24), 0.5)
    two[3, 4], two[15, 20] = 0, 1
    dots = np.zeros((20, 24))
    dots[:, 16:] = 1
    dots[::3, ::3] = 0.5
    apart = np.zeros((20, 24))
    apart[:, 18:] = 1
    apart[5:15, 4:10] = 0.5
    board = np.broadcast_to((np.indices((20, 24)).sum(axis=0) % 2)[..., None].astype(float), (20, 24, 3))
    return {
        "constant": (np.full((20, 24, 3), 0.4), frame),
        "black": (np.zeros((20, 24, 3)), frame),
        "white, 8 bits": (np.full((20, 24, 3), 255, np.uint8), frame),
        "saturated areas": ((noise > 0.9).astype(float), frame),
        "grey checkerboard": (board, frame),
        "two flat colours": (np.where(np.arange(24)[:, None] < 9, 0.2, 0.7) * np.ones((20, 24, 3)), frame),
        "line of one pixel": (noise, line),
        "unknown on the border": (noise, border),
        "all but two pixels": (noise, two),
        "all but two pixels, constant": (np.full((20, 24, 3), 0.4), two),
        "all but two pixels, grey": (noise[..., 0], two),
        "isolated pixels": (noise, dots),
        "foreground out of reach": (noise, apart),
        "three rows": (noise[:3], line[:3]),
        "three by three": (noise[:3, :3], np.array([[0, 0.5, 1]] * 3)),
    }


@pytest.mark.parametrize("name", degenerate())
@pytest.mark.parametrize("solver", ["cholesky", "multigrid", "cg"])
def test_degenerate_pictures_are_solved(name, solver):
    image, trimap = degenerate()[name]
    alpha = tm.estimate_alpha(image, trimap, solver=solver, method="closed-form")
    assert np.isfinite(alpha).all()
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    assert (alpha[trimap == 1] == 1).all()
    assert (alpha[trimap == 0] == 0).all()
    if solver == "multigrid":
        assert (
            abs(alpha - tm.estimate_alpha(image, trimap, solver="cholesky", method="closed-form")).max()
            < ALPHA_TOLERANCE
        )


# Columns of neighbouring cells depend on each other there, and rounding makes coarse matrices indefinite.
@pytest.mark.parametrize(
    ("seed", "shape", "shares", "confidence"),
    [(seed, (12, 32), [0.4, 0.2, 0.4], None) for seed in (11, 48, 209, 305, 364, 369, 518, 589, 621, 738, 746)]
    + [(146, (100, 100), [0.45, 0.1, 0.45], 1e-3)],
)
def test_scattered_unknown_pixels(seed, shape, shares, confidence):
    random = np.random.default_rng(seed)
    image, trimap = random.random((*shape, 3)), random.choice([0, 0.5, 1], shape, p=shares)
    prior = None if confidence is None else random.integers(0, 2, shape).astype(float)
    alpha, direct = (
        tm.estimate_alpha(image, trimap, solver=solver, prior=prior, confidence=confidence)
        for solver in ("multigrid", "cholesky")
    )
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE


@pytest.mark.parametrize("solver", ["cholesky", "multigrid", "cg"])
def test_what_meets_only_background_is_background(solver):
    image, trimap = degenerate()["foreground out of reach"]
    assert (tm.estimate_alpha(image, trimap, solver=solver, method="closed-form") == (trimap == 1)).all()


def test_a_constant_picture_is_interpolated():
    alpha = tm.estimate_alpha(*degenerate()["constant"], method="closed-form")
    # No colour to go by: about harmonic, so nearly linear between the known columns but for the last pixels,
    # and as far from one side as from the other.
    assert (np.diff(alpha, axis=1) > 0).all()
    assert abs(alpha + alpha[:, ::-1] - 1).max() < ALPHA_DIRECT
    assert abs(alpha - np.linspace(0, 1, 24))[:, 2:-2].max() < 0.05
