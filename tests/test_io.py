"""Picture files: every kind that is read, every kind that is refused, and what is left on the disk."""

import struct
import sys
import threading
import warnings
import zlib

import numpy as np
import pytest
from noise_picture import ALPHA, DEEP, RGB, RGBA, SRGB
from picture_files import png_chunk, raw_png, raw_tiff
from PIL import Image

from trimatte.errors import PictureError, TrimatteError, TrimatteWarning
from trimatte.io import load_image, read_picture, save_image
from trimatte.io.names import local_path, with_slashes
from trimatte.io.read import pixel_count, read_single


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


# --- reading ---


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp"])
def test_rgb_is_read_exactly(tmp_path, suffix):
    path = tmp_path / f"picture{suffix}"
    Image.fromarray(RGB).save(path, lossless=True)
    pixels, icc_profile, *_ = read_picture(path)
    np.testing.assert_array_equal(pixels, RGB)
    assert icc_profile is None
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous


def test_gray_and_bilevel(tmp_path):
    Image.fromarray(ALPHA).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(load_image(tmp_path / "grey.png"), ALPHA)
    Image.fromarray(ALPHA > 99).save(tmp_path / "bilevel.png")
    np.testing.assert_array_equal(load_image(tmp_path / "bilevel.png"), (ALPHA > 99) * np.uint8(255))


def test_two_and_four_bit_gray_png_use_the_full_range(tmp_path):
    for depth, bits in ((2, 0b00011011), (4, 0x0F)):
        header = struct.pack(">IIBBBBB", 8 // depth, 1, depth, 0, 0, 0, 0)
        chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes([0, bits])))
        path = written(tmp_path, "few.png", b"\x89PNG\r\n\x1a\n" + chunks + png_chunk(b"IEND", b""))
        want = [0, 85, 170, 255] if depth == 2 else [0, 255]
        assert load_image(path).tolist() == [want]


def test_palette_becomes_rgb(tmp_path):
    picture = Image.fromarray(RGB).quantize(16)
    picture.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(
        read_picture(tmp_path / "palette.png").pixels, np.asarray(picture.convert("RGB"))
    )


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_rgba_keeps_its_transparency(tmp_path, suffix):
    path = tmp_path / f"cutout{suffix}"
    Image.fromarray(RGBA).save(path, lossless=True, exact=True)
    np.testing.assert_array_equal(read_picture(path).pixels, RGBA)
    with pytest.warns(TrimatteWarning, match="the transparency is ignored") as caught:
        pixels = load_image(path)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(pixels, RGB)


def test_opaque_rgba_is_loaded_without_a_warning(tmp_path):
    opaque = np.dstack([RGB, np.full_like(ALPHA, 255)])
    Image.fromarray(opaque).save(tmp_path / "opaque.png")
    np.testing.assert_array_equal(load_image(tmp_path / "opaque.png"), RGB)


def test_gray_with_alpha_becomes_rgba(tmp_path):
    Image.fromarray(np.dstack([RGB[..., 0], ALPHA]), "LA").save(tmp_path / "la.png")
    want = np.dstack([RGB[..., 0]] * 3 + [ALPHA])
    np.testing.assert_array_equal(read_picture(tmp_path / "la.png").pixels, want)


def test_transparent_colour_and_palette_become_rgba(tmp_path):
    pixels = RGB.copy()
    pixels[3, 4] = 10, 20, 30
    key = struct.pack(">HHH", 10, 20, 30)
    path = written(tmp_path, "key.png", raw_png(pixels, 2, extra=png_chunk(b"tRNS", key)))
    got = read_picture(path).pixels
    assert got[3, 4].tolist() == [10, 20, 30, 0]
    assert (np.delete(got.reshape(-1, 4), 3 * 17 + 4, axis=0)[:, 3] == 255).all()

    palette = Image.fromarray(RGB).quantize(4)
    palette.save(tmp_path / "palette.png", transparency=0)
    got = read_picture(tmp_path / "palette.png").pixels
    np.testing.assert_array_equal(got[..., 3] == 0, np.asarray(palette) == 0)


