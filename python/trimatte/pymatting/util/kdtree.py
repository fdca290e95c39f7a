"""Nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_FEW = 10_000
"""Up to so many queries, starting threads would take longer than they save."""


class KDTree:
    """A tree of points for `query`.

    Parameters
    ----------
    data_points : (n, d) ndarray
        They are taken as float32.
    min_leaf_size : int, default 8
        Points in a leaf.
    """

    def __init__(self, data_points: Array, min_leaf_size: int = 8) -> None:
        from scipy.spatial import cKDTree

        points = np.asarray(data_points, np.float32)
        if points.ndim != 2:
            raise ValueError(f"data_points: expected shape (n, d), got {points.shape}")
        if not np.isfinite(points).all():
            raise ValueError("data_points: expected finite values, got NaN or infinity")
        self._tree = cKDTree(points, leafsize=min_leaf_size)

    def query(self, query_points: Array, k: int) -> tuple[Array, Array]:
        """Return the k nearest points of each query point, the nearest first.

        Parameters
        ----------
        query_points : (m, d) ndarray
        k : int

        Returns
        -------
        distances : (m, k) ndarray of float32
        indices : (m, k) ndarray of int64

        Raises
        ------
        ValueError
            If there are fewer than k points.
        """
        queries = np.asarray(query_points, np.float32)
        if k > self._tree.n:
            raise ValueError(
                f"Number of data points ({self._tree.n}) is less than the number of neighbors requested (k={k}). "
                "Please provide a larger dataset or reduce the value of k."
            )
        if k == 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        workers = -1 if len(queries) > _FEW else 1
        distances, indices = self._tree.query(queries, k=k, workers=workers)
        shape = (len(queries), k)
        return distances.reshape(shape).astype(np.float32), indices.reshape(shape).astype(np.int64)


def knn(data_points: Array, query_points: Array, k: int) -> tuple[Array, Array]:
    """Return distances and indices of the k nearest data points of each query point; see `KDTree`."""
    return KDTree(data_points).query(query_points, k)
