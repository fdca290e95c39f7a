"""
Large pictures, and what they need
==================================

Only unknown pixels become unknowns of a system. Time and memory follow their number, not the size of
the picture, and hardly grow faster than it. ``solve_alpha`` tells what a solve took.

The seconds on this page are those of the machine that built it, on which other programs may run. They
show how time grows with the size. :doc:`The benchmarks </benchmarks>` say how fast trimatte is.
"""

import matplotlib.pyplot as plt

import trimatte as tm

sizes = ((300, 450), (600, 900), (900, 1350))
rows = []
for height, width in sizes:
    scene = tm.datasets.dandelion(height, width, noise=0.01)
    info = tm.solve_alpha(scene.image, scene.trimap, method="closed-form").info
    rows.append((info.unknowns, sum(info.seconds.values()), info.peak_bytes))
    print(
        f"{height * width / 1e6:5.2f} MP, {info.unknowns:9,} unknown: {info.solver}, {info.iterations} steps, "
        f"{rows[-1][1]:.2f} s, {info.peak_bytes / info.unknowns:.0f} bytes per unknown pixel"
    )

# %%
unknowns, seconds, peak = zip(*rows, strict=True)
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
left.plot([n / 1000 for n in unknowns], seconds, "o-")
left.set(xlabel="thousand unknown pixels", ylabel="seconds", xlim=(0, None), ylim=(0, None))
right.plot([n / 1000 for n in unknowns], [p / 1e6 for p in peak], "o-")
right.set(xlabel="thousand unknown pixels", ylabel="MB of the solve", xlim=(0, None), ylim=(0, None))

# %%
# A trimap with fewer unknown pixels is the best budget. ``tm.trim_trimap`` settles those whose colours
# leave no doubt.

trimmed = tm.trim_trimap(scene.image, scene.trimap)
print(f"{(scene.trimap == 128).sum():,} unknown pixels, {(trimmed == 128).sum():,} after trim_trimap")

# %%
# A batch keeps to a budget of memory for all that runs side by side: ``tm.batch.run(jobs,
# memory=8 * 10**9)``, or ``trimatte batch ... --memory 8G``.