def test_associated_alpha_in_a_tiff_is_undone(tmp_path):
    pixels = np.array([[[100, 50, 0, 200], [30, 20, 10, 255]]], np.uint8)
    path = written(tmp_path, "associated.tif", raw_tiff(pixels, extra_samples=[1]))
    got = read_picture(path).pixels.astype(int)
    assert abs(got - [[[127, 64, 0, 200], [30, 20, 10, 255]]]).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_sixteen_bit_gray_is_read_as_it_is(tmp_path, order, orientation):
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000 + 7
    want = pixels if orientation == 1 else np.rot90(pixels, -1)
    exif = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    content = raw_png(pixels, 0, extra=png_chunk(b"eXIf", exif))
    got = load_image(written(tmp_path, "deep.png", content))
    assert got.dtype == np.dtype(np.uint16)
    np.testing.assert_array_equal(got, want)
    for big in (False, True) if order == "<" else (False,):
        got = load_image(written(tmp_path, "deep.tif", raw_tiff(pixels, order=order, big=big)))
        assert got.dtype == np.dtype(np.uint16)
        assert got.dtype.isnative
        np.testing.assert_array_equal(got, pixels)


def test_sixteen_bit_gray_where_zero_is_white(tmp_path):
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    path = written(tmp_path, "white.tif", raw_tiff(pixels, photometric=0))
    np.testing.assert_array_equal(load_image(path), 65535 - pixels)


@pytest.fixture
def no_openimageio(monkeypatch):
    monkeypatch.setitem(sys.modules, "OpenImageIO", None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rgb.png", raw_png(DEEP[..., :3], 2)),
        ("rgba.png", raw_png(DEEP, 6)),
        ("grey_alpha.png", raw_png(DEEP[..., :2], 4)),
        ("rgb.tif", raw_tiff(DEEP[..., :3])),
        ("rgb_big_endian.tif", raw_tiff(DEEP[..., :3], order=">")),
        ("grey_alpha.tif", raw_tiff(DEEP[..., :2], extra_samples=[2])),
        ("cmyk.tif", raw_tiff(DEEP, photometric=5)),
        ("bigtiff.tif", raw_tiff(DEEP[..., :3], big=True)),
        ("wrong_suffix.jpg", raw_tiff(DEEP[..., :3])),
        ("float.tif", raw_tiff(np.ones((3, 4), np.float32), kind=3)),
        ("half.tif", raw_tiff(np.ones((3, 4, 3), np.float16), kind=3)),
        ("a.exr", b"\x76\x2f\x31\x01" + b"\0" * 40),
        ("a.dpx", b"SDPX" + b"\0" * 40),
    ],
)
def test_without_openimageio_deep_files_are_refused_with_the_way(tmp_path, no_openimageio, name, content):
    path = written(tmp_path, name, content)
    with pytest.raises(PictureError, match=r'OpenImageIO: pip install "trimatte\[vfx\]"') as error:
        read_picture(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a.exr", "a.dpx", "a.tif"])
def test_without_openimageio_deep_files_are_not_written(tmp_path, no_openimageio, name):
    with pytest.raises(PictureError, match=r'OpenImageIO: pip install "trimatte\[vfx\]"'):
        save_image(tmp_path / name, DEEP[..., :3])
    assert list(tmp_path.iterdir()) == []


def test_without_openimageio_sixteen_bit_colour_is_written_as_png(tmp_path, no_openimageio):
    for channels in (3, 4):
        save_image(tmp_path / "a.png", DEEP[..., :channels])
        content = (tmp_path / "a.png").read_bytes()
        assert content[24] == 16
        data, at = b"", 8
        while at < len(content):
            size, kind = struct.unpack(">I4s", content[at : at + 8])
            data += content[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
            at += size + 12
        rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(len(DEEP), -1)
        assert (rows[:, 0] == 2).all()  # the filter "Up": a sum over the rows above
        samples = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).view(">u2").reshape(len(DEEP), -1, channels)
        np.testing.assert_array_equal(samples, DEEP[..., :channels])


FLOAT = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (raw_tiff(FLOAT.astype(np.int16), kind=2), "16-bit signed samples"),
        (raw_tiff(FLOAT.astype(np.uint32)), "32-bit samples"),
        (raw_tiff(np.zeros((2, 4), np.uint8), bits=12), "12-bit samples"),
        (raw_tiff(RGB, photometric=8), "Lab colour cannot be read"),
        (raw_tiff(RGB[..., :2], photometric=2), "a TIFF that cannot be read"),
    ],
)
def test_other_samples_are_refused(tmp_path, content, message):
    path = written(tmp_path, "odd.tif", content)
    with pytest.raises(PictureError, match=message):
        read_picture(path)


