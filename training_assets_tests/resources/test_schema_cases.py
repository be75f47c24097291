"""A batch whose columns are not the committed ones opens a case with the differences, and closes it once answered."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.inference.own_columns import has_own_columns, own_rows
from training_assets.core.ingestion.discovery import BatchFile, identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.resources.cases import Case
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.schema_cases import close_answered, refused_at_reading
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import small_spec


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, tmp_path / "home")


def land(places: Places, rows: pl.DataFrame, name: str) -> BatchFile:
    path = places.root / name
    if path.suffix == ".parquet":
        rows.write_parquet(path)
    elif path.suffix == ".jsonl":
        rows.write_ndjson(path)
    else:
        rows.write_csv(path)
    (stamp,) = stamps(spec_of(path.suffix).source, places.root)
    return identify(stamp)


def spec_of(suffix: str) -> ModelSpec:
    formats = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl"}
    spec = small_spec({"x": "integer", "gone": "number", "y": {"type": "string"}})
    return ModelSpec.model_validate(
        {**spec.model_dump(mode="json"), "source": {"path": f"*{suffix}", "format": formats[suffix]}}
    )


def refused(places: Places, file: BatchFile, *, with_file: bool = True) -> Case | None:
    """The case of a file that reading refuses, as the asset asks for it."""
    spec = spec_of(file.path.suffix)
    with pytest.raises(InputError) as error:
        read_batch(file, spec)
    own = partial(own_rows, file, spec) if with_file and has_own_columns(spec) else None
    model = Model("churn", spec)
    return refused_at_reading(places, model, file.digest, file.name, error.value, run_id="run", own=own)


OTHER = pl.DataFrame({"x": [1, 2, 3], "fresh": [0.5, 1.5, 2.5], "y": ["a", "b", "a"]})


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.jsonl"])
def test_other_columns_open_a_case_with_the_exact_difference(places: Places, name: str) -> None:
    case = refused(places, land(places, OTHER, name))
    assert case is not None
    assert [(line["column"], line["was"], line["is"], line["first_row"]) for line in case.facts["changes"]] == [
        ("gone", "number", "missing", None),
        ("fresh", "not there", "number", 1),
    ]
    assert case.text.startswith(f"{name} differs from the committed schema: gone: was number, is missing")
    assert "training-assets schema churn" in case.text
    assert case.opened_in == "run"


def test_asking_again_is_one_case(places: Places) -> None:
    file = land(places, OTHER, "rows.csv")
    assert refused(places, file) == refused(places, file)
    assert len(places.reviews.cases("churn")) == 1


def test_without_the_file_the_refusal_itself_is_the_fact(places: Places) -> None:
    case = refused(places, land(places, OTHER, "rows.csv"), with_file=False)
    assert case is not None
    assert case.facts["changes"] == []
    assert "missing: 'gone'" in case.facts["reason"]


def test_a_file_that_is_broken_otherwise_is_no_question_about_the_schema(places: Places) -> None:
    (places.root / "rows.csv").write_text("x,gone,y\n1,2\n")
    (stamp,) = stamps(spec_of(".csv").source, places.root)
    assert refused(places, identify(stamp)) is None
    assert places.reviews.cases("churn") == []


def test_an_accepted_batch_and_one_that_is_gone_close_their_cases(places: Places) -> None:
    case = refused(places, land(places, OTHER, "rows.csv"))
    assert case is not None
    subject = case.subject
    assert close_answered(places, "churn", accepted=[], here=[subject], run_id="later") == []
    (closed,) = close_answered(places, "churn", accepted=[subject], here=[subject], run_id="later")
    assert (closed.state, closed.comment) == ("SUPERSEDED", "the batch is accepted under the present schema")
    assert refused(places, land(places, OTHER, "rows.csv")) != closed
    (gone,) = close_answered(places, "churn", accepted=[], here=[], run_id="later")
    assert (gone.state, gone.comment) == ("SUPERSEDED", "the batch was mended, taken away or retracted")


def test_a_person_s_no_stays(places: Places) -> None:
    case = refused(places, land(places, OTHER, "rows.csv"))
    assert case is not None
    places.reviews.decide(case, "REJECTED", actor="Ada", comment="ask the supplier")
    assert close_answered(places, "churn", accepted=[], here=[], run_id="later") == []
    again = refused(places, land(places, OTHER, "rows.csv"))
    assert again is not None
    assert (again.state, again.decided_by) == ("REJECTED", "Ada")
