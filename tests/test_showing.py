"""What results look like in a terminal and in a notebook."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

import trimatte as tm


@pytest.fixture(scope="module")
def scene():
    return tm.datasets.hair(64, 96, seed=1)


def test_results_fit_on_a_line(scene):
    result = tm.solve_alpha(scene.image, scene.trimap, method="closed-form")
    assert repr(result).startswith("AlphaResult(alpha=<64 x 96 float32>, info=SolveInfo(method='closed-form'")
    assert repr(scene).startswith("Scene(image=<64 x 96 x 3 float32>, trimap=<64 x 96 uint8>, alpha=")


def test_a_picture_fits_on_a_line(scene, tmp_path):
    tm.io.save_image(tmp_path / "a.png", scene.image)
    picture = tm.io.read_picture(tmp_path / "a.png")
    assert repr(picture).startswith("Picture(pixels=<64 x 96 x 3 uint8>, icc_profile=None, depth='uint8'")


def pictures_in(html):
    """Every picture of a page with the caption below it."""
    found = re.findall(r'src="data:image/png;base64,([^"]*)"/><figcaption>([^<]*)<', html)
    return [(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), caption) for data, caption in found]


def test_notebooks_show_pictures(scene):
    shown = pictures_in(scene._repr_html_())
    assert [caption.split(",")[0] for _, caption in shown] == ["image", "trimap", "alpha", "cutout"]
    image, trimap, alpha, cutout = (pixels for pixels, _ in shown)
    np.testing.assert_array_equal(image, np.rint(np.clip(scene.image, 0, 1) * 255))
    np.testing.assert_array_equal(trimap, scene.trimap)
    np.testing.assert_array_equal(alpha, np.rint(scene.alpha * 255))
    clear = scene.alpha == 0
    assert set(cutout[clear].ravel()) == {204, 255}
    opaque = scene.alpha == 1
    assert abs(cutout[opaque] / 255 - scene.foreground[opaque]).max() <= 1 / 255


def test_large_pictures_are_shown_small():
    result = tm.AlphaResult(
        np.tile(np.linspace(0, 1, 2000), (1000, 1)), tm.SolveInfo("m", "none", 0, 0, 0, 5, {}, 0, 1)
    )
    ((pixels, caption),) = pictures_in(result._repr_html_())
    assert pixels.shape == (160, 320)
    assert abs(pixels[5] / 255 - np.linspace(0, 1, 320)).max() < 0.01
    assert caption.endswith("2000 x 1000")
