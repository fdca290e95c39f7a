"""Properties that hold for every picture, looked for by hypothesis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tolerances import COMPOSITE_EXACT, LAPLACIAN_NULL

import trimatte as tm

may_know_all = pytest.mark.filterwarnings("ignore:trimap. no pixel is unknown")

shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=9)
# 8-bit colours, so that flat areas and repeated colours are common.
colours = st.integers(0, 255)


@st.composite
def images(draw):
    height, width = draw(shapes)
    channels = draw(st.sampled_from([(), (3,)]))
    few = draw(st.integers(1, 255))
    return (draw(hnp.arrays(np.uint8, (height, width, *channels), elements=colours)) // few * few).astype(np.uint8)


@st.composite
def images_and_trimaps(draw):
    image = draw(images())
    trimap = draw(hnp.arrays(np.uint8, image.shape[:2], elements=st.sampled_from([0, 128, 255])))
    trimap[0, 0], trimap[-1, -1] = 0, 255
    return image, trimap


@settings(deadline=None)
@given(images(), st.sampled_from([1e-7, 1e-5, 1e-2]))
def test_laplacian(image, epsilon):
    L = tm.closed_form_laplacian(image, epsilon=epsilon)
    assert abs(L - L.T).max() < LAPLACIAN_NULL
    assert abs(L.sum(axis=1)).max() < LAPLACIAN_NULL
    assert np.linalg.eigvalsh(L.toarray())[0] > -LAPLACIAN_NULL


@may_know_all
@settings(deadline=None)
@given(images_and_trimaps())
def test_alpha(image_and_trimap):
    image, trimap = image_and_trimap
    alpha, info = tm.solve_alpha(image, trimap, solver="cholesky", method="closed-form")
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    assert (alpha[trimap == 255] == 1).all()
    assert (alpha[trimap == 0] == 0).all()
    assert info.relative_residual < 1e-9


@may_know_all
@settings(deadline=None)
@given(images_and_trimaps())
def test_the_opposite_trimap_gives_the_opposite_alpha(image_and_trimap):
    image, trimap = image_and_trimap
    alpha = tm.estimate_alpha(image / 255, trimap, epsilon=1e-4, method="closed-form")
    opposite = tm.estimate_alpha(image / 255, 255 - trimap, epsilon=1e-4, method="closed-form")
    assert abs(alpha + opposite - 1).max() < 1e-6


@settings(deadline=None)
@given(images(), st.integers(0, 2**32 - 1))
def test_layers(image, seed):
    alpha = np.clip(np.random.default_rng(seed).random(image.shape[:2]) * 2 - 0.5, 0, 1).astype(np.float32)
    F, B = tm.estimate_foreground(image, alpha)
    a = alpha if image.ndim == 2 else alpha[..., None]
    assert abs(a.astype(float) * F + (1 - a.astype(float)) * B - image / 255).max() < COMPOSITE_EXACT
    assert min(F.min(), B.min()) >= 0
    assert max(F.max(), B.max()) <= 1
