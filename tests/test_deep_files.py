"""16-bit colour, EXR and DPX by way of OpenImageIO: exact in, exact out."""

import os
import subprocess
import sys

import numpy as np
import pytest
from disc_picture import IMAGE
from picture_files import raw_png, raw_read, raw_tiff, raw_write
from PIL import Image, ImageCms
from test_io import DEEP, SRGB, written

from trimatte.colour import linear_from_srgb
from trimatte.errors import PictureError, TrimatteWarning
from trimatte.io import load_image, read_picture, save_image

oiio = pytest.importorskip("OpenImageIO", reason="extra [vfx] is not installed")

RANDOM = np.random.default_rng(4)
LINEAR = (8 * linear_from_srgb(IMAGE)).astype(np.float16).astype(np.float32)  # highlights, and exact as half
FLOAT = np.linspace(-1, 9, 36, dtype=np.float32).reshape(3, 4, 3)
HALF = RANDOM.normal(0, 3, (9, 7, 4)).astype(np.float16).astype(np.float32)
WHOLE = RANDOM.normal(0, 1e4, (9, 7, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("rgb.png", raw_png(DEEP[..., :3], 2), DEEP[..., :3]),
        ("rgba.png", raw_png(DEEP, 6), DEEP),
        ("grey_alpha.png", raw_png(DEEP[..., :2], 4), DEEP[..., [0, 0, 0, 1]]),
        ("rgb.tif", raw_tiff(DEEP[..., :3]), DEEP[..., :3]),
        ("big_endian.tif", raw_tiff(DEEP[..., :3], order=">"), DEEP[..., :3]),
        ("planar.tif", raw_tiff(DEEP[..., :3], planar=2), DEEP[..., :3]),
        ("rgba.tif", raw_tiff(DEEP, extra_samples=[2]), DEEP),
        ("rgbx.tif", raw_tiff(DEEP, extra_samples=[0], planar=2), DEEP[..., :3]),
        ("grey_alpha.tif", raw_tiff(DEEP[..., :2], extra_samples=[2]), DEEP[..., [0, 0, 0, 1]]),
        ("bigtiff.tif", raw_tiff(DEEP[..., :3], big=True), DEEP[..., :3]),
        ("wrong_suffix.jpg", raw_tiff(DEEP[..., :3]), DEEP[..., :3]),
        ("float.tif", raw_tiff(FLOAT, kind=3), FLOAT),
        ("grey.tif", raw_tiff(FLOAT[..., 0], kind=3), FLOAT[..., 0]),
        ("half.tif", raw_tiff(FLOAT.astype(np.float16), kind=3), FLOAT.astype(np.float16)),
        ("double.tif", raw_tiff(FLOAT.astype(np.float64), kind=3), FLOAT),
    ],
)
def test_samples_are_read_exactly(tmp_path, name, content, expected):
    picture = read_picture(written(tmp_path, name, content))
    np.testing.assert_array_equal(picture.pixels, expected)
    floats = expected.dtype.kind == "f"
    assert picture.pixels.dtype == (np.float32 if floats else np.uint16)
    assert picture.depth == ("half" if name.startswith("half") else "float" if floats else "uint16")
    assert picture.colour_space == ("linear" if floats else "srgb")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_white_may_be_zero(tmp_path, dtype):
    stored = (np.arange(12).reshape(3, 4) / 16).astype(dtype)
    path = written(tmp_path, "a.tif", raw_tiff(stored, photometric=0, kind=3))
    np.testing.assert_array_equal(read_picture(path).pixels, 1 - stored.astype(np.float32))
    for pixels, kind in ((np.dstack([stored, stored]), 3), (DEEP[..., :2], 1)):
        path = written(tmp_path, "b.tif", raw_tiff(pixels, photometric=0, kind=kind, extra_samples=[2]))
        with pytest.raises(PictureError, match=r"b\.tif: grey with transparency, white as 0, cannot be read"):
            read_picture(path)


