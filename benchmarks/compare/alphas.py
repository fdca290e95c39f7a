"""Write the alphas of PyMatting's methods for data sets, for `trimatte evaluate` to measure.

    python benchmarks/compare/alphas.py scenes ../alphamatting --trimaps Trimap1 --output alphas
    trimatte evaluate scenes ../alphamatting -m "PyMatting cf=alphas/cf" ... -o results

DATA is as for `trimatte evaluate`. Files are OUTPUT/METHOD/DATASET/SAMPLE.png, grey of 16 bits; those that are
there already stay. PyMatting runs in its own environment (see peers.py). Nothing is stretched: what it returns is
in [0, 1].
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

METHODS = ("cf", "knn", "lbdm", "lkm", "rw", "sm")


def export(data, trimaps, folder):
    """Write the samples' images and trimaps as folder/DATASET/{image,trimap}/SAMPLE.png."""
    import trimatte as tm

    for item in data:
        if item == "scenes":
            opened = [tm.datasets.scenes()]
        else:
            opened = [tm.datasets.folder(item, trimap=trimap) for trimap in trimaps]
        for dataset in opened:
            for sample in dataset:
                for part, pixels in (("image", sample.image), ("trimap", sample.trimap)):
                    path = folder / dataset.name / part / f"{sample.name}.png"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    tm.io.save_image(path, pixels)


def estimate(folder, output, methods):
    """In PyMatting's environment: alpha of every sample by every method."""
    import pymatting
    from PIL import Image

    for method in methods:
        for path in sorted(folder.glob("**/image/*.png")):
            dataset = path.parent.parent.relative_to(folder)
            target = output / method / dataset / path.name
            if target.exists():
                continue
            image = np.asarray(Image.open(path).convert("RGB")) / 255
            trimap = np.asarray(Image.open(path.parent.parent / "trimap" / path.name)) / 255
            start = time.perf_counter()
            alpha = getattr(pymatting, f"estimate_alpha_{method}")(image, trimap)
            print(f"{method} {dataset} {path.stem}: {time.perf_counter() - start:.1f} s", flush=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.round(alpha * 65535).astype(np.uint16)).save(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--trimaps", nargs="+", default=["Trimap1"])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        estimate(Path(options.data[0]), options.output, options.methods)
        return
    import peers

    with tempfile.TemporaryDirectory() as folder:
        export(options.data, options.trimaps, Path(folder))
        arguments = ["--inside", folder, "--output", str(options.output.resolve()), "--methods", *options.methods]
        subprocess.run([peers.interpreter("pymatting"), __file__, *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
