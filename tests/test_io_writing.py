"""Picture files that are written: every kind, what is refused, and what is left on the disk."""

import io
import os
import stat
import sys

import numpy as np
import pytest
from noise_picture import ALPHA, DEEP, RGB, RGBA, SRGB
from PIL import Image

from trimatte.errors import PictureError, TrimatteWarning
from trimatte.io import load_image, read_picture, save_image
from trimatte.io.names import replacing
from trimatte.io.png import write_png


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("pixels", [ALPHA, RGBA], ids=["grey", "rgba"])
def test_lossless_round_trip(tmp_path, suffix, pixels):
    path = tmp_path / f"out{suffix}"
    save_image(path, pixels)
    got = read_picture(path).pixels
    if suffix == ".webp" and pixels.ndim == 2:  # WebP has no grey
        assert (got == got[..., :1]).all()
        got = got[..., 0]
    np.testing.assert_array_equal(got, pixels)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (300, 511)])
def test_png_is_lossless(tmp_path, channels, size):
    pixels = np.random.default_rng(5).integers(0, 256, (*size, channels), dtype=np.uint8)
    pixels = pixels[..., 0] if channels == 1 else pixels
    save_image(tmp_path / "out.png", pixels)
    with Image.open(tmp_path / "out.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), pixels)


def test_png_is_compressed(tmp_path):
    pixels = np.repeat(np.arange(200, dtype=np.uint8)[:, np.newaxis], 300, axis=1)
    save_image(tmp_path / "out.png", pixels)
    assert (tmp_path / "out.png").stat().st_size < pixels.nbytes / 20


def test_strided_and_big_endian_arrays(tmp_path):
    for pixels in (np.asfortranarray(RGB), RGB[::-1, ::2], np.full((4, 5), 40_000, ">u2")):
        save_image(tmp_path / "out.png", pixels)
        np.testing.assert_array_equal(load_image(tmp_path / "out.png"), pixels)


def test_sixteen_bit_gray_round_trip(tmp_path):
    pixels = np.arange(70, dtype=np.uint16).reshape(7, 10) * 936
    for suffix in (".png", ".tif"):
        save_image(tmp_path / f"out{suffix}", pixels)
        np.testing.assert_array_equal(load_image(tmp_path / f"out{suffix}"), pixels)


def test_floats_are_rounded(tmp_path):
    for dtype in (np.float32, np.float64):
        values = np.array([[0, 0.4 / 255, 0.6 / 255, 0.9999, 1], [127.4 / 255, 127.6 / 255, 0.5, 1, 0]], dtype)
        save_image(tmp_path / "out.png", values)
        assert load_image(tmp_path / "out.png").tolist() == [[0, 0, 1, 255, 255], [127, 128, 128, 255, 0]]
    save_image(tmp_path / "out.png", RGBA / np.float32(255))
    np.testing.assert_array_equal(read_picture(tmp_path / "out.png").pixels, RGBA)


def test_jpeg_is_good_and_keeps_colour_resolution(tmp_path):
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::2] = 255, 0, 0
    stripes[:, 1::2] = 0, 0, 255
    save_image(tmp_path / "out.jpg", stripes)
    assert abs(load_image(tmp_path / "out.jpg").astype(int) - stripes).max() < 40


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("space", ["RGB ", "GRAY"])
def test_profile_is_written_only_where_it_fits(tmp_path, channels, space):
    profile = SRGB[:16] + space.encode() + SRGB[20:]
    pixels = {1: ALPHA, 3: RGB, 4: RGBA}[channels]
    path = tmp_path / "out.png"
    if (channels == 1) == (space == "GRAY"):
        save_image(path, pixels, icc_profile=profile)
        assert read_picture(path).icc_profile == profile
    else:
        with pytest.warns(TrimatteWarning, match="the colour profile is not for these pixels"):
            save_image(path, pixels, icc_profile=profile)
        assert read_picture(path).icc_profile is None


OUT = np.full((3, 4), 0.5)


@pytest.mark.parametrize(
    ("name", "pixels", "error", "message"),
    [
        ("a.gif", RGB, ValueError, r"a\.gif: expected a name that ends in \.png, .* got \.gif"),
        ("a", RGB, ValueError, "got no suffix"),
        ("a.jpg", RGBA, ValueError, r"a\.jpg: JPEG has no transparency; use \.png, \.webp, \.tif or \.exr"),
        ("a.bmp", RGBA, ValueError, "BMP has no transparency"),
        ("a.jpg", DEEP[..., 0], ValueError, "JPEG has samples of uint8, not uint16"),
        ("a.webp", DEEP[..., :3], ValueError, "WEBP has samples of uint8, not uint16"),
        ("a.webp", np.zeros((1, 16384), np.uint8), ValueError, "at most 16383 pixels a side, got 16384 x 1"),
        ("a.png", RGB.astype(np.int64), TypeError, "pixels: expected uint8, .* got int64"),
        ("a.png", ALPHA > 9, TypeError, "pixels: expected uint8, .* got bool"),
        ("a.png", RGBA[..., :2], ValueError, r"pixels: expected shape .* got \(13, 17, 2\)"),
        ("a.png", RGB[:0], ValueError, r"pixels: expected shape .* got \(0, 17, 3\)"),
        ("a.png", OUT * 2.5, ValueError, r"pixels: expected values in \[0, 1\], got 1.25 at \(0, 0\)"),
        ("a.png", OUT * np.nan, ValueError, r"pixels: expected values in \[0, 1\], got nan at \(0, 0\)"),
    ],
)
def test_bad_arguments_leave_no_file(tmp_path, name, pixels, error, message):
    with pytest.raises(error, match=message):
        save_image(tmp_path / name, pixels)
    assert list(tmp_path.iterdir()) == []


