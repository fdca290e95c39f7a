"""Solves the linear system of KNN matting by trimatte and by PyMatting's own solver.

    python benchmarks/knn_solve.py --megapixels 0.5 --output benchmarks/compare/results/knn_solve.json

The matrix is that of Chen, Li, Tang, "KNN Matting", TPAMI 2013, with the defaults of PyMatting:
20 neighbours of each pixel in (R, G, B, 2 x, 2 y) and 10 in (R, G, B, 0.1 x, 0.1 y), where x and y
lie in [0, 1], and a weight of one for each. SciPy makes it. Both libraries solve both forms:
"eliminated" has the unknown pixels only, "soft" has all pixels and a weight of 100 on the known
ones.

The libraries take turns. Seconds are those of preconditioner and iterations together: the least of
`--repeat` runs. PyMatting runs with its default preconditioner (Jacobi) and tolerance (1e-7), and
with the loosest tolerance, of powers of ten, whose largest error is at most 1e-3; `--kinds` adds its
other preconditioners. Errors are the largest absolute differences over all unknowns to PyMatting's
solution with a tolerance of 1e-13.
"""

import argparse
import datetime
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse
from scipy.spatial import cKDTree

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import pictures
from machine import machine
from peers import Peer
from run import unknown_pixels

NEIGHBOURS, DISTANCE_WEIGHTS = (20, 10), (2.0, 0.1)
KNOWN_WEIGHT = 100.0
PROMISE = 1e-3
DEFAULT_TOLERANCE = 1e-7
TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, DEFAULT_TOLERANCE)


def knn_laplacian(image):
    height, width = image.shape[:2]
    n = height * width
    y, x = np.mgrid[:height, :width].reshape(2, n) / np.array([[height], [width]])
    weights = scipy.sparse.csr_array((n, n))
    for k, distance in zip(NEIGHBOURS, DISTANCE_WEIGHTS, strict=True):
        features = np.column_stack([image.reshape(n, 3), distance * x, distance * y])
        neighbours = cKDTree(features).query(features, k=k, workers=-1)[1]
        start = np.arange(0, n * k + 1, k)
        weights += scipy.sparse.csr_array((np.ones(n * k), neighbours.ravel(), start), shape=(n, n))
    weights = (weights + weights.T) / 2
    return scipy.sparse.csr_array(scipy.sparse.diags_array(weights.sum(axis=1)) - weights)


def systems(laplacian, trimap):
    """Return the two forms of the system as (name, matrix, right-hand side)."""
    foreground, unknown = trimap.ravel() > 0.9, unknown_pixels(trimap.ravel())
    to_known = laplacian[unknown]
    yield "eliminated", to_known[:, unknown], -to_known[:, foreground].sum(axis=1)
    yield "soft", laplacian + scipy.sparse.diags_array(KNOWN_WEIGHT * ~unknown), KNOWN_WEIGHT * foreground


def least_of_turns(tasks, reference, repeat):
    """Return the least seconds, the last answer and the error of each task (peer, name)."""
    rows = {}
    for _ in range(repeat + 1):  # the first warms up
        for peer, task in tasks:
            answer = peer.run(task)
            if "error" in answer:
                rows[task] = {"failed": answer["error"]}
                continue
            row = rows.setdefault(task, {"all_seconds": []})
            row["all_seconds"].append(round(answer["seconds"], 4))
            row["info"] = answer["info"]
            row["max_error"] = float(abs(peer.result() - reference).max())
    for row in rows.values():
        if "all_seconds" in row:
            row["all_seconds"] = row["all_seconds"][1:]
            row["seconds"] = min(row["all_seconds"])
    return rows


def loosest(theirs, kind, reference):
    """Return PyMatting's task with the loosest tolerance that keeps the promise."""
    for tolerance in TOLERANCES:
        task = f"sparse-{kind}-{tolerance:g}"
        if "error" not in theirs.run(task) and abs(theirs.result() - reference).max() <= PROMISE:
            return task
    return f"sparse-{kind}-{DEFAULT_TOLERANCE:g}"


def measure(ours, theirs, matrix, rhs, shape, options):
    matrix = scipy.sparse.csr_array(matrix)
    matrix.sort_indices()
    arrays = {
        "data": matrix.data,
        "indices": matrix.indices.astype(np.int32),
        "indptr": matrix.indptr.astype(np.int32),
        "rhs": np.asarray(rhs, np.float64),
        "shape": np.array(shape),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, **arrays)
        for peer in (ours, theirs):
            peer.load(path, list(arrays))
        theirs.run("sparse-jacobi-1e-13")
        reference = theirs.result()
        tasks = [(ours, "sparse"), (theirs, f"sparse-jacobi-{DEFAULT_TOLERANCE:g}")]
        tasks += [(theirs, loosest(theirs, kind, reference)) for kind in options.kinds]
        rows = least_of_turns(list(dict.fromkeys(tasks)), reference, options.repeat)
    return {"unknowns": matrix.shape[0], "entries": matrix.nnz, "solvers": rows}


def table(case):
    lines = [f"\n{case['picture']}, {case['form']}, {case['unknowns']} unknowns, {case['entries']} entries"]
    base = case["solvers"]["sparse"].get("seconds")
    for task, row in case["solvers"].items():
        name = "trimatte" if task == "sparse" else "PyMatting " + task.removeprefix("sparse-")
        if "failed" in row:
            lines.append(f"  {name:24} {row['failed']}")
            continue
        ratio = f"{row['seconds'] / base:6.2f}x" if base else ""
        iterations = row["info"]["iterations"]
        lines.append(
            f"  {name:24} {row['seconds']:8.3f} s {ratio} {iterations:5} iterations, error {row['max_error']:.2g}"
        )
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.5], help="sizes of the scenes")
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation of the scenes' noise")
    parser.add_argument("--image", action="append", default=[], help="a file instead of the scenes; repeatable")
    parser.add_argument("--trimap", action="append", default=[], help="trimap of each image")
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=("jacobi", "vcycle", "ichol"),
        default=["jacobi"],
        help="PyMatting's preconditioners; vcycle needs the soft form, ichol takes minutes",
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    return parser.parse_args()


def main():
    options = arguments()
    ours, theirs = Peer("trimatte", options.threads), Peer("pymatting", options.threads)
    results = {
        "date": datetime.date.today().isoformat(),
        "machine": {**machine(), "threads": options.threads},
        "versions": {peer.library: peer.versions for peer in (ours, theirs)},
        "cases": [],
    }
    if options.image:
        measured = pictures.files(zip(options.image, options.trimap, strict=True), [1.0])
    else:
        measured = pictures.scenes(options.megapixels, options.noise)
    for description, arrays in measured:
        laplacian = knn_laplacian(arrays["image"])
        shape = arrays["trimap"].shape
        for form, matrix, rhs in systems(laplacian, arrays["trimap"]):
            case = {**description, "form": form, **measure(ours, theirs, matrix, rhs, shape, options)}
            results["cases"].append(case)
            print(table(case), flush=True)
            if options.output:
                options.output.write_text(json.dumps(results, indent=1, default=float) + "\n")
    for peer in (ours, theirs):
        peer.close()


if __name__ == "__main__":
    main()
