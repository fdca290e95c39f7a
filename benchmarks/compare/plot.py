"""Draw time and peak memory over the number of unknown pixels, and print the table for the README.

    python benchmarks/compare/plot.py benchmarks/compare/results/*.json --output docs/benchmark.png
    python benchmarks/compare/plot.py results.json --table table.md

Takes the results of run.py; files without cases of the task are left out.
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Colours of Okabe and Ito: told apart by everybody. A library's name, colour and marker are the same everywhere.
STYLES = {
    "trimatte": ("trimatte", "#0072B2", "o"),
    "pymatting": ("PyMatting", "#D55E00", "s"),
    "plain-script": ("plain script", "#009E73", "^"),
}
PANELS = (("seconds", 1, "seconds"), ("peak_bytes", 1e6, "peak memory, MB"))


def load(paths, task):
    """Cases of the task, and the imports and machines of the files that have any."""
    cases, imports, machines = [], {}, []
    for path in paths:
        results = json.loads(path.read_text())
        mine = [case for case in results.get("cases", ()) if case.get("task") == task and "unknown" in case]
        if not mine:
            continue
        cases += mine
        for library, seconds in results["import_seconds"].items():
            imports[library] = {**imports.get(library, {}), **seconds}
        about = f"{results['machine']['cpu']}, threads: {results['machine']['threads']}"
        if about not in machines:
            machines.append(about)
    return sorted(cases, key=lambda case: case["unknown"]), imports, machines


def libraries(cases):
    return [library for library in STYLES if any(library in case["libraries"] for case in cases)]


def draw(cases, machines, path):
    """Each line is one picture at several sizes."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    for panel, (key, unit, label) in zip(panels, PANELS, strict=True):
        for library in libraries(cases):
            name, colour, marker = STYLES[library]
            for picture in dict.fromkeys(case["picture"] for case in cases):
                points = {}  # by size; of several runs the least
                for case in cases:
                    if case["picture"] == picture and key in case["libraries"].get(library, {}):
                        value = case["libraries"][library][key] / unit
                        points[case["unknown"]] = min(value, points.get(case["unknown"], value))
                if points:
                    line = zip(*points.items(), strict=True)
                    panel.plot(*line, color=colour, marker=marker, ms=4, lw=1, label=name)
                    name = None  # one entry in the legend
        panel.set(xscale="log", yscale="log", xlabel="unknown pixels", ylabel=label)
        panel.grid(color="0.9")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False)
    figure.suptitle("; ".join(machines), fontsize="small", color="0.4")
    figure.savefig(path, dpi=150)


def cell(row):
    if "failed" in row:
        return row["failed"].split(":")[0]
    if "seconds" not in row:
        return "-"
    error = f", {row['max']:.0e}" if row.get("max") else ", 0" if "max" in row else ""
    return f"{row['seconds']:.3g} s, {row['peak_bytes'] / 1e6:.0f} MB{error}"


def table(cases, imports):
    """Markdown: a row for each picture and size, then the imports."""
    columns = libraries(cases)
    names = [STYLES[library][0] for library in columns]
    lines = [
        "| picture | megapixels | unknown | " + " | ".join(names) + " |",
        "|---|---|---|" + "---|" * len(columns),
    ]
    for case in cases:
        size = f"{case['height'] * case['width'] / 1e6:.2g}"
        cells = [cell(case["libraries"].get(library, {})) for library in columns]
        lines.append(f"| {case['picture']} | {size} | {case['unknown']:,} | " + " | ".join(cells) + " |")
    for key, label in (("first", "first import, nothing cached"), ("later", "later import")):
        if any(key in imports[library] for library in columns):
            cells = [f"{imports[library][key]:.2g} s" if key in imports[library] else "-" for library in columns]
            lines.append(f"| {label} | | | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--task", default="alpha")
    parser.add_argument("--output", type=Path, help="the plot")
    parser.add_argument("--table", type=Path, help="write the table here, too")
    options = parser.parse_args()
    cases, imports, machines = load(options.results, options.task)
    if not cases:
        parser.error(f"no case of the task {options.task} with a number of unknown pixels")
    if options.output:
        draw(cases, machines, options.output)
    text = table(cases, imports)
    print(text)
    if options.table:
        options.table.write_text(text + "\n")


if __name__ == "__main__":
    main()
