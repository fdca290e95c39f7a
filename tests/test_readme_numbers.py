"""The numbers of the README, and what a page says of methods, are those of the committed results."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "compare" / "results"

if not RESULTS.exists() or not (ROOT / "README.md").exists():
    pytest.skip("the README or the results are not beside the tests", allow_module_level=True)

TEXT = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def results(name):
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def case(name, **wanted):
    """The case of a file of results that has these values."""
    (found,) = (case for case in results(name)["cases"] if wanted.items() <= case.items())
    return found


def test_the_default_lowers_the_error_by_as_much():
    said = re.search(r"mean error (\d+) % \(Trimap1\) and (\d+) % \(Trimap2\) below", TEXT)
    for percent, name in zip(said.groups(), ("Trimap1", "Trimap2"), strict=True):
        sad = {
            pair["prior"]: pair["sad"]
            for pair in results("pairs")["means"][name]
            if pair["affinity"] == "closed-form"
        }
        assert round(100 * (1 - sad["fusion"] / sad["none"])) == int(percent)


@pytest.mark.parametrize(
    ("row", "name", "wanted"),
    [
        ("lemur photo, 0.3 MP", "alpha_lemur", {"enlarged": 1.0}),
        ("the same, enlarged 4 times", "alpha_lemur", {"enlarged": 4.0}),
        ("GT25 of alphamatting.com, 9.1 MP", "alpha_GT25", {}),
    ],
)
def test_times_and_memory_are_as_measured(row, name, wanted):
    found = case(name, **wanted)
    line = re.search(
        re.escape(f"| {row} | ") + r"([\d,]+) \| (\S+) s, (\S+) ([MG])B \| (\S+) s, (\S+) MB \| (\d+)x", TEXT
    )
    unknown, slow, large, unit, quick, small, ratio = line.groups()
    theirs, own = found["libraries"]["pymatting"], found["libraries"]["trimatte"]
    assert int(unknown.replace(",", "")) == found["unknown"]
    assert float(slow) == pytest.approx(theirs["seconds"], rel=0.05)
    assert float(quick) == pytest.approx(own["seconds"], rel=0.05)
    assert float(large) * {"M": 1e6, "G": 1e9}[unit] == pytest.approx(theirs["peak_bytes"], rel=0.05)
    assert float(small) * 1e6 == pytest.approx(own["peak_bytes"], rel=0.05)
    assert int(ratio) == pytest.approx(theirs["seconds"] / own["seconds"], rel=0.05)


def test_the_default_takes_as_long():
    default, closed_form = re.search(
        r"default takes (\S+) s where closed-form takes (\S+) s \(0.5 MP\)", TEXT
    ).groups()
    for said, method in ((default, "best"), (closed_form, "closed-form")):
        found = case("methods", picture="hair", width=866, task=f"alpha {method}")
        assert float(said) == pytest.approx(found["libraries"]["trimatte"]["seconds"], rel=0.05)


@pytest.mark.parametrize(
    ("method", "kinds"),
    [("information-flow", ("hair",)), ("fusion", ("net", "noise", "low light", "similar"))],
)
def test_another_method_is_better_where_the_page_says_so(method, kinds):
    """docs/which_method.md says so; docs/methods.md has the table, which test_tables.py compares."""
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- table kinds -->\s+(.*?)\s+<!-- end -->", text, re.DOTALL)[1]
    names, _, *rows = [[cell.strip(" `*") for cell in line.strip("|").split("|")] for line in table.splitlines()]
    errors = {row[0]: dict(zip(names[1:], map(float, row[1:]), strict=True)) for row in rows}
    for kind in kinds:
        assert errors[method][kind] < errors["best"][kind]
