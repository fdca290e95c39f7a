"""Measures how far alpha is from the NumPy reference with SciPy's direct solver, on any picture.

    python benchmarks/exactness.py photo.png trimap.png [--output results.json]

Takes about a minute and some GB for 0.3 megapixels: the reference goes window by window.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from reference import closed_form


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("trimap")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    image = tm.io.load_image(options.image) / 255
    trimap = tm.io.load_image(options.trimap) / 255
    trimap = trimap if trimap.ndim == 2 else trimap[..., 0]
    foreground, background = trimap >= 0.9, trimap <= 0.1

    L = closed_form.laplacian(image)
    difference = abs(tm.closed_form_laplacian(image) - L).max()
    results = {
        "picture": Path(options.image).name,
        "unknown": int((~(foreground | background)).sum()),
        "laplacian, largest difference of an entry": float(difference),
    }
    for name, solve, options_of_ours in (
        ("known pixels exact", closed_form.solve_hard, {}),
        ("soft, weight 100", closed_form.solve_soft, {"known_weight": 100.0}),
    ):
        expected = solve(L, foreground, background)
        alpha = tm.estimate_alpha(image, trimap, method="closed-form", solver="cholesky", **options_of_ours)
        results[f"{name}, largest difference of alpha"] = float(np.abs(alpha - expected).max())
    print(json.dumps(results, indent=1))
    if options.output:
        options.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
