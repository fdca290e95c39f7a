"""The result of an evaluation: a record for each sample and method, and what follows from them."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import _check
from ..errors import DatasetError
from ..io.names import replacing

# The measures that tables show, and how they print.
MEASURES = {
    "sad": "SAD / 1000",
    "mse": "MSE",
    "gradient": "gradient / 1000",
    "connectivity": "connectivity / 1000",
    "seconds": "seconds",
    "peak_bytes": "peak memory / MB",
}
ERRORS = ("sad", "mse", "mad", "rmse", "gradient", "connectivity")
# The measures by which methods can be compared.
COMPARED = (*ERRORS, "seconds", "peak_bytes")


@dataclass(frozen=True)
class Record:
    """One method on one sample.

    Attributes
    ----------
    dataset, sample, method : str
        Names.
    errors : dict of str to float, or None
        See :class:`trimatte.metrics.Errors`; None if the method failed.
    seconds : float or None
        Wall time of the method, without reading and measuring; None for finished alphas.
    peak_bytes : int or None
        Most bytes that the process held above what it had before; None for finished alphas, and on
        other systems than Linux.
    failure : str or None
        Why there is no alpha.
    info : dict or None
        Record of the solve, for methods of trimatte: solver, iterations, seconds of each phase.
    state : str
        What the result depends on; another state means that it is stale.
    """

    dataset: str
    sample: str
    method: str
    errors: Mapping[str, float] | None
    seconds: float | None
    peak_bytes: int | None
    failure: str | None = None
    info: Mapping[str, Any] | None = None
    state: str = ""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Record:
        """Make a record of what JSON gave; raises TypeError if that is none."""
        record = cls(**content)
        numbers = (record.errors or {}).values() if isinstance(record.errors, (dict, type(None))) else [None]
        if not (
            all(isinstance(name, str) for name in (*record.key, record.state))
            and all(isinstance(number, (int, float)) for number in numbers)
            and (record.errors is None) == (record.failure is not None)
        ):
            raise TypeError(f"no record: {content}")
        return record

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is a record of."""
        return self.dataset, self.sample, self.method

    def measure(self, name: str) -> float:
        """Return an error, the seconds or the bytes; NaN if there is none."""
        value = None if self.errors is None else self.errors.get(name, getattr(self, name, None))
        return float("nan") if value is None else float(value)


