"""Picture files in and out: PNG, JPEG, WebP, TIFF and BMP, by way of Pillow.

What reading does with each kind of file:

================================  =========================================================================
grey, bilevel                     (H, W) uint8
16-bit grey PNG or TIFF           (H, W) uint16
RGB, palette, YCbCr               (H, W, 3) uint8
RGBA, grey + alpha,               (H, W, 4) uint8, straight alpha. :func:`load_image` drops the transparency,
a transparent palette or colour   with a warning unless every pixel is opaque
CMYK                              (H, W, 3) uint8 sRGB, through the embedded profile; without one, by a plain
                                  formula and with a warning
16-bit colour                     refused: Pillow would reduce it to 8 bits without a word
Lab, 12 or 32 bits, signed or     refused
floating-point samples
================================  =========================================================================

The EXIF orientation is applied. Of a file with several pictures the first is read.
"""

from __future__ import annotations

from ._picture_read import Picture, load_image, read_picture
from ._picture_write import save_image

__all__ = ["Picture", "load_image", "read_picture", "save_image"]
