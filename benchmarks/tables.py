"""Write the tables of methods into the pages, from the results of the benchmarks.

    python benchmarks/tables.py            # writes the pages of PAGES
    python benchmarks/tables.py --check    # writes nothing; the exit code is 1 if a page would change

A page has tables between the lines `<!-- table NAME -->` and `<!-- end -->`; the functions below are
named like the tables. A table whose results are missing stays as it is. The results are
methods.json (compare/methods.py), rembg.json (compare/rembg_times.py), pairs.json (pairs.py),
promise_affinities.json (promise.py --affinities all), memory.json (method_memory.py), paint.json
(paint.py), evaluation.json (compare/evaluations.py), keys.json (keys.py) and plates.json (plates.py)
in benchmarks/compare/results.
"""

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path

import trimatte as tm

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "compare" / "results"
PAGES = (
    "docs/methods.md",
    "docs/benchmarks.md",
    "docs/design/keys.md",
    "docs/design/methods.md",
    "docs/rembg.md",
    "docs/paint.md",
    "docs/evaluation.md",
)
BEST_SO_FAR = ("closed-form", "composite-network")
ALONE = "none"


def results(name):
    return json.loads((RESULTS / f"{name}.json").read_text())


def markdown(columns, rows):
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def short(value):
    """A number with two digits or more."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def megabytes(count):
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def taken(row):
    """Seconds and peak memory of one library in methods.json."""
    if "seconds" in row:
        return f"{short(row['seconds'])} s, {megabytes(row['peak_bytes'])}"
    return f"more than {row['more_than']:g} s" if "more_than" in row else "fails" if "error" in row else "-"


def error(row):
    for name in ("sad", "weighted_mae"):
        if name in row:
            return f"{row[name]:.3g}"
    return ""


def size(case):
    """Megapixels to two digits, as text."""
    return f"{case['height'] * case['width'] / 1e6:.2g}"


def name_of(task):
    return task.removeprefix("alpha ")


def speed():
    """Every method beside PyMatting's."""
    rows = []
    for case in sorted(results("methods")["cases"], key=lambda case: (case["picture"], case["height"])):
        ours, theirs = (case["libraries"].get(library, {}) for library in ("trimatte", "pymatting"))
        more = "more than " if "more_than" in theirs else ""
        ratio = "" if case["ratio"] is None else f"{more}{short(case['ratio'])}x"
        rows.append(
            [
                name_of(case["task"]),
                f"{case['picture'].removesuffix('.png')}, {size(case)} MP",
                taken(theirs),
                taken(ours),
                ratio,
                error(theirs),
                error(ours),
            ]
        )
    columns = ("method", "picture", "PyMatting", "trimatte", "ratio", "error, PyMatting", "error, trimatte")
    return markdown(columns, rows)


def pair_rows(record):
    """Yield the rows of pairs.json as dictionaries."""
    for picture in record["pictures"]:
        for pair, numbers in picture["pairs"].items():
            affinity, prior = pair.split("+")
            failed = isinstance(numbers, str)
            values = {"failure": numbers} if failed else dict(zip(record["numbers"], numbers, strict=True))
            names = {"dataset": picture["dataset"], "sample": picture["sample"]}
            yield {**names, "affinity": affinity, "prior": prior, **values}


def means():
    """Means of pairs.json by data set and (affinity, prior); pairs with failures have no errors."""
    return {
        dataset: {(mean["affinity"], mean["prior"]): mean for mean in found}
        for dataset, found in results("pairs")["means"].items()
    }


def pair_name(pair):
    return "+".join(part for part in pair if part != ALONE)


def sad(mean, digits=2):
    return "-" if mean is None or "sad" not in mean else f"{mean['sad']:.{digits}f}"


def pairs():
    """SAD/1000 of every affinity with every prior, all data sets in one cell."""
    found = means()
    names = [pair for dataset in found.values() for pair in dataset]
    affinities = list(dict.fromkeys(affinity for affinity, _ in names))
    priors = list(dict.fromkeys((ALONE, *(prior for _, prior in names))))
    rows = [
        [
            "no affinity" if affinity == ALONE else affinity,
            *(
                " / ".join(sad(found[dataset].get((affinity, prior))) for dataset in found)
                if (affinity, prior) in names
                else ""
                for prior in priors
            ),
        ]
        for affinity in affinities
    ]
    return markdown(["affinity", *("no prior" if prior == ALONE else prior for prior in priors)], rows)


