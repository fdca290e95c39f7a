"""Data sets: the rendered suite, folders as the known sets have them, patterns of files."""

import pickle

import numpy as np
import pytest

import trimatte as tm
from trimatte import datasets
from trimatte.datasets import Dataset, _effects
from trimatte.datasets._files import made_trimap


@pytest.fixture(scope="module")
def suite():
    return datasets.scenes(height=72, width=108)


def test_the_suite_can_be_used_as_it_is(suite):
    assert len(suite) == 24
    assert len(set(suite.names)) == 24
    for sample in suite:
        assert sample.image.dtype == np.uint8
        assert sample.image.shape == (72, 108, 3)
        assert sample.truth.shape == sample.trimap.shape == (72, 108)
        assert set(np.unique(sample.trimap)) == {0, 128, 255}
        assert (sample.truth[sample.trimap == 0] == 0).all()
        assert (sample.truth[sample.trimap == 255] == 1).all()
        assert 0.05 < np.mean(sample.trimap == 128) < 0.75
        assert tm.metrics.evaluate(sample.truth, sample.truth, sample.trimap).sad == 0


def test_the_suite_is_the_same_at_every_call(suite):
    again = datasets.scenes(height=72, width=108)
    assert again.names == suite.names
    for name in ("glass", "motion-hair", "similar-net", "low-light-hair"):
        for one, other in zip(suite[name][1:], again[name][1:], strict=True):
            assert np.array_equal(one, other)


def test_the_suite_has_what_it_names(suite):
    def grain(name):  # of the smooth background, above the scene's own texture
        image = suite[name].image[suite[name].trimap == 0].astype(float)
        return np.abs(np.diff(image, axis=0)).mean()

    assert grain("noise-flower") > 2 * grain("flower")
    assert suite["low-light-net"].image.mean() < 0.5 * suite["net"].image.mean()
    soft = {name: np.mean((s.truth > 0.05) & (s.truth < 0.95)) for name, s in ((n, suite[n]) for n in suite.names)}
    assert soft["motion-flower"] > 3 * soft["flower"]
    assert soft["glass"] > 2 * soft["flower"]

    def apart(sample):
        known = [sample.image[sample.trimap == label].mean(axis=0) for label in (0, 255)]
        return np.abs(known[0] - known[1]).max()

    assert apart(suite["similar-hair"]) < 0.6 * apart(suite["hair"])


@pytest.mark.parametrize("name", ["hair", "motion-flower", "similar-dandelion", "low-light-net"])
def test_effects_keep_the_composite_exact(suite, name):
    source = next(s for s in suite.sources if s.name == name)
    scene = type(source)(**{**source.__dict__, "noise": 0.0}).scene()
    a = scene.alpha.astype(float)[..., None]
    exact = a * scene.foreground.astype(float) + (1 - a) * scene.background.astype(float)
    assert np.abs(scene.image - exact).max() < 3e-7
    assert (scene.foreground >= 0).all()
    assert (scene.foreground <= 1).all()


def test_motion_is_the_mean_of_shifted_layers():
    """A motion of whole pixels along a row, pixel by pixel."""
    scene = datasets.flower(40, 50, seed=1)
    blurred = _effects.moved(scene, 2 / 40, 0.0, noise=0, seed=0)
    shifts = np.linspace(-1, 1, 5)
    columns = np.arange(50)

    def shifted(plane, by):
        return np.stack([np.interp(columns - by, columns, row) for row in plane])

    alpha = np.mean([shifted(scene.alpha, by) for by in shifts], axis=0)
    assert np.abs(blurred.alpha - alpha).max() < 2e-3  # less than 1/1024 counts as nothing
    red = np.mean([shifted(scene.alpha, by) * shifted(scene.foreground[..., 0], by) for by in shifts], axis=0)
    seen = alpha > 0.01
    assert np.abs(blurred.foreground[..., 0][seen] - (red[seen] / alpha[seen])).max() < 1e-3


def test_loading_is_lazy_and_sources_can_be_pickled():
    class Explodes:
        name = "b"

        def load(self):
            raise RuntimeError("loaded")

    data = Dataset("mixed", [datasets.scenes(height=32, width=32).sources[0], Explodes()])
    assert data.names == ("dandelion", "b")
    assert len(data[1:]) == 1
    assert data["dandelion"].name == "dandelion"
    with pytest.raises(RuntimeError, match="loaded"):
        data[1]
    with pytest.raises(KeyError, match="'c' is not in mixed"):
        data["c"]
    source = datasets.scenes(height=32, width=32).sources[3]
    assert np.array_equal(pickle.loads(pickle.dumps(source)).load().image, source.load().image)


