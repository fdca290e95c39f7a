"""Compare methods and priors with the true alpha: SAD, MSE and seconds, as tables and JSON.

    python benchmarks/quality.py --folder alphamatting --scene dandelion hair net --thin 0.03 --scribbles levin \
        --output benchmarks/compare/results/quality.json

`--folder` is one that `trimatte.datasets.folder` opens, with two trimaps. Scenes are rendered, with
the given noise and seeds. SAD is the sum of absolute differences over the unknown pixels, in
thousands, and MSE is the mean of their squares. Both are averaged over the pictures; nothing is
stretched or clipped after the solve. `--thin 0.03` measures once more with trimaps in which random
known pixels are kept, 3 % of all pixels; errors are still measured over the pixels that were
unknown before. `--widen 20 40` measures with the second trimap, whose unknown region is widened by
so many pixels; a picture without known foreground is left out then.
`--scribbles` is a folder with NAME.png, NAME_scribbles.png and NAME_res_alpha.png, which are solved
with Levin's parameters (soft known pixels of weight 100, epsilon 1e-7), and by "auto" and "best".
`--picture IMAGE TRIMAP TRUTH` measures one picture of any size. `--time IMAGE TRIMAP`
measures the seconds of the methods, which take turns, on one picture of any size.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

METHODS = {
    "closed-form": {"method": "closed-form"},
    "patch regression": {"method": "patch-regression"},
    "patch network": {"method": "patch-network"},
    "sampling": {"method": "sampling"},
    "shared sampling": {"method": "shared-sampling"},
    "composite network": {"method": "composite-network"},
    "closed-form + patch regression": {"method": "closed-form+patch-regression"},
    "closed-form + patch network": {"method": "closed-form+patch-network"},
    "closed-form + sampling": {"method": "closed-form+sampling"},
    "closed-form + shared sampling": {"method": "closed-form+shared-sampling"},
    "closed-form + composite network": {"method": "closed-form+composite-network"},
    "closed-form + robust": {"method": "closed-form+robust"},
    "fusion": {"method": "fusion"},
    "best": {"method": "best"},
    "auto": {"method": "auto"},
}


def load_grey(path):
    pixels = tm.io.load_image(path)
    return pixels if pixels.ndim == 2 else pixels[..., 0].copy()


def scene_pictures(names, megapixels, noises, seeds):
    for name in names:
        for noise in noises:
            for seed in seeds:
                height = round((megapixels * 1e6 / 1.5) ** 0.5)
                scene = getattr(tm.datasets, name)(height, round(1.5 * height), noise=noise, seed=seed)
                image = np.round(scene.image * 255).astype(np.uint8)
                yield f"{name}, noise {noise:g}, seed {seed}", image, scene.trimap, scene.alpha


def thinned(trimap, part, seed=0):
    """Keep some of the known pixels, given as a part of all pixels."""
    known = np.flatnonzero((trimap <= 25) | (trimap >= 230))
    kept = np.random.default_rng(seed).permutation(known)[: round(part * trimap.size)]
    thin = np.full(trimap.size, 128, np.uint8)
    thin[kept] = trimap.reshape(-1)[kept]
    return thin.reshape(trimap.shape)


def measured(image, trimap, truth, scored, options):
    """Measure all methods on one picture."""
    results = {}
    for name in options.methods:
        start = time.perf_counter()
        try:
            alpha, info = tm.solve_alpha(
                image, trimap, threads=options.threads, seed=options.seed, **METHODS[name]
            )
        except (ValueError, tm.TrimatteError) as error:
            results[name] = {"error": str(error)}
            continue
        seconds = time.perf_counter() - start
        results[name] = {
            "sad": round(tm.metrics.sad(alpha, truth, region=scored), 4),
            "mse": round(tm.metrics.mse(alpha, truth, region=scored), 7),
            "seconds": round(seconds, 3),
            "iterations": info.iterations,
        }
    return results


def widened(trimap, pixels):
    """Let pixels within so many pixels of an unknown one be unknown."""
    near = distance_transform_edt((trimap <= 25) | (trimap >= 230)) <= pixels
    return np.where(near, 128, trimap).astype(np.uint8)


def measure(title, pictures, thin, options, widen=0):
    """Measure all pictures of one kind."""
    rows = {}
    for name, image, trimap, truth in pictures:
        if widen:
            trimap = widened(trimap, widen)
            if not (trimap >= 230).any():
                continue
        scored = (trimap > 25) & (trimap < 230)
        given = trimap if thin is None else thinned(trimap, thin)
        rows[name] = measured(image, given, truth, scored, options)
        print(f"\r{title}: {name:<40}", end="", file=sys.stderr, flush=True)
    print("\r" + 80 * " " + "\r", end="", file=sys.stderr)
    mean = {
        method: {
            key: round(float(np.mean([row[method][key] for row in rows.values()])), 7)
            for key in ("sad", "mse", "seconds")
        }
        for method in options.methods
        if all("sad" in row[method] for row in rows.values())
    }
    print(f"\n{title}, {len(rows)} pictures\n\n| method | SAD / 1000 | MSE / 1e-3 | seconds |\n|---|---|---|---|")
    for method, m in mean.items():
        print(f"| {method} | {m['sad']:.2f} | {1e3 * m['mse']:.2f} | {m['seconds']:.2f} |", flush=True)
    return {"mean": mean, "pictures": rows}


def measure_scribbles(folder, options):
    rows = {}
    print(
        "\nscribbles, mean difference to Levin's alpha\n\n"
        "| picture | unknown | his parameters | auto | best | seconds |\n|---|---|---|---|---|---|"
    )
    for path in sorted(folder.glob("*_scribbles.png")):
        name = path.name.removesuffix("_scribbles.png")
        image = tm.io.load_image(folder / f"{name}.png")
        trimap = tm.trimap_from_scribbles(image, tm.io.load_image(path))
        his = load_grey(folder / f"{name}_res_alpha.png") / 255
        start = time.perf_counter()
        alpha = tm.estimate_alpha(image, trimap, known_weight=100.0, epsilon=1e-7, threads=options.threads)
        row = {
            "unknown": int((trimap == 128).sum()),
            "mean_difference": float(np.abs(alpha - his).mean()),
            "seconds": time.perf_counter() - start,
        }
        for method in ("auto", "best"):
            found = tm.estimate_alpha(image, trimap, method=method, threads=options.threads, seed=options.seed)
            row[method] = float(np.abs(found - his).mean())
        rows[name] = row
        differences = " | ".join(f"{row[way]:.5f}" for way in ("mean_difference", "auto", "best"))
        print(f"| {name} | {row['unknown']:,} | {differences} | {row['seconds']:.2f} |")
    return rows


def measure_times(image_path, trimap_path, options):
    """Measure the seconds of each method on one picture, in turns; no true alpha is needed."""
    image, trimap = tm.io.load_image(image_path), load_grey(trimap_path)
    seconds = {name: [] for name in options.methods}
    for _ in range(options.repeat + 1):
        for name in options.methods:
            start = time.perf_counter()
            tm.solve_alpha(image, trimap, threads=options.threads, seed=options.seed, **METHODS[name])
            seconds[name].append(round(time.perf_counter() - start, 3))
    medians = {name: float(np.median(runs[1:])) for name, runs in seconds.items()}
    unknown = int(((trimap > 25) & (trimap < 230)).sum())
    size = f"{image.shape[0]} x {image.shape[1]}, {unknown:,} unknown"
    print(f"\n{image_path.name}, {size}\n\n| method | seconds | of closed-form |\n|---|---|---|")
    for name, median in medians.items():
        base = medians.get("closed-form")
        print(f"| {name} | {median:.2f} | {f'{median / base:.2f}' if base else ''} |")
    return {"picture": image_path.name, "unknown": unknown, "median": medians, "all": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--scene", nargs="+", default=[])
    parser.add_argument("--megapixels", type=float, default=0.5)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.01])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--thin", type=float, metavar="PART")
    parser.add_argument("--widen", type=int, nargs="+", default=[], metavar="PIXELS")
    parser.add_argument("--picture", type=Path, nargs=3, metavar=("IMAGE", "TRIMAP", "TRUTH"))
    parser.add_argument("--scribbles", type=Path)
    parser.add_argument("--time", type=Path, nargs=2, metavar=("IMAGE", "TRIMAP"), help="measure seconds only")
    parser.add_argument("--repeat", type=int, default=3, help="number of runs with --time")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seed", type=int, default=0, help="seed of the priors")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()

    tables = {}
    thinning = [None] if options.thin is None else [None, options.thin]
    for thin in thinning:
        kind = "" if thin is None else f", {100 * thin:g} % known"
        for trimap in ("trimap1", "trimap2") if options.folder else ():
            title = f"{options.folder.name} {trimap}{kind}"
            tables[title] = measure(title, tm.datasets.folder(options.folder, trimap=trimap), thin, options)
        if options.scene:
            pictures = scene_pictures(options.scene, options.megapixels, options.noise, options.seeds)
            tables[f"scenes{kind}"] = measure(f"scenes{kind}", pictures, thin, options)
    for pixels in options.widen if options.folder else ():
        title = f"{options.folder.name} trimap2, widened by {pixels} pixels"
        tables[title] = measure(title, tm.datasets.folder(options.folder, trimap="trimap2"), None, options, pixels)
    if options.picture:
        image, trimap, truth = (tm.io.load_image(options.picture[0]), *map(load_grey, options.picture[1:]))
        tables["picture"] = measure("picture", [(options.picture[0].name, image, trimap, truth)], None, options)
    scribbles = measure_scribbles(options.scribbles, options) if options.scribbles else {}
    times = measure_times(*options.time, options) if options.time else {}
    if options.output:
        record = {"machine": machine.machine(), "tables": tables, "scribbles": scribbles, "times": times}
        options.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