def best():
    """The best pair of each data set, and whether one beats the best so far on all of them."""
    found = means()
    rows = []
    for dataset, of in found.items():
        first = min((pair for pair in of if "sad" in of[pair]), key=lambda pair: of[pair]["sad"])
        better, pictures = better_on(dataset, first)
        beside = sad(of.get(BEST_SO_FAR), 3)
        rows.append([dataset, f"`{pair_name(first)}`", sad(of[first], 3), beside, f"{better} of {pictures}"])
    columns = ["pictures", "least mean SAD", "SAD/1000", f"`{pair_name(BEST_SO_FAR)}`", "better on"]
    return f"{markdown(columns, rows)}\n\n{textwrap.fill(verdict(found), 100, break_on_hyphens=False)}"


def better_on(dataset, pair):
    """Number of pictures on which a pair has a lower SAD than the best so far, and of all pictures."""
    found = {}
    for row in pair_rows(results("pairs")):
        if row["dataset"] == dataset and "sad" in row:
            found[row["affinity"], row["prior"], row["sample"]] = row["sad"]
    every = [sample for affinity, prior, sample in found if (affinity, prior) == BEST_SO_FAR]
    samples = [sample for sample in every if (*pair, sample) in found]
    return sum(found[(*pair, s)] < found[(*BEST_SO_FAR, s)] for s in samples), len(samples)


def verdict(found):
    """Say which pairs beat the best so far on all data sets."""
    names = [
        pair_name(pair)
        for pair in in_pairs()
        if all(of.get(pair, {}).get("sad", 1e9) < of[BEST_SO_FAR]["sad"] for of in found.values())
    ]
    if not names:
        return f"No pair has a lower mean than {pair_name(BEST_SO_FAR)} on all data sets."
    verb = "has" if len(names) == 1 else "have"
    return f"On all data sets {', '.join(names)} {verb} a lower mean than {pair_name(BEST_SO_FAR)}."


def measures(dataset):
    """All measures of every pair on one data set, the best first."""
    found = means()
    if dataset not in found:
        raise FileNotFoundError(f"pairs.json has no results of {dataset}")
    rows = []
    for pair, mean in sorted(found[dataset].items(), key=lambda item: item[1].get("sad", 1e9)):
        if "sad" not in mean:
            rows.append([pair_name(pair), f"fails on {mean['failures']} of {mean['pictures']}", "", "", "", ""])
            continue
        numbers = (mean["sad"], 1e3 * mean["mse"], mean["gradient"], mean["connectivity"], mean["seconds"])
        rows.append([pair_name(pair), *(f"{number:.2f}" for number in numbers)])
    return markdown(("method", "SAD/1000", "MSE/1e-3", "gradient", "connectivity", "seconds"), rows)


def place(name, names):
    """Sort by the table of methods; those with options follow their method."""
    method = name.partition(",")[0]
    return (names.index(method) if method in names else len(names), name)


def promise():
    """Largest error of alpha of each affinity over all systems."""
    rows = []
    names = tm.methods.names()
    summaries = results("promise_affinities")["summaries"]
    for found in sorted(summaries, key=lambda found: place(found["affinity"], names)):
        references = ", ".join(f"{count} {kind}" for kind, count in found["references"].items())
        worst = found["worst_error"]
        iterations = found["median_iterations"], found["most_iterations"]
        rows.append(
            [
                found["affinity"],
                found["solver"],
                str(found["systems"]),
                str(found["failures"]),
                "-" if worst is None else f"{worst:.1e}",
                "-" if iterations[0] is None else f"{iterations[0]:g}, {iterations[1]}",
                references or "-",
            ]
        )
    columns = (
        "affinity",
        "solver",
        "systems",
        "failures",
        "worst error",
        "iterations, median and most",
        "reference",
    )
    return markdown(columns, rows)


def memory():
    """Peak memory of each method at each size."""
    found = results("memory")["rows"]
    sizes = list(dict.fromkeys(round(row["megapixels"], 1) for row in found))
    rows = []
    for method in dict.fromkeys(row["method"] for row in found):
        mine = {round(row["megapixels"], 1): row for row in found if row["method"] == method}
        cells = [cell for megapixels in sizes for cell in memory_cells(mine.get(megapixels, {}))]
        rows.append([f"`{method}`", *cells])
    columns = [f"{name}, {megapixels:g} MP" for megapixels in sizes for name in ("bytes per unknown", "peak")]
    return markdown(["method", *columns], rows)


def memory_cells(row):
    if "peak_bytes" in row:
        return f"{row['bytes_per_unknown']:.0f}", megabytes(row["peak_bytes"])
    return f"more than {row['more_than']:g} s" if "more_than" in row else row.get("failure", "-"), ""


