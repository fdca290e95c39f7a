"""A solver and a preconditioner for sparse Laplacians of one's own."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from operators import with_entry
from own_affinity import FourNeighbours
from reference import closed_form
from reference.minimum import minimum
from scipy.sparse.linalg import LinearOperator, cg
from test_drawings import DRAWINGS
from tolerances import ALPHA_DIRECT, ALPHA_PRIOR, ALPHA_TOLERANCE

import trimatte as tm

SOLVERS = ("auto", "cholesky", "multigrid", "graph-multigrid", "cg")


@pytest.fixture(scope="module")
def square(noise):
    """A picture of noise with a trimap, and its operator."""
    image, trimap = noise
    return image, trimap, tm.laplacians.closed_form(image)


def ring(n):
    """Points on a circle, each coupled to the next two: the Laplacian, and labels without a place."""
    W = scipy.sparse.diags_array([1.0, 2.0, 2.0, 1.0], offsets=[-2, -1, 1, 2], shape=(n, n))
    L = scipy.sparse.csr_array(scipy.sparse.diags_array(W.sum(axis=1)) - W)
    labels = np.full(n, 0.5)
    labels[0], labels[n // 2] = 0, 1
    return L, labels


class TestSolve:
    @pytest.mark.parametrize("solver", SOLVERS)
    def test_a_picture(self, square, solver):
        image, trimap, L = square
        alpha, info = tm.solve(L, trimap, near_null=image, solver=solver)
        assert alpha.shape == trimap.shape
        assert alpha.dtype == np.float64
        assert (alpha[trimap == 1] == 1).all()
        assert (alpha[trimap == 0] == 0).all()
        assert abs(alpha - closed_form.solve_hard(L, trimap == 1, trimap == 0)).max() < ALPHA_TOLERANCE
        assert (info.method, info.prior) == ("matrix", None)
        assert info.solver == ("cholesky" if solver == "auto" else solver)
        assert info.unknowns == (trimap == 0.5).sum()

    @pytest.mark.parametrize("solver", ["auto", "cholesky", "graph-multigrid", "cg"])
    def test_labels_without_a_place(self, solver):
        L, labels = ring(600)
        alpha, info = tm.solve(L, labels, solver=solver)
        assert alpha.shape == labels.shape
        assert abs(alpha - minimum(L, labels)).max() < ALPHA_TOLERANCE
        assert info.regions == {info.solver: 1}

    @pytest.mark.parametrize("known_weight", [None, 7.0])
    @pytest.mark.parametrize("dimensions", [1, 2])
    def test_with_a_prior(self, square, dimensions, known_weight):
        _, trimap, L = square
        guess = np.random.default_rng(1).random(trimap.shape)
        confidence = np.random.default_rng(2).random(trimap.shape)
        expected = minimum(L, trimap, guess, confidence, known_weight)
        shape = trimap.shape if dimensions == 2 else trimap.size
        options = {"prior": guess.reshape(shape), "confidence": confidence.reshape(shape)}
        alpha, info = tm.solve(
            L, trimap.reshape(shape), known_weight=known_weight, start=guess.reshape(shape), **options
        )
        assert abs(alpha.reshape(trimap.shape) - expected).max() < ALPHA_PRIOR
        assert info.prior == "array"

    def test_a_prior_alone_may_be_all_that_is_known(self):
        L, _ = ring(50)
        guess = np.linspace(0, 1, 50)
        alpha = tm.solve(L, np.full(50, 0.5), prior=guess, confidence=1).alpha
        assert abs(alpha - minimum(L, np.full(50, 0.5), guess, 1.0)).max() < ALPHA_PRIOR

    @pytest.mark.parametrize("columns", [1, 2, 5, 7])
    def test_any_near_null_columns(self, columns):
        """A ring whose energy is zero for these columns: few iterations, and the same answer."""
        rng = np.random.default_rng(columns)
        n = 3000
        N = np.column_stack([np.sin(np.arange(n) * k / 90) for k in range(1, columns + 1)])
        entries = []
        for first in range(0, n, 6):
            at = np.arange(first, first + 14) % n
            Q, _ = np.linalg.qr(np.column_stack([np.ones(14), N[at]]))
            entries.append((at, np.eye(14) - Q @ Q.T))
        rows = np.concatenate([np.repeat(at, 14) for at, _ in entries])
        others = np.concatenate([np.tile(at, 14) for at, _ in entries])
        L = scipy.sparse.coo_array((np.concatenate([e.ravel() for _, e in entries]), (rows, others)), shape=(n, n))
        L = scipy.sparse.csr_array(L + 1e-6 * scipy.sparse.eye_array(n))
        labels = np.where(rng.random(n) < 0.1, rng.integers(0, 2, n), 0.5)
        found = {
            name: tm.solve(L, labels, near_null=near_null, solver="graph-multigrid", tolerance=1e-4)
            for name, near_null in (("columns", N), ("constant", "constant"))
        }
        for result in found.values():
            assert abs(result.alpha - minimum(L, labels)).max() < ALPHA_TOLERANCE
        assert found["columns"].info.iterations <= found["constant"].info.iterations

    def test_the_constant_among_the_columns_counts_once(self, square):
        image, trimap, L = square
        with_one = np.dstack([np.ones(trimap.shape), image]).reshape(trimap.size, 4)
        for solver in ("multigrid", "graph-multigrid"):
            one = tm.solve(L, trimap, near_null=image, solver=solver)
            other = tm.solve(L, trimap, near_null=with_one, solver=solver)
            assert (one.alpha == other.alpha).all()

    @pytest.mark.parametrize(
        "form", ["csr_array", "csr_matrix", "csc_array", "coo_matrix", "lil_array", "bsr_array"]
    )
    def test_any_format(self, square, form):
        image, trimap, L = square
        expected = tm.solve(L, trimap, near_null=image).alpha
        found = tm.solve(getattr(scipy.sparse, form)(L), trimap, near_null=image).alpha
        assert abs(found - expected).max() < ALPHA_DIRECT

    def test_the_matrix_is_left_alone(self, square):
        image, trimap, L = square
        shuffled = L.tocoo()
        order = np.random.default_rng(0).permutation(L.nnz)
        twice = np.concatenate([order, order])
        loose, narrow = descending(L, np.float64), descending(L, np.float32)
        double = scipy.sparse.coo_array(
            (shuffled.data[twice] / 2, (shuffled.row[twice], shuffled.col[twice])), L.shape
        )
        before = [(m.data.copy(), m.indices.copy()) for m in (loose, narrow)]
        expected = tm.solve(L, trimap, near_null=image).alpha
        for matrix in (loose, double):
            assert abs(tm.solve(matrix, trimap, near_null=image).alpha - expected).max() < ALPHA_DIRECT
        assert tm.solve(narrow, trimap, near_null=image).alpha.shape == trimap.shape
        for matrix, (data, indices) in zip((loose, narrow), before, strict=True):
            assert (matrix.data == data).all()
            assert (matrix.indices == indices).all()
        assert double.nnz == 2 * L.nnz

    def test_a_picture_with_distant_entries_is_a_graph(self):
        rng = np.random.default_rng(5)
        shape, n = (60, 95), 5700
        i, j = rng.integers(0, n, (2, 15_000))
        W = scipy.sparse.coo_array((np.ones(30_000), (np.r_[i, j], np.r_[j, i])), shape=(n, n)).tocsr()
        L = scipy.sparse.csr_array(scipy.sparse.diags_array(W.sum(axis=1) + 1e-3) - W)
        trimap = np.where(rng.random(shape) < 0.05, rng.integers(0, 2, shape) * 255, 128).astype(np.uint8)
        alpha, info = tm.solve(L, trimap, tolerance=1e-5)
        assert info.solver == "graph-multigrid"
        assert abs(alpha.ravel() - tm.solve(L, trimap.ravel(), tolerance=1e-5).alpha).max() < ALPHA_PRIOR
        unknown = (trimap == 128).ravel()
        x = scipy.sparse.linalg.spsolve(L[unknown][:, unknown].tocsc(), -(L @ (trimap.ravel() == 255))[unknown])
        assert abs(alpha.ravel()[unknown] - np.clip(x, 0, 1)).max() < ALPHA_TOLERANCE

    def test_integers_and_missing_diagonals_of_known_pixels(self):
        n = 40
        L = scipy.sparse.lil_array((n, n), dtype=np.int64)
        for i in range(n - 1):
            L[i, i + 1] = L[i + 1, i] = -1
        for i in range(1, n - 1):
            L[i, i] = 2
        labels = np.full(n, 0.5)
        labels[0], labels[-1] = 0, 1
        assert abs(tm.solve(L, labels).alpha - np.arange(n) / (n - 1)).max() < ALPHA_DIRECT

    def test_a_large_picture_on_the_pixel_grid(self):
        scene = tm.datasets.hair(256, 256, noise=0.01)
        L = tm.laplacians.closed_form(scene.image)
        alpha, info = tm.solve(L, scene.trimap, near_null=scene.image, solver="multigrid")
        assert info.solver == "multigrid"
        expected = tm.estimate_alpha(scene.image, scene.trimap, solver="cholesky", method="closed-form")
        assert abs(alpha - expected).max() < ALPHA_TOLERANCE

    def test_many_columns_go_to_the_graph(self, square):
        _, trimap, L = square
        columns = np.random.default_rng(3).random((trimap.size, 5))
        assert tm.solve(L, trimap, near_null=columns, solver="auto").info.solver == "cholesky"
        with pytest.raises(
            ValueError, match=r'at most 3 columns for solver "multigrid", got 5; choose "graph-mult'
        ):
            tm.solve(L, trimap, near_null=columns, solver="multigrid")

    @pytest.mark.parametrize("threads", [2, 7])
    def test_same_bits_for_any_number_of_threads(self, threads):
        scene = tm.datasets.hair(150, 120, noise=0.01)
        L = tm.laplacians.closed_form(scene.image)
        for solver in ("multigrid", "graph-multigrid"):
            one, many = (
                tm.solve(L, scene.trimap, near_null=scene.image, solver=solver, threads=n).alpha
                for n in (1, threads)
            )
            assert (one == many).all()

    def test_progress_and_cancel(self, square):
        image, trimap, L = square
        seen = []
        tm.solve(L, trimap, near_null=image, solver="multigrid", progress=lambda *p: seen.append(p))

        def stop(phase, fraction):
            raise RuntimeError("enough")

        big = tm.datasets.hair(300, 300)
        L = tm.laplacians.closed_form(big.image)
        with pytest.raises(RuntimeError, match="enough"):
            tm.solve(L, big.trimap, solver="cg", tolerance=1e-9, progress=stop)

    def test_too_few_iterations(self, square):
        _, trimap, L = square
        with pytest.raises(tm.ConvergenceError, match="cg: relative residual") as caught:
            tm.solve(L, trimap.ravel(), solver="cg", max_iterations=2)
        assert caught.value.alpha.shape == (trimap.size,)

    def test_nothing_unknown(self, square):
        _, trimap, L = square
        with pytest.warns(tm.TrimatteWarning, match="no pixel is unknown, so that alpha is the trimap"):
            alpha, info = tm.solve(L, trimap == 1)
        assert (alpha == (trimap == 1)).all()
        assert info.solver == "none"

    def test_an_unknown_that_nothing_holds_is_named(self):
        L, labels = ring(30)
        two = scipy.sparse.block_diag([L, L], format="csr")
        both = np.concatenate([labels, np.full(30, 0.5)])
        with pytest.raises(ValueError, match="coupled to a known one, got none for row 30, of laplacian; mark it"):
            tm.solve(two, both)
        picture = np.where(both.reshape(2, 30) == 0.5, 128, both.reshape(2, 30) * 255).astype(np.uint8)
        with pytest.raises(ValueError, match=r"none for row 30, of pixel \(1, 0\), of laplacian"):
            tm.solve(two, picture)
        confidence = np.where(np.arange(60) == 45, 1.0, 0.0)
        alpha = tm.solve(two, both, prior=np.full(60, 0.25), confidence=confidence).alpha
        assert abs(alpha[30:] - 0.25).max() < ALPHA_PRIOR
        held = scipy.sparse.csr_array(two + 0.1 * scipy.sparse.eye_array(60))
        assert abs(tm.solve(held, both).alpha[30:]).max() < ALPHA_DIRECT

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            (
                lambda L: L.toarray(),
                TypeError,
                "laplacian: expected a SciPy sparse array, got ndarray; scipy.sparse.csr",
            ),
            (lambda L: None, TypeError, "laplacian: expected a SciPy sparse array, got None"),
            (
                lambda L: LinearOperator(L.shape, L.dot),
                TypeError,
                "expected a SciPy sparse array, got _CustomLinear",
            ),
            (lambda L: L[:5], ValueError, r"laplacian: expected shape \(744, 744\), .* got \(5, 744\)"),
            (
                lambda L: L[:9, :9],
                ValueError,
                r"laplacian: expected shape \(744, 744\), one row per pixel, got \(9, 9\)",
            ),
            (lambda L: L * 1j, TypeError, "laplacian: expected real numbers, got complex128"),
            (lambda L: L > 0, TypeError, "laplacian: expected real numbers, got bool"),
            (
                lambda L: with_entry(L, 70, 71, np.inf),
                ValueError,
                r"finite numbers, got inf in row 70, of pixel \(2, 8\)",
            ),
            (
                lambda L: with_entry(L, 70, 71, -9),
                ValueError,
                r"symmetric matrix, got -9 at \(70, 71\) and .* row 70",
            ),
            (
                lambda L: with_entry(L, 700, 1, -9),
                ValueError,
                r"symmetric matrix, got -9 at \(700, 1\) and 0 at \(1, 700\), in row 700",
            ),
            (
                lambda L: with_entry(L, 160, 160, 0),
                ValueError,
                r"positive diagonal .* got 0 in row 160, of pixel \(5, 5",
            ),
        ],
    )
    def test_a_matrix_that_no_solver_could_take(self, square, change, error, message):
        image, trimap, L = square
        with pytest.raises(error, match=message):
            tm.solve(change(L), trimap, near_null=image)

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"trimap": np.full((24, 31), 0.5)}, ValueError, "expected some foreground and some background"),
            ({"trimap": np.full((24, 30), 0.5)}, ValueError, r"laplacian: expected shape \(720, 720\)"),
            ({"trimap": np.zeros((2, 3, 4))}, ValueError, r"trimap: expected opaque|trimap: expected"),
            (
                {"prior": np.zeros((3, 3))},
                ValueError,
                r"prior: expected shape \(24, 31\) to match trimap, got \(3, 3\)",
            ),
            ({"prior": "sampling"}, TypeError, "prior: expected an array in .*, got str"),
            ({"confidence": 1.0}, ValueError, "confidence: expected a prior beside it"),
            (
                {"prior": np.zeros((24, 31)), "confidence": np.ones(3)},
                ValueError,
                "confidence: expected a number, or",
            ),
            ({"prior": np.zeros((24, 31)), "confidence": -1}, ValueError, "confidence: expected a number from 0"),
            ({"start": np.zeros(3)}, ValueError, r"start: expected shape \(24, 31\) to match trimap"),
            ({"near_null": "colours"}, ValueError, "near_null: expected one of constant, got 'colours'"),
            (
                {"near_null": np.zeros((3, 3))},
                ValueError,
                r"near_null: .* with 744 rows, one per unknown, got shape",
            ),
            ({"near_null": np.zeros((744, 8))}, ValueError, "near_null: expected at most 7 columns, got 8"),
            ({"near_null": np.full((744, 2), np.nan)}, ValueError, "near_null: expected finite values, got nan"),
            (
                {"near_null": np.zeros((744, 2), complex)},
                TypeError,
                "near_null: .* array of numbers, got complex128",
            ),
            ({"solver": "multigird"}, ValueError, "solver: expected one of .*; did you mean 'multigrid'"),
            ({"tolerance": 0}, ValueError, "tolerance: expected a number from 1e-12 to 1, got 0"),
            ({"known_weight": 0}, ValueError, "known_weight: expected a number from"),
            ({"threads": 0}, ValueError, "threads: expected at least 1, got 0"),
        ],
    )
    def test_bad_arguments(self, square, arguments, error, message):
        _, trimap, L = square
        with pytest.raises(error, match=message):
            tm.solve(L, **{"trimap": trimap, **arguments})

    def test_multigrid_needs_places(self):
        L, labels = ring(600)
        with pytest.raises(ValueError, match="multigrid needs an affinity whose reach"):
            tm.solve(L, labels, solver="multigrid")


def system(scene):
    """The unknown pixels' system of closed-form matting."""
    L = tm.laplacians.closed_form(scene.image)
    unknown, foreground = (scene.trimap == 128), (scene.trimap == 255).ravel()
    rows = L[unknown.ravel()]
    return rows[:, unknown.ravel()], -rows[:, foreground].sum(axis=1), unknown


