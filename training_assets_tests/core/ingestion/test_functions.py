"""A function of the project is a source: its version is read once, and nothing it says of its secrets is repeated."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.content import content_digest
from training_assets.core.ingestion.deliveries import Delivery, Reader
from training_assets.core.ingestion.functions import open_function
from training_assets.spec import ModelSpec

COLUMNS = {"id": {"type": "integer", "role": "key"}, "x": {"type": "number"}, "label": {"type": "string"}}


def written(root: Path, body: str, name: str | None = None) -> str:
    """Write a module that no other test has the name of; gives the name."""
    module = name or f"made_{root.name.replace('-', '_')}"
    (root / f"{module}.py").write_text(textwrap.dedent(body))
    return module


def reader(root: Path, reference: str) -> Reader:
    document = {
        "source": {"function": reference},
        "columns": COLUMNS,
        "target": {"column": "label", "task": "binary"},
    }
    return open_function(reference, ModelSpec.model_validate(document), root)


def deliveries(root: Path, body: str, position: str | None = None) -> list[Delivery]:
    return list(reader(root, f"{written(root, body)}:rows").deliveries(position))


def refusal(root: Path, body: str, position: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        deliveries(root, body, position)
    assert len(str(caught.value)) < 2000
    return caught.value


@pytest.mark.parametrize(
    "table",
    [
        "pl.DataFrame(ROWS)",
        "pl.LazyFrame(ROWS)",
        "pd.DataFrame(ROWS, index=[7, 8])",
        "pa.table(ROWS)",
        "pa.table(ROWS).to_reader()",
        "pa.record_batch(ROWS)",
    ],
)
def test_rows_of_every_kind_of_table_are_read(tmp_path: Path, table: str) -> None:
    body = f"""
        import pandas as pd, polars as pl, pyarrow as pa
        ROWS = {{"label": ["a", "b"], "id": [1, 2], "x": [0.5, None]}}
        def rows():
            return "2026-03", {table}
    """
    (delivery,) = deliveries(tmp_path, body)
    assert delivery.rows.rows() == [(1, 0.5, "a"), (2, None, "b")]
    assert delivery.name.endswith(":rows, version 2026-03")
    assert delivery.digest == content_digest(delivery.rows)
    kept = json.loads(delivery.position)
    assert (kept["version"], kept["digest"]) == ("2026-03", delivery.digest)


COUNTED = """
    from pathlib import Path
    import polars as pl
    def rows():
        version, number = Path(__file__).with_name("now.txt").read_text().split()
        return version, pl.DataFrame({"id": [int(number)], "x": [1], "label": ["a"]})
