"""The fusion network: its maps, its weights, its scale, and what it is worth."""

import numpy as np
import pytest
from reference import fusion as reference
from ring_picture import ring

import trimatte as tm
from trimatte import _core
from trimatte._context import make_context
from trimatte.priors import _correction, _scale, fusion


def in_bytes(scene):
    return scene._replace(image=np.round(255 * scene.image).astype(np.uint8))


def hair(height, width, **options):
    return in_bytes(tm.datasets.hair(height, width, noise=0.01, **options))


def labels_of(scene):
    return np.choose(scene.trimap // 100, [0, 2, 1]).astype(np.uint8)


def some_planes(shape, seed=0):
    random = np.random.default_rng(seed)
    planes = random.random((5, *shape), np.float32)
    planes[3] *= 20
    return list(planes)


def layers_of(weights, number):
    count = len(weights) // 2
    return [(weights[f"W{n}"][number].astype(float), weights[f"b{n}"][number].astype(float)) for n in range(count)]


@pytest.mark.parametrize("channels", [1, 3])
def test_maps_and_correction_equal_the_twin(channels):
    scene = hair(90, 130)
    image = np.ascontiguousarray(scene.image[..., :channels])
    labels, planes, context = labels_of(scene), some_planes(scene.alpha.shape), make_context(None, None)
    expected = reference.maps(image / 255, labels, *planes)
    found = _core.fusion_maps(image, labels, fusion.planes_of(*planes), context.threads, context.monitor)
    assert np.abs(found - expected).max() < 2e-6

    weights, record = _correction.shipped_weights(fusion.WEIGHTS)
    networks = [_correction.network_of(weights, record["dilations"], number) for number in (0, 1)]
    correction = np.full(labels.shape, 7, np.float32)
    _core.fusion_correction(
        image, labels, fusion.planes_of(*planes), networks, correction, context.threads, context.monitor
    )
    unknown = labels == 2
    layers = [layers_of(weights, number) for number in (0, 1)]
    answers = np.stack([reference.correction(expected, one, record["dilations"]) for one in layers])
    assert np.abs(correction - reference.trusted(answers, unknown))[unknown].max() < 1e-4
    assert (correction[~unknown] == 7).all()


def test_the_other_views_are_the_networks_on_the_turned_and_mirrored_picture():
    scene = hair(90, 130)
    labels, planes, context = labels_of(scene), some_planes(scene.alpha.shape), make_context(None, None)
    weights, record = _correction.shipped_weights(fusion.WEIGHTS)
    plain, turned, mirrored = _correction.shipped_networks(fusion.WEIGHTS, fusion.MAPS_VERSION, fusion.VIEWS)
    other = _correction.network_of(weights, record["dilations"], 1)

    def correct(networks, seen=lambda a: a):
        image, known, *rest = (np.ascontiguousarray(seen(a)) for a in (scene.image, labels, *planes))
        return _correction.correction_of(image, known, fusion.planes_of(*rest), networks, context)

    one, two, three = correct([plain]), correct([turned]), correct([mirrored])
    assert min(np.abs(one - two).max(), np.abs(one - three).max(), np.abs(two - three).max()) > 1e-3
    assert np.abs(two - np.rot90(correct([other], lambda a: np.rot90(a, 3)))).max() < 1e-5

    def across(a):
        return np.swapaxes(a[::-1, ::-1], 0, 1)

    assert np.abs(three - across(correct([plain], across))).max() < 1e-5
    expected = reference.trusted(np.stack([one, two, three]).astype(float), labels == 2)
    assert np.abs(correct([plain, turned, mirrored]) - expected).max() < 1e-5


def test_the_shipped_weights_belong_to_these_maps_and_say_how_they_were_made():
    weights, record = _correction.shipped_weights(fusion.WEIGHTS)
    assert record["maps_version"] == fusion.MAPS_VERSION
    assert weights["W0"].shape[:3] == (2, 9, 12)
    assert {"seed", "courses", "scenes", "photographs"} <= set(record)
    assert record["photographs"] >= 24


def test_blocks_have_the_means_of_their_pixels():
    image = np.random.default_rng(0).integers(0, 256, (23, 31, 3), dtype=np.uint8)
    assert np.abs(_scale.reduced(image, 4) - reference.reduced(image / 255, 4)).max() < 1e-6


def test_a_kind_that_no_block_holds_alone_stays_known():
    labels = np.full((12, 12), 2, np.uint8)
    labels[:, :4] = 0
    labels[5, 8] = 1
    small = _scale.reduced_labels(labels, 4)
    assert small.tolist() == [[0, 2, 2], [0, 2, 1], [0, 2, 2]]


def test_what_is_linear_stays_so_when_it_is_enlarged():
    y, x = np.mgrid[:21, :30].astype(np.float32)
    plane = 0.3 * x - 0.1 * y
    small = _scale.reduced(plane, 3)
    assert np.abs(_scale.enlarged(small, 3, plane.shape) - plane)[2:-2, 2:-2].max() < 1e-4
    assert _scale.enlarged(np.full((1, 1), 0.5, np.float32), 4, (3, 4)).tolist() == [[0.5] * 4] * 3


def error(scene, **options):
    alpha = tm.estimate_alpha(scene.image, scene.trimap, **options)
    return float(np.abs(alpha - scene.alpha)[scene.trimap == 128].mean())


def test_best_and_auto_are_fusion_and_better_than_closed_form():
    scenes = [in_bytes(draw(160, 240, seed=7, noise=0.01)) for draw in (tm.datasets.hair, tm.datasets.net)]
    by_method = {
        method: [error(scene, method=method) for scene in scenes]
        for method in ("closed-form", "fusion", "best", "auto")
    }
    assert sum(by_method["best"]) < 0.6 * sum(by_method["closed-form"])
    assert sum(by_method["fusion"]) < 0.6 * sum(by_method["closed-form"])
    assert by_method["auto"] == by_method["best"]


def test_a_large_picture_has_no_larger_error_than_the_same_scene_small():
    small, large = hair(300, 450, seed=7), hair(1000, 1500, seed=7)
    assert [_scale.working_step(scene.alpha.shape) for scene in (small, large)] == [1, 2]
    assert error(large) < 1.05 * error(small)


def test_the_bits_do_not_depend_on_the_number_of_threads():
    scene = hair(120, 200)
    first, second = (
        tm.priors.Fusion(seed=3).estimate(scene.image, scene.trimap, threads=threads) for threads in (1, 2)
    )
    assert first.alpha.tobytes() == second.alpha.tobytes()
    assert first.confidence.tobytes() == second.confidence.tobytes()


@pytest.mark.parametrize("missing", [0, 255])
def test_one_kind_missing_is_refused(missing):
    scene = hair(64, 64)
    trimap = np.where(scene.trimap == missing, 128, scene.trimap)
    name = "background" if missing == 0 else "foreground"
    with pytest.raises(ValueError, match=f"trimap: expected at least 1 {name} pixel"):
        tm.priors.Fusion().estimate(scene.image, trimap)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="weight"):
        tm.priors.Fusion(weight=-1)
    with pytest.raises((ValueError, TypeError), match="seed"):
        tm.priors.Fusion(seed=-1)


