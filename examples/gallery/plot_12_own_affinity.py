"""
An affinity of your own
=======================

An affinity says which pixels should have similar alphas, as a sparse matrix. A frozen dataclass with
one method is all it takes: the solvers, the priors, the command line and batches know it by its name
from then on. This one lets alpha flow between the four neighbours of a pixel, the more, the nearer
their colours are (Grady, "Random Walks for Image Segmentation", 2006).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.sparse
from side_by_side import side_by_side

import trimatte as tm


@tm.affinities.register
@dataclass(frozen=True)
class Neighbours(tm.affinities.Affinity):
    """Neighbours of like colours have like alphas."""

    name = "four-neighbours"
    reach: ClassVar[int] = 1  # pixels along x or y

    beta: float = tm.affinities.option(200.0, "How soon colours count as different.", least=0, most=1e6)

    def laplacian(self, image, labels, context):
        pixel = np.arange(labels.size).reshape(labels.shape)
        pairs, weights = [], []
        for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
            difference = np.square(image[a] - image[b]).sum(axis=2)
            pairs.append(np.stack([pixel[a].ravel(), pixel[b].ravel()]))
            weights.append(np.exp(-self.beta * difference).ravel() + 1e-6)
        (i, j), w = np.concatenate(pairs, axis=1), np.concatenate(weights)
        W = scipy.sparse.coo_array((np.r_[w, w], (np.r_[i, j], np.r_[j, i])), shape=(labels.size,) * 2).tocsr()
        return (scipy.sparse.diags_array(W.sum(axis=1)) - W).tocsr()


# %%
# It is used by its name, as an object with options, or with any prior.

scene = tm.datasets.flower(300, 450, noise=0.01)
plain = tm.estimate_alpha(scene.image, scene.trimap, method="four-neighbours")
sharper = tm.estimate_alpha(scene.image, scene.trimap, method=Neighbours(beta=2000))
helped = tm.estimate_alpha(scene.image, scene.trimap, method=Neighbours(beta=2000), prior="composite-network")

grey = scene.trimap == 128
for name, alpha in (("beta=200", plain), ("beta=2000", sharper), ("with a prior", helped)):
    print(f"{name:12} mean error {tm.metrics.mad(alpha, scene.alpha, region=grey):.4f}")
side_by_side(
    {"picture": scene.image, "beta=200": plain, "beta=2000": sharper, "with a prior": helped}, columns=2, width=4.2
)