def test_output_folder_that_is_missing_or_a_file(tmp_path):
    with pytest.raises(PictureError, match=r"cannot be written: no such folder: .*missing"):
        save_image(tmp_path / "missing" / "a.png", RGB)
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(PictureError, match="is not a folder"):
        save_image(tmp_path / "file" / "a.png", RGB)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_one_channel_is_grey(tmp_path):
    save_image(tmp_path / "a.png", ALPHA[..., np.newaxis])
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), ALPHA)


def test_arguments_that_are_no_paths():
    with pytest.raises(TypeError, match="path: expected a str or path-like, got ndarray"):
        save_image(RGB, "a.png")
    with pytest.raises(TypeError, match="path: expected a str or path-like, got int"):
        read_picture(3)
    with pytest.raises(PictureError, match="<5 bytes>: not a picture that can be read"):  # a name as bytes
        load_image(b"a.png")


def test_output_that_is_a_folder(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(PictureError, match=r"a\.png: is a folder"):
        save_image(tmp_path / "a.png", RGB)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
def test_nothing_is_left_and_the_old_file_stays_if_writing_fails(tmp_path, monkeypatch, suffix, trouble):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"precious")

    def fail(*args, **options):
        raise trouble

    monkeypatch.setattr(Image.Image, "save", fail)
    monkeypatch.setattr("trimatte.io.write.write_png", fail)
    expected = PictureError if isinstance(trouble, OSError) else type(trouble)
    with pytest.raises(expected):
        save_image(path, RGB)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"precious"


def test_failed_rename_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(PictureError, match=r"a\.png: cannot be written: Permission denied"):
        save_image(tmp_path / "a.png", RGB)
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_somebody_reads_is_waited_for(tmp_path, monkeypatch):
    """As on Windows, where a file that is open cannot be replaced."""
    (tmp_path / "a.png").write_bytes(b"old")
    replace, waited = os.replace, []

    def busy_twice(temporary, target):
        if len(waited) < 2:
            raise PermissionError(13, "The process cannot access the file")
        replace(temporary, target)

    monkeypatch.setattr(os, "replace", busy_twice)
    monkeypatch.setattr("trimatte.io.names.time.sleep", waited.append)
    monkeypatch.setattr("trimatte.io.names._WAITS", (0.1, 0.2, 0.3))
    save_image(tmp_path / "a.png", RGB)
    assert waited == [0.1, 0.2]
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), RGB)


def test_a_read_only_target_leaves_no_temporary_file(tmp_path, monkeypatch):
    """As on Windows, which neither replaces nor removes a read-only file."""
    (tmp_path / "a.json").write_bytes(b"precious")
    (tmp_path / "a.json").chmod(0o444)
    unlink = os.unlink

    def refuse(*args):
        raise PermissionError(13, "Access is denied")

    def unlink_writable(path):
        if not os.stat(path).st_mode & stat.S_IWUSR:
            raise PermissionError(13, "Access is denied")
        unlink(path)

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(os, "unlink", unlink_writable)
    with pytest.raises(PermissionError, match=r"a\.json"), replacing(str(tmp_path / "a.json")) as file:
        file.write(b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"precious"


def test_link_stays_a_link(tmp_path):
    save_image(tmp_path / "real.png", RGB)
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    save_image(tmp_path / "link.png", RGB[::-1])
    assert (tmp_path / "link.png").is_symlink()
    np.testing.assert_array_equal(load_image(tmp_path / "real.png"), RGB[::-1])


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        save_image(tmp_path / "a.png", RGB)
    finally:
        os.umask(before)
    mode = stat.S_IMODE((tmp_path / "a.png").stat().st_mode)
    assert mode == 0o640 or os.name == "nt"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions")
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path):
    for pixels, mode in ((RGB, 0o600), (DEEP[..., 0], 0o664)):
        save_image(tmp_path / "a.png", pixels)
        (tmp_path / "a.png").chmod(mode)
        save_image(tmp_path / "a.png", pixels)
        assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == mode


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (1, 7, 3), (70, 900, 3), (300, 500, 4), (2, 1, 4), (90, 4000)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("profile", [None, b"x" * 300])
@pytest.mark.parametrize("isal", [True, False])
def test_our_png_is_what_pillow_reads(monkeypatch, shape, dtype, profile, isal):
    """Several bands, every kind of pixel, pixels that are not contiguous; with and without ISA-L."""
    if dtype == np.uint16 and len(shape) == 3:
        return  # which Pillow cannot read; see test_deep_files.py
    if not isal:
        monkeypatch.setitem(sys.modules, "isal", None)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    pixels[: shape[0] // 2] = pixels[:1]
    for array in (pixels, np.asfortranarray(pixels)[::-1]):
        file = io.BytesIO()
        write_png(file, array, profile)
        with Image.open(file) as found:
            found.load()  # checks every chunk's sum
            assert np.array_equal(np.asarray(found), array)
            assert found.info.get("icc_profile") == profile
