"""Operators of affinities, as tests ask for them and change them."""

import numpy as np
import scipy.sparse

from trimatte._context import make_context


def operator(method, image, labels=None, threads=1):
    """The matrix of an affinity; all pixels are unknown if no labels are given."""
    if labels is None:
        labels = np.full(image.shape[:2], 2, np.uint8)
    return method.laplacian(image, labels, make_context(threads, None))


def with_entry(L, row, column, value):
    """The matrix with another entry."""
    L = scipy.sparse.lil_array(L)
    L[row, column] = value
    return L
