"""Picture files in and out.

Pillow reads and writes PNG, JPEG, WebP, TIFF and BMP, and reads GIF, AVIF and, where pillow-heif is
installed, HEIC. OpenImageIO has the deep ones. This is what reading does with each kind of file:

============================  ======================================================================
grey, bilevel                 (H, W) uint8
16-bit grey PNG or TIFF       (H, W) uint16
RGB, palette, YCbCr           (H, W, 3) uint8
RGBA, grey + alpha, a         (H, W, 4) uint8, straight alpha. :func:`load_image` drops the
transparent palette or        transparency, with a warning unless every pixel is opaque
colour
CMYK                          (H, W, 3) uint8 sRGB, through the embedded profile; without one, by a
                              plain formula and with a warning
16-bit colour PNG or TIFF     the same shapes, uint16, by OpenImageIO
EXR and TIFF of half or       the same shapes, float32, scene-linear, by OpenImageIO; values below 0
float                         and above 1 are kept. In EXR the first part with channels R, G, B, or
                              Y, is read, and its A; Y beside X is CIE XYZ, which is refused
DPX of 8 to 16 bits           the same shapes, uint8 or uint16, by OpenImageIO; values are as they
                              are, with a warning if they are logarithmic
Lab, signed, 12-bit TIFF,     refused
32-bit integers
============================  ======================================================================

OpenImageIO comes with the extra: ``pip install "trimatte[vfx]"``. It keeps samples bit by bit.
Without it such files are refused, because Pillow would reduce them to 8 bits without a word.

Pixels are straight. Premultiplied colours (all EXR with alpha, and TIFF that says so) are divided
by alpha when they are read, except where alpha is 0, and multiplied when EXR is written. In half
files this returns the same bits, with one exception: light without opacity (colour where alpha is
0) lasts only until it is written.

The EXIF orientation is applied. If a file holds several pictures (an animation, pages), the first
is read, with a warning.
"""

from __future__ import annotations

from .picture import Metadata, Picture
from .read import load_image, read_picture
from .video import Clip, open_clip
from .video_write import save_clip
from .write import save_image

__all__ = ["Clip", "Metadata", "Picture", "load_image", "open_clip", "read_picture", "save_clip", "save_image"]
