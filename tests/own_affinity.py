"""An affinity as a user would write one: random walks on the four neighbours of a pixel."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.sparse

from trimatte import affinities


@dataclass(frozen=True)
class FourNeighbours(affinities.Affinity):
    """Neighbours of like colours have like alphas (L. Grady, "Random Walks for Image Segmentation", 2006)."""

    name = "four-neighbours"
    constant_regions = True
    reach: ClassVar[int] = 1

    beta: float = affinities.option(90.0, "How soon colours count as different.", least=0, most=1e6)
    wrap: bool = False

    def laplacian(self, image, labels, context):
        pixel = np.arange(labels.size).reshape(labels.shape)
        pairs, weights = [], []
        for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
            difference = np.square(image[a] - image[b]).sum(axis=2)
            pairs.append(np.stack([pixel[a].ravel(), pixel[b].ravel()]))
            weights.append(np.exp(-self.beta * difference).ravel() + 1e-6)
        i, j = np.concatenate(pairs, axis=1)
        w = np.concatenate(weights)
        W = scipy.sparse.coo_array((np.r_[w, w], (np.r_[i, j], np.r_[j, i])), shape=(labels.size,) * 2).tocsr()
        return scipy.sparse.diags(W.sum(axis=1)).tocsr() - W