def strokes(shape):
    trimap = np.full(shape, 128, np.uint8)
    trimap[10:-10, 20:23] = 255
    trimap[10:-10, -23:-20] = 0
    return trimap


def test_auto_leaves_strokes_to_closed_form_and_says_so():
    scene = hair(150, 200)
    result = tm.solve_alpha(scene.image, strokes(scene.alpha.shape))
    plain = tm.estimate_alpha(scene.image, strokes(scene.alpha.shape), method="closed-form")
    assert result.alpha.tobytes() == plain.tobytes()
    assert result.info.method == "auto"
    assert result.info.prior == "OneSided"
    assert "strokes" in result.info.choice


def test_auto_takes_a_thinned_trimap_as_a_trimap():
    scene = hair(150, 200)
    random = np.random.default_rng(0)
    thin = np.where(random.random(scene.alpha.shape) < 0.03, scene.trimap, 128).astype(np.uint8)
    assert tm.solve_alpha(scene.image, thin).info.prior == "fusion"


def test_auto_with_a_prior_or_soft_known_pixels_is_closed_form():
    scene = hair(64, 90)
    for options in ({"prior": scene.alpha}, {"known_weight": 100.0}):
        result = tm.solve_alpha(scene.image, scene.trimap, **options)
        plain = tm.estimate_alpha(scene.image, scene.trimap, method="closed-form", **options)
        assert result.alpha.tobytes() == plain.tobytes()
        assert result.info.choice


def test_best_steps_back_from_strokes():
    scene = hair(150, 200)
    trimap = strokes(scene.alpha.shape)
    best = tm.estimate_alpha(scene.image, trimap, method="best", settle=False)
    plain = tm.estimate_alpha(scene.image, trimap, method="closed-form")
    assert np.abs(best - plain).max() < 2e-3


def test_a_hole_that_touches_foreground_only_is_found_by_default():
    image, trimap, hole = ring()
    assert tm.estimate_alpha(image, trimap)[hole].mean() < 0.05
