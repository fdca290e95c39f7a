"""Measure what `trimatte.matte_from_mask` makes of masks of several kinds.

    python benchmarks/masks.py --folder alphamatting --network u2netp.onnx \
        --output benchmarks/compare/results/masks.json

The pictures are rendered scenes and those of `--folder`, which `trimatte.datasets.folder` opens. The
masks are

- "network": what the network in the file `--network` finds, on the pictures of the folder;
- "hard": where the true alpha is above 1/2;
- "blocks": the same at an eighth of the size, enlarged by repetition;
- "soft 4", "soft 8", "soft 16": the true alpha at a fraction of the size, with noise, sharpened and
  enlarged smoothly, as a network would give it.

SAD is the sum of absolute differences over the whole picture, in thousands. "lost" is the share of
the true alpha outside the hard mask that lies where the alpha found is below 1/255. `--kinds` takes
some of the masks; what `--output` holds of others, and of other pictures, stays in it.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

KINDS = ("network", "hard", "blocks", "soft 4", "soft 8", "soft 16")
# The pictures of alphamatting.com on which u2netp finds another subject than the true one.
OTHER_SUBJECT = ("GT13", "GT23", "GT27")


def samples(folder):
    """Yield the set, the name, the image and the true alpha of every picture."""
    for seed in range(4):
        scene = tm.datasets.hair(600, 800, seed=seed, noise=0.01)
        yield "hair", f"hair {seed}", scene.image, scene.alpha
    for kind in (tm.datasets.dandelion, tm.datasets.net):
        scene = kind(600, 800, noise=0.01)
        yield "scenes", kind.__name__, scene.image, scene.alpha
    if folder:
        for sample in tm.datasets.folder(folder):
            truth = sample.truth / np.float32(255 if sample.truth.dtype == np.uint8 else 1)
            group = "other subject" if sample.name in OTHER_SUBJECT else "photos"
            yield group, sample.name, sample.image, truth


def scaled(alpha, width, height, filter):
    picture = Image.fromarray(np.asarray(alpha, np.float32)).resize((width, height), filter)
    return np.clip(np.asarray(picture), 0, 1)


def mask_of(kind, image, truth, network):
    """A mask of some kind; None if there is no network."""
    height, width = truth.shape
    if kind == "network":
        return None if network is None else tm.mask_from_model(image, network)
    if kind == "hard":
        return truth > 0.5
    if kind == "blocks":
        small = scaled(truth, -(-width // 8), -(-height // 8), Image.Resampling.BOX) > 0.5
        return np.kron(small, np.ones((8, 8), bool))[:height, :width]
    factor = int(kind.split()[1])
    small = scaled(truth, width // factor, height // factor, Image.Resampling.BOX)
    disturbed = small + gaussian_filter(np.random.default_rng(0).normal(0, 0.5, small.shape), 1)
    sharpened = np.clip((disturbed - 0.5) * 2 + 0.5, 0, 1) * ((small > 0.02) | (gaussian_filter(small, 2) > 0.02))
    sharpened = np.where(gaussian_filter(small, 2) > 0.98, 1, sharpened)
    return scaled(sharpened, width, height, Image.Resampling.BICUBIC)


def row_of(image, truth, mask):
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alpha = tm.matte_from_mask(image, mask)
    outside = truth[truth <= 0.5]
    return {
        "mask": float(abs(mask - truth).sum() / 1000),
        "refined": float(abs(alpha - truth).sum() / 1000),
        "lost": float(outside[alpha[truth <= 0.5] < 1 / 255].sum() / outside.sum()),
        "seconds": time.process_time() - start,
    }


def table(rows):
    """Print the means of each set and kind, and where the matte is worse than its mask."""
    print(f"| pictures | mask | its SAD | refined | lost | worse than the mask | CPU seconds |\n{'|---' * 7}|")
    for group, kind in dict.fromkeys((row["set"], row["kind"]) for row in rows):
        found = [row for row in rows if (row["set"], row["kind"]) == (group, kind)]
        mask, refined, lost, seconds = (
            np.mean([r[k] for r in found]) for k in ("mask", "refined", "lost", "seconds")
        )
        worse = ", ".join(row["name"] for row in found if row["refined"] > row["mask"]) or "none"
        print(f"| {group} | {kind} | {mask:.2f} | {refined:.2f} | {lost:.0%} | {worse} | {seconds:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--network", help="an ONNX file")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    network = None if options.network is None else tm.models.load(options.network)
    rows = []
    for group, name, image, truth in samples(options.folder):
        rendered = group in ("hair", "scenes")
        for kind in options.kinds:
            mask = None if kind == "network" and rendered else mask_of(kind, image, truth, network)
            if mask is not None:
                rows.append({"set": group, "name": name, "kind": kind, **row_of(image, truth, mask)})
                print(
                    f"{name} {kind}: {rows[-1]['mask']:.2f} {rows[-1]['refined']:.2f}", file=sys.stderr, flush=True
                )
    if options.output and options.output.exists():
        measured = {(row["name"], row["kind"]) for row in rows}
        before = json.loads(options.output.read_text())["rows"]
        rows = [row for row in before if (row["name"], row["kind"]) not in measured] + rows
    table(rows)
    if options.output:
        options.output.write_text(json.dumps({"machine": machine.machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