def test_damage_of_a_png_is_not_printed(tmp_path, capfd):
    content = raw_png(RANDOM.integers(0, 65536, (40, 50, 3)).astype(np.uint16), 2)
    header, body = bytearray(content), bytearray(content)
    header[19] ^= 1
    body[2000] ^= 1
    for damaged, reason in (
        (content[:3000], "the file ends early"),
        (content[:-13], "the file ends early"),
        (header, "IHDR: incorrect checksum"),
        (body, "IDAT: incorrect checksum"),
    ):
        with pytest.raises(PictureError, match=rf"a\.png: damaged or truncated picture \({reason}\)"):
            read_picture(written(tmp_path, "a.png", bytes(damaged)))
    read_picture(written(tmp_path, "a.png", content[:-12]))  # only the mark of the end is missing
    assert capfd.readouterr() == ("", "")


def test_premultiplied_tiff_becomes_straight(tmp_path):
    straight = RANDOM.integers(0, 65536, (40, 50, 4), dtype=np.uint16)
    straight[:5, :, 3], straight[5:9, :, 3] = 0, 65535
    alpha = straight[..., 3:] / 65535
    stored = np.dstack([np.round(straight[..., :3] * alpha).astype(np.uint16), straight[..., 3:]])
    got = read_picture(written(tmp_path, "a.tif", raw_tiff(stored, extra_samples=[1]))).pixels
    np.testing.assert_array_equal(got[..., 3], straight[..., 3])
    error = abs(got[..., :3].astype(float) - straight[..., :3]) * alpha
    assert error[5:].max() <= 1.001  # half a unit of what is stored, and half of rounding
    np.testing.assert_array_equal(got[5:9], straight[5:9])
    np.testing.assert_array_equal(got[:5], stored[:5])


def test_cmyk_is_converted_with_a_warning(tmp_path):
    path = written(tmp_path, "a.tif", raw_tiff(DEEP, photometric=5))
    with pytest.warns(TrimatteWarning, match="CMYK is read without its colour profile"):
        got = read_picture(path).pixels
    inks = DEEP / 65535
    expected = (1 - inks[..., :3]) * (1 - inks[..., 3:]) * 65535
    assert abs(got - expected).max() <= 1


