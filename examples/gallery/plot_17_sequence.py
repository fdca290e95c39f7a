"""
Frames of a film
================

``tm.solve_sequence`` takes frames one by one and gives their alphas one by one, each started from the
one before. ``temporal=`` holds what stands still to the frame before, which takes flicker away.
"""

import warnings

from side_by_side import side_by_side

import trimatte as tm

# Seeds in flight are unknown regions that touch background only. Closed-form matting makes them
# background, and says so in a warning.
warnings.simplefilter("ignore", tm.TrimatteWarning)

frames = list(tm.datasets.sequence(200, 300, frames=6, noise=0.02))
images, trimaps = [frame.image for frame in frames], [frame.trimap for frame in frames]
results = list(tm.solve_sequence(images, trimaps, method="closed-form"))
held = list(tm.solve_sequence(images, trimaps, temporal=0.1))

side_by_side(
    {f"frame {i}": images[i] for i in (0, 2, 5)} | {f"alpha {i}": results[i].alpha for i in (0, 2, 5)}, columns=3
)

# %%
# The measure of flicker is the difference between the change of alpha and that of the truth from
# frame to frame (dtSSD).

truths = [frame.alpha for frame in frames]
for name, some in (("frame by frame", results), ("temporal=0.1", held)):
    error = tm.metrics.evaluate_sequence([result.alpha for result in some], truths, trimaps)
    print(f"{name:15} {error}")

# %%
# Clips work the same way by ``trimatte sequence clip.mp4 --masks masks.mp4 -o cutout.mov``.
