"""Write the page of measured figures: charts made from the committed results of the benchmarks.

    python tools/site_figures.py FOLDER

FOLDER gets figures.md and an SVG file for each chart. The results are the JSON files in
benchmarks/compare/results; benchmarks/README.md names the command behind each.
"""

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "compare" / "results"
OURS, THEIRS, GREY = "#1b9e77", "#d95f02", "#7a7a7a"

# Text and lines in a grey that is readable on white and on black; nothing is filled behind them.
STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": GREY,
    "axes.labelcolor": GREY,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "trimatte",
    "font.size": 11,
}


def results(name):
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def size():
    """Time and memory of closed-form alpha over the number of unknown pixels."""
    cases = results("alpha_lemur")["cases"] + results("alpha_GT25")["cases"]
    cases = sorted((case for case in cases if case["task"] == "alpha"), key=lambda case: case["unknown"])
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axis, key, scale, label in (
        (axes[0], "seconds", 1, "seconds"),
        (axes[1], "peak_bytes", 1e-6, "peak memory in MB"),
    ):
        for name, title, colour in (("pymatting", "PyMatting 1.1.16", THEIRS), ("trimatte", "trimatte", OURS)):
            rows = [case for case in cases if key in case["libraries"][name]]
            values = [scale * case["libraries"][name][key] for case in rows]
            axis.loglog([case["unknown"] for case in rows], values, "o-", color=colour, label=title)
        axis.set(xlabel="unknown pixels", ylabel=label)
    axes[0].legend()
    return figure


def methods():
    """Seconds of every method for a scene of 4.8 megapixels, beside PyMatting where it has the method."""
    cases = [case for case in results("methods")["cases"] if case["height"] > 1000]
    cases = sorted(cases, key=lambda case: -case["libraries"]["trimatte"]["seconds"])
    figure, axis = plt.subplots(figsize=(9, 0.3 * len(cases) + 0.8), layout="constrained")
    for row, case in enumerate(cases):
        axis.barh(row, case["libraries"]["trimatte"]["seconds"], 0.6, color=OURS)
        peer = case["libraries"].get("pymatting", {})
        if taken := peer.get("seconds", peer.get("more_than")):
            axis.plot(taken, row, "o" if "seconds" in peer else ">", color=THEIRS)
    axis.set_yticks(range(len(cases)), [case["task"].removeprefix("alpha ") for case in cases])
    axis.set(xscale="log", xlabel="seconds (bars: trimatte; dots: PyMatting; arrow: stopped there)")
    return figure


def pairs():
    """Error over time of every affinity with every prior."""
    means = results("pairs")["means"]
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.8), layout="constrained")
    colours = dict(zip(sorted({row["affinity"] for row in means["scenes"]}), plt.cm.Dark2.colors, strict=False))
    titles = {"Trimap1": "14 photographs, Trimap1", "Trimap2": "14 photographs, Trimap2", "scenes": "24 scenes"}
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        for affinity, colour in colours.items():
            rows = [row for row in means[name] if row["affinity"] == affinity]
            label = "a prior alone" if affinity == "none" else affinity
            axis.plot([r["seconds"] for r in rows], [r["sad"] for r in rows], "o", ms=5, color=colour, label=label)
        axis.set(title=title, xscale="log", xlabel="seconds a picture", ylim=(0, None))
        axis.minorticks_off()
        axis.set_xticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    axes[0].set_ylabel("mean SAD / 1000")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def promise():
    """The largest error of alpha of every system, beside the tolerance asked for."""
    found = results("promise_affinities")
    names = [(summary["affinity"], summary["solver"]) for summary in found["summaries"]]
    figure, axis = plt.subplots(figsize=(9, 3), layout="constrained")
    for row, (affinity, solver) in enumerate(names):
        systems = [case for case in found["rows"] if case["affinity"] == affinity and case["solver"] == solver]
        errors = [max(case["error"], 1e-9) for case in systems if case["error"] is not None]
        axis.semilogx(errors, [row] * len(errors), "|", ms=16, color=OURS)
    axis.axvline(found["tolerance"], color=THEIRS)
    axis.annotate("promised", (found["tolerance"], len(names) - 0.6), color=THEIRS, ha="right", xytext=(-4, 0),
                  textcoords="offset points")  # fmt: skip
    axis.set_yticks(range(len(names)), [", ".join(name) for name in names])
    axis.set(xlabel="largest error of alpha; a line for each photograph and trimap", ylim=(-0.5, len(names)))
    return figure


def memory():
    """Bytes for each unknown pixel of every method."""
    rows = [row for row in results("memory")["rows"] if row["megapixels"] > 5]
    rows.sort(key=lambda row: row["bytes_per_unknown"])
    figure, axis = plt.subplots(figsize=(9, 0.3 * len(rows) + 0.8), layout="constrained")
    axis.barh(range(len(rows)), [row["bytes_per_unknown"] for row in rows], 0.6, color=OURS)
    axis.set_yticks(range(len(rows)), [row["method"] for row in rows])
    axis.set_xlabel("bytes for each unknown pixel, picture and result included")
    return figure


CHARTS = {
    size: (
        "Time and memory over the size",
        """Closed-form alpha of a photograph at three sizes, and of a picture of 9 megapixels, beside
PyMatting with the same arrays. Files: `alpha_lemur.json`, `alpha_GT25.json`.""",
    ),
    methods: (
        "Every method",
        """A rendered scene of hair with 4.8 megapixels. Names that begin with "foreground" find colours.
File: `methods.json`.""",
    ),
    pairs: (
        "Error and time",
        """Each dot is an affinity with one prior, or without: to the left is faster, below is better. Files
and pictures: `pairs.json`, the training set of alphamatting.com, and the rendered scenes of
`trimatte.datasets.scenes`.""",
    ),
    promise: (
        "The promise",
        """No alpha is off by more than `tolerance`, 1e-3 here, from the exact solution. File:
`promise_affinities.json`.""",
    ),
    memory: (
        "Memory of every method",
        """A rendered scene of hair with 9 megapixels. File: `memory.json`.""",
    ),
}

HEAD = """# Charts of the committed results

These charts are drawn from the files in `benchmarks/compare/results` when the site is built.
[Benchmarks](../benchmarks.md) has the tables, and [how to run them](../project/benchmarks.md) the
command behind each file. All times are from a shared machine with two cores; ratios within one
file are more telling than seconds.
"""


def folder_to_draw_in(usage):
    """Make the folder that the command line names, and let matplotlib draw for the site."""
    if len(sys.argv) != 2:
        sys.exit(usage)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    plt.switch_backend("svg")
    plt.rcParams.update(STYLE)
    return folder


def main():
    folder = folder_to_draw_in(__doc__)
    parts = [HEAD]
    for chart, (title, text) in CHARTS.items():
        name = f"{chart.__name__}.svg"
        chart().savefig(folder / name, metadata={"Date": None})
        parts.append(f"## {title}\n\n{text}\n\n![{chart.__doc__}]({name})\n")
    (folder / "figures.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