def says(method):
    """The first sentence of the docstring of an affinity or a prior."""
    meaning = tm.methods.meaning(method)
    of = meaning.affinity or tm.methods.PRIORS[meaning.prior]
    return re.sub(r"\s*\[\d+\]_", "", of.__doc__.strip().splitlines()[0]).rstrip(".")


def which():
    """What each method does, its errors, its time."""
    found, clock = means(), seconds_of_methods()
    sizes = sorted({megapixels for _, megapixels in clock}, key=float)
    rows = []
    for pair in in_pairs():
        name = listed_as(pair)
        if name is None:
            continue
        errors = " / ".join(sad(of.get(pair)) for of in found.values())
        times = (clock.get((name, megapixels)) for megapixels in sizes)
        what = says(name) if ALONE in pair else "{} with the prior {}".format(*pair)
        rows.append([f"`{name}`", what, errors, *("-" if t is None else f"{short(t)} s" for t in times)])
    errors = f"SAD/1000: {' / '.join(found)}"
    return markdown(["method", "what it does", errors, *(f"{megapixels} MP" for megapixels in sizes)], rows)


def listed_as(pair):
    """The name of a method that is an affinity, a prior, or one of two pairs; None for other pairs."""
    name = pair_name(pair)
    if ALONE in pair or pair == BEST_SO_FAR:
        return None if "," in name else name
    return tm.methods.BEST if tm.methods.meaning(name) == tm.methods.meaning(tm.methods.BEST) else None


def kinds():
    """SAD/1000 of each method on each kind of rendered scene, the least of each kind in bold."""
    found = {}
    for row in pair_rows(results("pairs")):
        name = listed_as((row["affinity"], row["prior"]))
        if row["dataset"] == "scenes" and name is not None and "sad" in row:
            kind = row["sample"].replace("low-light", "low light").partition("-")[0]
            found.setdefault(name, {}).setdefault(kind, []).append(row["sad"])
    means = {name: {kind: sum(s) / len(s) for kind, s in of.items()} for name, of in found.items()}
    names = [name for pair in in_pairs() if (name := listed_as(pair)) in means]
    order = list(dict.fromkeys(kind for of in means.values() for kind in of))
    least = {kind: sad({"sad": min(of[kind] for of in means.values() if kind in of)}) for kind in order}
    cells = {
        name: [sad({"sad": of[kind]} if kind in of else None) for kind in order] for name, of in means.items()
    }
    rows = [
        [f"`{name}`", *(f"**{c}**" if c == least[kind] else c for kind, c in zip(order, cells[name], strict=True))]
        for name in names
    ]
    return markdown(["method", *order], rows)


def in_pairs():
    """The pairs of pairs.json in their order."""
    return dict.fromkeys(pair for of in means().values() for pair in of)


def seconds_of_methods():
    """trimatte's seconds by method and size, on the first picture of that size."""
    found = {}
    for case in results("methods")["cases"]:
        row = case["libraries"].get("trimatte", {})
        if "seconds" in row:
            found.setdefault((name_of(case["task"]), size(case)), row["seconds"])
    return found


def paint():
    """From the release of the mouse to the new result."""
    starts = {"trimap": "a trimap", "strokes": "strokes alone"}
    found = results("paint")
    rows = [
        [f"{row['megapixels']:g}", starts[row["start"]], f"{row['median']:.2f} s", f"{row['p95']:.2f} s"]
        for row in found["rows"]
    ]
    machine = "The machine had {cores} cores, and at the end a load of {load:g}.".format(**found["machine"])
    return markdown(["megapixels", "start", "median", "95th percentile"], rows) + f"\n\n{machine}"


def rembg():
    """CPU seconds of rembg's import and calls, with PyMatting and with trimatte."""
    found = results("rembg")
    names = {
        "pymatting": "PyMatting",
        "install": "`trimatte.pymatting.install()`",
        "integrations": "`trimatte.integrations.rembg`",
    }

    def row(label, value):
        return [label, *(f"{short(value(found['ways'][way]))} s" for way in names)]

    rows = [
        row("import, cold", lambda way: way["import"]["cold"]),
        row("import, warm", lambda way: way["import"]["warm"]),
    ]
    for index, case in enumerate(found["pictures"]):
        label = f"`remove`, {size(case)} MP"
        rows.append(row(f"{label}, first call", lambda way, i=index: way["cases"][i]["first"]))
        rows.append(row(f"{label}, later calls", lambda way, i=index: way["cases"][i]["later"]))
    most = {key: max(case[key] for case in found["pictures"]) for key in ("difference", "colours_apart")}
    apart = "Between the first two columns alpha differs by at most {difference:g} of 255"
    apart += ", colours times alpha by {colours_apart:g}."
    said = textwrap.fill(apart.format(**most), 100)
    return f"{markdown(['', *names.values()], rows)}\n\n{said}"


