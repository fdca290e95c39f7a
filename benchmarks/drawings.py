"""Compares alpha of drawings, the hardest pictures for multigrid, with a direct solution.

    python benchmarks/drawings.py random --output benchmarks/compare/results/drawings.json
    python benchmarks/drawings.py pages --output benchmarks/compare/results/drawings_pages.json

`random` draws nested discs, scattered shapes, lines and text of two to six colours, with hard edges
(enlarged up to 8 times) or antialiased (drawn four times as large), without noise and with noise of
1e-7 to 0.05, and makes almost all pixels unknown. A drawing is *wrong* if multigrid says it has
converged and is off by more than its tolerance; *given up* if it says that it has not. The exit
code is 1 if any is wrong.

`pages` solves pages of letters, logos and comics as PNG and as JPEG with the default options
(`pages.py` draws them) and prints the goals beside the measurements. A page is *silently wrong* if
its alpha is off by more than the tolerance and no error said so. The direct solution is Cholesky's,
of each region by itself. Regions of more than 100,000 unknown pixels are left out of it; a part of
the picture is cut out instead and solved in both ways. The exit code is 1 if any page is silently
wrong or fails. `--quick` takes the small pages only.
"""

import argparse
import json
import statistics
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pages
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

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
    """Draw a picture of the kind, in which things are a few units large."""
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
    """Return the kind, the picture and the trimap of a drawing."""
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
    if known == 0:  # known pixels lie at the left and right sides
        trimap[:, :3], trimap[:, -2:] = 0, 255
    elif known == 1:  # one pixel of each kind is known
        trimap[0, 0], trimap[-1, -1] = 0, 255
    elif known == 2:  # background lies at the border, foreground in the middle
        y, x = (n // 6 for n in trimap.shape)
        trimap[:y], trimap[-y:], trimap[:, :x], trimap[:, -x:] = 0, 0, 0, 0
        trimap[3 * y - 3 : 3 * y + 3, 3 * x - 3 : 3 * x + 3] = 255
    else:  # known pixels are scattered
        chance = rng.random(trimap.shape)
        trimap[chance < 0.02], trimap[chance > 0.98] = 0, 255
    return kind, image, trimap


def measure(seed, soft, noise, max_iterations):
    kind, image, trimap = drawing(seed, soft, noise)
    exact = tm.estimate_alpha(image, trimap, solver="cholesky", method="closed-form")
    row = {"seed": seed, "kind": kind}
    start = time.perf_counter()
    try:
        alpha, info = tm.solve_alpha(
            image, trimap, solver="multigrid", max_iterations=max_iterations, method="closed-form"
        )
    except tm.ConvergenceError as error:
        alpha, info, row["given_up"] = error.alpha, error.info, True
    row["seconds"] = time.perf_counter() - start
    return row | {"iterations": info.iterations, "error": float(abs(alpha - exact).max())}


LETTERS_GOAL = 2.5  # microseconds per unknown pixel at most, on each page of letters
OTHERS_GOAL = 10.0  # microseconds per unknown pixel at most, in the median of logos and comics
LONG_SOLVE = 20.0  # seconds; a solve that takes longer is not repeated
LARGEST_DIRECT = 100_000  # unknown pixels of the largest region that is solved directly


def drawn_pages(quick):
    """Yield functions that draw one page each, and the band of its trimap."""
    for megapixels in (1,) if quick else (1, 6, 12):
        for size in (24, 40, 120):
            for band in ("narrow", "wide") if megapixels == 1 else ("narrow",):
                yield lambda s=size, m=megapixels: pages.letters(s, m), band
    for megapixels, seeds in ((0.25, 4),) if quick else ((0.25, 4), (1, 4), (6, 4)):
        for seed in range(seeds):
            yield lambda s=seed, m=megapixels: pages.logo(s, m), "wide"
            yield lambda s=seed, m=megapixels: pages.comic(s, m, False), "wide"
            yield lambda s=seed, m=megapixels: pages.comic(s, m, True), "wide"


def direct_alpha(image, labels):
    """Return alpha of the small regions, each by Cholesky, and the number of pixels left out.

    A region that knows one label only has that label as its answer, since closed-form's Laplacian
    maps constants to zero. Alpha is NaN in the regions left out.
    """
    numbers, count = pages.regions(labels)
    sizes = np.bincount(numbers.reshape(-1), minlength=count + 1)
    exact = np.where(labels == 128, np.nan, labels / np.float32(255)).astype(np.float32)

    def solve(item):
        number, box = item
        if sizes[number] > LARGEST_DIRECT:
            return
        rows, columns = (slice(max(0, s.start - 2), s.stop + 2) for s in box)
        own = numbers[rows, columns] == number
        cut = labels[rows, columns].copy()
        near = ndimage.maximum_filter(own, 5) & (cut != 128)
        cut[~own & (cut == 128)] = 0  # these share no window with the region
        label = cut[near][0]
        if (cut[near] == label).all():
            alpha = np.float32(label / 255)
        else:
            alpha = tm.estimate_alpha(
                image[rows, columns], cut, solver="cholesky", threads=1, method="closed-form"
            )[own]
        exact[rows, columns][own] = alpha

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(solve, enumerate(ndimage.find_objects(numbers), 1)))
    return exact, int(np.isnan(exact).sum())


