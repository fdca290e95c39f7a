"""Affinities from matrices of weights, for options that trimatte's own affinities lack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._context import Context
from ...affinities import Affinity

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Weights(Affinity):
    """Alpha is smooth where weights between pixels are large.

    Parameters
    ----------
    weights : callable
        It takes an image to a sparse matrix of weights; those of both directions are averaged.
    """

    weights: Callable[[Array], Any]

    @property
    def reach(self) -> None:
        """Any two pixels may have a weight."""
        return None

    def laplacian(self, image: Array, labels: Array, context: Context) -> Any:
        """Return ``D - W``, where D holds the rows' sums."""
        from scipy import sparse

        W = sparse.csr_array(self.weights(image))
        W = (W + W.T) / 2
        return sparse.csr_array(sparse.diags(W @ np.ones(W.shape[1])) - W)