def evaluated(dataset):
    """Means of all methods on a data set, with their places among all, by the SAD."""
    rows = results("evaluation")["means"][dataset]
    measures = {"sad": ".2f", "mse": ".4f", "gradient": ".2f", "connectivity": ".2f"}
    places = {name: sorted(rows, key=lambda method, n=name: rows[method][n]) for name in measures}

    def cell(method, name):
        return f"{rows[method][name]:{measures[name]}} ({places[name].index(method) + 1})"

    lines = [[method, *(cell(method, name) for name in measures)] for method in places["sad"]]
    return markdown(["method", "SAD/1000", "MSE", "gradient/1000", "connectivity/1000"], lines)


def keys(file):
    """Each subject before each screen, the usual way and by its key."""
    rows = [row for row in results("keys")["rows"] if row["file"] == file]
    screens = list(dict.fromkeys(row["screen"] for row in rows))
    lines = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = {row["screen"]: row for row in rows if row["kind"] == kind}
        largest = max(row["excess"] for row in mine.values())
        lines.append([f"{kind}, usual", *(f"{mine[screen]['usual']:.2f}" for screen in screens), ""])
        lines.append([kind, *(f"{mine[screen]['key']:.2f}" for screen in screens), f"{largest:.3f}"])
    names = (screen.replace("uneven green", "uneven") for screen in screens)
    return markdown([file, *names, "largest excess"], lines)


WAYS = ("distance", "mask", "plate", "see-through")


def plates():
    """Each subject before each background, by its plate and in the ordinary ways."""
    rows = [row for row in results("plates")["rows"] if row["change"] == "none"]
    lines = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = [row for row in rows if row["kind"] == kind]
        for way in WAYS:
            largest = f"{max(row['excess'] for row in mine):.3f}" if way == "plate" else ""
            name = kind if way == "plate" else f"{kind}, {way}"
            lines.append([name, *(f"{row[way]:.2f}" for row in mine), largest])
    backgrounds = dict.fromkeys(row["background"] for row in rows)
    return markdown(["", *backgrounds, "largest excess"], lines)


def plates_changed():
    """Pictures that were changed while the plate was not, each before its own background."""
    rows = results("plates")["rows"]
    own = {(row["kind"], row["background"]) for row in rows if row["change"] != "none"}
    changes = list(dict.fromkeys(row["change"] for row in rows))
    cells = {(row["kind"], row["change"]): row for row in rows if (row["kind"], row["background"]) in own}
    lines = [
        [kind, *(f"{cells[kind, change]['mask']:.2f} / {cells[kind, change]['plate']:.2f}" for change in changes)]
        for kind in dict.fromkeys(row["kind"] for row in rows)
    ]
    return markdown(["mask / plate", *changes], lines)


TABLES = {
    "evaluation-photographs": lambda: evaluated("alphamatting/trimap1"),
    "evaluation-scenes": lambda: evaluated("scenes"),
    "keys-PNG": lambda: keys("PNG"),
    "keys-JPEG": lambda: keys("JPEG"),
    "plates": plates,
    "plates-changed": plates_changed,
    "rembg": rembg,
    "speed": speed,
    "pairs": pairs,
    "best": best,
    "Trimap1": lambda: measures("Trimap1"),
    "Trimap2": lambda: measures("Trimap2"),
    "scenes": lambda: measures("scenes"),
    "promise": promise,
    "memory": memory,
    "which": which,
    "kinds": kinds,
    "paint": paint,
}


def updated(text):
    """Return a page with its tables written anew."""

    def written(match):
        try:
            table = TABLES[match[1]]()
        except FileNotFoundError:
            return match[0]
        return f"<!-- table {match[1]} -->\n\n{table}\n\n<!-- end -->"

    return re.sub(r"<!-- table (\S+) -->\n.*?<!-- end -->", written, text, flags=re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and say whether a page would change")
    options = parser.parse_args()
    stale = []
    for page in (ROOT / name for name in PAGES):
        text = page.read_text(encoding="utf-8")
        if (new := updated(text)) != text:
            stale.append(page)
            if not options.check:
                page.write_text(new, encoding="utf-8")
    for page in stale:
        print(f"{page.relative_to(ROOT)}: {'would change' if options.check else 'written'}")
    return int(options.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