@dataclass(frozen=True)
class Evaluation:
    """Records of several methods on several data sets.

    Attributes
    ----------
    records : tuple of Record
        The records by data set, sample and method, in the order asked for.
    machine : dict
        Versions and threads.
    """

    records: tuple[Record, ...]
    machine: Mapping[str, Any] = field(default_factory=dict)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets."""
        return tuple(dict.fromkeys(r.dataset for r in self.records))

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods."""
        return tuple(dict.fromkeys(r.method for r in self.records))

    @property
    def failures(self) -> tuple[Record, ...]:
        """Records without an alpha."""
        return tuple(r for r in self.records if r.failure is not None)

    def of(self, dataset: str) -> dict[str, dict[str, Record]]:
        """Return the records of a data set by sample, then by method."""
        table: dict[str, dict[str, Record]] = {}
        for record in self.records:
            if record.dataset == dataset:
                table.setdefault(record.sample, {})[record.method] = record
        return table

    def means(self, dataset: str) -> dict[str, dict[str, float]]:
        """Return for each method the means over the samples on which every method has an alpha.

        A method that has no alpha at all does not count among those.

        Returns
        -------
        dict
            For each method every error, `seconds` and `peak_bytes`; `rank`, the mean over samples
            of the place by SAD (a failure is last, equal errors share a place); `samples` and
            `done`, the numbers of samples on which the method was run and has an alpha; `common`,
            the number of samples that the means are over. A mean is NaN if there is no such sample,
            and for a method without any alpha.
        """
        rows = self.of(dataset)
        methods = [m for m in self.methods if any(m in row for row in rows.values())]
        able = [m for m in methods if any(m in row and row[m].errors is not None for row in rows.values())]
        common = [row for row in rows.values() if all(m in row and row[m].errors is not None for m in able)]
        ranks = [
            _ranks([row[m].measure("sad") if m in row else float("nan") for m in methods]) for row in rows.values()
        ]
        table = {}
        for index, method in enumerate(methods):
            mine = [row[method] for row in rows.values() if method in row]
            names = (*ERRORS, "seconds", "peak_bytes")
            table[method] = {
                name: float(np.mean([row[method].measure(name) for row in common]))
                if common and method in able
                else float("nan")
                for name in names
            }
            table[method] |= {
                "rank": float(np.mean([r[index] for r in ranks])) if method in able else float("nan"),
                "samples": len(mine),
                "done": sum(r.errors is not None for r in mine),
                "common": len(common),
            }
        return table

    def rank_correlation(self, first: str, second: str, measure: str = "sad") -> float:
        """Return Spearman's correlation of the methods' means on two data sets.

        1 means that both put the methods into the same order.

        Raises
        ------
        ValueError
            If `measure` is unknown.
        DatasetError
            If fewer than three methods have means on both.
        """
        _check.one_of(measure, COMPARED, "measure")
        from scipy.stats import spearmanr

        a, b = self.means(first), self.means(second)
        pairs = [(a[m][measure], b[m][measure]) for m in a if m in b]
        pairs = [pair for pair in pairs if np.isfinite(pair).all()]
        if len(pairs) < 3:
            raise DatasetError(
                f"{first}, {second}: expected at least 3 methods with means on both, got {len(pairs)}"
            )
        return float(spearmanr(*np.transpose(pairs)).statistic)

    def __str__(self) -> str:
        """One table for each data set."""
        return "\n\n".join(self.table(dataset) for dataset in self.datasets)

    def table(self, dataset: str) -> str:
        """Return the means on a data set as a Markdown table.

        DatasetError is raised if there is no such data set.
        """
        means = self.means(dataset)
        if not means:
            raise DatasetError(f"{dataset}: expected one of {', '.join(self.datasets)}")
        common = next(iter(means.values()))["common"]
        samples = max(m["samples"] for m in means.values())
        over = f"{samples:.0f} samples" if common == samples else f"{common:.0f} of {samples:.0f} samples"
        lines = [f"{dataset}, {over}", "", f"| method | {' | '.join(MEASURES.values())} | rank | done |"]
        lines.append("|---" * (len(MEASURES) + 3) + "|")
        for method, mean in means.items():
            cells = [shown(name, mean[name]) for name in (*MEASURES, "rank")]
            lines.append(f"| {method} | {' | '.join(cells)} | {mean['done']:.0f} |")
        return "\n".join(lines)

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write all records, and the means, as JSON; the file appears complete or not at all."""
        content = {
            "machine": dict(self.machine),
            "means": {dataset: self.means(dataset) for dataset in self.datasets},
            "records": [asdict(record) for record in self.records],
        }
        text = json.dumps(without_nan(content), indent=1, allow_nan=False) + "\n"
        with replacing(os.fspath(path)) as stream:
            stream.write(text.encode())

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line for each record; the file appears complete or not at all."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["dataset", "sample", "method", *ERRORS, "pixels", "seconds", "peak_bytes", "failure"])
        for r in self.records:
            errors = r.errors or {}
            numbers = [errors.get(name, "") for name in (*ERRORS, "pixels")]
            writer.writerow([*r.key, *numbers, r.seconds, r.peak_bytes, r.failure])
        with replacing(os.fspath(path)) as stream:
            stream.write(text.getvalue().encode(errors="backslashreplace"))

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> Evaluation:
        """Read what :meth:`to_json` wrote; of a folder, its ``results.json``.

        Raises
        ------
        DatasetError
            If the file is none.
        OSError
            If it cannot be read.
        """
        place = Path(path)
        place = place / "results.json" if place.is_dir() else place
        try:
            content = json.loads(place.read_bytes())
            records = tuple(Record.from_dict(record) for record in content["records"])
        except (ValueError, TypeError, KeyError) as error:
            raise DatasetError(f"{place}: expected the JSON of an evaluation ({error})") from error
        return cls(records, content.get("machine", {}))


def shown(measure: str, value: float) -> str:
    """Return a number as tables print it."""
    if not np.isfinite(value):
        return "-"
    if measure == "peak_bytes":
        return f"{value / 1e6:.0f}"
    if measure == "rank":
        return f"{value:.2f}"
    return f"{value:.5f}" if measure in ("mse", "mad", "rmse") else f"{value:.3f}"


def in_order(
    records: Iterable[Record], datasets: Sequence[tuple[str, Sequence[str]]], methods: Sequence[str]
) -> tuple[Record, ...]:
    """Sort records as they were asked for."""
    by_key = {record.key: record for record in records}
    keys = ((d, s, m) for d, samples in datasets for s in samples for m in methods)
    return tuple(by_key[key] for key in keys if key in by_key)


def _ranks(values: Sequence[float]) -> list[float]:
    """Places from 1; equal values share the mean place, NaN is last."""
    from scipy.stats import rankdata

    return [float(r) for r in rankdata(np.nan_to_num(np.asarray(values), nan=np.inf))]


def without_nan(value: Any) -> Any:
    """Return the same with None for NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
