"""Versions that a bug report needs to name."""

from __future__ import annotations

import platform
import sys

from . import _core
from ._runtime.threads import thread_count

__all__ = ["show_versions", "versions"]


def versions() -> dict[str, str | int]:
    """Return versions, build and machine as a dict that `json` can write.

    Returns
    -------
    dict
        The keys are trimatte, python, platform, machine, numpy, scipy, pillow, eigen, eigen_source,
        compiler, openmp, simd (the instruction set in use), threads (the default number of
        threads).
    """
    import numpy
    import PIL
    import scipy

    return {
        "trimatte": _core.__version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "pillow": PIL.__version__,
        "eigen": _core.eigen_version,
        "eigen_source": _core.eigen_source,
        "compiler": _core.compiler,
        "openmp": "yes" if _core.openmp else "no",
        "simd": _core.simd_level(),
        "threads": thread_count(None),
    }


def show_versions() -> None:
    """Print versions, build and machine, for bug reports."""
    print("\n".join(f"{name:12} {value}" for name, value in versions().items()))  # noqa: T201