def test_eight_bit_tiff_layouts(tmp_path):
    for options in ({}, {"planar": 2}, {"order": ">"}, {"big": True}):
        path = written(tmp_path, "picture.tif", raw_tiff(RGB, **options))
        np.testing.assert_array_equal(read_picture(path).pixels, RGB)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        Image.fromarray(RGB).save(tmp_path / "picture.tif", compression=compression)
        np.testing.assert_array_equal(read_picture(tmp_path / "picture.tif").pixels, RGB)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, suffix, orientation):
    upright = np.zeros((24, 40, 3), np.uint8)
    upright[:8, :12] = 255, 0, 0
    upright[:8, -12:] = 0, 0, 255
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, quality=95)
    got = load_image(path).astype(int)
    assert got.shape == upright.shape
    assert abs(got - upright)[4, 4].max() < 30
    assert abs(got - upright)[4, -4].max() < 30
    assert abs(got - upright)[-4].max() < 30


def test_broken_exif_does_not_matter(tmp_path):
    path = tmp_path / "broken.jpg"
    Image.fromarray(RGB).save(path, exif=b"Exif\0\0MM\0*\xff\xff\xff\xffgarbage", quality=100, subsampling=0)
    assert load_image(path).shape == RGB.shape


def test_several_pictures_in_one_jpeg(tmp_path):
    path = tmp_path / "phone.jpg"
    first = Image.fromarray(RGB)
    first.save(path, "MPO", save_all=True, append_images=[Image.fromarray(RGB[::-1])], quality=95)
    with Image.open(path) as image:
        assert image.format == "MPO"
        want = np.asarray(image)
    np.testing.assert_array_equal(load_image(path), want)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_icc_profile_goes_through(tmp_path, suffix):
    path = tmp_path / f"tagged{suffix}"
    save_image(path, RGB, icc_profile=SRGB)
    assert read_picture(path).icc_profile == SRGB
    with Image.open(path) as image:
        assert image.info["icc_profile"] == SRGB


