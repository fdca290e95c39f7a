"""The tables of methods in the pages (benchmarks/tables.py)."""

import importlib.util
import re
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

if not BENCHMARKS.exists():
    pytest.skip("the benchmarks are not beside the tests", allow_module_level=True)
_spec = importlib.util.spec_from_file_location("benchmark_tables", BENCHMARKS / "tables.py")
tables = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tables)

ERRORS = {"mse": 0.01, "gradient": 1.0, "connectivity": 1.0, "seconds": 1.0, "pictures": 1, "failures": 0}


def pair(affinity, prior, sad):
    return {"affinity": affinity, "prior": prior, "sad": sad, **ERRORS}


def failed(affinity, prior):
    return {"affinity": affinity, "prior": prior, "pictures": 14, "failures": 2}


def given(monkeypatch, **found):
    monkeypatch.setattr(tables, "results", lambda name: found[name])


@pytest.mark.parametrize("page", tables.PAGES)
def test_pages_have_the_tables_of_the_results(page):
    text = (tables.ROOT / page).read_text(encoding="utf-8")
    assert re.search(r"<!-- table \S+ -->", text)
    assert tables.updated(text) == text, "run python benchmarks/tables.py"


def test_every_table_is_on_one_page():
    text = "".join((tables.ROOT / page).read_text(encoding="utf-8") for page in tables.PAGES)
    assert sorted(re.findall(r"<!-- table (\S+) -->", text)) == sorted(tables.TABLES)


def test_pairs_have_a_cell_for_each_data_set(monkeypatch):
    one = [pair("closed-form", "none", 4.6), pair("closed-form", "sampling", 3.6), pair("none", "sampling", 6.2)]
    two = [pair("closed-form", "none", 6.4), failed("closed-form", "sampling"), pair("none", "sampling", 9.9)]
    given(monkeypatch, pairs={"means": {"Trimap1": one, "Trimap2": two}})
    assert tables.pairs().splitlines() == [
        "| affinity | no prior | sampling |",
        "|---|---|---|",
        "| closed-form | 4.60 / 6.40 | 3.60 / - |",
        "| no affinity |  | 6.20 / 9.90 |",
    ]
    assert "| closed-form+sampling | fails on 2 of 14 |" in tables.measures("Trimap2")


@pytest.mark.parametrize(("other", "says"), [(2.9, "On all data sets knn+robust has"), (3.1, "No pair has")])
def test_a_pair_that_beats_the_best_so_far_is_named(monkeypatch, other, says):
    one = [pair("closed-form", "composite-network", 3.04), pair("knn", "robust", 2.9)]
    two = [pair("closed-form", "composite-network", 3.0), pair("knn", "robust", other)]
    pictures = [
        {
            "dataset": dataset,
            "sample": "GT01",
            "pairs": {f"{p['affinity']}+{p['prior']}": [p["sad"]] for p in found},
        }
        for dataset, found in (("Trimap1", one), ("Trimap2", two))
    ]
    record = {"means": {"Trimap1": one, "Trimap2": two}, "numbers": ["sad"], "pictures": pictures}
    given(monkeypatch, pairs=record)
    first, second, _, last = tables.best().splitlines()[2:]
    assert first == "| Trimap1 | `knn+robust` | 2.900 | 3.040 | 1 of 1 |"
    assert second.endswith("| 1 of 1 |" if other < 3 else "| 0 of 1 |")
    assert last.startswith(says)


def test_the_least_error_on_each_kind_of_scene_is_bold(monkeypatch):
    pairs = {"closed-form+none": [2.0], "none+sampling": [10.0]}
    pictures = [
        {"dataset": "scenes", "sample": "low-light-hair", "pairs": pairs},
        {"dataset": "scenes", "sample": "glass", "pairs": {**pairs, "closed-form+none": [11.0]}},
        {"dataset": "scenes", "sample": "glass-1", "pairs": {**pairs, "closed-form+none": [13.0]}},
        {"dataset": "Trimap1", "sample": "GT01", "pairs": pairs},
    ]
    found = [pair("closed-form", "none", 8.7), pair("none", "sampling", 10.0)]
    given(monkeypatch, pairs={"means": {"scenes": found}, "numbers": ["sad"], "pictures": pictures})
    assert tables.kinds().splitlines() == [
        "| method | low light | glass |",
        "|---|---|---|",
        "| `closed-form` | **2.00** | 12.00 |",
        "| `sampling` | 10.00 | **10.00** |",
    ]


def test_a_call_that_was_stopped_gives_a_least_ratio(monkeypatch):
    case = {"picture": "hair", "height": 1000, "width": 1500, "task": "alpha large-kernel", "ratio": 60.0}
    theirs, ours = {"more_than": 240.0}, {"seconds": 4.0, "peak_bytes": 2e9, "sad": 1.0}
    given(monkeypatch, methods={"cases": [{**case, "libraries": {"pymatting": theirs, "trimatte": ours}}]})
    row = tables.speed().splitlines()[-1]
    assert row == "| large-kernel | hair, 1.5 MP | more than 240 s | 4 s, 2.0 GB | more than 60x |  | 1 |"


def test_methods_have_places_by_each_measure(monkeypatch):
    one = {"sad": 2.0, "mse": 0.02, "gradient": 1.5, "connectivity": 3.0}
    other = {"sad": 1.0, "mse": 0.03, "gradient": 1.0, "connectivity": 2.0}
    given(monkeypatch, evaluation={"means": {"scenes": {"knn": one, "PyMatting KNN": other}}})
    assert tables.evaluated("scenes").splitlines()[2:] == [
        "| PyMatting KNN | 1.00 (1) | 0.0300 (2) | 1.00 (1) | 2.00 (1) |",
        "| knn | 2.00 (2) | 0.0200 (1) | 1.50 (2) | 3.00 (2) |",
    ]


def test_a_table_without_results_stays(monkeypatch):
    def none(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(tables, "results", none)
    text = "before\n<!-- table pairs -->\n\n| old |\n\n<!-- end -->\nafter\n"
    assert tables.updated(text) == text
