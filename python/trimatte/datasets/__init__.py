"""Rendered scenes of any size whose alpha, foreground and background are known exactly."""

from __future__ import annotations

from ._dandelion import dandelion
from ._hair import hair
from ._net import net
from ._scene import Scene

__all__ = ["Scene", "dandelion", "hair", "net"]
