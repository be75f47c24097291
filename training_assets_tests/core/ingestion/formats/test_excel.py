"""One sheet of a workbook: exact text cells, or a refusal that names sheet and row."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.formats import compression
from training_assets.core.ingestion.formats.excel import excel_rows, open_excel, sheets_of
from training_assets.spec import Column

SHEET = "xl/worksheets/sheet1.xml"


def book(*rows: Sequence[Any], sheets: Sequence[str] = ("rows",), merge: str | None = None) -> bytes:
    made = openpyxl.Workbook()
    made.active.title = sheets[0]
    for row in rows:
        made.active.append(row)
    if merge:
        made.active.merge_cells(merge)
    for name in sheets[1:]:
        made.create_sheet(name).append(["b"])
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def with_cells(cells: str) -> bytes:
    """A workbook whose sheet has these rows, as XML."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(["a"]))) as archive, zipfile.ZipFile(buffer, "w") as anew:
        for name in archive.namelist():
            text = archive.read(name)
            if name == SHEET:
                before, begin, rest = text.partition(b"<sheetData>")
                text = before + begin + cells.encode() + rest[rest.index(b"</sheetData>") :]
            anew.writestr(name, text)
    return buffer.getvalue()


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">' + "".join(cells) + "</row>"


def text(place: str, value: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


def refusal(data: bytes, sheet: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        open_excel(data, sheet, "rows.xlsx")
    assert "rows.xlsx" in str(caught.value)
    assert len(str(caught.value)) < 2000
    return caught.value


def test_cells_are_text() -> None:
    noon = dt.datetime(2024, 2, 29, 12, 30, 1)  # noqa: DTZ001 -- Excel knows no zone
    data = book(
        ["n", "x", "text", "yes", "day", "at", "time"],
        [1, 1.5, "007", True, dt.date(2024, 2, 29), noon, dt.time(12, 30)],
        [-2, 1e-7, " é,\n", False, None, None, None],
    )
    name, rows = open_excel(data, None, "rows.xlsx")
    assert name == "rows"
    assert rows.columns == ["n", "x", "text", "yes", "day", "at", "time"]
    assert rows.rows() == [
        ("1", "1.5", "007", "true", "2024-02-29 00:00:00", "2024-02-29 12:30:01", "12:30:00"),
        ("-2", "0.0000001", " é,\n", "false", None, None, None),
    ]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53), min_size=1))
def test_numbers_keep_all_their_digits(numbers: list[float]) -> None:
    cells = row(1, text("A1", "x"), text("B1", "word"))
    for at, number in enumerate(numbers, start=2):
        cells += row(at, f'<c r="A{at}"><v>{number!r}</v></c>', text(f"B{at}", repr(number)))
    cells += row(len(numbers) + 2, text(f"A{len(numbers) + 2}", "NA"))
    rows = open_excel(with_cells(cells), None, "rows.xlsx")[1]
    assert [float(cell) for cell in rows["x"][:-1]] == [float(number) for number in numbers]
    assert rows["word"][:-1].to_list() == [repr(number) for number in numbers]
    assert rows["x"][-1] == "NA"


def test_the_sheet_is_chosen_by_name() -> None:
    data = book(["a"], [1], sheets=("rows", "notes"))
    assert sheets_of(data, "rows.xlsx") == ["rows", "notes"]
    assert open_excel(data, "rows", "rows.xlsx")[1]["a"].to_list() == ["1"]
    found = refusal(data)
    assert found.code == "E_SHEET"
    assert "name the sheet of the rows under source.sheet: 'rows', 'notes'" in found.text
    assert "has no sheet 'row'" in refusal(data, "row").text


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (book(["a", "b"], [1, 2], [None, None], [3, 4]), "E_BLANK_LINE", "sheet 'rows', row 3"),
        (book([None, None], ["a", "b"], [1, 2]), "E_BLANK_LINE", "row 1"),
        (book(["a", "b"], [1, 2], merge="A2:B2"), "E_MERGED", "merged cells"),
        (book(["a", "b"], [1, "=A2+1"]), "E_FORMULA", "row 2 has a formula without a result"),
        (book(["a", "b"], [1, "#N/A"]), "E_TYPE", "row 2, column 2"),
        (book(["a", None], [1, 2]), "E_COLUMN_NAME", "column 2"),
        (book(["a", "a"], [1, 2]), "E_DUP_COLUMN", "columns 1 and 2"),
        (book(["a", "b"]), "E_NO_ROWS", "only a header"),
        (book(), "E_EMPTY", "empty"),
        (b"a,b\n1,2\n", "E_MAGIC", "no Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "E_MAGIC", "an old Excel workbook"),
        (book(["a"], [1])[:-30], "E_CORRUPT", "damaged"),
        (with_cells(row(2, text("A2", "a")) + row(1, text("A1", "1"))), "E_CORRUPT", "row 1 follows row 2"),
        (with_cells(row(1, text("B1", "a"), text("A1", "b"))), "E_CORRUPT", "out of place"),
        (with_cells(row(1, text("A2", "a"))), "E_CORRUPT", "out of place"),
        (with_cells(row(1, text("A1", "a")) + row(2, '<c r="A2"><v>1,5</v></c>')), "E_CORRUPT", "is no n"),
        (with_cells(row(1, '<c r="A1"><v>1</v><v>2</v></c>')), "E_CORRUPT", "two values"),
        (with_cells(row(1, text("A1", "a")) + "stray"), "E_CORRUPT", "outside of its cells"),
        (with_cells(row(1, text("A1", "a")).replace("</c>", "")), "E_CORRUPT", "mismatched tag"),
    ],
)
def test_what_is_no_plain_sheet_is_refused(data: bytes, code: str, words: str) -> None:
    found = refusal(data)
    assert found.code == code
    assert words in found.text


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "HARMLESS_BYTES", 1 << 20)
    buffer = io.BytesIO(book(["a"], [1]))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/picture.png", b"0" * (4 << 20))
    assert refusal(buffer.getvalue()).code == "E_RATIO"


def test_entities_are_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(["a"], [1]))) as archive, zipfile.ZipFile(buffer, "w") as anew:
        for name in archive.namelist():
            body = archive.read(name)
            anew.writestr(name, b'<!DOCTYPE x [<!ENTITY e "1">]>' + body if name == SHEET else body)
    assert "document type" in refusal(buffer.getvalue()).text


def test_dates_need_a_format_that_says_midnight() -> None:
    data = book(["day", "y"], [dt.date(2024, 2, 29), "a"])
    columns = {"day": Column(type="date"), "y": Column(type="string")}
    with pytest.raises(InputError, match=r"E_TYPE: .*columns.day.format to '%Y-%m-%d 00:00:00'"):
        excel_rows(data, None, columns, "rows.xlsx")
    columns["day"] = Column(type="date", format="%Y-%m-%d 00:00:00")
    assert excel_rows(data, None, columns, "rows.xlsx").rows() == [("2024-02-29 00:00:00", "a")]
