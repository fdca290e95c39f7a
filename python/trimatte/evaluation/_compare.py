"""Two evaluations beside each other: what changed, and whether it is more than noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _check
from ..errors import DatasetError
from ._records import COMPARED, Evaluation, Record

_RESAMPLES = 10_000
_FEWEST = 5
_NAMED = 3


@dataclass(frozen=True)
class Change:
    """The change of one method's mean on one data set.

    Attributes
    ----------
    dataset, method, measure : str
        What is compared; of two methods, ``"first -> second"``.
    before, after : float
        Means over the samples that both evaluations have.
    low, high : float
        95 % interval of ``after - before``, from a paired bootstrap over the samples.
    samples : int
        How many samples both have an alpha for.
    lost : int
        How many samples have one in the first only: they have failed since.
    verdict : str
        "worse" if a sample is lost; else "same" if no sample changed, "too few" with fewer than
        five samples, "better" or "worse" if the interval leaves 0 out, else "noise".
    """

    dataset: str
    method: str
    measure: str
    before: float
    after: float
    low: float
    high: float
    samples: int
    lost: int
    verdict: str

    def __str__(self) -> str:
        """One line."""
        by = f" ({100 * (self.after / self.before - 1):+.1f} %)" if self.before else ""
        lost = f", {self.lost} lost" if self.lost else ""
        return (
            f"{self.dataset}, {self.method}: {self.measure} {self.before:.5g} -> {self.after:.5g}{by}, "
            f"95 % [{self.low:+.3g}, {self.high:+.3g}], samples: {self.samples}{lost}: {self.verdict}"
        )


def compare(before: Evaluation, after: Evaluation, *, measure: str = "sad", seed: int = 0) -> list[Change]:
    """Say what changed from one evaluation to another.

    Samples are paired by data set, name and method. If the two have no method in common and one
    method each, those are compared.

    Parameters
    ----------
    before, after : Evaluation
        What is compared.
    measure : {"sad", "mse", "mad", "rmse", "gradient", "connectivity", "seconds", "peak_bytes"}
        The measure that is compared.
    seed : int, default 0
        Seed of the bootstrap.

    Returns
    -------
    list of Change
        One for each data set and method that both have.

    Raises
    ------
    ValueError
        If `measure` is unknown.
    DatasetError
        If no sample is in both, or a sample of one name has another number of pixels that count.

    Notes
    -----
    The interval is that of a paired bootstrap [1]_: the differences of the samples are drawn anew
    10,000 times, with repetition, and it holds the middle 95 % of their means. With fewer than
    about ten samples it is too narrow.

    References
    ----------
    .. [1] B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    _check.one_of(measure, COMPARED, "measure")
    seed = _check.seed(seed)
    common = [m for m in before.methods if m in after.methods]
    pairs = [(m, m) for m in common]
    if not common and len(before.methods) == len(after.methods) == 1:
        pairs = [(before.methods[0], after.methods[0])]
    changes = []
    for dataset in before.datasets:
        old, new = before.of(dataset), after.of(dataset)
        for first, second in pairs:
            both = [
                (old[s][first], new[s][second]) for s in old if s in new and first in old[s] and second in new[s]
            ]
            _refuse_others(both)
            values = np.array([[r.measure(measure) for r in pair] for pair in both]).reshape(-1, 2)
            lost = sum(a.failure is None and b.failure is not None for a, b in both)
            values = values[np.isfinite(values).all(axis=1)]
            if len(values) or lost:
                name = first if first == second else f"{first} -> {second}"
                changes.append(_change(dataset, name, measure, values, lost, seed))
    if not changes:
        raise DatasetError(
            f"expected samples and methods that both evaluations have, got {_contents(before)}, and "
            f"{_contents(after)} (NAME=METHOD gives methods one name)"
        )
    return changes


def _contents(evaluation: Evaluation) -> str:
    """Say what an evaluation has: of many names the first."""
    samples = tuple(dict.fromkeys(record.sample for record in evaluation.records))
    return f"{_few(evaluation.methods)} on {_few(evaluation.datasets)} ({_few(samples)})"


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _refuse_others(pairs: Sequence[tuple[Record, Record]]) -> None:
    for a, b in pairs:
        sizes = [(r.errors or {}).get("pixels") for r in (a, b)]
        if None not in sizes and sizes[0] != sizes[1]:
            counts = f"{sizes[0]} and {sizes[1]} pixels that count"
            raise DatasetError(
                f"{a.dataset} {a.sample}: expected the same picture and trimap in both, got {counts}"
            )


def _change(
    dataset: str, method: str, measure: str, values: npt.NDArray[np.float64], lost: int, seed: int
) -> Change:
    before = after = low = high = float("nan")
    verdict = "too few"
    if len(values):
        before, after = (float(mean) for mean in values.mean(axis=0))
        difference = values[:, 1] - values[:, 0]
        drawn = np.random.default_rng(seed).integers(0, len(difference), (_RESAMPLES, len(difference)))
        low, high = (float(end) for end in np.percentile(difference[drawn].mean(axis=1), [2.5, 97.5]))
        if not difference.any():
            verdict = "same"
        elif len(values) >= _FEWEST:
            verdict = "noise" if low <= 0 <= high else "better" if high < 0 else "worse"
    if lost:
        verdict = "worse"
    return Change(dataset, method, measure, before, after, low, high, len(values), lost, verdict)