def test_bad_suites_and_selections_are_refused(suite):
    with pytest.raises(ValueError, match="height: expected at least 32, got 31"):
        datasets.scenes(height=31, width=40)
    with pytest.raises(TypeError, match="width: expected an integer, got str"):
        datasets.scenes(height=40, width="a")
    with pytest.raises(ValueError, match="height, width: expected fewer than"):
        datasets.scenes(height=100_000, width=100_000)
    with pytest.raises(tm.DatasetError, match="scenes: no sample 'hare'"):
        suite.select(["hare"])
    with pytest.raises(tm.DatasetError, match="two samples 'glass'"):
        Dataset("twice", [*suite.select(["glass"]).sources] * 2)


TRUTH = np.zeros((40, 50), np.uint8)
TRUTH[10:30, 15:35] = 255
TRUTH[9, 20:30] = 100


def write(folder, names, pixels):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        tm.io.save_image(folder / name, pixels)


def image(shape=(40, 50)):
    return np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)


def trimap(band=3):
    return made_trimap(TRUTH, band)


@pytest.mark.parametrize(
    "parts",
    [
        ("input_training_lowres", "trimap_training_lowres/Trimap1", "gt_training_lowres"),
        ("input", "trimap1", "gt"),
    ],
)
def test_folders_like_alphamatting(tmp_path, parts):
    for part, pixels in zip(parts, (image(), trimap(), np.repeat(TRUTH[..., None], 3, 2)), strict=True):
        write(tmp_path / part, ["GT02.png", "GT01.png"], pixels)
    data = datasets.folder(tmp_path)
    assert data.names == ("GT01", "GT02")
    assert data.name == f"{tmp_path.name}/{parts[1].split('/')[-1]}"
    sample = data["GT02"]
    assert np.array_equal(sample.image, image())
    assert np.array_equal(sample.trimap, trimap())
    assert np.array_equal(sample.truth, TRUTH)
    assert datasets.folder(tmp_path, layout="alphamatting", trimap="TRIMAP1").names == data.names
    with pytest.raises(tm.DatasetError, match="Trimap2/ or Trimap2/"):
        datasets.folder(tmp_path, layout="alphamatting", trimap="Trimap2")


def test_folders_like_composition_1k(tmp_path):
    write(tmp_path / "Test_set" / "merged", ["boy_0.png", "boy_1.png"], image())
    write(tmp_path / "Test_set" / "trimaps", ["boy_0.png", "boy_1.png"], trimap())
    write(tmp_path / "Test_set" / "alpha", ["boy.png"], TRUTH)
    data = datasets.folder(tmp_path)
    assert data.names == ("boy_0", "boy_1")
    assert np.array_equal(data[1].truth, TRUTH)


@pytest.mark.parametrize(
    ("layout", "folders"),
    [("aim-500", ("original", "mask")), ("p3m-500", ("blurred_image", "mask")), ("am-2k", ("original", "mask"))],
)
def test_folders_of_pictures_and_mattes(tmp_path, layout, folders):
    root = tmp_path / "validation" if layout == "am-2k" else tmp_path
    write(root / folders[0], ["o_1.jpg"], image())
    write(root / folders[1], ["o_1.png"], TRUTH)
    sample = datasets.folder(tmp_path, layout=layout, radius=2)[0]
    assert np.array_equal(sample.trimap, made_trimap(TRUTH, 2))
    assert datasets.folder(tmp_path).names == ("o_1",)
    write(root / "trimap", ["o_1.png"], trimap(7))
    assert np.array_equal(datasets.folder(tmp_path)[0].trimap, trimap(7))


def test_made_trimaps_keep_everything_soft_unknown():
    made = made_trimap(TRUTH, 1)
    assert (made[(TRUTH > 0) & (TRUTH < 255)] == 128).all()
    assert (made[12:28, 17:33] == 255).all()
    assert made[2, 2] == 0
    far = TRUTH.copy()
    far[2, 40:44] = 20  # a hair beyond the band
    assert (made_trimap(far, 1)[2, 40:44] == 128).all()
    assert np.mean(made_trimap(TRUTH / 255, 4) == 128) > np.mean(made == 128)


