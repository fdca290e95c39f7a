"""How a file lays out its samples, read from its head before a library sees the file.

Layouts that no library here reads are refused.
"""

from __future__ import annotations

from contextlib import suppress
from typing import IO, NamedTuple

from ..errors import PictureError
from .deep import MAGIC
from .pillow import is_tiff, quiet_pillow


class Layout(NamedTuple):
    """What must be known before Pillow sees a file.

    Attributes
    ----------
    deep : str or None
        The kind of file if Pillow cannot read it, or would silently reduce its samples.
    white_is_zero : bool
        Whether 0 means white, in a grey TIFF that Pillow (16 bits) and OpenImageIO (floats) read
        as if 0 meant black.
    """

    deep: str | None
    white_is_zero: bool = False


def layout_of(file: IO[bytes], head: bytes, name: str) -> Layout:
    """Look at a file's head and, of a TIFF, its tags; refuse samples that nobody here reads."""
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR":
        depth, colour_type = head[24:25], head[25:26]  # both are empty in a file that ends before
        return Layout("PNG" if depth == b"\x10" and colour_type not in (b"", b"\0") else None)
    if not is_tiff(head):
        return Layout(MAGIC.get(head[:4]))
    tags = _tiff_tags(file)
    bits, photometric = max(tags.get("bits", (1,))), max(tags.get("photometric", (1,)))
    kind = {2: "signed", 5: "complex", 6: "complex"}.get(max(tags.get("kind", (1,))))
    floating = max(tags.get("kind", (1,))) == 3
    if photometric in (8, 9, 10):
        raise PictureError(f"{name}: Lab colour cannot be read; convert it to RGB")
    if kind or 8 < bits < 16 or (bits > 16 and not floating):
        samples_are = f"{bits}-bit {kind} samples" if kind else f"{bits}-bit samples"
        raise PictureError(
            f"{name}: a TIFF with {samples_are} cannot be read; scale them to [0, 1] and pass the array"
        )
    samples = max(tags.get("samples", (1,)))
    white_is_zero = photometric == 0 and (floating or bits == 16)
    if white_is_zero and samples > 1:
        raise PictureError(f"{name}: grey with transparency, white as 0, cannot be read; save it with black as 0")
    if floating or (bits == 16 and (samples > 1 or photometric > 1)):
        return Layout("TIFF", white_is_zero)
    return Layout(None, white_is_zero)


def _tiff_tags(file: IO[bytes]) -> dict[str, tuple[int, ...]]:
    """Return the sample layout of the first picture; an empty dict if its tags are damaged."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    wanted = {"bits": 258, "photometric": 262, "samples": 277, "kind": 339}
    found: dict[str, tuple[int, ...]] = {}
    with suppress(Exception), quiet_pillow():
        file.seek(0)
        header = file.read(8)
        if 43 in header[2:4]:
            header += file.read(8)
        tags = ImageFileDirectory_v2(header)
        file.seek(tags.next)
        tags.load(file)
        for key, tag in wanted.items():
            if tag in tags:
                value = tags[tag]
                found[key] = tuple(value) if isinstance(value, tuple) else (value,)
    return found
