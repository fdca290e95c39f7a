"""
Many pictures
=============

``tm.batch.run`` mattes many files side by side, within a budget of memory. It keeps a log: a run that
was stopped at any moment goes on where it was, and a run with nothing to do says so at once.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from side_by_side import side_by_side

import trimatte as tm

folder = Path(tempfile.mkdtemp())
for name in ("photos", "trimaps", "cutouts"):
    (folder / name).mkdir()
for seed in range(4):
    scene = tm.datasets.dandelion(200, 300, seed=seed, noise=0.01)
    tm.io.save_image(folder / "photos" / f"{seed}.png", np.round(scene.image * 255).astype(np.uint8))
    tm.io.save_image(folder / "trimaps" / f"{seed}.png", scene.trimap)

# %%
# Names follow templates. Each picture takes the trimap of the same stem.

jobs = tm.batch.jobs_from_files(
    f"{folder}/photos/*.png",
    f"{folder}/cutouts/{{stem}}.png",
    trimaps=f"{folder}/trimaps/{{stem}}.png",
)

# %%
# By default items run in processes of their own, one for each core; any executor will do instead.

with ThreadPoolExecutor(2) as executor:
    first = tm.batch.run(jobs, log=folder / "log.jsonl", executor=executor)
    again = tm.batch.run(jobs, log=folder / "log.jsonl", executor=executor)
print("first run: ", first)
print("second run:", again)

# %%
cutouts = sorted((folder / "cutouts").iterdir())
side_by_side({path.name: tm.io.read_picture(path).pixels for path in cutouts}, columns=2)

# %%
# From the command line:
#
# .. code-block:: shell
#
#    trimatte batch 'photos/*.png' --trimaps 'trimaps/{stem}.png' -o 'cutouts/{stem}.png' --memory 8G
