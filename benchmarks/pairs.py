"""Measure every affinity with every prior: errors against the true alpha, and seconds.

    python benchmarks/pairs.py --folder alphamatting --output benchmarks/compare/results/pairs.json

Affinities and priors are those of trimatte's tables. `--affinities` takes some of them, and
affinities with options, such as closed-form,radius=2; `--priors` takes some priors, and such with
so many times their confidence, such as sampling*10. The pictures are those of `--folder`, which
`trimatte.datasets.folder` opens, with two trimaps, and the suite `trimatte.datasets.scenes`. Each
prior guesses once a picture, and all affinities take that guess. Guesses are measured by
themselves, too: their affinity is "none". Seconds are those that the CPU spends on the guess and on
the solve, so that other work on the machine hardly changes them.

SAD is the sum of absolute differences over the unknown pixels, in thousands, MSE the mean of their
squares; gradient and connectivity are those of `trimatte.metrics`, in thousands. Nothing is
stretched. A pair that fails on a picture has no mean over its data set.

Pictures are measured side by side in `--jobs` processes with one thread each. With `--output`, the
results of each finished picture are kept, and a later run takes from the file what it has already,
failures left out; `--anew` measures everything.
"""

import argparse
import concurrent.futures
import copy
import datetime
import json
import multiprocessing
import re
import sys
import time
import warnings
from pathlib import Path

import method_names
import numpy as np
from tables import pair_rows
from time_limit import TooLong, time_limit

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

ALONE = "none"  # instead of an affinity, or of a prior
MEASURES = ("sad", "mse", "gradient", "connectivity")
NUMBERS = (*MEASURES, "seconds")
TRIMAPS = ("Trimap1", "Trimap2")


class Remembered(tm.priors.Prior):
    """A prior that guesses once; the picture and its trimap are always the same."""

    def __init__(self, name, threads):
        self._prior = tm.methods.prior(name, 0)
        self._threads = threads
        self.needs_known = self._prior.needs_known
        self.seconds, self._guess, self._failure, self._factor = 0.0, None, None, 1

    def guess(self, image, labels, context):
        if self._failure is not None:
            raise self._failure
        return self._guess._replace(confidence=self._factor * self._guess.confidence)

    def times(self, factor):
        """Return the same guess with so many times its confidence."""
        other = copy.copy(self)
        other._factor = np.float32(factor)
        return other

    def estimate_once(self, sample, limit):
        """Make the guess; if it fails, so does every pair with this prior."""
        start = time.process_time()
        try:
            with time_limit(limit):
                self._guess = self._prior.estimate(sample.image, sample.trimap, threads=self._threads)
        except (ValueError, tm.TrimatteError, TooLong, MemoryError) as error:
            self._failure = ValueError(said(error))
        self.seconds = time.process_time() - start

    def row(self, sample):
        """The row of the guess by itself."""
        if self._failure is not None:
            return {"failure": str(self._failure)}
        return {**errors(self._guess.alpha, sample, self._threads), "seconds": round(self.seconds, 4)}


def name_and_factor(prior):
    """Take "sampling*10" apart; without a factor it is 1."""
    name, _, factor = prior.partition("*")
    return name, float(factor or 1)


def said(error):
    return f"{type(error).__name__}: {error}".rstrip(": ")


def errors(alpha, sample, threads):
    found = tm.metrics.evaluate(alpha, sample.truth, sample.trimap, threads=threads).as_dict()
    return {measure: round(found[measure], 8) for measure in MEASURES}


def solve(sample, affinity, prior, options):
    """The row of one pair on one picture."""
    start = time.process_time()
    try:
        with time_limit(options.limit):
            alpha = tm.estimate_alpha(
                sample.image,
                sample.trimap,
                prior=prior,
                threads=options.threads,
                **method_names.parsed(affinity),
            )
    except (ValueError, tm.TrimatteError, TooLong, MemoryError) as error:
        return {"failure": said(error)}
    seconds = time.process_time() - start + (prior.seconds if prior else 0)
    return {
        **errors(alpha, sample, options.threads),
        "seconds": round(seconds, 4),
    }


def measure(source, wanted, options):
    """Rows of the wanted pairs on one picture, by (affinity, prior)."""
    sample = source.load()
    rows = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # regions that touch known pixels of one kind
        guesses, priors = {}, {ALONE: None}
        for prior in dict.fromkeys(prior for _, prior in wanted if prior != ALONE):
            name, factor = name_and_factor(prior)
            if name not in guesses:
                guesses[name] = Remembered(name, options.threads)
                guesses[name].estimate_once(sample, options.limit)
            priors[prior] = guesses[name].times(factor)
            if (ALONE, prior) in wanted:
                rows[ALONE, prior] = priors[prior].row(sample)
        for affinity, prior in wanted:
            if affinity != ALONE:
                rows[affinity, prior] = solve(sample, affinity, priors[prior], options)
    return rows


def all_pairs(options):
    """Every affinity alone and with every prior, and every prior alone."""
    priors = options.priors
    with_affinity = [(affinity, prior) for affinity in options.affinities for prior in (ALONE, *priors)]
    return [*with_affinity, *((ALONE, prior) for prior in priors if "*" not in prior)]


