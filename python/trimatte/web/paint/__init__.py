"""The page to paint on: strokes over a picture, and its matte after each of them.

`routes` gives what a server mounts behind its guard. `_painting` holds a picture with its strokes,
`_start` makes the labels from which painting starts, `_solving` finds alpha and colours, and
`static` is the page.
"""

from ._files import PAGES
from ._routes import Opened, routes

__all__ = ["PAGES", "Opened", "routes"]
