"""Picture files of kinds that Pillow cannot write."""

import importlib
import struct
import zlib

import numpy as np


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(pixels, colour_type, *, width=None, extra=b""):
    """A PNG of any depth, which Pillow cannot write."""
    rows = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">")))
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    depth = 8 * pixels.dtype.itemsize
    header = struct.pack(">IIBBBBB", width or pixels.shape[1], len(pixels), depth, colour_type, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(data))
    return b"\x89PNG\r\n\x1a\n" + chunks + png_chunk(b"IEND", b"")


def raw_tiff(pixels, *, photometric=None, kind=1, order="<", planar=1, extra_samples=(), bits=None, big=False):
    """An uncompressed TIFF of any depth, in one strip (one per channel if `planar` is 2)."""
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    if photometric is None:
        photometric = 1 if samples <= 2 else 2
    data = pixels.astype(pixels.dtype.newbyteorder(order))
    strips = [data[..., i].tobytes() for i in range(samples)] if planar == 2 else [data.tobytes()]
    bits = bits or 8 * pixels.dtype.itemsize
    tags = [
        (256, 4, [pixels.shape[1]]),
        (257, 4, [pixels.shape[0]]),
        (258, 3, [bits] * samples),
        (259, 3, [1]),
        (262, 3, [photometric]),
        (273, 4, None),
        (277, 3, [samples]),
        (278, 4, [pixels.shape[0]]),
        (279, 4, [len(strip) for strip in strips]),
        (284, 3, [planar]),
        (338, 3, list(extra_samples)),
        (339, 3, [kind] * samples),
    ]
    tags = [tag for tag in tags if tag[2] is None or tag[2]]
    count_code, inline = ("Q", 8) if big else ("I", 4)
    start = 16 if big else 8
    entry_size = 20 if big else 12
    after = start + (8 if big else 2) + entry_size * len(tags) + inline
    room = 400  # for values that do not fit into an entry
    offsets = [after + room + sum(map(len, strips[:i])) for i in range(len(strips))]
    directory, values = b"", b""
    for tag, code, value in tags:
        value = offsets if value is None else value
        packed = struct.pack(f"{order}{len(value)}{'H' if code == 3 else 'I'}", *value)
        if len(packed) > inline:
            pointer = struct.pack(order + count_code, after + len(values))
            values += packed
            packed = pointer
        directory += struct.pack(order + "HH" + count_code, tag, code, len(value)) + packed.ljust(inline, b"\0")
    mark = b"II" if order == "<" else b"MM"
    if big:
        header = mark + struct.pack(order + "HHHQ", 43, 8, 0, 16) + struct.pack(order + "Q", len(tags))
    else:
        header = mark + struct.pack(order + "HI", 42, 8) + struct.pack(order + "H", len(tags))
    return header + directory + b"\0" * inline + values.ljust(room, b"\0") + b"".join(strips)


def raw_read(path, kind="float"):
    """What OpenImageIO alone reads, premultiplied or not as the file has it."""
    oiio = importlib.import_module("OpenImageIO")

    wish = oiio.ImageSpec()
    wish.attribute("oiio:UnassociatedAlpha", 1)
    file = oiio.ImageInput.open(str(path), wish)
    pixels, spec = file.read_image(kind), file.spec()
    file.close()
    return pixels, spec


def raw_write(path, pixels, kind, **more):
    oiio = importlib.import_module("OpenImageIO")

    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    for name, value in more.items():
        if name == "attributes":
            for key, (type_, content) in value.items():
                spec.attribute(key, oiio.TypeDesc(type_), content)
        else:
            setattr(spec, name, value)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec), file.geterror()
    assert file.write_image(pixels), file.geterror()
    assert file.close()
