"""A hundred cases of bad input: each a clear error, rows set aside by name, or a correct read; never silent loss."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets_tests.bad_input.case import Accepted, Case, Found, Quarantined, Refused
from training_assets_tests.bad_input.cases import CASES
from training_assets_tests.bad_input.outcome import Outcome, outcome
from training_assets_tests.conftest import ROOT

SECONDS = 10
# Their memory is measured, in a process of their own.
BOMBS = [case for case in CASES if case.number in {75, 77, 91}]
# What a file name that is unsafe to show is called instead.
ANY_NAME = "file name"


def test_the_table_has_a_hundred_cases() -> None:
    assert sorted({case.number for case in CASES}) == list(range(1, 101))
    titles = [case.title for case in CASES]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("case", [case for case in CASES if case not in BOMBS], ids=lambda case: case.title)
def test_bad_input_gets_what_the_table_says(case: Case, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    case.put(tmp_path / "in")
    started = time.monotonic()
    found = outcome(case.spec, tmp_path)
    assert time.monotonic() - started < SECONDS
    if found.error is not None:
        is_fit_for_a_user(found.error)
    match case.expected:
        case Refused():
            is_refused(found, case.expected)
        case Quarantined():
            sets_rows_aside(found, case.expected)
        case Accepted():
            reads_all(found, case.expected)
        case Found():
            is_found(found, case.expected)


def is_fit_for_a_user(error: InputError) -> None:
    message = str(error)
    assert message.isprintable()
    assert len(message) < 2000
    assert "rows" in message or ANY_NAME in message


def is_refused(found: Outcome, expected: Refused) -> None:
    assert found.error is not None, found
    assert found.error.code == expected.code, found.error
    assert [words for words in expected.says if words not in found.error.text] == [], found.error


def sets_rows_aside(found: Outcome, expected: Quarantined) -> None:
    assert found.error is None
    lines = found.quarantined.group_by("column", "rule").agg(pl.col("_row").sort())
    assert {f"{column}: {rule}": tuple(rows) for column, rule, rows in lines.rows()} == dict(expected.rows)
    assert all(value is None or (value.isprintable() and len(value) <= 100) for value in found.quarantined["value"])
    aside = set(found.quarantined["_row"])
    assert found.rows["_row"].to_list() == [row for row in range(1, 41) if row not in aside]


def reads_all(found: Outcome, expected: Accepted) -> None:
    assert found.error is None, found.error
    assert found.quarantined.height == 0
    for name, values in expected.begins.items():
        assert found.rows[name].head(len(values)).to_list() == values


def is_found(found: Outcome, expected: Found) -> None:
    assert found.error is None, found.error
    claims = {finding.claim: finding for finding in found.findings}
    finding = claims[expected.claim]
    assert finding.passed == expected.holds, finding
    assert finding.severity == expected.severity
    assert [words for words in expected.says if words not in finding.text] == [], finding.text
    assert len(finding.text) < 2000
    assert finding.text.isprintable()


def reading_in_its_own_process(case: Case, folder: Path) -> dict[str, Any]:
    """What became of a case, and the most memory (bytes) that the reading process and its child had."""
    (folder / "in").mkdir()
    case.put(folder / "in")
    number = CASES.index(case)
    code = (
        "import json, time\nfrom pathlib import Path\nfrom training_assets.core.ingestion import guarded\n"
        "from training_assets_tests.bad_input.cases import CASES\n"
        "from training_assets_tests.bad_input.outcome import outcome\n"
        "def peak(process):\n"
        "    lines = Path(f'/proc/{process}/status').read_text().splitlines()\n"
        "    return max(int(line.split()[1]) for line in lines if line.startswith('VmHWM')) * 1024\n"
        "before = peak('self')\n"
        "started = time.monotonic()\n"
        f"found = outcome(CASES[{number}].spec, Path({str(folder)!r}))\n"
        "child = guarded._READER.process\n"
        "print(json.dumps({'code': found.error.code, 'text': found.error.text, 'own': peak('self') - before,"
        " 'child': peak(child) if child else 0, 'seconds': time.monotonic() - started}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


@pytest.mark.parametrize("case", BOMBS, ids=lambda case: case.title)
def test_a_bomb_is_refused_and_takes_little_memory(case: Case, tmp_path: Path) -> None:
    found = reading_in_its_own_process(case, tmp_path)
    error = InputError(found["code"], found["text"])
    is_fit_for_a_user(error)
    assert isinstance(case.expected, Refused)
    is_refused(Outcome(error), case.expected)
    assert found["seconds"] < SECONDS
    size = sum(path.stat().st_size for path in (tmp_path / "in").iterdir())
    assert found["own"] < 3 * size + (64 << 20)
    assert found["child"] < 1 << 30
