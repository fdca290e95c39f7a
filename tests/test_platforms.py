"""tools/check_platforms.py: what it says about bits, and that the page has the table of its records."""

import importlib.util
from array import array
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "check_platforms.py"

if not SCRIPT.exists():
    pytest.skip("the tools are not beside the tests", allow_module_level=True)
spec = importlib.util.spec_from_file_location("check_platforms", SCRIPT)
check_platforms = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_platforms)


def record(**bits):
    return {"compiler": "GNU 12", "tests": "62 passed", "bits": bits}


def test_the_page_has_the_table_of_the_records():
    records = check_platforms.recorded()
    page = check_platforms.PAGE.read_text(encoding="utf-8")
    assert check_platforms.updated(page, records) == page
    assert set(records) <= set(check_platforms.TARGETS)


def test_a_table_has_a_row_for_each_record():
    records = {"gcc": record() | {"bits": {}}, "arm64": record(network="3e-07", solver="same")}
    page = check_platforms.updated("before\n<!-- table platforms -->\n<!-- end -->\nafter", records)
    assert page.splitlines()[5:7] == [
        "| Linux x86-64, g++ | GNU 12 | 62 passed | - |",
        "| Linux arm64, g++ and QEMU | GNU 12 | 62 passed | 1 of 2 parts the same; network 3e-07 |",
    ]
    assert check_platforms.updated(page, records) == page


def test_a_difference_is_relative_to_the_largest_number(tmp_path):
    for name, found in (("a", [1.0, -8.0]), ("b", [1.0, -8.0]), ("c", [3.0, -8.0]), ("d", [1.0])):
        (tmp_path / name).write_bytes(array("d", found).tobytes())
    assert check_platforms.difference(tmp_path / "b", tmp_path / "a") == "same"
    assert check_platforms.difference(tmp_path / "c", tmp_path / "a") == "2e-01"
    assert check_platforms.difference(tmp_path / "d", tmp_path / "a") == "1 numbers, not 2"


@pytest.mark.parametrize(
    ("found", "worse"),
    [("same", []), ("3e-07", []), ("2e-05", ["arm64: network: expected 3e-07, got 2e-05"])],
)
def test_more_than_ten_times_the_known_difference_is_refused(found, worse):
    wanted = record(network="3e-07", solver="same")
    assert check_platforms.complaints("arm64", record(network=found, solver="same"), wanted) == worse


def test_a_part_that_was_the_same_must_stay_so():
    (complaint,) = check_platforms.complaints("arm64", record(solver="1e-16"), record(solver="same"))
    assert complaint == "arm64: solver: expected same, got 1e-16"
    (complaint,) = check_platforms.complaints("arm64", record(solver="2 numbers, not 3"), record(solver="1e-16"))
    assert complaint == "arm64: solver: expected 1e-16, got 2 numbers, not 3"
