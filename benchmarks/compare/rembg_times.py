"""Measure rembg with PyMatting and with trimatte: its import and `remove`, cold and warm.

    python -m pip install --group test-rembg        # rembg, which brings PyMatting and Numba
    python benchmarks/compare/rembg_times.py --output benchmarks/compare/results/rembg.json
    python benchmarks/compare/rembg_times.py --image lemur.png --trimap lemur_trimap.png --enlarge 1 2

The ways are "pymatting", "install" (`trimatte.pymatting.install()` before `import rembg`) and
"integrations" (`trimatte.integrations.rembg.remove`). Each has processes of its own, in turns. Cold
is the first process, which finds no cached bytecode and no code that Numba compiled; later ones,
which are warm, find both. Seconds are those that the CPU spends, of all threads, so that other work
on the machine hardly changes them.

The network is left out: a session returns a mask, the picture's alpha at an eighth of its size,
enlarged again, which rembg refines with its defaults. The first call of a process and the median of
the later ones are given. "difference" is the largest one of alpha, of 255, between "install" and
"pymatting", "colours_apart" that of colours times alpha.
"""

import argparse
import datetime
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pictures
from machine import machine
from PIL import Image

WAYS = ("pymatting", "install", "integrations")
WORKER = """
import json, pickle, sys, time, warnings
way, path, repeat = sys.argv[1], sys.argv[2], int(sys.argv[3])
warnings.simplefilter("ignore")
start = time.process_time()
if way != "pymatting":
    import trimatte.pymatting
    trimatte.pymatting.install()
import rembg
if way == "integrations":
    from trimatte.integrations.rembg import remove
else:
    remove = rembg.remove
found = {"import": time.process_time() - start, "numba": "numba" in sys.modules, "cases": []}
import numpy as np
from PIL import Image
with open(path, "rb") as file:
    cases = pickle.load(file)
cutouts = []
for pixels, levels in cases:
    photo, mask = Image.fromarray(pixels), Image.fromarray(levels)
    class Given:
        def predict(self, image, *args, **kwargs):
            return [mask]
    seconds = []
    for _ in range(repeat + 1):
        start = time.process_time()
        cutout = remove(photo, alpha_matting=True, session=Given())
        seconds.append(time.process_time() - start)
    cutouts.append(np.asarray(cutout))
    found["cases"].append({"first": seconds[0], "later": seconds[1:]})
with open(path + "." + way, "wb") as file:
    pickle.dump(cutouts, file)
print(json.dumps(found))
"""


def eight_bits(plane):
    return np.round(255 * plane).astype(np.uint8)


def rough(alpha):
    """What a network would find: alpha at an eighth of its size."""
    picture = Image.fromarray(eight_bits(alpha))
    small = picture.resize([max(1, side // 8) for side in picture.size], Image.Resampling.BOX)
    return np.asarray(small.resize(picture.size, Image.Resampling.BILINEAR))


def cases(options):
    """Descriptions of the pictures, and the pictures with their masks."""
    if options.image:
        found = pictures.files([(options.image, options.trimap)], options.enlarge)
    else:
        found = pictures.scenes(options.megapixels, 0.01, ("hair",))
    for about, arrays in found:
        height, width = arrays["image"].shape[:2]
        mask = rough(arrays.get("alpha", arrays["trimap"]))
        yield {**about, "height": height, "width": width}, (eight_bits(arrays["image"]), mask)


def run(way, path, repeat):
    """One process of a way; what it caches lies beside `path`."""
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": f"{path}.{way}.numba",
        "PYTHONPYCACHEPREFIX": f"{path}.{way}.bytecode",
    }
    call = [sys.executable, "-c", WORKER, way, str(path), str(repeat)]
    done = subprocess.run(call, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def of_way(warm, cold, count):
    """Seconds of a way: medians over its warm processes, and those of its cold one."""
    made = {
        "import": {"warm": statistics.median(one["import"] for one in warm), "cold": cold["import"]},
        "cases": [],
    }
    for index in range(count):
        later = [seconds for one in warm for seconds in one["cases"][index]["later"]]
        made["cases"].append(
            {
                "first": statistics.median(one["cases"][index]["first"] for one in warm),
                "later": statistics.median(later),
                "first_cold": cold["cases"][index]["first"],
            }
        )
    return made


def differences(path):
    """The largest ones between PyMatting's way and `install`, of 255, for each picture."""
    found = []
    for theirs, ours in zip(*(pickle.loads(Path(f"{path}.{way}").read_bytes()) for way in WAYS[:2]), strict=True):
        apart = abs(theirs.astype(float) - ours)
        seen = apart[..., :3] * theirs[..., 3:] / 255
        found.append({"difference": float(apart[..., 3].max()), "colours_apart": round(float(seen.max()), 3)})
    return found


def measure(options):
    """The record of the results."""
    about, arrays = zip(*cases(options), strict=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases"
        path.write_bytes(pickle.dumps(arrays))
        cold = {way: run(way, path, 0) for way in WAYS}
        warm = {way: [] for way in WAYS}
        for _ in range(options.turns):
            for way in WAYS:
                warm[way].append(run(way, path, options.repeat))
        apart = differences(path)
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "pictures": [{**one, **most} for one, most in zip(about, apart, strict=True)],
        "ways": {way: of_way(warm[way], cold[way], len(about)) for way in WAYS},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.3, 1.2], help="sizes of rendered hair")
    parser.add_argument("--image", type=Path, help="a picture in place of the rendered one")
    parser.add_argument("--trimap", type=Path, help="its trimap")
    parser.add_argument("--enlarge", type=float, nargs="+", default=[1], help="factors by which it is enlarged")
    parser.add_argument("--repeat", type=int, default=3, help="later calls of a process")
    parser.add_argument("--turns", type=int, default=3, help="warm processes of each way")
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    if bool(options.image) != bool(options.trimap):
        parser.error("--image and --trimap: expected both or none")
    record = measure(options)
    text = json.dumps(record, indent=1) + "\n"
    if options.output:
        options.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
