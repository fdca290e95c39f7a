"""Files of phones, of the web and of other programs, and pictures that are no files."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from trimatte.errors import PictureError, TrimatteWarning
from trimatte.io import load_image, save_image

FTYP = b"\0\0\0\x18ftyp"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.psd", b"8BPS\0\1", "a Photoshop document cannot be read; export it as PNG or TIFF"),
        ("a.pdf", b"%PDF-1.4", "a PDF document cannot be read; render it as PNG"),
        ("a.svg", b"<svg xmlns=", "an SVG drawing cannot be read; render it as PNG"),
        (
            "a.mp4",
            FTYP + b"isom" + bytes(40),
            "a video cannot be read as a picture; matte all of it: trimatte sequence",
        ),
        ("a.mkv", b"\x1aE\xdf\xa3" + bytes(40), "a video cannot be read as a picture"),
        ("a.cr2", b"II*\0\x10\0\0\0CR\2\0", "a camera's raw file cannot be read; develop it"),
        ("a.dng", b"II*\0\x08\0\0\0" + bytes(40), "a camera's raw file cannot be read; develop it"),
        ("a.jxl", b"\xff\x0a" + bytes(40), "a JPEG XL picture cannot be read; convert it"),
        ("a.png", b"<!DOCTYPE html>", "a web page cannot be read; it may be what a failed download left"),
    ],
)
def test_other_files_are_called_by_their_names(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PictureError, match=message):
        load_image(path)


def test_heic_says_what_reads_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "photo.heic"
    path.write_bytes(FTYP + b"heic" + bytes(40))
    if "HEIF" not in Image.OPEN:  # pillow-heif registers itself for the whole process
        with pytest.raises(PictureError, match=r"photo.heic: a HEIC picture needs pillow-heif: pip install"):
            load_image(path)


@pytest.mark.parametrize("form", ["HEIF", "AVIF", "GIF"])
def test_pictures_of_phones_and_the_web_are_read(tmp_path, form):
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif does not go with the oldest Pillow")
    pillow_heif.register_heif_opener()
    Image.init()
    if form not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {form}")
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, 30:] = 200, 100, 50
    path = tmp_path / "picture"
    Image.fromarray(pixels).save(path, form)
    found = load_image(path)
    assert found.shape == pixels.shape
    assert abs(found.astype(int) - pixels)[:, [5, 50]].max() <= 8


@pytest.mark.parametrize(
    ("form", "suffix"), [("GIF", ".gif"), ("TIFF", ".tif"), ("PNG", ".png"), ("WEBP", ".webp")]
)
def test_animations_and_pages_give_the_first_picture_and_say_so(tmp_path, form, suffix):
    frames = [Image.fromarray(np.full((8, 9, 3), level, np.uint8)) for level in (10, 200, 90)]
    path = tmp_path / f"many{suffix}"
    options = {"lossless": True} if form == "WEBP" else {}
    frames[0].save(path, form, save_all=True, append_images=frames[1:], **options)
    with pytest.warns(TrimatteWarning, match=f"many{suffix}: the first of 3 pictures is read"):
        pixels = load_image(path)
    assert (pixels[..., :3] == 10).all()


def test_bytes_and_open_files_are_pictures(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    path = tmp_path / "a.png"
    save_image(path, pixels)
    content = path.read_bytes()
    for source in (content, io.BytesIO(content), bytearray(content)):
        np.testing.assert_array_equal(load_image(source), pixels)
    with open(path, "rb") as file:
        np.testing.assert_array_equal(load_image(file), pixels)
    with open(path, encoding="latin-1") as file, pytest.raises(TypeError, match="opened in binary mode"):
        load_image(file)
    with pytest.raises(PictureError, match="<5 bytes>: not a picture that can be read"):
        load_image(b"hello")
