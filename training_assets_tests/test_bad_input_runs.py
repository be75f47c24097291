"""Bad files among good ones in whole runs: the good are taken, the bad named with their code, nothing half-written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from training_assets.spec import ModelSpec
from training_assets_tests.bad_input.case import Case, Quarantined, Refused, sound
from training_assets_tests.bad_input.cases import CASES
from training_assets_tests.bad_input.files import WHOLE
from training_assets_tests.workplace import LONG_AGO, MODEL, Workplace, failed_checks, failures, metadata_of, workplace

STAGES = ("raw_data", "validated_data", "quarantined_rows")
REFUSED = ["short row", "latin-1 body", "gzip in .csv", "parquet truncated at 50%", "truncated gzip", "column missing"]


def named(words: str) -> Case:
    (case,) = (case for case in CASES if case.words == words)
    return case


def landed(root: Path, case: Case, data: bytes) -> ModelSpec:
    """A good file and the bad one, both at rest; the spec that reads them."""
    (root / "in").mkdir()
    case.put(root / "in")
    good = root / "in" / f"good{Path(case.name).suffix}"
    good.write_bytes(data)
    for path in (root / "in").iterdir():
        if path.is_file():
            os.utime(path, (LONG_AGO, LONG_AGO))
    return case.spec


def is_whole(place: Workplace, table: str, batches: int) -> str:
    """One table of a name, with so many batches, and no data file that its log does not know."""
    (folder,) = (place.places.home / "tables" / MODEL).glob(f"{table}-*")
    tables = place.places.tables
    known = tables.batches(MODEL, folder.name)
    assert len(known) == batches
    written = {path.parent.name.partition("=")[2] for path in folder.rglob("*.parquet")}
    assert written == set(known)
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]
    return folder.name


@pytest.mark.parametrize("words", REFUSED)
def test_a_refused_file_is_named_with_its_code_beside_the_good_one(words: str, tmp_path: Path) -> None:
    case = named(words)
    assert isinstance(case.expected, Refused)
    packed = case.source.get("compression") == "gzip"
    good = WHOLE if case.source.get("format") == "parquet" else named("gzip, declared").data if packed else sound()
    assert isinstance(good, bytes)
    if words == "column missing":
        good = good.replace(b"\n", b",x\n").replace(b"label,x", b"label,city", 1)
    with workplace(tmp_path / "place") as made:
        place = Workplace(made.root, made.instance, landed(made.root, case, good))
        result = place.materialise(*STAGES)
        assert "files_are_readable" in failed_checks(result)
        check = next(each for each in result.get_asset_check_evaluations() if each.check_name == "files_are_readable")
        assert case.expected.code in str(check.description)
        assert case.name in str(check.description)
        table = is_whole(place, "raw_data", batches=1)
        assert place.places.tables.rows(MODEL, table) == 40
        refused = [event.data for event in place.places.ledger.events(MODEL, "batch_refused")]
        assert [(line["name"], line["code"]) for line in refused] == [(case.name, case.expected.code)]
        assert metadata_of(result, "raw_data")["refused"] is not None


def test_a_batch_with_too_many_broken_rows_is_refused_whole_and_its_rows_are_kept_aside(tmp_path: Path) -> None:
    case = named("1e400, 1e-400")
    assert isinstance(case.expected, Quarantined)
    with workplace(tmp_path / "place") as made:
        spec = landed(made.root, case, sound())
        validation = {**spec.validation.model_dump(mode="json"), "max_quarantined": 0.01}
        place = Workplace(made.root, made.instance, spec).with_spec(validation=validation)
        result = place.materialise(*STAGES)
        assert "rows_obey_schema" in failed_checks(result)
        check = next(each for each in result.get_asset_check_evaluations() if each.check_name == "rows_obey_schema")
        assert all(words in str(check.description) for words in ("rows.csv", "income: range 2"))
        is_whole(place, "raw_data", batches=2)
        table = is_whole(place, "validated_data", batches=1)
        assert place.places.tables.rows(MODEL, table) == 40
        aside = is_whole(place, "quarantined_rows", batches=1)
        rows = place.places.tables.read(MODEL, aside, place.places.tables.batches(MODEL, aside))
        assert rows.select("_row", "column", "rule").rows() == [(1, "income", "range"), (2, "income", "range")]


@pytest.mark.parametrize("words", ["file is a FIFO", "file name with newline", "file is a symlink out of the folder"])
def test_what_is_no_file_of_rows_stops_the_run_at_once_and_nothing_is_written(words: str, tmp_path: Path) -> None:
    case = named(words)
    assert isinstance(case.expected, Refused)
    with workplace(tmp_path / "place") as made:
        place = Workplace(made.root, made.instance, landed(made.root, case, sound()))
        result = place.materialise(*STAGES)
        assert not result.success
        (said,) = failures(result)
        assert said.startswith(f"{case.expected.code}: ")
        assert "ws.csv" in said
        assert not (place.places.home / "tables" / MODEL).exists()