def datasets(options):
    for folder in options.folder:
        for trimap in TRIMAPS:
            yield (
                trimap if len(options.folder) == 1 else f"{folder.name} {trimap}",
                tm.datasets.folder(folder, trimap=trimap),
            )
    if options.scenes:
        yield "scenes", tm.datasets.scenes()


def in_order(rows):
    """The pairs of all rows: affinities in the order of trimatte's table, then priors."""
    orders = ((*method_names.affinities(), ALONE), (ALONE, *method_names.priors()))

    def place(pair):
        plain = [re.split(r"[,*]", name)[0] for name in pair]
        places = [
            order.index(name) if name in order else len(order) for order, name in zip(orders, plain, strict=True)
        ]
        return places, pair

    return sorted(dict.fromkeys((row["affinity"], row["prior"]) for row in rows), key=place)


def means(rows):
    """For each data set the pairs' means over its pictures, and how many failed."""
    found, pairs = {}, in_order(rows)
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        for pair in pairs:
            mine = [row for row in rows if row["dataset"] == dataset and (row["affinity"], row["prior"]) == pair]
            failed = sum("failure" in row for row in mine)
            mean = {"affinity": pair[0], "prior": pair[1], "pictures": len(mine), "failures": failed}
            if mine and not failed:
                mean |= {key: round(float(np.mean([row[key] for row in mine])), 8) for key in NUMBERS}
            found.setdefault(dataset, []).append(mean)
    return found


def table(dataset, found):
    lines = [f"\n{dataset}", "SAD/1000  MSE/1e-3  gradient  connectivity  seconds  affinity + prior"]
    for mean in sorted(found, key=lambda mean: mean.get("sad", np.inf)):
        name = f"{mean['affinity']} + {mean['prior']}"
        if "sad" not in mean:
            lines.append(f"{mean['failures']} of {mean['pictures']} failed: {name}")
            continue
        lines.append(
            f"{mean['sad']:8.3f}{1e3 * mean['mse']:10.2f}{mean['gradient']:10.3f}{mean['connectivity']:14.3f}"
            f"{mean['seconds']:9.2f}  {name}"
        )
    return "\n".join(lines)


def packed(rows):
    """Rows of one picture together, numbers without their names: `tables.pair_rows` unpacks them."""
    found = {}
    for row in rows:
        numbers = row["failure"] if "failure" in row else [float(f"{row[name]:.5g}") for name in NUMBERS]
        found.setdefault((row["dataset"], row["sample"]), {})[f"{row['affinity']}+{row['prior']}"] = numbers
    return [
        {"dataset": dataset, "sample": sample, "pairs": pairs}
        for (dataset, sample), pairs in sorted(found.items())
    ]


def save(options, rows):
    record = {
        "date": datetime.date.today().isoformat(),
        "machine": machine.machine(),
        "jobs": options.jobs,
        "means": means(rows),
        "numbers": NUMBERS,
        "pictures": packed(rows),
    }
    waiting = options.output.with_suffix(".part")
    text = json.dumps(record, separators=(",", ":"))
    waiting.write_text(text.replace('{"dataset"', '\n{"dataset"').replace('{"affinity"', '\n{"affinity"') + "\n")
    waiting.replace(options.output)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, nargs="*", default=[])
    parser.add_argument("--scenes", action=argparse.BooleanOptionalAction, default=True, help="the rendered suite")
    parser.add_argument("--affinities", nargs="+", default=list(method_names.affinities()))
    parser.add_argument("--priors", nargs="*", default=list(method_names.priors()))
    parser.add_argument("--pictures", type=int, help="measure the first so many of each data set only")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="threads of a process")
    parser.add_argument("--limit", type=float, default=60, help="most seconds of a guess or a solve")
    parser.add_argument("--anew", action="store_true", help="do not take what the output file has already")
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    for affinity in options.affinities:
        tm.methods.chosen_among(method_names.parsed(affinity))
    for prior in options.priors:
        tm.methods.prior(name_and_factor(prior)[0], 0)
    return options


def main():
    options = arguments()
    rows = []
    if options.output and options.output.exists() and not options.anew:
        earlier = pair_rows(json.loads(options.output.read_text()))
        rows = [row for row in earlier if "failure" not in row]
    done = {(row["dataset"], row["sample"], row["affinity"], row["prior"]) for row in rows}
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.jobs, mp_context=context) as pool:
        waiting = {}
        for name, dataset in datasets(options):
            for source in dataset.sources[: options.pictures]:
                wanted = [pair for pair in all_pairs(options) if (name, source.name, *pair) not in done]
                if wanted:
                    waiting[pool.submit(measure, source, wanted, options)] = (name, source.name)
        for future in concurrent.futures.as_completed(waiting):
            name, sample = waiting[future]
            rows += [
                {"dataset": name, "sample": sample, "affinity": affinity, "prior": prior, **row}
                for (affinity, prior), row in future.result().items()
            ]
            print(f"{name} {sample}", file=sys.stderr, flush=True)
            if options.output:
                save(options, rows)
    for name, found in means(rows).items():
        print(table(name, found))


if __name__ == "__main__":
    main()
