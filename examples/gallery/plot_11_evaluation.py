"""
Methods measured
================

``tm.evaluation.evaluate`` runs methods on data sets and measures what they make: rendered scenes,
whose truth is exact, or a folder of your own pictures with true alphas.
"""

import matplotlib.pyplot as plt
import numpy as np

import trimatte as tm

scenes = tm.datasets.scenes(height=160, width=240).select(["hair-noise", "glass", "dandelion-noise", "net-noise"])
methods = ["best", "closed-form", "learning-based", "knn", "random-walk"]
found = tm.evaluation.evaluate(methods, [scenes])

# %%
# Each record has the errors of one method on one sample. SAD is the sum of absolute differences over
# the unknown pixels, in thousands.

names = [sample.name for sample in scenes]
sad = np.array(
    [
        [next(r for r in found.records if (r.method, r.sample) == (method, name)).errors["sad"] for name in names]
        for method in methods
    ]
)
figure, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
for i, method in enumerate(methods):
    axis.bar(np.arange(len(names)) + 0.16 * (i - 2), sad[i], 0.15, label=method)
axis.set_xticks(range(len(names)), names)
axis.set_ylabel("SAD / 1000 (less is better)")
axis.legend(frameon=False)

# %%
# ``trimatte evaluate scenes -m best -m closed-form -o results`` does the same with a report in HTML.
