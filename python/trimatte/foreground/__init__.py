"""The colours of foreground and background, from an image and its alpha.

Give a method to `trimatte.estimate_foreground` as `method`, by its name or as an object. A method
has one line here and one in `METHODS`, and a file of its own.
"""

from ._base import ForegroundMethod as ForegroundMethod
from ._base import Layers as Layers
from .blur_fusion import BlurFusion as BlurFusion
from .closed_form import ClosedForm as ClosedForm
from .estimate import DEFAULT as DEFAULT
from .estimate import METHODS as METHODS
from .estimate import estimate_foreground as estimate_foreground
from .multi_level import MultiLevel as MultiLevel