"""


def test_a_version_is_read_once_and_never_with_other_rows(tmp_path: Path) -> None:
    source = reader(tmp_path, f"{written(tmp_path, COUNTED)}:rows")
    now = tmp_path / "now.txt"
    now.write_text("one 1")
    (one,) = source.deliveries(None)
    assert list(source.deliveries(one.position)) == []
    now.write_text("two 2")
    (two,) = source.deliveries(one.position)
    assert two.rows["id"].to_list() == [2]
    for version in ("one", "two"):
        now.write_text(f"{version} 3")
        with pytest.raises(InputError, match="E_VERSION") as caught:
            list(source.deliveries(two.position))
        assert f"version {version} was read before with other rows" in caught.value.text
    now.write_text("one 1")
    assert list(source.deliveries(two.position)) == []


def test_no_sensor_calls_a_function(tmp_path: Path) -> None:
    source = reader(tmp_path, f"{written(tmp_path, 'raise SystemExit')}:rows")
    assert source.news(None) is None


def test_decimals_and_other_types_are_fitted_or_refused(tmp_path: Path) -> None:
    body = """
        import polars as pl
        def rows():
            frame = pl.DataFrame({"id": ["1"], "x": ["0.1"], "label": ["a"]})
            return "1", frame.with_columns(pl.col("id").cast(pl.UInt64), pl.col("x").cast(pl.Decimal(10, 2)))
    """
    (delivery,) = deliveries(tmp_path, body)
    assert delivery.rows.rows() == [(1, 0.1, "a")]


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("def rows(): return None", "E_FUNCTION", "returned NoneType; return (version, rows)"),
        ("def rows(): return 1, None", "E_FUNCTION", "returned a version that is int"),
        ("def rows(): return '', None", "E_FUNCTION", "returned a version that is str"),
        ("def rows(): return 'v' * 201, None", "E_FUNCTION", "at most 200 characters"),
        ("def rows(): return '1', [1, 2]", "E_FUNCTION", "rows that are list; return a Polars"),
        ("def rows(): return '1', (x for x in 'ab')", "E_FUNCTION", "rows that are generator"),
        ("def other(): return None", "E_FUNCTION", "has no function rows"),
        ("rows = 3", "E_FUNCTION", "raised TypeError"),
        ("import polars as pl\ndef rows(): return '1', pl.DataFrame({'id': [1]})", "E_SCHEMA", "missing: 'x', 'label'"),
        (
            "import polars as pl\ndef rows(): return '1', pl.DataFrame({'id': ['u'], 'x': [1], 'label': ['a']})",
            "E_TYPE",
            "column 'id'",
        ),
        (
            "import pandas as pd\ndef rows(): return '1', pd.DataFrame({'id': [1, 'u'], 'x': 1, 'label': 'a'})",
            "E_FUNCTION",
            "pandas table that is not read",
        ),
    ],
)
def test_what_is_no_version_and_table_is_refused(tmp_path: Path, body: str, code: str, said: str) -> None:
    error = refusal(tmp_path, body)
    assert error.code == code
    assert said in error.text


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("raise RuntimeError(SECRET)", "RuntimeError"),
        ("sys.exit(SECRET)", "SystemExit"),
        ("pl.DataFrame({'a': [1]}).select(SECRET)", "ColumnNotFoundError"),
    ],
)
def test_what_a_function_raises_is_told_by_its_place_and_not_by_its_words(
    tmp_path: Path, statement: str, kind: str
) -> None:
    body = f"""
        import sys
        import polars as pl
        SECRET = "hunter2-planted"
        def rows():
            {statement}
    """
    error = refusal(tmp_path, body)
    assert error.code == "E_FUNCTION"
    assert f"raised {kind} at made_{tmp_path.name}.py, line 6" in error.text
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "hunter2" not in str(error)


def test_a_table_that_fails_while_it_is_read_is_told_like_the_function(tmp_path: Path) -> None:
    body = """
        import pyarrow as pa
        def batches():
            yield pa.record_batch({"id": [1], "x": [1.0], "label": ["a"]})
            raise RuntimeError("hunter2-planted")
        def rows():
            schema = pa.schema({"id": pa.int64(), "x": pa.float64(), "label": pa.string()})
            return "1", pa.RecordBatchReader.from_batches(schema, batches())
    """
    error = refusal(tmp_path, body)
    assert error.code == "E_FUNCTION"
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("reference", ["json:loads", "polars:read_csv", "os.path:join", "nowhere:rows", "site.x:rows"])
def test_only_functions_of_the_project_are_called(tmp_path: Path, reference: str) -> None:
    with pytest.raises(InputError, match=r"E_FUNCTION: source\.function: no "):
        reader(tmp_path, reference)


@pytest.mark.parametrize("folder", ["venv", "site-packages"])
def test_what_is_installed_below_the_root_is_not_the_project(tmp_path: Path, folder: str) -> None:
    package = tmp_path / folder
    package.mkdir()
    (package / "pyvenv.cfg").touch()
    (package / "rows.py").write_text("def rows(): return '1', None")
    (tmp_path / "linked.py").symlink_to("/etc/hostname")
    for reference in (f"{folder}.rows:rows".replace("-", "_"), "linked:rows"):
        with pytest.raises(InputError, match="E_FUNCTION"):
            reader(tmp_path, reference)


def test_a_module_of_the_same_name_elsewhere_is_not_called_instead(tmp_path: Path) -> None:
    name = written(tmp_path, "def rows(): return '1', None", "textwrap")
    with pytest.raises(InputError, match="textwrap is another module of that name"):
        list(reader(tmp_path, f"{name}:rows").deliveries(None))


def test_modules_in_packages_import_their_neighbours(tmp_path: Path) -> None:
    package = tmp_path / f"package_{tmp_path.name}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "made.py").write_text("import polars as pl\nROWS = pl.DataFrame({'id': [1], 'x': [1], 'label': ['a']})")
    (package / "source.py").write_text("from .made import ROWS\ndef rows(): return '1', ROWS")
    (delivery,) = reader(tmp_path, f"{package.name}.source:rows").deliveries(None)
    assert delivery.rows.height == 1


def test_empty_rows_are_left_out(tmp_path: Path) -> None:
    body = """
        import polars as pl
        def rows():
            return "1", pl.DataFrame(schema={"id": pl.Int64, "x": pl.Float64, "label": pl.String})
    """
    found: list[Any] = deliveries(tmp_path, body)
    assert found == []
