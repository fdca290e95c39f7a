"""Files that are no pictures that can be read here: what each is, and what turns it into one."""

from __future__ import annotations

import os

HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
AVIF_BRANDS = (b"avif", b"avis")
_RAW_SUFFIXES = (".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw")

_MATROSKA = b"\x1aE\xdf\xa3"
_RENDER = "render it as PNG"
_EXPORT = "export it as PNG or TIFF"
_HEADS: tuple[tuple[bytes, str, str], ...] = (
    (b"8BPS", "a Photoshop document", _EXPORT),
    (b"gimp xcf", "a GIMP project", _EXPORT),
    (b"%PDF", "a PDF document", _RENDER),
    (b"<svg", "an SVG drawing", _RENDER),
    (b"\xff\x0a", "a JPEG XL picture", "convert it to PNG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", "convert it to PNG"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", "convert it to PNG or TIFF"),
    (b"<!DOCTYPE", "a web page", "it may be what a failed download left"),
    (b"<!doctype", "a web page", "it may be what a failed download left"),
    (b"<html", "a web page", "it may be what a failed download left"),
    (b"<?xml", "an XML document", "if it is an SVG drawing, render it as PNG"),
    (b"PK\x03\x04", "an archive", "unpack it first"),
)


def is_raw(name: str, head: bytes) -> bool:
    """Whether a file is a camera's raw file, by its name and its head.

    Such files look like TIFF, and their first picture is a small preview.
    """
    return os.path.splitext(name)[1].lower() in _RAW_SUFFIXES or head[4:11] == b"ftypcrx" or head[8:10] == b"CR"


def brand(head: bytes) -> bytes:
    """Return the brand of a file of the MPEG family (HEIC, AVIF, MP4, MOV); empty for others."""
    return head[8:12] if head[4:8] == b"ftyp" else b""


def described(name: str, head: bytes) -> str | None:
    """Say what a file is and how it becomes a picture that can be read; None if its head is unknown."""
    if is_raw(name, head):
        return "a camera's raw file cannot be read; develop it to a TIFF of 16 bits, or to PNG"
    if brand(head) in HEIF_BRANDS:
        return "a HEIC picture needs pillow-heif: pip install pillow-heif; or save it as JPEG"
    if brand(head) in AVIF_BRANDS:
        return "an AVIF picture needs Pillow 11.3 or newer: pip install --upgrade pillow; or save it as PNG"
    if brand(head) or head.startswith(_MATROSKA) or (head[:4] == b"RIFF" and head[8:11] == b"AVI"):
        return "a video cannot be read as a picture; matte all of it: trimatte sequence --help"
    for start, kind, way in _HEADS:
        if head.startswith(start):
            return f"{kind} cannot be read; {way}"
    return None
