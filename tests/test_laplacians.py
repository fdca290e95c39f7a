"""The operators of all affinities: matrices of SciPy, and LinearOperators."""

import inspect

import numpy as np
import pytest
import scipy.sparse
from own_affinity import FourNeighbours
from reference import closed_form, learning_based
from scipy.sparse.linalg import LinearOperator
from tolerances import LAPLACIAN

import trimatte as tm
from trimatte.affinities import Affinity
from trimatte.affinities._base import AFFINITIES

IMAGE = np.random.default_rng(0).random((9, 12, 3))
TRIMAP = np.where(np.arange(12) < 3, 0, np.where(np.arange(12) > 7, 255, 128)).astype(np.uint8) * np.ones(
    (9, 1), np.uint8
)


def test_each_name_is_a_function_and_equals_the_paper():
    assert (
        abs(tm.laplacians.closed_form(IMAGE, epsilon=1e-4) - closed_form.laplacian(IMAGE, 1e-4)).max() < LAPLACIAN
    )
    for radius in (1, 2):
        found = tm.laplacians.learning_based(IMAGE, regularization=1e-3, radius=radius)
        assert abs(found - learning_based.laplacian(IMAGE, 1e-3, radius)).max() < LAPLACIAN


def test_closed_form_is_closed_form_laplacian():
    known = np.zeros((9, 12), bool)
    known[:5] = True
    for options in ({}, {"radius": 2}, {"known": known}):
        one, other = tm.laplacians.closed_form(IMAGE, **options), tm.closed_form_laplacian(IMAGE, **options)
        assert (one != other).nnz == 0
        assert one.nnz == other.nnz


@pytest.mark.parametrize("name", AFFINITIES)
def test_every_registered_affinity_has_its_operator(name):
    function = getattr(tm.laplacians, name.replace("-", "_"))
    assert name.replace("-", "_") in dir(tm.laplacians)
    assert AFFINITIES[name].__name__ in function.__doc__
    side = AFFINITIES[name]().smallest_image + 9
    image = np.random.default_rng(2).random((side, side, 3))
    trimap = np.full((side, side), 128, np.uint8)
    trimap[:, :3], trimap[:, -3:] = 0, 255
    L = function(image, trimap=trimap)
    assert L.shape == (side**2, side**2)
    assert L.dtype == np.float64
    assert scipy.sparse.issparse(L) or isinstance(L, LinearOperator)
    dense = L.toarray() if scipy.sparse.issparse(L) else L @ np.eye(side**2)
    assert abs(dense - dense.T).max() < LAPLACIAN
    parameters = inspect.signature(function).parameters
    assert {"image", "known", "trimap", "threads", "progress"} <= set(parameters)


def test_one_of_ones_own(registered):
    L = tm.laplacians.four_neighbours(IMAGE, beta=5.0)
    assert type(L).__name__ == "csr_array"
    assert (tm.laplacians.of(IMAGE, FourNeighbours(beta=5)) != L).nnz == 0
    assert abs(L.sum(axis=1)).max() < 1e-12


def test_a_method_that_never_forms_its_matrix_gives_a_linear_operator():
    class Twice(FourNeighbours):
        def products(self, image, labels, context):
            class Products:
                shape = (labels.size, labels.size)

                def matvec(self, x):
                    assert x.dtype == np.float64
                    assert x.flags.c_contiguous
                    return 2 * x

            return Products()

    L = tm.laplacians.of(IMAGE, Twice())
    assert isinstance(L, LinearOperator)
    assert (L @ np.ones((216, 1), np.float32)[::2] == 2).all()
    assert (L.T @ np.ones((108, 3)) == 2).all()


@pytest.mark.parametrize("radius", [1, 4])
def test_large_kernel_multiplies_as_closed_form_does(radius):
    image = np.random.default_rng(3).random((20, 24, 3))
    L = tm.laplacians.large_kernel(image, radius=radius)
    assert isinstance(L, LinearOperator) == (radius > 1)
    x = np.random.default_rng(4).random(480)
    assert abs(L @ x - tm.laplacians.closed_form(image, radius=radius) @ x).max() < LAPLACIAN


def test_the_rows_of_unknown_pixels_are_complete():
    whole = tm.laplacians.learning_based(IMAGE)
    unknown = (TRIMAP == 128).ravel()
    for part in (
        tm.laplacians.learning_based(IMAGE, trimap=TRIMAP),
        tm.laplacians.learning_based(IMAGE, known=TRIMAP != 128),
    ):
        assert abs((part - whole)[unknown]).max() == 0
        assert part.nnz < whole.nnz


@pytest.mark.parametrize("threads", [2, 7])
def test_same_bits_for_any_number_of_threads(threads):
    image = np.random.default_rng(1).random((150, 40, 3))
    one, many = (tm.laplacians.learning_based(image, threads=n) for n in (1, threads))
    assert (one.data == many.data).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tm.laplacians.of(IMAGE, "knm"), ValueError, "method: expected one of .* got 'knm'"),
        (
            lambda: tm.laplacians.of(IMAGE, "sampling"),
            ValueError,
            "method: .* got 'sampling', which is a prior or has",
        ),
        (
            lambda: tm.laplacians.of(IMAGE, "best"),
            ValueError,
            "method: .* got 'best', which is a prior or has one",
        ),
        (lambda: tm.laplacians.of(IMAGE, 3), TypeError, "method: expected a name or an object"),
        (lambda: tm.laplacians.closed_form(IMAGE, lambda_=1), TypeError, "lambda_: expected an argument"),
        (lambda: tm.laplacians.closed_form(IMAGE, epsilon=0), ValueError, "epsilon: expected a number from"),
        (lambda: tm.laplacians.closed_form(IMAGE[:2]), ValueError, "image: expected at least 3 x 3 pixels"),
        (
            lambda: tm.laplacians.closed_form(IMAGE, known=TRIMAP > 0, trimap=TRIMAP),
            ValueError,
            "known: expected none beside trimap",
        ),
        (lambda: tm.laplacians.closed_form(IMAGE, known=TRIMAP), TypeError, "known: expected bool, got uint8"),
        (
            lambda: tm.laplacians.closed_form(IMAGE, known=TRIMAP[1:] > 0),
            ValueError,
            r"known: expected shape \(9, 12\)",
        ),
        (
            lambda: tm.laplacians.closed_form(IMAGE, trimap=TRIMAP[1:]),
            ValueError,
            r"trimap: expected shape \(9, 12\)",
        ),
        (lambda: tm.laplacians.closed_from(IMAGE), AttributeError, "'closed_from'; did you mean 'closed-form'"),
    ],
)
def test_nonsense_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_what_the_class_says_of_itself_is_checked():
    with pytest.raises(ValueError, match=r"Bad.reach: expected at least 1, got 0"):
        tm.laplacians.of(IMAGE, type("Bad", (FourNeighbours,), {"reach": 0})())
    assert issubclass(FourNeighbours, Affinity)
