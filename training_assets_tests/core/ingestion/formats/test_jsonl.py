"""JSON lines: one object a line, every cell as it is written, or a refusal with the line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.formats import jsonl
from training_assets.core.ingestion.formats.jsonl import open_jsonl

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
CELLS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS


def refusal(data: str | bytes, names: list[str] | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        open_jsonl(data.encode() if isinstance(data, str) else data, "rows.jsonl", names)
    assert "rows.jsonl" in str(caught.value)
    assert len(str(caught.value)) < 2000
    assert str(caught.value).isprintable()
    return caught.value


def test_cells_are_the_text_that_is_written() -> None:
    text = '{"a": 1.50, "b": "x"}\n{"b": "", "a": 1e5}\r\n{"a": null, "b": true}\n'
    text += '{"a": NaN}\n{"a": 0.10000000000000000001}\n'
    rows = open_jsonl(text.encode(), "rows.jsonl", ["b", "a"])
    assert rows.columns == ["b", "a"]
    assert rows.rows() == [
        ("x", "1.50"),
        ("", "1e5"),
        ("true", None),
        (None, "NaN"),
        (None, "0.10000000000000000001"),
    ]


def test_without_names_every_key_is_a_column() -> None:
    rows = open_jsonl(b'\xef\xbb\xbf{"a": 1}\n{"b": 2, "a": 3}', "rows.jsonl")
    assert rows.to_dict(as_series=False) == {"a": ["1", "3"], "b": [None, "2"]}


def test_columns_that_appear_late_are_null_above(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "AT_A_TIME", 2)
    text = "".join(f'{{"a": {at}}}\n' for at in range(5)) + '{"b": "x"}\n'
    rows = open_jsonl(text.encode(), "rows.jsonl")
    assert rows["a"].to_list() == ["0", "1", "2", "3", "4", None]
    assert rows["b"].to_list() == [None] * 5 + ["x"]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "ü"]), CELLS), min_size=1), st.booleans())
def test_what_a_writer_wrote_is_read_back(rows: list[dict[str, object]], ascii_only: bool) -> None:
    data = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows).encode()
    read = open_jsonl(data, "rows.jsonl", ["a", "b", "ü"])
    assert read.height == len(rows)
    for cells, row in zip(read.iter_rows(named=True), rows, strict=True):
        for name, cell in cells.items():
            value = row.get(name)
            if value is None or isinstance(value, str):
                assert cell == value
            else:
                assert json.loads(str(cell)) == value


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('{"a": 1}\n\n{"a": 2}\n', "E_BLANK_LINE", "line 2"),
        ('{"a": 1}\n{"a": 1, "a": 2}\n', "E_DUP_COLUMN", "line 2: the key 'a' is there twice"),
        ('{"a": [1]}\n', "E_TYPE", "line 1: the value of 'a' is a list"),
        ('{"a": {"b": 1}}\n', "E_TYPE", "is an object"),
        ('{"a": 1}\n{"a": 1', "E_JSON", "line 2: not one JSON object"),
        ('{"a": 1}{"a": 2}\n', "E_JSON", "line 1"),
        ('{"a": 01}\n', "E_JSON", "line 1"),
        ('{"a": 1,}\n', "E_JSON", "line 1"),
        ("{'a': 1}\n", "E_JSON", "line 1"),
        ("5\n", "E_JSON", "no JSON object"),
        ('{"a": 1}\n"b"\n', "E_JSON", "line 2: no JSON object"),
        ('[{"a": 1}]\n', "E_JSON", "one JSON list"),
        ('{"a": "\\u0000"}\n', "E_NUL", "NUL"),
        ('{"a": "\\ud800"}\n', "E_ENCODING", "surrogate"),
        ('{"a": ' + "[" * 100_000 + "\n", "E_JSON", "RecursionError"),
        ('{"_a": 1}\n', "E_NAME", "starts with '_'"),
        ('{"a": 1}\n{"A": 1}\n', "E_DUP_COLUMN", "case"),
        ("{}\n", "E_NO_ROWS", "no keys"),
        ("", "E_EMPTY", "empty"),
    ],
)
def test_what_is_no_row_is_refused_with_its_line(text: str, code: str, words: str) -> None:
    found = refusal(text)
    assert found.code == code
    assert words in found.text


def test_other_keys_than_the_specs_are_refused_with_the_line() -> None:
    found = refusal('{"age": 1}\n{"aeg": 2}\n', ["age", "y"])
    assert found.code == "E_SCHEMA"
    assert "line 2: the key 'aeg' is not in the spec (did you mean 'age'?)" in found.text


def test_spellings_of_one_key_in_unicode_are_one_column() -> None:
    rows = open_jsonl('{"gro\u0308\u00dfe": 1}\n{"gr\u00f6\u00dfe": 2}\n'.encode(), "rows.jsonl", ["größe"])
    assert rows["größe"].to_list() == ["1", "2"]
    assert refusal('{"gro\u0308\u00dfe": 1, "gr\u00f6\u00dfe": 2}\n', ["größe"]).code == "E_DUP_COLUMN"


def test_long_lines_values_and_bad_bytes_are_refused() -> None:
    assert refusal('{"a": "' + "x" * 70_000 + '"}\n').code == "E_FIELD_SIZE"
    assert refusal('{"a": "' + "x" * 1_100_000 + '"}\n').code == "E_LINE_SIZE"
    assert refusal(b'{"a": 1}\n{"a": "\xff"}\n').code == "E_ENCODING"
    assert "line 2" in refusal(b'{"a": 1}\n{"a": "\xff"}\n').text
    assert refusal('{"a": 1}\n'.encode("utf-16")).code == "E_ENCODING"
    assert refusal("{" + ",".join(f'"c{at}": 1' for at in range(2100)) + "}\n").code == "E_WIDTH"
