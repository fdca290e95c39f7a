"""The names that arguments take, as types, so that editors complete them.

The tables of methods, solvers and the like hold the truth; `test_package.py` compares them.
"""

from __future__ import annotations

from typing import Literal

MethodName = Literal[
    "auto",
    "best",
    "closed-form",
    "information-flow",
    "knn",
    "large-kernel",
    "learning-based",
    "random-walk",
    "fusion",
    "composite-network",
    "sampling",
    "shared-sampling",
    "robust",
    "patch-network",
    "patch-regression",
]
PriorName = Literal[
    "fusion", "composite-network", "sampling", "shared-sampling", "robust", "patch-network", "patch-regression"
]
SolverName = Literal["auto", "cholesky", "multigrid", "graph-multigrid", "cg"]
ColourSpace = Literal["srgb", "linear"]
ForegroundName = Literal["multi-level", "closed-form", "blur-fusion"]
