"""A spec names where a secret lies; one that is written into it is refused, and never repeated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from training_assets.spec import ModelSpec
from training_assets_tests.project_copy import Copy

PLANTED = "hunter2planted"
URL = f"postgresql://user:{PLANTED}@host/database"
DATABASE = {"engine": "postgres", "query": "SELECT 1"}


def document(source: object) -> dict[str, Any]:
    return {
        "source": source,
        "columns": {"id": {"type": "integer"}, "label": {"type": "string"}},
        "target": {"column": "label", "task": "binary"},
    }


@pytest.mark.parametrize("reference", ["env:PG_URL", "file:secrets/url.txt", "file:/run/secrets/url"])
def test_a_reference_is_kept_as_it_is(reference: str) -> None:
    spec = ModelSpec.model_validate(document({"database": {**DATABASE, "url": reference}}))
    assert spec.source.database is not None
    assert spec.source.database.url == reference


@pytest.mark.parametrize(
    "source",
    [
        {"database": {**DATABASE, "url": URL}},
        {"database": {**DATABASE, "url": f"env:{URL}"}},
        {"database": {**DATABASE, "url": {"value": URL}}},
        {"database": {**DATABASE, "uri": URL}},
        {"database": {**DATABASE, "path": URL}},
        {"database": {**DATABASE, "url": "env:X", "password": PLANTED}},
        {"database": {**DATABASE, "engine": URL}},
        {"database": URL},
        {"url": URL},
        {"path": "s3://bucket/a.csv", "format": "csv", "store": {"secret_key": PLANTED}},
        {"path": "s3://bucket/a.csv", "format": "csv", "store": PLANTED},
        [URL],
    ],
)
def test_a_literal_secret_is_refused_and_not_repeated(source: object) -> None:
    for validate in (ModelSpec.model_validate, TypeAdapter(ModelSpec).validate_python):
        with pytest.raises(ValidationError) as caught:
            validate(document(source))
        chain: list[BaseException] = [caught.value]
        while chain:
            error = chain.pop()
            assert PLANTED not in f"{error} {error!r}"
            chain += [each for each in (error.__cause__, error.__context__) if each is not None]
        assert PLANTED not in str(caught.value.errors())


def test_a_project_with_a_literal_secret_says_where_it_is_and_not_what(tmp_path: Path) -> None:
    project = Copy(tmp_path / "project")
    spec = project.spec("leaking")
    spec.parent.mkdir()
    spec.write_text(
        "type: training_assets.TrainingPipeline\n\nattributes:\n  source:\n    database:\n      engine: postgres\n"
        f"      url: {URL}\n      query: SELECT 1\n  columns: {{id: {{type: integer}}, label: {{type: string}}}}\n"
        "  target: {column: label, task: binary}\n"
    )
    said = project("status", status=2)
    assert "source.database.url at" in said
    assert "defs.yaml:7" in said
    assert "env:NAME" in said
    assert PLANTED not in said
    code = (
        "from training_assets.definitions import defs; defs()"  # as Dagster's code server does, which logs what it gets
    )
    served = subprocess.run([sys.executable, "-c", code], cwd=project.root, capture_output=True, text=True, check=False)
    assert served.returncode == 1
    assert "a secret is named, never written" in served.stderr
    assert PLANTED not in served.stdout + served.stderr
    written = [path for path in project.root.rglob("*") if path.is_file() and path != spec]
    assert [path.name for path in written if PLANTED.encode() in path.read_bytes()] == []
