"""No method may get worse on the suite, and one that got better shows it in the table."""

import copy
import json

import quality


def test_no_method_is_worse_and_the_table_is_up_to_date():
    worse, better = quality.judged(json.loads(quality.TABLE.read_text()), quality.measured())
    assert not worse, "worse than tests/quality_table.json says"
    assert not better, "better than tests/quality_table.json says: run make quality-update and commit the table"


def test_the_gate_sees_its_margin():
    table = json.loads(quality.TABLE.read_text())
    assert quality.judged(table, table) == ([], [])
    found = copy.deepcopy(table)
    found["best"]["sad"] *= 1 + 1.1 * quality.MARGIN
    found["sampling"]["mse"] *= 1 - 1.1 * quality.MARGIN
    found["closed-form"]["gradient"] *= 1 + 0.9 * quality.MARGIN
    worse, better = quality.judged(table, found)
    assert [line.split(":")[0] for line in worse] == ["best"]
    assert [line.split(":")[0] for line in better] == ["sampling"]
    assert f"({110 * quality.MARGIN:+.2f} %)" in worse[0]
