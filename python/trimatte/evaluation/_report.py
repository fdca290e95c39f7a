"""A report of an evaluation: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check
from .._pixels import eight_bits, quantized
from ..datasets import Dataset, Sample
from ..errors import PictureError
from ..io.names import replacing
from ..io.read import load_image
from ._records import MEASURES, Evaluation, Record, shown
from ._run import _alpha_path

_PLACES = 6  # places shown for each data set
_CROP = 160


class Place(NamedTuple):
    """A part of a sample where methods fail most: pictures with captions."""

    title: str
    panels: list[tuple[str, str]]


def write_report(result: Evaluation, datasets: Sequence[Dataset], output: str | os.PathLike[str]) -> Path:
    """Write ``report.html`` into the folder of an evaluation.

    It holds tables of means and ranks, plots of error against time, the errors of every sample, and
    for each data set the places where methods fail most: image, trimap, truth, and each method's
    alpha. It is one file that needs no network.

    Parameters
    ----------
    result : Evaluation
        What to report.
    datasets : sequence of Dataset
        The data sets it was made of, for the pictures.
    output : str or path-like
        The folder that :func:`evaluate` wrote to, with its alphas.

    Returns
    -------
    Path
        The report's file.

    Raises
    ------
    ModuleNotFoundError
        If Jinja2 or matplotlib is missing: ``pip install "trimatte[report]"``.
    """
    import jinja2

    folder = Path(output)
    template = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    text = (files("trimatte.evaluation") / "report.html.j2").read_text(encoding="utf-8")
    sections = [_section(result, data, folder) for data in datasets if data.name in result.datasets]
    html = template.from_string(text).render(
        sections=sections,
        measures=list(MEASURES.values()),
        machine=result.machine,
        failures=result.failures,
    )
    path = folder / "report.html"
    with replacing(str(path)) as stream:
        stream.write(html.encode(errors="backslashreplace"))
    return path


def _section(result: Evaluation, dataset: Dataset, folder: Path) -> dict[str, Any]:
    """All that is said of one data set."""
    means = result.means(dataset.name)
    rows = result.of(dataset.name)
    best = {
        name: min((m[name] for m in means.values() if np.isfinite(m[name])), default=None) for name in MEASURES
    }
    samples = {sample: {method: row[method] for method in means if method in row} for sample, row in rows.items()}
    return {
        "name": dataset.name,
        "means": [
            {
                "method": method,
                "cells": [(shown(name, mean[name]), mean[name] == best[name]) for name in MEASURES],
                "rank": shown("rank", mean["rank"]),
                "done": f"{mean['done']:.0f} of {mean['samples']:.0f}",
            }
            for method, mean in means.items()
        ],
        "common": f"{next(iter(means.values()))['common']:.0f}",
        "plot": _plot(means),
        "methods": list(means),
        "samples": [
            (sample, [_cell(row.get(method), row) for method in means]) for sample, row in samples.items()
        ],
        "places": _places(dataset, rows, list(means), folder),
    }


def _cell(record: Record | None, row: dict[str, Record]) -> tuple[str, str, bool]:
    """Text, tooltip, and whether it is the sample's best."""
    if record is None:
        return "", "", False
    if record.errors is None:
        return "failed", record.failure or "", False
    least = min(r.measure("sad") for r in row.values() if r.errors is not None)
    tip = ", ".join(f"{MEASURES[name]} {shown(name, record.measure(name))}" for name in MEASURES)
    return shown("sad", record.measure("sad")), tip, record.measure("sad") == least


def _plot(means: dict[str, dict[str, float]]) -> str:
    """Error against seconds, each method a point, as SVG text; nothing if no time is known."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "trimatte", "font.size": 9}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        axes = figure.subplots(1, 2, sharex=True)
        for panel, name in zip(axes, ("sad", "gradient"), strict=True):
            handles, labels = [], []
            for index, (method, mean) in enumerate(means.items()):
                if np.isfinite(mean[name]) and mean["seconds"] > 0:
                    marker = "osD^vPX*"[index // 10 % 8]
                    handles += panel.plot(mean["seconds"], mean[name], marker, color=f"C{index % 10}")
                    # A dollar would begin a formula, and an underscore hides its label.
                    labels.append("\u200a" + method.replace("$", r"\$"))
            panel.set_xscale("log")
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
            panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            panel.xaxis.set_minor_formatter(NullFormatter())
            panel.set_ylim(0, 1.08 * max((m[name] for m in means.values() if np.isfinite(m[name])), default=1))
            panel.set_xlabel("seconds")
            panel.set_ylabel(MEASURES[name])
            panel.grid(alpha=0.3)
            for side in ("top", "right"):
                panel.spines[side].set_visible(False)
        if not handles:
            return ""
        figure.legend(handles, labels, loc="outside right upper", frameon=False)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def _places(
    dataset: Dataset, rows: dict[str, dict[str, Record]], methods: Sequence[str], folder: Path
) -> list[Place]:
    """Find where the mean error of the methods is largest, in each of the worst samples."""
    worst = sorted(rows, key=lambda sample: -_mean_sad(rows[sample]))
    places = []
    for name in worst[:_PLACES]:
        done = {m: rows[name][m] for m in methods if m in rows[name] and rows[name][m].errors is not None}
        if done:
            places.append(_place(dataset, dataset[name], done, folder))
    return places


def _mean_sad(row: dict[str, Record]) -> float:
    values = [r.measure("sad") for r in row.values() if r.errors is not None]
    return float(np.mean(values)) if values else -1.0


def _place(dataset: Dataset, sample: Sample, done: dict[str, Record], folder: Path) -> Place:
    truth = sample.truth / _check.full_range(sample.truth.dtype)
    unknown = sample.trimap == 128
    alphas = {}
    for method in done:
        path = _alpha_path(folder, method, dataset.name, sample.name)
        with suppress(PictureError):  # lost or damaged since
            alphas[method] = load_image(path or "")
    error = sum((np.abs(a / 255 - truth) for a in alphas.values()), np.zeros(truth.shape)) * unknown
    top, left = _worst_window(error)
    window = np.s_[top : top + _CROP, left : left + _CROP]

    def crop(pixels: npt.NDArray[Any]) -> str:
        return _data_uri(np.ascontiguousarray(pixels[window]))

    panels = [
        ("image", crop(eight_bits(sample.image))),
        ("trimap", crop(sample.trimap)),
        ("truth", crop(quantized(truth, np.uint8))),
    ]
    panels += [
        (f"{method}, SAD {done[method].measure('sad'):.2f}", crop(alpha)) for method, alpha in alphas.items()
    ]
    bottom, right = (min(start + _CROP, size) for start, size in zip((top, left), truth.shape, strict=True))
    return Place(f"{sample.name}, rows {top}-{bottom}, columns {left}-{right}", panels)


def _worst_window(error: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Upper left corner of the window with the largest sum."""
    height, width = error.shape
    sums = np.zeros((height + 1, width + 1))
    np.cumsum(np.cumsum(error, axis=0), axis=1, out=sums[1:, 1:])
    h, w = min(_CROP, height), min(_CROP, width)
    total = sums[h:, w:] - sums[:-h, w:] - sums[h:, :-w] + sums[:-h, :-w]
    top, left = np.unravel_index(np.argmax(total), total.shape)
    return int(top), int(left)


def _data_uri(pixels: npt.NDArray[np.uint8]) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
