"""The page to paint on: strokes over a picture, and its matte after each of them.

`routes` gives what a server mounts. `_guard` says who may ask, `_painting` holds a picture with its
strokes, `_start` makes the labels from which painting starts, `_solving` finds alpha and colours,
and `static` is the page.
"""

from ._guard import Limits
from ._routes import Opened, routes

__all__ = ["Limits", "Opened", "routes"]
