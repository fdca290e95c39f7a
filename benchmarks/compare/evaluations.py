"""Join the means of several evaluations into one file, with rows of an earlier one that were not done again.

    trimatte evaluate scenes alphamatting -m auto -m "PyMatting KNN=alphas/knn" -o out --json > new.json
    python benchmarks/compare/evaluations.py new.json more.json --before evaluation.json --of 2026-11-21 \
        --keep PyMatting --output evaluation.json

A row is the means of one method on one data set. Rows of the earlier file are taken over if their
method begins with KEEP and no new file has them; "taken_over" names them. Rows that both have are
compared: "repeated" has their number and their largest difference, relative to the earlier value.
Seconds, memory and ranks are left out: they belong to the machine and the methods of one run.
"rank_correlations" has Spearman's correlation of the methods' means on the two data sets.
"""

import argparse
import datetime
import json
import sys
from pathlib import Path

from machine import machine
from scipy.stats import spearmanr

MEASURES = ("sad", "mse", "mad", "rmse", "gradient", "connectivity")


def read(path):
    """The means of a file, by data set and method."""
    means = {}
    for dataset, rows in json.loads(path.read_text())["means"].items():
        for method, row in rows.items():
            if row["done"] != row["samples"] or row["common"] != row["samples"]:
                sys.exit(f"{path}: {method} has {row['done']} of {row['samples']} samples of {dataset}")
            kept = {name: row[name] for name in (*MEASURES, "samples", "done", "common")}
            means.setdefault(dataset, {})[method] = kept
    return means


def repeated(means, before):
    """How many rows both have, and how far they are apart at most."""
    pairs = [
        (row, before[dataset][method])
        for dataset, rows in means.items()
        for method, row in rows.items()
        if method in before.get(dataset, {})
    ]
    apart = [abs(new[name] / old[name] - 1) for new, old in pairs for name in MEASURES]
    return {"rows": len(pairs), "largest_difference": max(apart, default=0.0)}


def correlations(means):
    """Spearman's correlation of each measure between the first two data sets."""
    first, second = list(means.values())[:2]
    both = [method for method in first if method in second]
    return {
        name: float(spearmanr([first[m][name] for m in both], [second[m][name] for m in both]).statistic)
        for name in ("sad", "mse", "gradient", "connectivity")
    }


def joined(options):
    means = {}
    for path in options.new:
        for dataset, rows in read(path).items():
            means.setdefault(dataset, {}).update(rows)
    before = read(options.before)
    kept = {
        dataset: {m: row for m, row in rows.items() if m.startswith(options.keep) and m not in means[dataset]}
        for dataset, rows in before.items()
    }
    theirs = {
        dataset: {m: row for m, row in rows.items() if m.startswith(options.keep)}
        for dataset, rows in before.items()
    }
    record = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "repeated": repeated(means, theirs),
        "taken_over": {"of": options.of, "methods": {dataset: list(rows) for dataset, rows in kept.items()}},
    }
    for dataset, rows in kept.items():
        means[dataset].update(rows)
    return {**record, "rank_correlations": correlations(means), "means": means}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("new", type=Path, nargs="+", help="what trimatte evaluate --json printed")
    parser.add_argument("--before", type=Path, required=True, help="an earlier file")
    parser.add_argument("--of", required=True, help="the day of the earlier file")
    parser.add_argument("--keep", default="PyMatting", help="the beginning of the methods' names to take over")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.write_text(json.dumps(joined(options), indent=1) + "\n")


if __name__ == "__main__":
    main()
