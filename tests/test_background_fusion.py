"""The network of a known background: what it sees, its weights, and what it is worth."""

import numpy as np
import pytest
from reference import fusion as reference
from test_keying import jpeg, shot

import trimatte as tm
from trimatte import _core
from trimatte._context import make_context
from trimatte.priors import BackgroundFusion, KnownBackground, _correction, background_fusion


def keyed(kind="hair", key="green", **options):
    """A small picture before a screen, its background, and a trimap."""
    picture, scene, behind = shot(kind, key, height=120, width=160, **options)
    return (
        picture,
        scene,
        np.broadcast_to(behind, scene.image.shape).astype(np.float32),
        tm.trimap_from_key(picture),
    )


def labels_of(trimap):
    return np.choose(trimap // 100, [0, 2, 1]).astype(np.uint8)


@pytest.mark.parametrize("grey", [False, True])
def test_the_correction_equals_the_twin(grey):
    picture, _, behind, trimap = keyed()
    image = np.asarray(picture, np.float32) / np.float32(255)
    if grey:
        image, behind = (np.ascontiguousarray(plane[..., 1]) for plane in (image, behind))
    prior = BackgroundFusion(behind, noise=0.02, chroma="half", weight=2, seed=3)
    found = prior.estimate(image, trimap)

    first = KnownBackground(behind, noise=0.02, seed=3)
    guess = first.estimate(image, trimap)
    options = {"prior": guess.alpha, "confidence": guess.confidence, "start": guess.alpha}
    refined = tm.estimate_alpha(image, trimap, method="closed-form", **options)
    difference = np.atleast_3d(image - behind)
    colours = np.atleast_3d(image) - 0.5
    maps = [np.broadcast_to(colours, (*trimap.shape, 3)), np.broadcast_to(difference, (*trimap.shape, 3))]
    planes = [
        2 * guess.alpha - 1,
        2 * refined - 1,
        guess.confidence / 0.1,
        np.full(trimap.shape, 0.6),
        np.ones(trimap.shape),
    ]
    known = reference.known_maps(labels_of(trimap))
    seen = np.concatenate([*maps, np.stack([*planes, *known], axis=2)], axis=2)
    weights, record = _correction.shipped_weights(background_fusion.WEIGHTS)
    layers = [(weights[f"W{n}"][0].astype(float), weights[f"b{n}"][0].astype(float)) for n in range(8)]
    expected = np.clip(refined + reference.correction(seen, layers, record["dilations"]), 0, 1)
    unknown = trimap == 128
    assert unknown.any()
    assert np.abs(found.alpha - expected)[unknown].max() < 1e-3
    np.testing.assert_array_equal(found.alpha[~unknown], trimap[~unknown] == 255)
    np.testing.assert_allclose(found.confidence, 2 * (np.abs(2 * found.alpha - 1) + 0.05), atol=1e-6)


def test_the_shipped_weights_belong_to_these_maps_and_say_how_they_were_made():
    weights, record = _correction.shipped_weights(background_fusion.WEIGHTS)
    assert record["maps_version"] == background_fusion.MAPS_VERSION
    assert weights["W0"].shape[:3] == (1, 9, 15)
    assert {"seed", "courses", "scenes", "photographs"} <= set(record)
    assert record["photographs"] >= 24


def test_weights_of_other_maps_are_refused():
    with pytest.raises(RuntimeError, match=r"background_fusion.npz: made for maps 1, expected 2"):
        _correction.shipped_networks(background_fusion.WEIGHTS, 2, background_fusion.VIEWS)


def test_networks_that_take_other_maps_are_refused():
    picture, _, _, trimap = keyed()
    networks = _correction.shipped_networks(background_fusion.WEIGHTS, 1, background_fusion.VIEWS)
    planes, context = np.zeros((3, *trimap.shape), np.float32), make_context(None, None)
    narrow = np.ascontiguousarray(planes[:, 1:])
    with pytest.raises(ValueError, match="networks: expected one or more that take as many maps"):
        _correction.correction_of(picture, labels_of(trimap), planes, networks, context)
    with pytest.raises(ValueError, match="planes: expected shape"):
        _core.fusion_correction(picture, labels_of(trimap), narrow, networks, planes[0], 1, context.monitor)


@pytest.mark.parametrize(
    ("kind", "key", "stored"),
    [
        ("hair", "blue", jpeg),
        ("net", "magenta", jpeg),
        ("dandelion", "green", np.asarray),
        ("net", "blue", np.asarray),
    ],
)
def test_the_network_lowers_the_error_of_mixtures(kind, key, stored):
    picture, scene, _ = shot(kind, key)
    picture = stored(picture)
    found = tm.matte_from_key(picture)
    prior = KnownBackground(found.background)
    plain = tm.solve_alpha(picture, found.trimap, prior=prior, chroma="auto").alpha
    assert abs(found.alpha - scene.alpha).sum() < 0.9 * abs(plain - scene.alpha).sum()


def test_a_subject_that_may_be_see_through_is_not_corrected():
    """The network would harden the soft borders of smoke."""
    picture, *_ = keyed("glass")
    found = tm.matte_from_key(picture, solid=False)
    assert found.info.prior == "KnownBackground"
    assert tm.matte_from_key(picture).info.prior == "BackgroundFusion"


def test_the_bits_do_not_depend_on_the_number_of_threads():
    picture, _, behind, trimap = keyed()
    guesses = [
        BackgroundFusion(behind).estimate(
            np.asarray(picture / np.float32(255), np.float32), trimap, threads=threads
        )
        for threads in (1, 2, 7)
    ]
    for other in guesses[1:]:
        np.testing.assert_array_equal(other.alpha, guesses[0].alpha)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"noise": 0}, ValueError, "noise: expected"),
        ({"chroma": "auto"}, ValueError, "chroma: expected one of"),
        ({"weight": -1}, ValueError, "weight: expected"),
        ({"seed": -1}, ValueError, "seed: expected"),
    ],
)
def test_bad_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        BackgroundFusion(np.zeros((4, 4, 3), np.float32), **options)


def test_a_background_of_another_size_is_refused():
    picture, _, behind, trimap = keyed()
    with pytest.raises(ValueError, match="background: expected shape"):
        BackgroundFusion(behind[1:]).estimate(picture / np.float32(255), trimap)