@pytest.mark.parametrize("suffix", [".tif", ".png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, suffix, orientation):
    """The same as Pillow's picture of 8 bits with the same tag, which test_io.py checks."""
    stored = np.arange(24, dtype=np.uint8).reshape(4, 6, 1) + np.array([0, 40, 80], np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / f"eight{suffix}", exif=exif)
    attributes = {"Orientation": ("int", orientation)}
    raw_write(tmp_path / f"deep{suffix}", stored * np.uint16(257), "uint16", attributes=attributes)
    deep = load_image(tmp_path / f"deep{suffix}")
    np.testing.assert_array_equal(deep, load_image(tmp_path / f"eight{suffix}") * np.uint16(257))
    save_image(tmp_path / "again.tif", deep, metadata=read_picture(tmp_path / f"deep{suffix}").metadata)
    np.testing.assert_array_equal(load_image(tmp_path / "again.tif"), deep)  # turned once


@pytest.mark.parametrize(
    ("name", "pixels", "depth"),
    [
        ("rgb.png", DEEP[..., :3], "uint16"),
        ("rgba.png", DEEP, "uint16"),
        ("grey.png", DEEP[..., 0], "uint16"),
        ("rgb.tif", DEEP[..., :3], "uint16"),
        ("rgba.tif", DEEP, "uint16"),
        ("grey.tif", DEEP[..., 0], "uint16"),
        ("float.tif", WHOLE, "float"),
        ("float_rgba.tif", HALF, "float"),
        ("half.exr", HALF[..., :3], "half"),
        ("half_grey.exr", HALF[..., 0], "half"),
        ("float.exr", WHOLE, "float"),
        ("float_grey.exr", WHOLE[..., 0], "float"),
        ("rgb.dpx", DEEP[..., :3], "uint16"),
        ("grey.dpx", DEEP[..., 0], "uint16"),
    ],
)
def test_round_trips_are_exact(tmp_path, name, pixels, depth):
    for icc_profile in (None, SRGB) if pixels.ndim == 3 else (None,):
        save_image(tmp_path / name, pixels, depth=depth, icc_profile=icc_profile)
        picture = read_picture(tmp_path / name)
        np.testing.assert_array_equal(picture.pixels, pixels)
        assert picture.depth == depth
        assert picture.icc_profile == (None if name.endswith(("exr", "dpx")) else icc_profile)
        # and again, with all that was read
        save_image(
            tmp_path / f"again_{name}",
            picture.pixels,
            depth=picture.depth,
            icc_profile=picture.icc_profile,
            metadata=picture.metadata,
        )
        again = read_picture(tmp_path / f"again_{name}")
        np.testing.assert_array_equal(again.pixels, pixels)
        assert again.icc_profile == picture.icc_profile


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_film_scans_keep_their_bits(tmp_path, bits):
    attributes = {"oiio:BitsPerSample": ("int", bits), "dpx:Transfer": ("string", "Printing density")}
    raw_write(tmp_path / "a.dpx", DEEP[..., :3], "uint16", attributes=attributes)
    with pytest.warns(TrimatteWarning, match=r"a\.dpx: logarithmic colours are used as they are"):
        picture = read_picture(tmp_path / "a.dpx")
    assert abs(picture.pixels.astype(int) - DEEP[..., :3]).max() <= 65535 / (2**bits - 1)
    save_image(tmp_path / "b.dpx", picture.pixels, metadata=picture.metadata)
    pixels, spec = raw_read(tmp_path / "b.dpx", "uint16")
    np.testing.assert_array_equal(pixels, picture.pixels)
    assert spec.get_int_attribute("oiio:BitsPerSample") == bits
    assert spec.get_string_attribute("dpx:Transfer") == "Printing density"


def test_premultiplied_exr_keeps_its_bits(tmp_path):
    """Straight in memory, premultiplied in the file, and half files come back as they were."""
    alpha = RANDOM.random((50, 60, 1)).astype(np.float16).astype(np.float32)
    alpha[:4], alpha[4:8] = 0, 1
    stored = np.concatenate(
        [(RANDOM.random((50, 60, 3)) * 9 * alpha).astype(np.float16), alpha], 2, dtype=np.float32
    )
    stored[:2, :, :3] = 2.5  # light without opacity
    raw_write(tmp_path / "a.exr", stored, "half")
    picture = read_picture(tmp_path / "a.exr")
    np.testing.assert_allclose(picture.pixels[4:, :, :3] * alpha[4:], stored[4:, :, :3], rtol=1e-6)
    np.testing.assert_array_equal(picture.pixels[..., 3:], alpha)
    np.testing.assert_array_equal(picture.pixels[:2, :, :3], 2.5)
    save_image(tmp_path / "b.exr", picture.pixels, depth=picture.depth)
    again, _ = raw_read(tmp_path / "b.exr")
    np.testing.assert_array_equal(again[4:], stored[4:])
    np.testing.assert_array_equal(again[:4, :, :3], 0)


def test_floats_go_where_they_fit(tmp_path):
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    for name, depth, step in (("a.png", "uint16", 65535), ("a.tif", "uint16", 65535), ("a.dpx", None, 65535)):
        save_image(tmp_path / name, values, depth=depth)
        np.testing.assert_array_equal(load_image(tmp_path / name), np.round(values * step))
    save_image(tmp_path / "a.exr", values.astype(np.float64))
    assert read_picture(tmp_path / "a.exr").depth == "float"
    save_image(tmp_path / "a.exr", values.astype(np.float16))
    assert read_picture(tmp_path / "a.exr").depth == "half"
    save_image(tmp_path / "a.exr", IMAGE)
    np.testing.assert_array_equal(load_image(tmp_path / "a.exr"), (IMAGE / np.float32(255)).astype(np.float16))
    save_image(tmp_path / "a.tif", values, depth="float")
    np.testing.assert_array_equal(load_image(tmp_path / "a.tif"), values)


def test_metadata_is_carried(tmp_path):
    attributes = {
        "Copyright": ("string", "somebody"),
        "chromaticities": ("float[8]", (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.3127, 0.329)),
        "framesPerSecond": ("rational", (24, 1)),
        "shot": ("string", "0042"),
        "worldtocamera": ("matrix", tuple(float(i) for i in range(16))),
        "three": ("int[3]", (1, 2, 3)),
        "originalDataWindow": ("box2i", (0, 1, 2, 3)),
        "compression": ("string", "dwaa"),
    }
    window = {"x": 3, "y": -2, "full_x": 0, "full_y": 0, "full_width": 120, "full_height": 90}
    raw_write(tmp_path / "a.exr", LINEAR, "half", attributes=attributes, **window)
    picture = read_picture(tmp_path / "a.exr")
    save_image(tmp_path / "b.exr", picture.pixels, depth="half", metadata=picture.metadata)
    pixels, spec = raw_read(tmp_path / "b.exr")
    np.testing.assert_array_equal(pixels, picture.pixels)
    for name, (_, value) in attributes.items():
        if name != "compression":
            assert (
                np.allclose(spec.getattribute(name), value)
                if name != "Copyright" and name != "shot"
                else (spec.getattribute(name) == value)
            )
    assert spec.getattribute("compression") == "zip"
    assert {name: getattr(spec, name) for name in window} == window
    # elsewhere as far as the format can
    for name in ("b.png", "b.tif"):
        save_image(tmp_path / name, DEEP[..., :3], metadata=picture.metadata)
        assert raw_read(tmp_path / name, "uint16")[1].get_string_attribute("Copyright") == "somebody"


def test_other_channels_are_left_out(tmp_path):
    names = ("Z", "diffuse.R", "R", "G", "B", "A")
    pixels = RANDOM.random((4, 5, 6)).astype(np.float16).astype(np.float32)
    raw_write(tmp_path / "a.exr", pixels, "half", channelnames=names)
    got = read_picture(tmp_path / "a.exr").pixels
    np.testing.assert_array_equal(got[..., 3], pixels[..., 5])
    np.testing.assert_allclose(got[..., :3] * pixels[..., 5:], pixels[..., 2:5], rtol=1e-6)
    raw_write(tmp_path / "z.exr", pixels[..., :1], "half", channelnames=("matte",))
    np.testing.assert_array_equal(load_image(tmp_path / "z.exr"), pixels[..., 0])
    raw_write(tmp_path / "y.exr", pixels[..., :2], "half", channelnames=("Y", "Z"))  # grey, and depth
    np.testing.assert_array_equal(load_image(tmp_path / "y.exr"), pixels[..., 0])
    raw_write(tmp_path / "xyz.exr", pixels[..., :3], "half", channelnames=("X", "Y", "Z"))
    with pytest.raises(PictureError, match=r"xyz\.exr: expected channels R, G, B or Y, got X, Y, Z"):
        read_picture(tmp_path / "xyz.exr")
    raw_write(tmp_path / "n.exr", pixels[..., :2], "half", channelnames=("N.x", "N.y"))
    with pytest.raises(PictureError, match=r"n\.exr: expected channels R, G, B or Y, got N\.x, N\.y"):
        read_picture(tmp_path / "n.exr")


@pytest.mark.parametrize("name", ["a.exr", "a.png", "a.tif", "a.dpx"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
def test_truncated_files_are_refused(tmp_path, name, part):
    noise = RANDOM.integers(0, 65536, (90, 80, 3), dtype=np.uint16)
    save_image(tmp_path / name, noise / np.float32(65535) if name == "a.exr" else noise)
    content = (tmp_path / name).read_bytes()
    path = written(tmp_path, name, content[: int(part * len(content))])
    with pytest.raises(PictureError, match=r"a\.\w+: (damaged|.*truncated|a TIFF that cannot be read)") as error:
        read_picture(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "pixels", "depth", "message"),
    [
        ("a.exr", FLOAT * 1e5, "half", "half floats end at 65504, got 900000; use 32 bits"),
        ("a.exr", FLOAT * np.nan, None, "pixels: expected finite values, got nan"),
        ("a.exr", FLOAT, "uint8", "EXR has samples of half, float, not uint8"),
        ("a.dpx", DEEP, None, "DPX has no transparency"),
        ("a.dpx", FLOAT, None, r"pixels: expected values in \[0, 1\]"),
        ("a.png", FLOAT, "float", "PNG has samples of uint8, uint16, not float"),
        ("a.tif", FLOAT, "nibble", "TIFF has samples of .*, not nibble"),
    ],
)
def test_bad_arguments_leave_no_file(tmp_path, name, pixels, depth, message):
    with pytest.raises(ValueError, match=message):
        save_image(tmp_path / name, pixels, depth=depth)
    assert list(tmp_path.iterdir()) == []


def test_too_many_pixels_are_refused(tmp_path, monkeypatch):
    save_image(tmp_path / "a.exr", LINEAR)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(PictureError, match=r"more than 0 million pixels; set PIL\.Image\.MAX_IMAGE_PIXELS"):
        read_picture(tmp_path / "a.exr")


def test_windows_are_for_pictures_of_their_size_only(tmp_path):
    raw_write(tmp_path / "a.exr", LINEAR, "half", x=7, y=8, full_width=100, full_height=90)
    metadata = read_picture(tmp_path / "a.exr").metadata
    save_image(tmp_path / "b.exr", LINEAR[:9, :7], metadata=metadata)
    _, spec = raw_read(tmp_path / "b.exr")
    assert (spec.x, spec.y, spec.full_width, spec.full_height) == (0, 0, 7, 9)
    raw_write(tmp_path / "c.tif", DEEP[..., :3], "uint16", attributes={"Orientation": ("int", 6)})
    picture = read_picture(tmp_path / "c.tif")
    save_image(tmp_path / "c.exr", picture.pixels, metadata=picture.metadata)
    _, spec = raw_read(tmp_path / "c.exr")
    assert (spec.full_width, spec.full_height) == (4, 5)


def test_parts_layers_and_deep_data(tmp_path):
    depth, colours = LINEAR[..., :1].copy(), LINEAR
    specs = [oiio.ImageSpec(48, 36, 1, "float"), oiio.ImageSpec(48, 36, 3, "half")]
    specs[0].channelnames, specs[1].channelnames = ("Z",), ("R", "G", "B")
    for spec, name in zip(specs, ("depth", "beauty"), strict=True):
        spec.attribute("name", name)
    file = oiio.ImageOutput.create("openexr")
    assert file.open(str(tmp_path / "parts.exr"), specs)
    assert file.write_image(depth)
    assert file.open(str(tmp_path / "parts.exr"), specs[1], "AppendSubimage")
    assert file.write_image(colours)
    assert file.close()
    picture = read_picture(tmp_path / "parts.exr")
    np.testing.assert_array_equal(picture.pixels, colours)
    assert picture.depth == "half"
    save_image(tmp_path / "again.exr", picture.pixels, depth="half", metadata=picture.metadata)
    np.testing.assert_array_equal(load_image(tmp_path / "again.exr"), colours)
    # the depth of the colours, not of what lies beside them
    mixed = oiio.ImageSpec(48, 36, 4, "float")
    mixed.channelnames, mixed.channelformats = ("R", "G", "B", "Z"), ("half", "half", "half", "float")
    file = oiio.ImageOutput.create("openexr")
    assert file.open(str(tmp_path / "mixed.exr"), mixed)
    assert file.write_image(np.dstack([colours, depth]))
    assert file.close()
    assert read_picture(tmp_path / "mixed.exr").depth == "half"
    for names in (("Z",), ("camera.depth",)):
        raw_write(tmp_path / "z.exr", depth, "float", channelnames=names)
        with pytest.raises(PictureError, match=f"expected channels R, G, B or Y, got {names[0]}"):
            read_picture(tmp_path / "z.exr")
    spec = oiio.ImageSpec(2, 1, 1, "float")
    spec.deep = True
    data = oiio.DeepData()
    data.init(2, 1, (oiio.TypeDesc("float"),), ("R",))
    file = oiio.ImageOutput.create("openexr")
    assert file.open(str(tmp_path / "deep.exr"), spec)
    assert file.write_deep_image(data)
    assert file.close()
    with pytest.raises(PictureError, match="expected one sample per pixel, got deep data"):
        read_picture(tmp_path / "deep.exr")


def test_an_aces_container_becomes_an_ordinary_exr(tmp_path):
    attributes = {"acesImageContainerFlag": ("int", 1), "compression": ("string", "none")}
    raw_write(tmp_path / "aces.exr", LINEAR, "half", attributes=attributes)
    picture = read_picture(tmp_path / "aces.exr")
    save_image(tmp_path / "b.exr", picture.pixels, depth="float", metadata=picture.metadata)
    np.testing.assert_array_equal(load_image(tmp_path / "b.exr"), LINEAR)


def test_fewer_bits_are_rounded(tmp_path):
    raw_write(tmp_path / "a.dpx", DEEP[..., :3], "uint16", attributes={"oiio:BitsPerSample": ("int", 10)})
    metadata = read_picture(tmp_path / "a.dpx").metadata
    ramp = np.arange(0, 65536, 7, dtype=np.uint16).reshape(-1, 1)
    save_image(tmp_path / "b.dpx", ramp, metadata=metadata)
    codes = load_image(tmp_path / "b.dpx") >> 6
    assert abs(codes - ramp * (1023 / 65535)).max() <= 0.5001


def test_an_alpha_of_next_to_nothing(tmp_path):
    pixels = np.array([[[0.5, 0.25, 0.125, 1e-40], [0.5, 0.25, 0.125, 0.5]]], np.float32)
    raw_write(tmp_path / "a.exr", pixels, "float")
    got = read_picture(tmp_path / "a.exr").pixels
    assert np.isfinite(got).all()
    assert got[0, 1].tolist() == [1, 0.5, 0.25, 0.5]


def test_pages_of_a_tiff_are_not_searched(tmp_path):
    file = oiio.ImageOutput.create("tiff")
    specs = [oiio.ImageSpec(20, 30, 1, "float"), oiio.ImageSpec(5, 6, 3, "float")]
    assert file.open(str(tmp_path / "two.tif"), specs[0])
    assert file.write_image(np.ones((30, 20, 1), np.float32))
    assert file.open(str(tmp_path / "two.tif"), specs[1], "AppendSubimage")
    assert file.write_image(np.ones((6, 5, 3), np.float32))
    file.close()
    with pytest.warns(TrimatteWarning, match="two.tif: the first of several pictures is read"):
        assert load_image(tmp_path / "two.tif").shape == (30, 20)


def test_dpx_of_eight_bits(tmp_path):
    raw_write(tmp_path / "a.dpx", IMAGE, "uint8")
    picture = read_picture(tmp_path / "a.dpx")
    np.testing.assert_array_equal(picture.pixels, IMAGE)
    save_image(tmp_path / "b.dpx", picture.pixels, metadata=picture.metadata)
    np.testing.assert_array_equal(load_image(tmp_path / "b.dpx"), IMAGE * np.uint16(257))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_writes_too(tmp_path):
    """OpenEXR's threads do not survive the fork; the child must not wait for them."""
    code = """
import os, sys, numpy as np
from trimatte import io
pixels = np.random.default_rng(0).random((600, 800, 3), np.float32)
io.save_image("a.exr", pixels, depth="half")
io.read_picture("a.exr")
child = os.fork()
if child == 0:
    io.save_image("b.exr", pixels, depth="half")
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)
    np.testing.assert_array_equal(load_image(tmp_path / "b.exr"), load_image(tmp_path / "a.exr"))


def test_threads_of_others_are_left_alone(tmp_path):
    before = oiio.get_int_attribute("threads")
    oiio.attribute("threads", 3)
    save_image(tmp_path / "a.exr", LINEAR)
    load_image(tmp_path / "a.exr")
    assert oiio.get_int_attribute("threads") == 3
    oiio.attribute("threads", before)


def test_a_profile_of_other_colours_is_left_out(tmp_path):
    grey = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    with pytest.warns(TrimatteWarning, match="the colour profile is not for these pixels"):
        save_image(tmp_path / "a.tif", DEEP[..., :3], icc_profile=grey)
    assert read_picture(tmp_path / "a.tif").icc_profile is None
