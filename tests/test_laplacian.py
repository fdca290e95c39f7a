import numpy as np
import pytest
from reference import closed_form
from tolerances import LAPLACIAN, LAPLACIAN_NULL

import trimatte as tm


def pictures():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:11, 0:14] / 14
    return {
        "noise": rng.random((9, 12, 3)),
        "grey": rng.random((9, 12)),
        "smooth": np.stack([x, y, (x + y) / 2], axis=-1),
        "one-colour-line": rng.random((9, 9, 1)) * np.array([0.9, 0.5, 0.2]),
        "constant": np.full((7, 8, 3), 0.3),
        "checkerboard": np.broadcast_to(((np.indices((8, 9)).sum(axis=0) % 2) * 0.5)[..., None], (8, 9, 3)),
        "saturated": (rng.random((8, 8, 3)) > 0.7).astype(float),
        "narrow": rng.random((3, 20, 3)),
    }


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("epsilon", [1e-7, 1e-3])
def test_equals_the_reference(name, epsilon):
    image = pictures()[name]
    L = tm.closed_form_laplacian(image, epsilon=epsilon)
    reference = closed_form.laplacian(image, epsilon)
    assert L.shape == reference.shape
    assert abs(L - reference).max() < LAPLACIAN


@pytest.mark.parametrize("radius", [2, 3])
@pytest.mark.parametrize("name", ["noise", "grey", "smooth", "constant"])
def test_equals_the_reference_at_larger_radius(name, radius):
    image = pictures()[name]
    L = tm.closed_form_laplacian(image, radius=radius)
    assert abs(L - closed_form.laplacian(image, radius=radius)).max() < LAPLACIAN


@pytest.mark.parametrize("radius", [1, 2])
def test_windows_of_known_pixels_are_left_out(radius):
    rng = np.random.default_rng(1)
    image = rng.random((14, 17, 3))
    known = rng.random((14, 17)) < 0.93
    known[5:9, 5:12] = True
    L = tm.closed_form_laplacian(image, radius=radius, known=known)
    assert abs(L - closed_form.laplacian(image, radius=radius, known=known)).max() < LAPLACIAN
    everything = tm.closed_form_laplacian(image, radius=radius)
    unknown = ~known.ravel()
    assert abs(L[unknown] - everything[unknown]).max() == 0
    assert L.nnz < everything.nnz


def test_all_known_leaves_nothing():
    L = tm.closed_form_laplacian(np.full((5, 6, 3), 0.5), known=np.ones((5, 6), bool))
    assert L.nnz == 0


@pytest.mark.parametrize("name", pictures())
def test_properties(name):
    image = pictures()[name]
    L = tm.closed_form_laplacian(image)
    assert abs(L - L.T).max() < LAPLACIAN_NULL
    assert abs(L.sum(axis=1)).max() < LAPLACIAN_NULL
    x = np.random.default_rng(2).standard_normal(L.shape[0])
    assert x @ (L @ x) >= 0
    colour_line = image.reshape(L.shape[0], -1).sum(axis=1) + 0.7  # an affine function of colour
    # Costs no more than epsilon |a|^2 = 3e-7 for each window.
    assert 0 <= colour_line @ (L @ colour_line) + LAPLACIAN_NULL < 3.1e-7 * L.shape[0]


def test_flips_and_channel_order_only_permute():
    image = np.random.default_rng(3).random((8, 10, 3))
    pixel = np.arange(80).reshape(8, 10)
    L = tm.closed_form_laplacian(image).toarray()
    for changed, order in (
        (image[::-1], pixel[::-1]),
        (image[:, ::-1], pixel[:, ::-1]),
        (image.transpose(1, 0, 2), pixel.T),
    ):
        other = tm.closed_form_laplacian(changed).toarray()
        assert abs(other - L[np.ix_(order.ravel(), order.ravel())]).max() < LAPLACIAN
    assert abs(tm.closed_form_laplacian(image[..., ::-1]).toarray() - L).max() < LAPLACIAN


def test_is_a_canonical_csr_array_with_small_indices():
    L = tm.closed_form_laplacian(np.random.default_rng(4).random((6, 7, 3)))
    assert type(L).__name__ == "csr_array"
    assert L.has_canonical_format
    assert L.indices.dtype == L.indptr.dtype == np.int32
    assert L.dtype == np.float64
    # A pixel meets the 5 x 5 pixels around it, fewer at the border.
    reach_y, reach_x = ((abs(np.subtract.outer(np.arange(n), np.arange(n))) <= 2).sum(axis=1) for n in (6, 7))
    assert (np.diff(L.indptr).reshape(6, 7) == np.outer(reach_y, reach_x)).all()


@pytest.mark.parametrize("threads", [2, 7])
def test_same_bits_for_any_number_of_threads(threads):
    image = np.random.default_rng(5).random((150, 40, 3))
    one = tm.closed_form_laplacian(image, threads=1)
    many = tm.closed_form_laplacian(image, threads=threads)
    assert (one.data == many.data).all()
    assert (one.indices == many.indices).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"epsilon": 0}, ValueError, "epsilon: expected a number from 1e-08 to 1e.06, got 0"),
        ({"epsilon": np.nan}, ValueError, "epsilon: expected a finite number"),
        ({"epsilon": "1"}, TypeError, "epsilon: expected a number, got str"),
        ({"radius": 0}, ValueError, "radius: expected at least 1, got 0"),
        ({"radius": 1.5}, TypeError, "radius: expected an integer, got float"),
        ({"radius": 4}, ValueError, r"image: expected at least 9 x 9 pixels, got \(6, 7, 3\)"),
        ({"known": np.zeros((6, 6), bool)}, ValueError, r"known: expected shape \(6, 7\) .* got \(6, 6\)"),
        ({"known": np.zeros((6, 7))}, TypeError, "known: expected bool, got float64"),
        ({"threads": 0}, ValueError, "threads: expected at least 1, got 0"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        tm.closed_form_laplacian(np.zeros((6, 7, 3)), **arguments)
