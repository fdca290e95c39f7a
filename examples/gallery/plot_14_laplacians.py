"""
Laplacians and a system of your own
===================================

``tm.laplacians`` hands out the operators as matrices of SciPy. What you build from them is solved by
``tm.solve``, which promises the error of alpha, or by SciPy with ``tm.preconditioner``.
"""

import numpy as np
from scipy.sparse.linalg import cg
from side_by_side import side_by_side

import trimatte as tm

scene = tm.datasets.hair(200, 300, seed=5, noise=0.01)
L = tm.laplacians.closed_form(scene.image, epsilon=1e-6)
print(f"{L.shape[0]:,} rows, {L.nnz / L.shape[0]:.1f} numbers in each")

# %%
# A sum of two operators is an operator.

both = L + 0.1 * tm.laplacians.learning_based(scene.image)
alpha, info = tm.solve(both, scene.trimap, near_null=scene.image)
print(f"{info.solver}, {info.iterations} iterations, error of alpha at most {info.error_estimate:.1e}")

# %%
# SciPy's conjugate gradients on the rows of the unknown pixels need hundreds of steps by themselves,
# and few with trimatte's multigrid as preconditioner.

unknown, foreground = (scene.trimap == 128).ravel(), (scene.trimap == 255).ravel()
A, b = L[unknown][:, unknown], -L[unknown][:, foreground].sum(axis=1)
M = tm.preconditioner(A, near_null=scene.image.reshape(-1, 3)[unknown])
for name, preconditioner in (("alone", None), ("with tm.preconditioner", M)):
    steps = []
    x, failed = cg(A, b, M=preconditioner, rtol=1e-5, callback=lambda _, count=steps: count.append(1))
    print(f"{name:24} {len(steps):5} steps{', not converged' if failed else ''}")

by_scipy = (scene.trimap / 255).ravel()
by_scipy[unknown] = np.clip(x, 0, 1)
side_by_side({"picture": scene.image, "tm.solve": alpha, "SciPy": by_scipy.reshape(alpha.shape)})
