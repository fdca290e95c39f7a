"""Affinities as objects, and what somebody else's affinity has to say."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse
from operators import operator, with_entry
from own_affinity import FourNeighbours
from reference.minimum import minimum
from tolerances import ALPHA_DIRECT, ALPHA_TOLERANCE

import trimatte as tm
from trimatte import _check, affinities
from trimatte.affinities._base import AFFINITIES, option_fields


def dense_solution(affinity, image, trimap, guess=None, confidence=0.0, known_weight=None):
    """The answer for an affinity in the plainest way."""
    labels = _check.labels(trimap, image.shape)
    return minimum(operator(affinity, image, labels), labels, guess, confidence, known_weight)


class TestClosedForm:
    def test_an_object_is_the_same_as_the_shortcuts(self, noise):
        image, trimap = noise
        method = affinities.ClosedForm(epsilon=1e-4, radius=2)
        alpha, info = tm.solve_alpha(image, trimap, method=method)
        assert (alpha == tm.estimate_alpha(image, trimap, epsilon=1e-4, radius=2, method="closed-form")).all()
        assert info.method == "closed-form"

    def test_its_laplacian_is_the_public_one(self, noise):
        image, trimap = noise
        for radius in (1, 2):
            labels = _check.labels(trimap, image.shape)
            L = operator(affinities.ClosedForm(radius=radius), image, labels, None)
            assert abs(L - tm.closed_form_laplacian(image, radius=radius)).max() == 0

    @pytest.mark.parametrize("radius", [1, 2])
    @pytest.mark.parametrize("known_weight", [None, 10.0])
    def test_the_fused_path_equals_the_general_one(self, noise, radius, known_weight):
        """The rows of the Laplacian, given as a matrix, have the same solution."""
        image, trimap = noise

        class ByRows(affinities.ClosedForm):
            core = affinities.Affinity.core

        guess = np.random.default_rng(0).random(trimap.shape)
        options = {"prior": guess, "confidence": 0.01, "known_weight": known_weight, "solver": "cholesky"}
        fused = tm.estimate_alpha(image, trimap, method=affinities.ClosedForm(radius=radius), **options)
        general, info = tm.solve_alpha(image, trimap, method=ByRows(radius=radius), **options)
        assert abs(fused - general).max() < ALPHA_DIRECT
        assert info.relative_residual < 1e-10

    def test_it_says_what_a_solver_needs(self):
        method = affinities.ClosedForm(radius=3)
        assert (method.reach, method.smallest_image, method.near_null) == (6, 7, "colours")
        assert method.constant_regions

    def test_it_is_a_value(self):
        one = affinities.ClosedForm(epsilon=np.float32(0.5), radius=np.int64(2))
        assert one == affinities.ClosedForm(0.5, 2) == pickle.loads(pickle.dumps(one))
        assert repr(one) == "ClosedForm(epsilon=0.5, radius=2)"
        assert len({one, affinities.ClosedForm(0.5, 2)}) == 1

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"epsilon": 0}, ValueError, "epsilon: expected a number from 1e-08 to 1e.06, got 0"),
            ({"epsilon": np.nan}, ValueError, "epsilon: expected a finite number, got nan"),
            ({"epsilon": "1"}, TypeError, "epsilon: expected a number, got str"),
            ({"radius": 0}, ValueError, "radius: expected at least 1, got 0"),
            ({"radius": 1.5}, TypeError, "radius: expected an integer, got float"),
            ({"radius": True}, TypeError, "radius: expected an integer, got bool"),
        ],
    )
    def test_nonsense_is_refused(self, options, error, message):
        with pytest.raises(error, match=message):
            affinities.ClosedForm(**options)


class TestSomebodyElses:
    """An affinity that is given as a sparse matrix."""

    @pytest.mark.parametrize("options", [{}, {"known_weight": 3.0}])
    def test_it_is_solved(self, noise, options):
        image, trimap = noise
        method = FourNeighbours(beta=5)
        alpha, info = tm.solve_alpha(image, trimap, method=method, **options)
        assert abs(alpha - dense_solution(method, image, trimap, **options)).max() < ALPHA_DIRECT
        assert info.method == "four-neighbours"
        assert info.unknowns == (trimap.size if options else (trimap == 0.5).sum())
        assert info.relative_residual < 1e-10

    def test_a_prior_counts(self, noise):
        image, trimap = noise
        guess = np.random.default_rng(1).random(trimap.shape).astype(np.float32)
        alpha = tm.estimate_alpha(image, trimap, method=FourNeighbours(), prior=guess, confidence=0.25)
        expected = dense_solution(FourNeighbours(), image, trimap, guess, 0.25)
        assert abs(alpha - expected).max() < ALPHA_DIRECT

    def test_every_dtype_is_seen_as_floats_in_the_unit_range(self, noise):
        image, trimap = noise
        eight = np.round(image * 255).astype(np.uint8)
        expected = tm.estimate_alpha(eight / 255, trimap, method=FourNeighbours())
        assert abs(tm.estimate_alpha(eight, trimap, method=FourNeighbours()) - expected).max() < ALPHA_TOLERANCE

    def test_it_cuts_out(self, noise):
        image, trimap = noise
        cut = tm.cutout(image, trimap, method=FourNeighbours())
        assert (cut[..., 3] == tm.estimate_alpha(image, trimap, method=FourNeighbours())).all()

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            (lambda L: L.toarray(), TypeError, "Bad.laplacian: expected a SciPy sparse array, got ndarray"),
            (lambda L: None, TypeError, "Bad.laplacian: expected a SciPy sparse array, got None"),
            (lambda L: L[:5], ValueError, r"Bad.laplacian: expected shape \(744, 744\), .* got \(5, 744\)"),
            (lambda L: L * 1j, TypeError, "Bad.laplacian: expected real numbers, got complex128"),
            (
                lambda L: with_entry(L, 70, 71, np.nan),
                ValueError,
                r"Bad.laplacian: expected finite numbers, got nan in row 70, of pixel \(2, 8\)",
            ),
            (
                lambda L: with_entry(L, 70, 71, -9.0),
                ValueError,
                r"expected a symmetric matrix, got -9 at \(70, 71\) and .* row 70, of pixel \(2, 8\)",
            ),
        ],
    )
    def test_rows_that_no_solver_could_take(self, noise, change, error, message):
        class Bad(FourNeighbours):
            def laplacian(self, image, labels, context):
                return change(super().laplacian(image, labels, context))

        with pytest.raises(error, match=message):
            tm.estimate_alpha(*noise, method=Bad())

    @pytest.mark.parametrize(
        ("wrong", "error", "message"),
        [
            (
                {"near_null": "colors"},
                ValueError,
                "Bad.near_null: expected one of colours, constant, got 'colors'",
            ),
            ({"reach": 0}, ValueError, "Bad.reach: expected at least 1, got 0"),
            ({"reach": 1.5}, TypeError, "Bad.reach: expected an integer, got float"),
            ({"smallest_image": "3"}, TypeError, "Bad.smallest_image: expected an integer, got str"),
            ({"constant_regions": 1}, TypeError, "Bad.constant_regions: expected True or False, got int"),
        ],
    )
    def test_what_it_says_of_itself_must_make_sense(self, noise, wrong, error, message):
        with pytest.raises(error, match=message):
            tm.estimate_alpha(*noise, method=type("Bad", (FourNeighbours,), wrong)())

    def test_its_options_are_checked(self):
        with pytest.raises(ValueError, match=r"beta: expected a number from 0 to 1e.06, got -1"):
            FourNeighbours(beta=-1)
        with pytest.raises(TypeError, match="wrap: expected True or False, got int"):
            FourNeighbours(wrap=1)

    def test_multigrid_needs_a_short_reach(self, noise):
        far = type("Far", (FourNeighbours,), {"reach": None})()
        with pytest.raises(ValueError, match="whose reach has no limit"):
            tm.estimate_alpha(*noise, method=far, solver="multigrid")

    def test_a_pixel_without_an_equation_is_named(self, noise):
        class Empty(FourNeighbours):
            def laplacian(self, image, labels, context):
                return scipy.sparse.csr_array((labels.size, labels.size))

        with pytest.raises(ValueError, match=r"positive diagonal for every unknown pixel, got 0 in row \d+, of"):
            tm.estimate_alpha(*noise, method=Empty())

    def test_entries_beyond_its_reach_are_named(self, noise):
        class Far(FourNeighbours):
            def laplacian(self, image, labels, context):
                L = with_entry(super().laplacian(image, labels, context), 0, 3, -0.5)
                return with_entry(L, 3, 0, -0.5)

        with pytest.raises(ValueError, match=r"at most 1 apart, as its reach says, got a distance of 3 in row 0,"):
            tm.estimate_alpha(*noise, method=Far())

    @pytest.mark.parametrize("solver", ["cholesky", "multigrid", "graph-multigrid", "cg", "auto"])
    def test_every_solver_takes_it(self, noise, solver):
        image, trimap = noise
        options = {"tolerance": 1e-6, "relative_residual": 1e-9, "solver": solver}
        alpha = tm.estimate_alpha(image, trimap, method=FourNeighbours(beta=5), **options)
        assert abs(alpha - dense_solution(FourNeighbours(beta=5), image, trimap)).max() < ALPHA_TOLERANCE

    def test_its_reach_may_have_no_limit(self, noise):
        class Wrapped(FourNeighbours):
            """The last row of pixels is beside the first."""

            reach = None

            def laplacian(self, image, labels, context):
                L = scipy.sparse.lil_array(super().laplacian(image, labels, context))
                width = labels.shape[1]
                for top, bottom in zip(range(width), range(labels.size - width, labels.size), strict=True):
                    L[top, bottom] = L[bottom, top] = -0.1
                    L[top, top] += 0.1
                    L[bottom, bottom] += 0.1
                return L

        image, trimap = noise
        trimap = trimap.copy()
        trimap[:, 0] = 0.5
        alpha, info = tm.solve_alpha(image, trimap, method=Wrapped(beta=5), relative_residual=1e-10)
        assert abs(alpha - dense_solution(Wrapped(beta=5), image, trimap)).max() < ALPHA_TOLERANCE
        assert info.regions == {"cholesky": 1, "constant": 1}

    def test_rows_may_come_in_any_order_and_without_a_diagonal(self, noise):
        """Known pixels need no diagonal; entries may be unsorted, double, or of another format."""

        class Loose(FourNeighbours):
            def laplacian(self, image, labels, context):
                L = super().laplacian(image, labels, context).tocoo()
                known = labels.ravel() != _check.UNKNOWN
                kept = np.flatnonzero(~((L.row == L.col) & known[L.row]))[::-1]
                twice = np.concatenate([kept, kept])
                return scipy.sparse.coo_matrix((L.data[twice] / 2, (L.row[twice], L.col[twice])), L.shape)

        image, trimap = noise
        expected = tm.estimate_alpha(image, trimap, method=FourNeighbours(beta=5))
        assert abs(tm.estimate_alpha(image, trimap, method=Loose(beta=5)) - expected).max() < ALPHA_DIRECT


class TestRegister:
    def test_every_registered_one_is_public(self):
        for name, affinity in AFFINITIES.items():
            assert affinity.name == name
            assert getattr(affinities, affinity.__name__) is affinity
            assert affinity() == affinity()
            assert all(field.metadata["help"] for field in option_fields(affinity))

    def test_a_name_is_enough_then(self, noise, registered):
        image, trimap = noise
        named = tm.estimate_alpha(image, trimap, method=registered, beta=5.0)
        assert (named == tm.estimate_alpha(image, trimap, method=FourNeighbours(beta=5))).all()

    @pytest.mark.parametrize(
        ("make", "error", "message"),
        [
            (lambda: 3, TypeError, "affinity: expected a subclass of Affinity, got int"),
            (
                lambda: tm.priors.Robust,
                TypeError,
                "affinity: expected a subclass of Affinity, got the class Robust",
            ),
            (lambda: type("Plain", (FourNeighbours,), {}), TypeError, "affinity: expected a dataclass, got Plain"),
            (
                lambda: dataclass(type("Half", (affinities.Affinity,), {"name": "half"})),
                TypeError,
                "affinity: Half lacks laplacian, reach",
            ),
            (
                lambda: dataclass(frozen=True)(type("Mute", (FourNeighbours,), {"name": ""})),
                ValueError,
                "Mute.name: expected letters, digits and hyphens, got ''",
            ),
            (
                lambda: dataclass(frozen=True)(type("Two", (FourNeighbours,), {"name": "closed-form"})),
                ValueError,
                "Two.name: 'closed-form' is the name of ClosedForm",
            ),
        ],
    )
    def test_what_cannot_be_registered(self, make, error, message):
        with pytest.raises(error, match=message):
            affinities.register(make())
