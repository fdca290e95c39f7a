"""The scenes and maps that the fusion networks are trained on; PyTorch is not needed for them."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

TRAINING = Path(__file__).parents[1] / "training"
pytestmark = pytest.mark.skipif(not TRAINING.is_dir(), reason="the folder training is not beside the tests")


@pytest.fixture(scope="module")
def training():
    """The modules that make scenes and prepare them."""
    sys.path.insert(0, str(TRAINING))
    try:
        import keyed_scenes
        import scenes
        import tasks

        yield {
            "trimap": (scenes.make_scene, tasks.TASKS["trimap"]),
            "background": (keyed_scenes.make_keyed_scene, tasks.TASKS["background"]),
        }
    finally:
        sys.path.remove(str(TRAINING))


@pytest.fixture(scope="module")
def photographs():
    random = np.random.default_rng(0)
    planes = [gaussian_filter(random.standard_normal((640, 900, 3)), (8, 8, 0)) for _ in range(2)]
    return [np.clip(128 + 50 * plane / plane.std(), 0, 255).astype(np.uint8) for plane in planes]


@pytest.mark.parametrize("number", [0, 1, 2, 900_001])
def test_what_a_trimap_knows_is_true(training, photographs, number):
    scene = training["trimap"][0](number, photographs)
    assert scene.image.shape == (*scene.alpha.shape, 3)
    assert set(np.unique(scene.trimap)) == {0, 128, 255}
    assert (scene.alpha[scene.trimap == 0] == 0).all()
    assert scene.alpha[scene.trimap == 255].min() > 0.5


@pytest.mark.parametrize("task", ["trimap", "background"])
@pytest.mark.parametrize("number", [0, 5])
def test_a_number_is_a_scene(training, photographs, task, number):
    make, _ = training[task]
    one, again, other = (make(n, photographs) for n in (number, number, number + 1))
    assert one.image.dtype == np.uint8
    assert one.alpha.min() >= 0
    assert one.alpha.max() <= 1
    for name, value in one._asdict().items():
        twin = getattr(again, name)
        assert np.array_equal(value, twin) if isinstance(value, np.ndarray) else value == twin, name
    assert not np.array_equal(one.image, other.image)


def test_keyed_scenes_have_a_key_or_a_plate(training, photographs):
    make, _ = training["background"]
    scenes = [make(number, photographs) for number in range(12)]
    assert {scene.key is None for scene in scenes} == {False, True}
    for scene in scenes:
        assert (scene.key is None) != (scene.plate is None)
        empty = gaussian_filter(scene.alpha, 4) < 1e-6
        if scene.plate is not None and empty.any():
            assert scene.plate.shape == scene.image.shape
            difference = scene.image[empty].astype(float) - scene.plate[empty]
            assert abs(difference.mean()) < 2


@pytest.mark.filterwarnings("ignore:trimap. ")
@pytest.mark.parametrize(("task", "number"), [("trimap", 3), ("background", 5)])
def test_the_layout_is_that_of_the_maps(training, photographs, task, number):
    _, wanted = training[task]
    prepared = wanted.prepare(number, photographs)
    assert prepared is not None
    layout = wanted.layout
    assert prepared.maps.shape == (layout.maps, *prepared.alpha.shape)
    assert abs(prepared.maps).max() <= 1
    np.testing.assert_allclose(prepared.maps[layout.refined], 2 * prepared.refined - 1, atol=1e-6)
    np.testing.assert_array_equal(prepared.maps[layout.unknown], prepared.trimap == 128)
    assert layout.colours % 3 == 0
    unknown = prepared.trimap == 128
    assert unknown.any()
    assert abs(prepared.refined - prepared.alpha)[unknown].mean() < 0.5
