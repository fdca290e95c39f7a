"""Two evaluations compared, and ranks of methods on two data sets."""

import numpy as np
import pytest

import trimatte as tm
from trimatte.evaluation import Evaluation, Record, compare


def made_evaluation(values, method="m", dataset="d"):
    return Evaluation(
        tuple(
            Record(
                dataset, f"s{i}", method, None if v is None else {"sad": v}, 1.0, 0, "why" if v is None else None
            )
            for i, v in enumerate(values)
        )
    )


def test_compare_tells_a_change_from_noise():
    rng = np.random.default_rng(1)
    base = list(rng.uniform(1, 5, 20))
    (better,) = compare(made_evaluation(base), made_evaluation([0.95 * v for v in base]))
    assert (better.verdict, better.samples) == ("better", 20)
    assert better.low <= better.after - better.before <= better.high < 0
    (worse,) = compare(made_evaluation(base), made_evaluation([v + 0.1 for v in base]))
    assert worse.verdict == "worse"
    shaken = made_evaluation([v + d for v, d in zip(base, rng.normal(0, 0.5, 20), strict=True)])
    (noise,) = compare(made_evaluation(base), shaken)
    assert noise.verdict == "noise"
    assert noise.low < 0 < noise.high
    (same,) = compare(made_evaluation(base), made_evaluation(base))
    assert same.verdict == "same"
    (part,) = compare(made_evaluation(base), made_evaluation(base[:5]))
    assert (part.samples, part.verdict) == (5, "same")
    (few,) = compare(made_evaluation(base[:4]), made_evaluation([v + 1 for v in base[:4]]))
    assert few.verdict == "too few"
    (lost,) = compare(made_evaluation(base), made_evaluation([*base[:19], None]))
    assert (lost.samples, lost.lost, lost.verdict) == (19, 1, "worse")
    (all_lost,) = compare(made_evaluation(base[:1]), made_evaluation([None]))
    assert (all_lost.samples, all_lost.verdict) == (0, "worse")
    (renamed,) = compare(made_evaluation(base), made_evaluation(base, "n"))
    assert renamed.method == "m -> n"


def test_compare_refuses_what_cannot_be_compared():
    with pytest.raises(tm.DatasetError, match="samples and methods that both evaluations have"):
        compare(made_evaluation([1.0]), made_evaluation([1.0], dataset="other"))
    before, after = (
        Evaluation(made_evaluation([1.0] * 5, "m").records + made_evaluation([1.0] * 5, name).records)
        for name in ("a", "b")
    )
    before = Evaluation(before.records[5:] + made_evaluation([1.0] * 5, "c").records)
    message = r"got a, c on d \(s0, s1, s2 and 2 more\), and m, b on d .*\(NAME=METHOD gives methods one name\)"
    with pytest.raises(tm.DatasetError, match=message):
        compare(before, after)
    small, large = (
        Evaluation((Record("d", "s", "m", {"sad": 1.0, "pixels": pixels}, 1.0, 0),)) for pixels in (10, 20)
    )
    with pytest.raises(tm.DatasetError, match="d s: expected the same picture and trimap in both, got 10 and 20"):
        compare(small, large)
    with pytest.raises(ValueError, match="measure: expected one of"):
        compare(made_evaluation([1.0]), made_evaluation([1.0]), measure="psnr")


def test_rank_correlation():
    records = []
    for dataset, errors in (("d", (1, 2, 3, 4)), ("e", (10, 30, 20, 40))):
        for method, error in zip("wxyz", errors, strict=True):
            records.append(Record(dataset, "s", method, {"sad": error, "mse": 0, "mad": 0, "rmse": 0,
                                                         "gradient": 0, "connectivity": 0}, 1.0, 0))  # fmt: skip
    result = Evaluation(tuple(records))
    assert result.rank_correlation("d", "e") == pytest.approx(0.8)
    few = Evaluation(tuple(r for r in records if r.method in "wx"))
    with pytest.raises(tm.DatasetError, match="at least 3 methods"):
        few.rank_correlation("d", "e")
