"""The scenes and maps that the fusion network is trained on; PyTorch is not needed for them."""

import sys
from pathlib import Path

import numpy as np
import pytest

TRAINING = Path(__file__).parents[1] / "training"
pytestmark = pytest.mark.skipif(not TRAINING.is_dir(), reason="the folder training is not beside the tests")


@pytest.fixture(scope="module")
def training():
    """The modules that make scenes and maps."""
    sys.path.insert(0, str(TRAINING))
    try:
        import maps
        import scenes

        yield scenes, maps
    finally:
        sys.path.remove(str(TRAINING))


@pytest.fixture(scope="module")
def photographs():
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (640, 900, 3), dtype=np.uint8) for _ in range(2)]


@pytest.mark.parametrize("number", [0, 1, 2, 900_001])
def test_what_a_trimap_knows_is_true_and_a_number_is_a_scene(training, photographs, number):
    scenes, _ = training
    scene = scenes.make_scene(number, photographs)
    assert scene.image.shape == (*scene.alpha.shape, 3)
    assert set(np.unique(scene.trimap)) == {0, 128, 255}
    assert (scene.alpha[scene.trimap == 0] == 0).all()
    assert scene.alpha[scene.trimap == 255].min() > 0.5
    again = scenes.make_scene(number, photographs)
    assert again.image.tobytes() == scene.image.tobytes()
    assert again.trimap.tobytes() == scene.trimap.tobytes()


@pytest.mark.filterwarnings("ignore:trimap. ")
def test_maps_are_those_of_the_package(training, photographs):
    scenes, maps = training
    scene = scenes.make_scene(3, photographs)
    part = np.s_[:120, :160]
    image, trimap = np.ascontiguousarray(scene.image[part]), np.ascontiguousarray(scene.trimap[part])
    trimap[0, 0], trimap[0, 1] = 0, 255
    answers = maps.ask(image, trimap, seed=1)
    made = maps.make_maps(image, trimap, answers)
    assert made.shape == (maps.COUNT, 120, 160)
    np.testing.assert_allclose(made[6], 2 * answers.refined - 1, atol=1e-6)
    np.testing.assert_array_equal(made[8], trimap == 128)
