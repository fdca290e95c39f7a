"""Random drawings, multigrid's hardest pictures: its alpha beside Cholesky's.

    python benchmarks/drawings.py --output benchmarks/compare/results/drawings.json

Draws nested discs, scattered shapes, lines and text of two to six colours, with hard edges (enlarged up to 8
times) or antialiased (drawn four times as large), without noise and with some of 1e-7 to 0.05, and makes almost
all of each unknown. A drawing is *wrong* if multigrid says it has converged and is off by more than its tolerance;
*given up* if it says that it has not. Exit code 1 if any is wrong.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

KINDS = ("nested", "shapes", "lines", "text")
SORTS = (  # name, whether antialiased, whether noisy
    ("hard edges", False, False),
    ("soft edges", True, False),
    ("hard edges, noise", False, True),
    ("soft edges, noise", True, True),
)
TOLERANCE = 1e-3


def draw(kind, height, width, unit, rng):
    """A picture of the kind, things in it being a few units large."""
    palette = [tuple(int(c) for c in colour) for colour in rng.integers(0, 256, (rng.integers(2, 7), 3))]
    picture = Image.new("RGB", (width, height), palette[0])
    pen = ImageDraw.Draw(picture)

    def colour():
        return palette[rng.integers(len(palette))]

    if kind == "nested":
        r = min(height, width) // 2
        while r > 2 * unit:
            pen.ellipse((width / 2 - r, height / 2 - r, width / 2 + r, height / 2 + r), fill=colour())
            r -= int(rng.integers(2 * unit, 10 * unit))
    elif kind == "shapes":
        for _ in range(rng.integers(3, 60)):
            x, y = rng.integers(width), rng.integers(height)
            box = [int(v) for v in (x, y, x + rng.integers(1, width // 2), y + rng.integers(1, height // 2))]
            (pen.ellipse if rng.random() < 0.5 else pen.rectangle)(box, fill=colour())
    elif kind == "lines":
        for _ in range(rng.integers(5, 60)):
            ends = [int(v) for v in rng.integers(0, (width, height, width, height))]
            pen.line(ends, fill=colour(), width=int(rng.integers(unit, 6 * unit)))
    else:
        size = int(rng.integers(8, 40)) * unit
        font = ImageFont.load_default(size=size)
        for y in range(0, height, size + 2 * unit):
            pen.text((2, y), "".join(map(chr, rng.integers(65, 120, 40))), fill=colour(), font=font)
    return picture


def drawing(seed, soft, noise=False):
    """Kind, picture, trimap."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    height, width = (int(v) for v in rng.integers(60, 260, 2))
    if soft:
        image = np.asarray(draw(kind, 4 * height, 4 * width, 4, rng).resize((width, height), Image.Resampling.BOX))
    else:
        k = int(rng.choice([1, 1, 2, 4, 8]))
        image = np.asarray(draw(kind, height // k + 8, width // k + 8, 1, rng)).repeat(k, 0).repeat(k, 1)
    if noise:
        image = image / 255 + rng.normal(0, 10 ** rng.uniform(-7, -1.3), image.shape)
        image = np.clip(image, 0, 1).astype(np.float32)
    trimap = np.full(image.shape[:2], 128, np.uint8)
    known = seed // len(KINDS) % 4
    if known == 0:  # at the sides
        trimap[:, :3], trimap[:, -2:] = 0, 255
    elif known == 1:  # one pixel of each
        trimap[0, 0], trimap[-1, -1] = 0, 255
    elif known == 2:  # round the border, in the middle
        y, x = (n // 6 for n in trimap.shape)
        trimap[:y], trimap[-y:], trimap[:, :x], trimap[:, -x:] = 0, 0, 0, 0
        trimap[3 * y - 3 : 3 * y + 3, 3 * x - 3 : 3 * x + 3] = 255
    else:  # scattered
        chance = rng.random(trimap.shape)
        trimap[chance < 0.02], trimap[chance > 0.98] = 0, 255
    return kind, image, trimap


def measure(seed, soft, noise, max_iterations):
    kind, image, trimap = drawing(seed, soft, noise)
    exact = tm.estimate_alpha(image, trimap, solver="cholesky")
    row = {"seed": seed, "kind": kind}
    start = time.perf_counter()
    try:
        alpha, info = tm.solve_alpha(image, trimap, solver="multigrid", max_iterations=max_iterations)
    except tm.ConvergenceError as error:
        alpha, info, row["given_up"] = error.alpha, error.info, True
    row["seconds"] = time.perf_counter() - start
    return row | {"iterations": info.iterations, "error": float(abs(alpha - exact).max())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=150, help="of drawings of each sort")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--max-iterations", type=int, default=3000)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    sorts, any_wrong = {}, False
    seeds = range(options.first_seed, options.first_seed + options.count)
    for name, soft, noise in SORTS:
        rows = [measure(seed, soft, noise, options.max_iterations) for seed in seeds]
        wrong = [row for row in rows if row["error"] > TOLERANCE and "given_up" not in row]
        given_up = [row for row in rows if "given_up" in row]
        iterations = np.quantile([row["iterations"] for row in rows], (0.5, 0.9, 0.99, 1), method="lower")
        sorts[name] = {"count": len(rows), "iterations": iterations.tolist(), "wrong": wrong, "given_up": given_up}
        print(
            f"{name}: {len(rows)} drawings, {len(wrong)} wrong, {len(given_up)} given up; iterations: "
            f"median {iterations[0]}, 90 % {iterations[1]}, 99 % {iterations[2]}, most {iterations[3]}",
            flush=True,
        )
        any_wrong |= bool(wrong)
    if options.output:
        record = {"machine": machine.machine(), "tolerance": TOLERANCE, "first_seed": options.first_seed}
        options.output.write_text(json.dumps(record | {"sorts": sorts}, indent=1) + "\n")
    sys.exit(any_wrong)


if __name__ == "__main__":
    main()
