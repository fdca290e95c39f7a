import json
import pickle

import numpy as np
import pytest
from reference import closed_form
from tolerances import ALPHA_CG, ALPHA_DIRECT, ALPHA_ROUNDED, ALPHA_TOLERANCE

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


@pytest.mark.parametrize("solver", ["multigrid", "graph-multigrid", "cg"])
def test_tolerances_that_rounding_may_forbid_are_warned_of(noise, solver):
    image, trimap = noise
    direct = tm.estimate_alpha(image, trimap, solver="cholesky", tolerance=1e-12, method="closed-form")
    for tolerance in (1e-9, 1e-10, 1e-12):
        with pytest.warns(tm.TrimatteWarning, match=f"^tolerance: expected at least 1e-07, got {tolerance:g}; "):
            alpha = tm.estimate_alpha(image, trimap, solver=solver, tolerance=tolerance, method="closed-form")
        assert abs(alpha - direct).max() <= max(tolerance, ALPHA_ROUNDED)
    tm.estimate_alpha(image, trimap, solver=solver, tolerance=1e-7, method="closed-form")


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