def test_patterns_of_files(tmp_path):
    write(tmp_path / "photos", ["a.jpg", "b.jpg"], image())
    write(tmp_path / "gt", ["a_alpha.png", "b_alpha.png"], TRUTH)
    write(tmp_path / "tri", ["a.png", "b.png"], trimap())
    data = datasets.files(
        str(tmp_path / "photos" / "*.jpg"),
        str(tmp_path / "gt" / "{stem}_alpha.png"),
        str(tmp_path / "tri" / "*.png"),
    )
    assert data.names == ("a", "b")
    assert np.array_equal(data["b"].trimap, trimap())
    made = datasets.files(str(tmp_path / "photos" / "a*"), str(tmp_path / "gt" / "{stem}_alpha.png"), radius=2)
    assert np.array_equal(made["a"].trimap, made_trimap(TRUTH, 2))


def test_the_name_of_a_file_is_no_pattern(tmp_path):
    write(tmp_path / "photos [1]", ["a.jpg"], image())
    write(tmp_path / "gt [1]", ["a.png"], TRUTH)
    data = datasets.files(str(tmp_path / "photos [1]" / "a.jpg"), str(tmp_path / "gt [1]" / "{stem}.png"))
    assert data.names == ("a",)


def test_state_tells_of_changed_files(tmp_path):
    write(tmp_path / "original", ["a.png"], image())
    write(tmp_path / "mask", ["a.png"], TRUTH)
    (source,) = datasets.folder(tmp_path).sources
    before = source.state()
    assert source.state() == before
    write(tmp_path / "mask", ["a.png"], TRUTH[::-1].copy())
    assert source.state() != before


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(tm.DatasetError, match="no such folder"):
        datasets.folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="layout: expected one of auto, alphamatting"):
        datasets.folder(tmp_path, layout="coco")
    with pytest.raises(tm.DatasetError, match=r"training set of alphamatting.com has input_training_lowres/ or"):
        datasets.folder(tmp_path)
    write(tmp_path / "original", ["a.png", "b.png"], image())
    write(tmp_path / "mask", ["a.png"], TRUTH)
    with pytest.raises(tm.DatasetError, match=r"b.png: no truth .*mask.b.\*"):
        datasets.folder(tmp_path)
    write(tmp_path / "mask", ["b.png"], TRUTH)
    write(tmp_path / "trimap", ["a.png"], trimap())
    with pytest.raises(tm.DatasetError, match=r"b.png: no trimap"):
        datasets.folder(tmp_path)
    photos = str(tmp_path / "original" / "*.png")
    with pytest.raises(tm.DatasetError, match="no file matches"):
        datasets.files(str(tmp_path / "*.webp"), photos)
    with pytest.raises(tm.DatasetError, match=r"a.png: expected one truth .*a_gt.png"):
        datasets.files(photos, str(tmp_path / "{stem}_gt.png"))
    with pytest.raises(tm.DatasetError, match=r"expected one trimap .* of the same stem, got 0"):
        datasets.files(photos, photos, str(tmp_path / "trimap" / "x*.png"))


def test_two_pictures_of_one_stem_are_refused(tmp_path):
    write(tmp_path / "original", ["a.png"], image())
    write(tmp_path / "mask", ["a.png", "a.tif"], TRUTH)
    with pytest.raises(tm.DatasetError, match=r"mask: expected one picture of a stem, got a.png and a.tif"):
        datasets.folder(tmp_path)
    photos, masks = str(tmp_path / "original" / "*"), str(tmp_path / "mask" / "{stem}.*")
    with pytest.raises(tm.DatasetError, match=r"expected one truth .* got 2"):
        datasets.files(photos, masks)
    (tmp_path / "mask" / "a.tif").unlink()
    assert datasets.files(photos, masks).names == ("a",)
    with pytest.raises(ValueError, match="radius: expected a finite number"):
        datasets.folder(tmp_path, radius=float("nan"))


def test_bad_samples_are_refused_when_loaded(tmp_path):
    write(tmp_path / "original", ["a.png"], image())
    write(tmp_path / "mask", ["a.png"], TRUTH[:30])
    write(tmp_path / "trimap", ["a.png"], trimap())
    with pytest.raises(
        tm.DatasetError, match=r"a: expected parts of one size, got image \(40, 50\), .* truth \(30,"
    ):
        datasets.folder(tmp_path)[0]
    write(tmp_path / "mask", ["a.png"], image())
    with pytest.raises(ValueError, match=r"mask.a.png: expected grey .* with coloured pixels"):
        datasets.folder(tmp_path)[0]