def cmyk_profile():
    """A CMYK profile that turns every ink into neutral grey: lightness falls with black alone."""
    lut = struct.pack(">4s4xBBBx9i", b"mft1", 4, 3, 2, *(65536 * v for v in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    lut += bytes(range(256)) * 4
    lut += b"".join(bytes([0 if node & 1 else 255, 128, 128]) for node in range(16))
    lut += bytes(range(256)) * 3
    tags = [(b"A2B0", lut)]
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp")
    header = header.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_goes_through_its_profile(tmp_path, suffix):
    inks = np.zeros((16, 32, 4), np.uint8)
    inks[..., 0] = 255  # cyan by the plain formula, white by this profile
    inks[:, 16:, 3] = 255
    path = tmp_path / f"inks{suffix}"
    Image.fromarray(inks, "CMYK").save(path, icc_profile=cmyk_profile(), quality=95)
    pixels, icc_profile, *_ = read_picture(path)
    assert pixels.shape == (16, 32, 3)
    assert (pixels[:, :8] > 245).all()
    assert (pixels[:, 24:] < 10).all()
    assert icc_profile[16:20] == b"RGB "


@pytest.mark.parametrize("icc_profile", [None, SRGB, b"0123456789abcdefCMYK" + b"garbage" * 20])
def test_cmyk_without_usable_profile_warns(tmp_path, icc_profile):
    inks = np.zeros((8, 8, 4), np.uint8)
    inks[..., 0] = 255
    Image.fromarray(inks, "CMYK").save(tmp_path / "inks.tif", icc_profile=icc_profile)
    with pytest.warns(TrimatteWarning, match="CMYK without a usable colour profile"):
        pixels, carried, *_ = read_picture(tmp_path / "inks.tif")
    assert (pixels == [0, 255, 255]).all()
    assert carried is None


def test_large_pictures_are_welcome_up_to_the_limit(tmp_path, monkeypatch):
    large = np.arange(400 * 500 * 3).astype(np.uint8).reshape(400, 500, 3)
    save_image(tmp_path / "large.png", large)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150_000)
    np.testing.assert_array_equal(load_image(tmp_path / "large.png"), large)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(PictureError, match=r"large.png: .* more than .* set PIL.Image.MAX_IMAGE_PIXELS"):
        load_image(tmp_path / "large.png")


def test_the_size_of_a_large_picture_is_read_without_a_warning(tmp_path, monkeypatch):
    save_image(tmp_path / "large.png", np.zeros((400, 500), np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150_000)
    assert pixel_count(str(tmp_path / "large.png")) == (200_000, False)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(PictureError, match=r"large.png: .* more than .* set PIL.Image.MAX_IMAGE_PIXELS"):
        pixel_count(str(tmp_path / "large.png"))


def test_a_mask_in_a_lossy_file_is_grey(tmp_path):
    mask = np.random.default_rng(0).integers(0, 256, (40, 50)).astype(np.uint8)
    Image.fromarray(mask).convert("RGB").save(tmp_path / "mask.webp", quality=80)
    assert abs(read_single(str(tmp_path / "mask.webp"), "mask").astype(int) - mask).mean() < 20
    off = np.dstack([mask // 2, mask // 2 + 2, mask // 2 + 3])
    save_image(tmp_path / "off.png", off)
    np.testing.assert_array_equal(read_single(str(tmp_path / "off.png"), "mask"), mask // 2)
    save_image(tmp_path / "off.png", off + np.array([0, 0, 9], np.uint8))
    with pytest.raises(PictureError, match=r"off.png: expected a grey picture or a cutout for the mask"):
        read_single(str(tmp_path / "off.png"), "mask")


def test_a_picture_of_two_hundred_megapixels_is_refused_before_it_is_decoded(tmp_path):
    path = written(tmp_path, "bomb.png", raw_png(np.zeros((20_000, 1), np.uint8), 0, width=10_000))
    with pytest.raises(PictureError, match="more than 179 million pixels"):
        load_image(path)


def test_warning_filters_survive_threads(tmp_path):
    save_image(tmp_path / "a.png", RGB)
    before = list(warnings.filters)

    def read():
        for _ in range(5):
            load_image(tmp_path / "a.png")

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert warnings.filters == before


# --- files that cannot be read ---


def test_missing_file(tmp_path):
    with pytest.raises(PictureError, match=r"nowhere\.png: no such file") as error:
        read_picture(tmp_path / "nowhere.png")
    assert isinstance(error.value, TrimatteError)
    assert isinstance(error.value, OSError)


def test_folder_instead_of_a_file(tmp_path):
    with pytest.raises(PictureError, match=r"is a folder|permission denied"):
        read_picture(tmp_path)


def test_empty_file(tmp_path):
    with pytest.raises(PictureError, match=r"empty\.png: the file is empty"):
        read_picture(written(tmp_path, "empty.png", b""))


@pytest.mark.parametrize("content", [b"hello", b"GIF89a" + bytes(50), b"\x89PNG\r\n\x1a\n", b"II*\0\xff"])
def test_not_a_picture(tmp_path, content):
    with pytest.raises(PictureError, match=r"thing\.png: (not a picture|a TIFF that|damaged)"):
        read_picture(written(tmp_path, "thing.png", content))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_truncated_file(tmp_path, suffix, part):
    path = tmp_path / f"cut{suffix}"
    save_image(path, np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(PictureError, match=rf"cut\{suffix}: (damaged|not a picture|a TIFF)") as error:
        read_picture(path)
    assert "\n" not in str(error.value)


# --- names ---


@pytest.mark.parametrize(
    ("name", "windows", "path"),
    [
        ("file:///a/b.png", False, "/a/b.png"),
        ("file:///C:/b.png", False, "/C:/b.png"),
        ("file:///C:/b.png", True, "C:/b.png"),
        ("file://C:/b.png", True, "C:/b.png"),
        ("/C:/b.png", True, "/C:/b.png"),
        ("local:///share/b.png", True, "/share/b.png"),
        ("file://server/share/b.png", True, "//server/share/b.png"),
        ("file:////server/share/b.png", True, "//server/share/b.png"),
        ("file://localhost/C:/b.png", True, "C:/b.png"),
        ("s3://bucket/b.png", True, "s3://bucket/b.png"),
    ],
)
def test_path_of_a_url_of_this_machine(name, windows, path):
    assert local_path(name, windows) == path


def test_a_backslash_is_a_slash_on_windows_only():
    assert with_slashes(r"C:\in\a/b.png", "\\") == "C:/in/a/b.png"
    assert with_slashes(r"in/a\b.png", "/") == r"in/a\b.png"
    assert with_slashes(r"s3://bucket/a\b.png", "\\") == r"s3://bucket/a\b.png"


@pytest.mark.parametrize("length", range(1, 60))
def test_a_png_that_ends_anywhere_in_its_head_is_refused(length, tmp_path):
    save_image(tmp_path / "x.png", np.zeros((4, 4, 3), np.uint16))
    with pytest.raises(PictureError):
        read_picture((tmp_path / "x.png").read_bytes()[:length])
