"""What the commands do with a finished matte: levels, specks, choke, crop, hidden colours, small files."""

import numpy as np
import pytest

import trimatte as tm
from trimatte.cli import run

SCENE = tm.datasets.hair(60, 80, seed=3)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tm.io.save_image("image.png", SCENE.image)
    tm.io.save_image("trimap.png", SCENE.trimap)
    tm.io.save_image("mask.png", np.uint8(255) * (SCENE.alpha > 0.5))
    return tmp_path


def cut(*options, command="cutout", guide="trimap.png"):
    assert run([command, "image.png", guide, "-o", "out.png", "-q", *options]) == 0
    return tm.io.read_picture("out.png").pixels


def test_the_matte_is_changed_as_in_python(folder):
    image, trimap = tm.io.load_image("image.png"), tm.io.load_image("trimap.png")
    alpha = tm.estimate_alpha(image, trimap)
    plain = cut()
    got = cut("--levels", "0.1,0.8,1.5", "--specks", "30", "--choke", "0.5", "--alpha-output", "a.png")
    wanted = tm.choke(tm.remove_specks(tm.levels(alpha, 0.1, 0.8, 1.5), 30), 0.5)
    np.testing.assert_array_equal(got[..., 3], np.rint(wanted * 255).astype(np.uint8))
    np.testing.assert_array_equal(tm.io.load_image("a.png"), got[..., 3])
    np.testing.assert_array_equal(got[..., :3], plain[..., :3])  # colours are those of the matte that was found
    alone = cut("--levels", "0.1,0.8", command="alpha")
    np.testing.assert_array_equal(alone, np.rint(tm.levels(alpha, 0.1, 0.8) * 255).astype(np.uint8))


@pytest.mark.parametrize(("command", "guide"), [("cutout", "trimap.png"), ("refine", "mask.png")])
def test_a_crop_holds_the_subject(folder, command, guide):
    whole = cut(command=command, guide=guide)
    box = tm.crop_box(whole[..., 3], margin=3)
    got = cut("--crop", "--margin", "3", "--alpha-output", "a.png", command=command, guide=guide)
    np.testing.assert_array_equal(got, whole[box.rows, box.columns])
    np.testing.assert_array_equal(tm.io.load_image("a.png"), got[..., 3])
    assert got.shape != whole.shape


def test_hidden_colours(folder):
    image = tm.io.load_image("image.png")
    whole = cut()
    clear = whole[..., 3] == 0
    assert clear.mean() > 0.2
    zero, original, extend = (cut("--hidden-colour", how) for how in ("zero", "original", "extend"))
    np.testing.assert_array_equal(extend, whole)
    assert not zero[clear].any()
    np.testing.assert_array_equal(original[clear][:, :3], image[clear])
    for other in (zero, original):
        np.testing.assert_array_equal(other[..., 3], whole[..., 3])
        np.testing.assert_array_equal(other[whole[..., 3] > 1], whole[whole[..., 3] > 1])


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_small_files_hold_the_same(tmp_path, channels, dtype):
    if channels > 1 and dtype is np.uint16:
        pytest.importorskip("OpenImageIO", reason="extra [vfx] is not installed")
    pixels = np.dstack([SCENE.image, SCENE.alpha])[..., -channels:]
    pixels = np.rint(pixels * np.iinfo(dtype).max).astype(dtype)
    if channels == 1:
        pixels = pixels[..., 0]
    for quality in ("fast", "small"):
        tm.io.save_image(tmp_path / f"{quality}.png", pixels, quality=quality)
        np.testing.assert_array_equal(tm.io.read_picture(tmp_path / f"{quality}.png").pixels, pixels)
    sizes = [(tmp_path / f"{quality}.png").stat().st_size for quality in ("small", "fast")]
    assert sizes[0] < sizes[1]
    with pytest.raises(ValueError, match="quality: expected one of fast, small, got 'smal'; did you mean 'small'"):
        tm.io.save_image(tmp_path / "x.png", pixels, quality="smal")


def test_a_small_cutout(folder):
    fast = cut()
    size = (folder / "out.png").stat().st_size
    np.testing.assert_array_equal(cut("--quality", "small"), fast)
    assert (folder / "out.png").stat().st_size < size


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--levels", "0.5"], 2, "'0.5': expected BLACK,WHITE or BLACK,WHITE,GAMMA such as 0.02,0.98"),
        (["--levels", "0.9,0.1"], 2, "black, white: expected black below white, got 0.9 and 0.1"),
        (["--margin", "3"], 2, "--margin: only with --crop"),
        (["--crop", "--levels", "0.999,1,0.01"], 1, "alpha: expected some pixel above threshold=0.02"),
    ],
)
def test_what_cannot_be_is_refused(folder, capsys, options, code, message):
    trimap = "trimap.png" if code == 2 else "dark.png"
    tm.io.save_image("dark.png", np.zeros_like(SCENE.trimap))
    assert run(["cutout", "image.png", trimap, "-o", "x.png", *options]) == code
    assert message in capsys.readouterr().err
    assert not (folder / "x.png").exists()


def test_a_batch_finishes_as_one_picture_is_finished(folder):
    """The options of the command hold for all items; those in a line of a manifest count before them."""
    options = ["--levels", "0.1,0.8,1.5", "--specks", "30", "--crop", "--margin", "3", "--hidden-colour", "zero"]
    want = cut(*options)
    (folder / "jobs.csv").write_text(
        'image,trimap,output,levels,choke\nimage.png,trimap.png,a.png,,\nimage.png,trimap.png,b.png,"0,1",0.5\n'
    )
    assert run(["batch", "--manifest", "jobs.csv", *options, "-q"]) == 0
    np.testing.assert_array_equal(tm.io.read_picture("a.png").pixels, want)
    other = cut("--levels", "0,1", *options[2:], "--choke", "0.5")
    np.testing.assert_array_equal(tm.io.read_picture("b.png").pixels, other)
    assert run(["batch", "image.png", "--masks", "mask.png", "-o", "c.png", "--specks", "30", "-q"]) == 0
    np.testing.assert_array_equal(
        tm.io.read_picture("c.png").pixels, cut("--specks", "30", command="refine", guide="mask.png")
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": "0.5"}, "levels: expected BLACK,WHITE or BLACK,WHITE,GAMMA such as 0.02,0.98, got '0.5'"),
        ({"levels": [0.9, 0.1]}, "black, white: expected black below white"),
        ({"margin": 3}, "margin: expected crop beside it"),
        ({"crop": "yes"}, "crop: expected True or False"),
        ({"specks": -1}, "specks: expected"),
        ({"hidden_colour": "red"}, "hidden_colour: expected"),
        ({"quality": "best"}, "quality: expected"),
    ],
)
def test_bad_finishing_of_a_job_is_refused(options, message):
    with pytest.raises(tm.BatchError, match=f"image.png: {message}"):
        tm.batch.Job("image.png", {"cutout": "out.png"}, "trimap.png", options=options)
