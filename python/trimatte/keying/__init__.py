"""Keys and plates: mattes from pictures whose background is known.

`_key` finds a key colour and follows its light, `_plate` aligns the same shot without the subject,
`_behind` labels what is sure before either, `_opaque` what lets no background through, `matte`
solves, and `triangulation` needs two pictures.
"""

from .matte import (
    KeyedMatte,
    matte_from_key,
    matte_from_plate,
    trimap_from_key,
    trimap_from_plate,
)
from .triangulation import Triangulated, triangulate

__all__ = [
    "KeyedMatte",
    "Triangulated",
    "matte_from_key",
    "matte_from_plate",
    "triangulate",
    "trimap_from_key",
    "trimap_from_plate",
]
