"""The rules by which `make gate` judges (benchmarks/gate/comparison.py)."""

import importlib.util
import json
from pathlib import Path

import pytest

GATE = Path(__file__).parents[1] / "benchmarks" / "gate"

if not GATE.exists():
    pytest.skip("the benchmarks are not beside the tests", allow_module_level=True)
_spec = importlib.util.spec_from_file_location("gate_comparison", GATE / "comparison.py")
gate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(gate)

NUMBERS = {"picture": "1234abcd", "iterations": 50, "peak_bytes": 1000, "instructions": 2000}


def complaints_about(counted=True, **changed):
    return gate.complaints({"net, cg": NUMBERS}, {"net, cg": {**NUMBERS, **changed}}, counted=counted)


def test_equal_numbers_pass():
    assert complaints_about() == []


@pytest.mark.parametrize(("metric", "least", "most"), [("iterations", 49, 51), ("peak_bytes", 980, 1020)])
def test_two_percent_pass(metric, least, most):
    assert complaints_about(**{metric: least}) == []
    assert complaints_about(**{metric: most}) == []


@pytest.mark.parametrize(("metric", "number"), [("iterations", 52), ("peak_bytes", 1021), ("instructions", 2041)])
def test_worse_fails(metric, number):
    (line,) = complaints_about(**{metric: number})
    assert line.startswith(f"net, cg, {metric}: {NUMBERS[metric]:,} -> {number:,}")
    assert "worse" in line


@pytest.mark.parametrize(("metric", "number"), [("iterations", 48), ("peak_bytes", 979), ("instructions", 1959)])
def test_better_asks_for_an_update(metric, number):
    (line,) = complaints_about(**{metric: number})
    assert line.startswith(f"net, cg, {metric}: {NUMBERS[metric]:,} -> {number:,}")
    assert "better" in line
    assert line.endswith("make gate-update")


def test_from_nothing_to_something_is_worse():
    table, found = ({"net": {**NUMBERS, "iterations": n}} for n in (0, 3))
    (line,) = gate.complaints(table, found)
    assert "0 -> 3, worse" in line


def test_every_difference_has_its_line():
    assert len(complaints_about(iterations=90, peak_bytes=10)) == 2


def test_a_case_that_only_one_side_has():
    assert gate.complaints({}, {"net": NUMBERS}) == ["net: not in the table: make gate-update"]
    (line,) = gate.complaints({"net": NUMBERS}, {})
    assert line == "net: in the table, but no longer among the cases: make gate-update"


def test_a_number_that_only_one_side_has():
    fewer = {key: value for key, value in NUMBERS.items() if key != "peak_bytes"}
    (line,) = gate.complaints({"net": fewer}, {"net": NUMBERS})
    assert line == "net, peak_bytes: not in the table: make gate-update"
    (line,) = gate.complaints({"net": NUMBERS}, {"net": fewer})
    assert line == "net, peak_bytes: in the table, but no longer found: make gate-update"


def test_numbers_of_another_picture_are_not_compared():
    (line,) = complaints_about(picture="0", iterations=500)
    assert "picture" in line


def test_instructions_are_left_out_without_valgrind_or_with_another_compiler():
    table = {"compiler": "GNU 12.2.0", "simd": "v3"}
    assert gate.why_not_counted(dict(table), table, has_valgrind=True) is None
    assert "valgrind" in gate.why_not_counted(table, table, has_valgrind=False)
    for other in ({**table, "compiler": "Clang 19.1.0"}, {**table, "simd": "baseline"}):
        reason = gate.why_not_counted(other, table, has_valgrind=True)
        assert all(word in reason for word in (*other.values(), *table.values()))
    found = {key: value for key, value in NUMBERS.items() if key != "instructions"}
    assert gate.complaints({"net": NUMBERS}, {"net": found}, counted=False) == []
    (line,) = gate.complaints({"net": NUMBERS}, {"net": {**found, "iterations": 60}}, counted=False)
    assert "iterations" in line


def test_an_update_keeps_instructions_that_cannot_be_counted_here():
    found = {"net": {"picture": "1234abcd", "iterations": 40}, "new": {"picture": "0"}}
    new = gate.merged({"net": NUMBERS, "old": NUMBERS}, found)
    assert new == {"net": {"picture": "1234abcd", "iterations": 40, "instructions": 2000}, "new": {"picture": "0"}}
    counted = {"net": {**found["net"], "instructions": 7}}
    assert gate.merged({"net": NUMBERS}, counted) == counted


def test_the_table_is_complete():
    table = json.loads((GATE / "table.json").read_text())
    assert set(table["build"]) == {"compiler", "simd"}
    for numbers in table["cases"].values():
        assert {"picture", "allocated_bytes"} <= set(numbers)