def iterations(A, b, M):
    """SciPy's solution, and how many iterations it took."""
    count = []
    x, failed = cg(A, b, M=M, rtol=1e-10, callback=count.append)
    assert failed == 0
    return x, len(count)


class TestPreconditioner:
    @pytest.mark.parametrize("kind", ["graph-multigrid", "multigrid"])
    def test_scipy_takes_it_for_several_right_hand_sides(self, kind):
        scene = tm.datasets.hair(100, 90, noise=0.01)
        A, b, unknown = system(scene)
        M = tm.preconditioner(A, near_null=scene.image[unknown], kind=kind, unknown=unknown)
        assert isinstance(M, LinearOperator)
        assert M.shape == A.shape
        assert M.dtype == np.float64
        for rhs in (b, np.random.default_rng(0).random(len(b))):
            x, count = iterations(A, rhs, M)
            assert np.linalg.norm(A @ x - rhs) < 1e-9 * np.linalg.norm(rhs)
            assert count < 40
        alpha = tm.estimate_alpha(scene.image, scene.trimap, solver="cholesky", method="closed-form")[unknown]
        assert abs(np.clip(iterations(A, b, M)[0], 0, 1) - alpha).max() < ALPHA_TOLERANCE

    @pytest.mark.parametrize("kind", ["graph-multigrid", "multigrid"])
    @pytest.mark.parametrize("drawing", [None, next(iter(DRAWINGS))])
    def test_it_is_symmetric_and_positive(self, square, kind, drawing):
        image, trimap, _ = square
        if drawing:
            make, *arguments = DRAWINGS[drawing]
            image, trimap = make(*arguments)
            image, trimap = image[:40, :40] / 255, trimap[:40, :40]
        unknown = np.ones(trimap.shape, bool)
        A = scipy.sparse.csr_array(tm.laplacians.closed_form(image) + 0.01 * scipy.sparse.eye_array(trimap.size))
        M = tm.preconditioner(A, near_null=image, kind=kind, unknown=unknown) @ np.eye(trimap.size)
        assert abs(M - M.T).max() < 1e-5 * abs(M).max()
        assert np.linalg.eigvalsh((M + M.T) / 2).min() > 0

    def test_the_near_null_space_matters(self):
        scene = tm.datasets.hair(100, 90, noise=0.01)
        A, b, unknown = system(scene)
        counts = {
            name: iterations(A, b, tm.preconditioner(A, near_null=near_null, unknown=unknown))[1]
            for name, near_null in (
                ("constant", "constant"),
                ("image", scene.image),
                ("rows", scene.image[unknown]),
            )
        }
        assert counts["image"] == counts["rows"] < counts["constant"] / 2

    def test_known_pixels_may_stay_in_the_matrix(self, square):
        image, trimap, L = square
        A = scipy.sparse.csr_array(L + 100 * scipy.sparse.diags_array((trimap != 0.5).ravel().astype(float)))
        x, _ = iterations(A, 100.0 * (trimap == 1).ravel(), tm.preconditioner(A, near_null=image))
        expected = tm.solve(L, trimap, known_weight=100, solver="cholesky").alpha
        assert abs(np.clip(x, 0, 1) - expected.ravel()).max() < ALPHA_TOLERANCE

    @pytest.mark.parametrize("threads", [2, 7])
    def test_same_bits_for_any_number_of_threads(self, threads):
        scene = tm.datasets.hair(150, 120, noise=0.01)
        A, b, unknown = system(scene)
        for kind in ("graph-multigrid", "multigrid"):
            one, many = (
                tm.preconditioner(A, near_null=scene.image, kind=kind, unknown=unknown, threads=n) @ b
                for n in (1, threads)
            )
            assert (one == many).all()

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            (
                lambda a: {"matrix": a["matrix"].toarray()},
                TypeError,
                "matrix: expected a SciPy sparse array, got ndarray;",
            ),
            (
                lambda a: {"matrix": a["matrix"][:5]},
                ValueError,
                r"matrix: expected a square matrix, got shape \(5, 744\)",
            ),
            (lambda a: {"matrix": a["matrix"] * 1j}, TypeError, "matrix: expected real numbers, got complex128"),
            (
                lambda a: {"matrix": with_entry(a["matrix"], 3, 4, np.nan)},
                ValueError,
                "finite numbers, got nan in row 3",
            ),
            (
                lambda a: {"matrix": with_entry(a["matrix"], 3, 4, 7)},
                ValueError,
                r"symmetric .* got 7 at \(3, 4\)",
            ),
            (
                lambda a: {"matrix": with_entry(a["matrix"], 3, 3, -1)},
                ValueError,
                "positive diagonal, got -1 in row 3",
            ),
            (
                lambda a: {"kind": "vcycle"},
                ValueError,
                "kind: expected one of graph-multigrid, multigrid, got 'vcycle'",
            ),
            (
                lambda a: {"kind": "multigrid"},
                ValueError,
                'unknown: expected the pixels of the rows for kind "multigrid"',
            ),
            (lambda a: {"unknown": np.ones((3, 3), bool)}, ValueError, "unknown: expected 744 pixels, .* got 9"),
            (lambda a: {"unknown": np.ones((24, 31))}, TypeError, "unknown: expected bool, got float64"),
            (
                lambda a: {"unknown": np.ones(744, bool)},
                ValueError,
                r"unknown: expected shape \(H, W\), got \(744,\)",
            ),
            (lambda a: {"near_null": np.zeros((5, 3))}, ValueError, "near_null: .* with 744 rows"),
            (
                lambda a: {
                    "near_null": np.random.default_rng(0).random((744, 4)),
                    "kind": "multigrid",
                    "unknown": a["all"],
                },
                ValueError,
                'at most 3 columns for kind "multigrid", got 4; choose "graph-multigrid"',
            ),
            (
                lambda a: {
                    "matrix": tm.laplacians.closed_form(a["image"], radius=2),
                    "kind": "multigrid",
                    "unknown": a["all"],
                },
                ValueError,
                "entries of pixels at most 2 apart for kind multigrid, row 0 is different; choose graph-multigrid",
            ),
        ],
    )
    def test_bad_arguments(self, square, change, error, message):
        image, trimap, L = square
        arguments = {"matrix": L, **change({"matrix": L, "image": image, "all": np.ones(trimap.shape, bool)})}
        with pytest.raises(error, match=message):
            tm.preconditioner(arguments.pop("matrix"), **arguments)


def test_a_walk_on_a_graph_equals_its_method(noise):
    image, trimap = noise
    expected = tm.estimate_alpha(image, trimap, method=FourNeighbours(beta=5))
    assert (
        abs(tm.solve(tm.laplacians.of(image, FourNeighbours(beta=5)), trimap).alpha - expected).max()
        < ALPHA_DIRECT
    )


def descending(L, dtype):
    """The same matrix of another dtype, with columns that descend."""
    order = np.concatenate(
        [np.arange(begin, end)[::-1] for begin, end in zip(L.indptr, L.indptr[1:], strict=False)]
    )
    return scipy.sparse.csr_array((L.data[order].astype(dtype), L.indices[order], L.indptr.copy()), shape=L.shape)