def solved(image, labels, options):
    """Return alpha, the record of the solve, its seconds, and the error that was raised or None."""
    start = time.perf_counter()

    def progress(phase, fraction):
        if time.perf_counter() - start > options.limit:
            raise TimeoutError(f"{phase}: not done after {options.limit:g} s")

    try:
        alpha, info = tm.solve_alpha(
            image, labels, threads=options.threads, progress=progress, method="closed-form"
        )
        error = None
    except tm.ConvergenceError as raised:
        alpha, info, error = raised.alpha, raised.info, raised
    except (tm.TrimatteError, MemoryError, ValueError, TimeoutError) as raised:
        alpha, info, error = None, None, raised
    return alpha, info, time.perf_counter() - start, error


def crop_of(labels):
    """Return the largest part around the middle that is small enough for a direct solution."""
    height, width = labels.shape
    for share in np.linspace(1, 0.02, 50):
        h, w = int(share * height) // 2, int(share * width) // 2
        crop = np.s_[height // 2 - h : height // 2 + h, width // 2 - w : width // 2 + w]
        if np.count_nonzero(labels[crop] == 128) <= LARGEST_DIRECT:
            return crop
    return None


def error_of(alpha, exact):
    """Return the largest difference among pixels that have an exact alpha."""
    return float(np.nanmax(abs(alpha - exact), initial=0))


def measure_page(page, band, jpeg, options):
    image = pages.as_jpeg(page.image) if jpeg else page.image
    labels = pages.trimap(page.alpha, band)
    numbers, count = pages.regions(labels)
    unknown = int(np.count_nonzero(labels == 128))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        alpha, info, seconds, failure = solved(image, labels, options)
        said = sorted({str(warning.message) for warning in caught})
        if seconds <= LONG_SOLVE:
            seconds = min(seconds, solved(image, labels, options)[2])
        exact, left_out = direct_alpha(image, labels)
        error = None if alpha is None else error_of(alpha, exact)
        crop = crop_of(labels) if left_out else None
        if crop is not None:
            part, _, _, crop_failure = solved(image[crop], labels[crop], options)
            failure = failure or crop_failure
            if part is not None:
                direct = tm.estimate_alpha(
                    image[crop], labels[crop], solver="cholesky", threads=options.threads, method="closed-form"
                )
                error = max(error or 0.0, error_of(part, direct))
    off = None if alpha is None else float(abs(alpha - page.alpha / np.float32(255))[labels == 128].mean())
    return {
        "page": page.name,
        "kind": page.kind,
        "band": band,
        "file": "JPEG" if jpeg else "PNG",
        "pixels": labels.size,
        "unknown": unknown,
        "regions": count,
        "largest_region": int(np.bincount(numbers.reshape(-1))[1:].max()),
        "seconds": seconds,
        "microseconds_per_unknown": seconds / unknown * 1e6,
        "error": error,
        "without_direct_solution": left_out,
        "compared_on_crop": crop is not None,
        "mean_error_to_true_alpha": off,
        "failure": None if failure is None else f"{type(failure).__name__}: {failure}",
        "warnings": said,
        "info": None if info is None else info.as_dict(),
    }


def goals(rows):
    """Return rows of (what is measured, its value, the largest value that is wanted)."""
    letters = [row["microseconds_per_unknown"] for row in rows if row["kind"] == "letters"]
    others = [row["microseconds_per_unknown"] for row in rows if row["kind"] != "letters"]
    failures = sum(row["failure"] is not None for row in rows)
    silent = sum(row["failure"] is None and row["error"] > TOLERANCE for row in rows)
    largest = max((row["error"] for row in rows if row["error"] is not None), default=0.0)
    return [
        ("letters, µs per unknown pixel, the slowest page", max(letters), LETTERS_GOAL),
        ("logos and comics, µs per unknown pixel, median", statistics.median(others), OTHERS_GOAL),
        ("pages that fail", failures, 0),
        ("largest error of alpha", largest, TOLERANCE),
        ("pages that are silently wrong", silent, 0),
    ]


def run_pages(options):
    rows = []
    print("| page | band | file | unknown | regions (largest) | s | µs per unknown | solver | error | fails |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for draw_page, band in drawn_pages(options.quick):
        page = draw_page()
        for jpeg in (False, True):
            row = measure_page(page, band, jpeg, options)
            rows.append(row)
            error = "-" if row["error"] is None else f"{row['error']:.1e}"
            share = row["without_direct_solution"] / row["unknown"]
            left_out = f" (a crop; {share:.0%} left out)" if share else ""
            print(
                f"| {row['page']} | {row['band']} | {row['file']} | {row['unknown']} "
                f"| {row['regions']} ({row['largest_region']}) | {row['seconds']:.2f} "
                f"| {row['microseconds_per_unknown']:.2f} "
                f"| {row['info']['solver'] if row['info'] else '-'} | {error}{left_out} "
                f"| {(row['failure'] or 'no').split(':')[0]} |",
                flush=True,
            )
    table = goals(rows)
    print("\n| goal | wanted at most | measured | |\n|---|---|---|---|")
    for name, measured, wanted in table:
        print(f"| {name} | {wanted:g} | {measured:.3g} | {'reached' if measured <= wanted else 'MISSED'} |")
    record = {"machine": machine.machine(), "threads": options.threads, "tolerance": TOLERANCE}
    record["goals"] = [{"goal": name, "measured": m, "wanted_at_most": w} for name, m, w in table]
    write(options.output, record | {"pages": rows})
    failures, silent = (next(m for name, m, _ in table if name == wanted) for wanted in (table[2][0], table[4][0]))
    return bool(failures or silent)


def run_random(options):
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
    record = {"machine": machine.machine(), "tolerance": TOLERANCE, "first_seed": options.first_seed}
    write(options.output, record | {"sorts": sorts})
    return any_wrong


def write(path, record):
    if path:
        path.write_text(json.dumps(record, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("random", help="random drawings, solved by multigrid and by Cholesky")
    command.add_argument("--count", type=int, default=150, help="number of drawings of each sort")
    command.add_argument("--first-seed", type=int, default=0)
    command.add_argument("--max-iterations", type=int, default=3000)
    command.set_defaults(run=run_random)
    command = commands.add_parser("pages", help="pages of letters, logos and comics, solved by default")
    command.add_argument("--quick", action="store_true", help="take the small pages only")
    command.add_argument("--threads", type=int, default=2)
    command.add_argument("--limit", type=float, default=60, help="seconds after which a solve counts as failed")
    command.set_defaults(run=run_pages)
    for command in commands.choices.values():
        command.add_argument("--output", type=Path, help="JSON file for the results")
    options = parser.parse_args()
    sys.exit(options.run(options))


if __name__ == "__main__":
    main()
