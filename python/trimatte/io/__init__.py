"""Picture files in and out: PNG, JPEG, WebP, TIFF and BMP by way of Pillow; the deep ones by OpenImageIO.

What reading does with each kind of file:

================================  =========================================================================
grey, bilevel                     (H, W) uint8
16-bit grey PNG or TIFF           (H, W) uint16
RGB, palette, YCbCr               (H, W, 3) uint8
RGBA, grey + alpha,               (H, W, 4) uint8, straight alpha. :func:`load_image` drops the transparency,
a transparent palette or colour   with a warning unless every pixel is opaque
CMYK                              (H, W, 3) uint8 sRGB, through the embedded profile; without one, by a plain
                                  formula and with a warning
16-bit colour PNG or TIFF         the same shapes, uint16. OpenImageIO
EXR and TIFF of half or float     the same shapes, float32, scene-linear; values below 0 and above 1 are kept.
                                  Of EXR the first part with channels R, G, B, or Y, is read, and its A;
                                  Y beside X is CIE XYZ, which is refused. OpenImageIO
DPX of 8 to 16 bits               the same shapes, uint8 or uint16, values as they are; with a warning if they are
                                  logarithmic. OpenImageIO
Lab, signed, 12-bit TIFF, 32-bit  refused
integers
================================  =========================================================================

OpenImageIO comes with the extra: ``pip install "trimatte[vfx]"``. Without it such files are refused: Pillow would
reduce them to 8 bits without a word. Its samples are kept bit by bit.

Pixels are straight: premultiplied colours (all EXR with alpha, and TIFF that says so) are divided by alpha when
read, except where alpha is 0, and multiplied when EXR is written. In half files this returns the same bits, but
for light without opacity (colour where alpha is 0), which only lasts until it is written.

The EXIF orientation is applied. Of a file with several pictures the first is read.
"""

from __future__ import annotations

from .picture import Metadata, Picture
from .read import load_image, read_picture
from .write import save_image

__all__ = ["Metadata", "Picture", "load_image", "read_picture", "save_image"]
