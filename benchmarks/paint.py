"""Measures the page to paint on: from the release of the mouse to the frame that shows the new result.

    python benchmarks/paint.py [--megapixels 0.5 2 12] [--strokes 20] [--output FILE]

A rendered head of hair is opened by `trimatte paint` in headless chromium, and strokes are drawn by
its mouse: once from the scene's trimap ("trimap"), and once from nothing but a few long strokes
("strokes"), where nearly all pixels are unknown. The page's own clock takes the times. It prints a
table and writes a JSON file, from which `python benchmarks/tables.py` writes the table into
docs/paint.md. It needs the group test-page and chromium, which
`make check-page` installs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

import trimatte as tm
from trimatte._pixels import quantized

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "benchmarks" / "compare" / "results" / "paint.json"
ASPECT = 1.5
WARM = 3  # strokes that are not counted
CLOCK = """
    window.measured = [];
    let begin = 0;
    addEventListener("pointerup", () => (begin = performance.now()), { capture: true });
    new MutationObserver(() => {
        if (!begin) return;
        const [from, status] = [begin, document.getElementById("status").textContent];
        begin = 0;
        requestAnimationFrame(() => setTimeout(() => window.measured.push([performance.now() - from, status])));
    }).observe(document.body, { attributes: true, attributeFilter: ["data-shown"] });
"""
FIRST = (
    ("foreground", (0.37, 0.14), (0.3, 0.5), (0.48, 0.42)),
    ("foreground", (0.15, 0.97), (0.3, 0.68), (0.57, 0.97)),
    ("background", (0.04, 0.96), (0.17, 0.5), (0.17, 0.12), (0.56, 0.12), (0.8, 0.5), (0.68, 0.96)),
)


def rendered(megapixels, folder):
    """Write a scene and its trimap; return its size."""
    height = round((megapixels * 1e6 / ASPECT) ** 0.5)
    scene = tm.datasets.hair(height, round(height * ASPECT), noise=0.01)
    tm.io.save_image(folder / "photo.png", quantized(scene.image, np.uint8))
    tm.io.save_image(folder / "trimap.png", scene.trimap)
    return scene.trimap.shape


class Page:
    """The page of a command of its own."""

    def __init__(self, browser, shape, *arguments):
        command = [sys.executable, "-m", "trimatte", "paint", "--no-browser", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.page = browser.new_page(viewport={"width": 1360, "height": 820})
        self.page.set_default_timeout(300_000)
        self.page.goto(self.process.stdout.readline().strip())
        self.page.wait_for_selector("#work:not([hidden])")
        self.page.evaluate(CLOCK)
        self.shape = shape

    def close(self):
        self.page.close()
        self.process.terminate()
        self.process.communicate()

    def place(self, x, y):
        box = self.page.locator("#left").bounding_box()
        height, width = self.shape
        scale = min((box["width"] - 24) / width, (box["height"] - 24) / height)
        return (
            box["x"] + box["width"] / 2 + (x - 0.5) * width * scale,
            box["y"] + box["height"] / 2 + (y - 0.5) * height * scale,
        )

    def draw(self, kind, *points):
        self.page.locator(f"input[name=brush][value={kind}]").check(force=True)
        self.page.mouse.move(*self.place(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.place(*point), steps=6)
        self.page.mouse.up()

    def seconds_of_a_stroke(self, rng, bounds):
        """Draw a short stroke where it is right, and wait for the result; seconds, and what the page said."""
        count = self.page.evaluate("() => window.measured.length")
        self.draw(*bounds[rng.integers(len(bounds))](rng))
        self.page.wait_for_function("count => window.measured.length > count", arg=count)
        milliseconds, status = self.page.evaluate("() => window.measured.at(-1)")
        return milliseconds / 1000, status


def inside(rng):
    x, y = rng.uniform(0.2, 0.45), rng.uniform(0.75, 0.95)
    return "foreground", (x, y), (x + 0.03, y + 0.02)


def outside(rng):
    x, y = rng.uniform(0.8, 0.95), rng.uniform(0.05, 0.9)
    return "background", (x, y), (x + 0.02, y + 0.03)


def along(rng):
    """Unknown again, along the edge of the hair."""
    y = rng.uniform(0.2, 0.5)
    return "unknown", (0.2, y), (0.22, y + 0.03)


def measured(browser, folder, shape, start, strokes):
    """Times of strokes, sorted by the start."""
    rng = np.random.default_rng(0)
    guide = ["--trimap", folder / "trimap.png"] if start == "trimap" else []
    page = Page(browser, shape, folder / "photo.png", *guide)
    try:
        for stroke in () if guide else FIRST:
            page.draw(*stroke)
        if guide:
            page.page.wait_for_function("() => document.body.dataset.shown")
        found = [page.seconds_of_a_stroke(rng, (inside, outside, along)) for _ in range(strokes + WARM)][WARM:]
    finally:
        page.close()
    times = np.array([seconds for seconds, _ in found])
    return {
        "megapixels": round(shape[0] * shape[1] / 1e6, 2),
        "start": start,
        "strokes": strokes,
        "median": round(float(np.median(times)), 3),
        "p95": round(float(np.percentile(times, 95)), 3),
        "last": found[-1][1],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.5, 2, 12])
    parser.add_argument("--strokes", type=int, default=20)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    chromium = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if chromium is None:
        sys.exit("chromium: not found; make check-page installs it")
    rows = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for megapixels in options.megapixels:
            shape = rendered(megapixels, Path(name))
            for start in ("trimap", "strokes"):
                row = measured(browser, Path(name), shape, start, options.strokes)
                rows.append(row)
                print(
                    "{megapixels:6.2f} MP {start:8} median {median:.3f} s, 95 % {p95:.3f} s  {last}".format(**row),
                    flush=True,
                )
        browser.close()
    machine = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    options.output.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
