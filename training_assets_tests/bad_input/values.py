"""Cases 37 to 71 and 84 to 88: cells that are not what their column says, names that are at home elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from training_assets_tests.bad_input.case import (
    COLUMNS,
    SEED,
    Accepted,
    Case,
    Expectation,
    Found,
    Quarantined,
    Refused,
    cells,
    sound,
    text,
)
from training_assets_tests.bad_input.structure import columns, renamed

WITH_NULLS = {"csv": {"null_values": ["", "NULL", "N/A", "nan", "None", "-"]}}
TEXT = text()


def typed(name: str, **rules: Any) -> dict[str, Any]:
    """The columns, one of them of another type or with other rules."""
    return {**COLUMNS, name: {**COLUMNS[name], **rules}}


def header_case(number: int, words: str, name: str, expected: Expectation, instead: str = "") -> Case:
    """A case of a column's name, that the spec names as well where it is to be read."""
    spec = renamed(name) if isinstance(expected, Accepted) else COLUMNS
    return Case(number, words, columns(plan=name), expected, columns=spec, instead=instead)


def labels(*values: str) -> bytes:
    """Sound rows with these labels in turn."""
    lines = TEXT.splitlines()
    return ("\n".join([lines[0], *(
        line.rsplit(",", 1)[0] + "," + values[at % len(values)] for at, line in enumerate(lines[1:])
    )]) + "\n").encode()  # fmt: skip


def births() -> bytes:
    """Rows with a day of birth, of which the second is later than what it says was seen."""
    lines = [f"c{at},{'2027' if at == 1 else '1999'}-01-01,{row[4]},{row[5]}" for at, row in enumerate(SEED)]
    return ("\n".join(["id,born,seen,label", *lines]) + "\n").encode()


def utc(hour: int) -> datetime:
    """An hour of one day, as the tables keep it: in UTC, without saying so."""
    return datetime(2026, 1, 1, hour, tzinfo=UTC).replace(tzinfo=None)


CLASSES = {"classes": ["no", "yes"]}
NUMBER_CASES = [
    Case(
        37,
        "2^63 in int column",
        cells("age", str(2**63)),
        Quarantined({"age: type": (1,)}),
        instead="one cell is no reason to lose the others; over the limit the batch is refused",
    ),
    Case(38, "400-digit int", cells("age", "9" * 400), Quarantined({"age: type": (1,)}), instead="as 37"),
    Case(39, "int64 min", cells("age", str(-(2**63))), Accepted({"age": [-(2**63), 21]})),
    Case(40, "float after 200 ints", cells("income", *["7"] * 39, "7.5"), Accepted({"income": [7.0] * 39 + [7.5]})),
    Case(41, "word after 200 ints", cells("age", *["7"] * 39, "seven"), Quarantined({"age: type": (40,)})),
    Case(
        42,
        "25-digit decimal",
        cells("income", "1234567890.123456789012345"),
        Accepted({"income": [1234567890.1234567]}),
    ),
    Case(
        43,
        "ids as floats > 2^53, as text",
        cells("id", "9007199254740993", "9007199254740992"),
        Accepted({"id": ["9007199254740993", "9007199254740992"]}),
    ),
    Case(
        43,
        "ids as floats > 2^53, as integers",
        cells("id", "9007199254740993", "9007199254740993.0", *map(str, range(38))),
        Quarantined({"id: type": (2,)}),
        columns=typed("id", type="integer"),
    ),
    Case(44, "inf / -inf", cells("income", "inf", "-inf"), Quarantined({"income: nonfinite": (1, 2)})),
    Case(45, "NaN literal", cells("income", "NaN"), Quarantined({"income: nonfinite": (1,)})),
    Case(46, '"Infinity"', cells("income", "Infinity", "-Infinity"), Quarantined({"income: nonfinite": (1, 2)})),
    Case(47, "1e400, 1e-400", cells("income", "1e400", "1e-400"), Quarantined({"income: range": (1, 2)})),
    Case(48, "denormal 5e-324", cells("income", "5e-324"), Accepted({"income": [5e-324]})),
    Case(49, "leading-zero id, as text", cells("id", "00123"), Accepted({"id": ["00123"]})),
    Case(
        49,
        "leading-zero id, as integer",
        cells("id", "00123", *map(str, range(200, 239))),
        Quarantined({"id: type": (1,)}),
        columns=typed("id", type="integer"),
    ),
    Case(49, "leading-zero quantity, as integer", cells("age", "007"), Accepted({"age": [7]})),
    Case(50, '"1,234" thousands', cells("income", "1,234", quote=True), Quarantined({"income: type": (1,)})),
    Case(
        51,
        "decimal comma",
        cells("income", *[f"{at},5" for at in range(40)], quote=True),
        Refused("E_DIALECT", ("'income'", "source.csv.decimal")),
    ),
    Case(
        51,
        "decimal comma, declared",
        cells("income", *[f"{at},5" for at in range(40)], quote=True),
        Accepted({"income": [0.5, 1.5]}),
        source={"csv": {"decimal": ","}},
    ),
    Case(52, "hex, +5, 1_000", cells("age", "0x1F", "+5", "1_000"), Quarantined({"age: type": (1, 3)})),
    Case(52, "+5", cells("age", "+5"), Accepted({"age": [5, 21]})),
    Case(53, "Arabic digits", cells("age", "٣٠"), Quarantined({"age: type": (1,)})),
    Case(53, "Arabic digits as a float", cells("income", "٣٠"), Quarantined({"income: type": (1,)})),
    Case(54, 'padded number " 30 "', cells("age", " 30 "), Quarantined({"age: type": (1,)})),
    Case(54, 'padded float " 30 "', cells("income", " 30 "), Quarantined({"income: type": (1,)})),
    Case(55, "NBSP number", cells("income", "\u00a030", "1\u00a0000"), Quarantined({"income: type": (1, 2)})),
    Case(
        56,
        "NULL, N/A, nan, None, - words",
        cells("age", "NULL", "N/A", "nan", "None", "-"),
        Quarantined({"age: type": (1, 2, 3, 4, 5)}),
    ),
    Case(
        56,
        "NULL, N/A, nan, None, - words, declared",
        cells("age", "NULL", "N/A", "nan", "None", "-"),
        Accepted({"age": [None, None, None, None, None, 25]}),
        source=WITH_NULLS,
    ),
]
LABEL_CASES = [
    Case(
        57,
        "yes/true/1 mixed labels",
        labels("yes", "true", "1", "no"),
        Found("label_is_balanced", "block", ("binary", "4 classes")),
    ),
    Case(
        57,
        "yes/true/1 mixed labels, classes declared",
        labels("yes", "no", "true", "no"),
        Quarantined({"label: label": tuple(range(3, 41, 4))}),
        target=CLASSES,
    ),
    Case(
        57,
        "yes/true/1 mixed labels in a boolean column",
        labels("true", "FALSE", "yes", "1"),
        Quarantined({"label: type": tuple(at for at in range(1, 41) if at % 4 in {3, 0})}),
        columns=typed("label", type="boolean"),
    ),
    Case(
        58,
        "label null",
        cells("label", ""),
        Quarantined({"label: label": (1,)}),
        instead="that row alone; where outcomes come late, target.missing says so",
    ),
    Case(58, "label null in all rows", labels(""), Found("rows_obey_schema", "block", ("rows.csv", "label 40"))),
    Case(
        58,
        "label null, declared to come later",
        cells("label", ""),
        Accepted({"label": ["yes"]}),
        target={"missing": "drop"},
    ),
    Case(59, "single-class label", labels("yes"), Found("label_is_balanced", "block", ("1 class",))),
    Case(
        59,
        "single-class label, classes declared",
        labels("yes"),
        Found("label_is_balanced", "block", ("1 class",)),
        target=CLASSES,
    ),
    Case(60, "new label class", labels("yes", "no", "maybe"), Found("label_is_balanced", "block", ("3 classes",))),
    Case(
        60,
        "new label class, classes declared",
        labels("yes", "no", "maybe"),
        Found("rows_obey_schema", "block", ("rows.csv", "label: label")),
        target=CLASSES,
        validation={"max_quarantined": 0.01},
    ),
]
EVIL = "<script>alert(1)</script>"
NAME_CASES = [
    Case(
        61,
        "formula cell `=cmd|…`",
        cells("plan", "=cmd|'/C calc'!A0"),
        Accepted({"plan": ["=cmd|'/C calc'!A0"]}),
        instead="the CSV of `score` holds keys as they came; what is shown is escaped (see test_markdown.py)",
    ),
    Case(
        62,
        "RTL override, zero-width in value",
        cells("plan", "pro\u202e", "ba\u200bsic"),
        Quarantined({"plan: unicode": (1, 2)}),
    ),
    header_case(63, "zero-width in column name", "pl\u200ban", Refused("E_COLUMN_NAME", ("column 4", "invisible"))),
    header_case(63, "homoglyph in column name", "pl\u0430n", Refused("E_COLUMN_NAME", ("column 4", "Cyrillic"))),
    Case(
        64,
        "NFC/NFD same category",
        cells("plan", "caf\u00e9", "cafe\u0301"),
        Accepted({"plan": ["caf\u00e9", "caf\u00e9"]}),
    ),
    Case(
        64,
        "NFC/NFD same label",
        labels("caf\u00e9", "cafe\u0301", "th\u00e9"),
        Accepted({"label": ["caf\u00e9", "caf\u00e9", "th\u00e9"]}),
    ),
    Case(
        65,
        "NFC/NFD same column",
        columns(plan="caf\u00e9", age="cafe\u0301"),
        Refused("E_DUP_COLUMN", ("columns 2 and 4",)),
    ),
    Case(66, "ANSI escapes in value", cells("plan", "\x1b[31mred"), Quarantined({"plan: control": (1,)})),
    header_case(66, "ANSI escapes in name", "\x1b[31mplan", Refused("E_CONTROL", ("column 4", "control"))),
    header_case(67, "`../../etc/passwd` as column", "../../etc/passwd", Refused("E_NAME", ("column 4", "folder"))),
    header_case(
        68, "SQL in column name", 'x"; DROP TABLE rows; --'.replace('"', ""), Refused("E_NAME", ("column 4", "SQL"))
    ),
    header_case(69, "`<script>` in column", EVIL, Refused("E_NAME", ("column 4", "tag"))),
    Case(69, "`<script>` in category", cells("plan", EVIL), Accepted({"plan": [EVIL]})),
    header_case(70, "column named `^.*$`", "^.*$", Refused("E_NAME", ("column 4", "pattern"))),
    header_case(71, "reserved name __index_level_0__", "__index_level_0__", Refused("E_NAME", ("column 4", "'_'"))),
    *(
        header_case(71, f"reserved name {name}", name, Accepted({name: ["pro", "basic"]}), "nothing here reserves it")
        for name in ("literal", "count", "len", "index", "level", "value", "rule", "column", "at", "key", "y")
    ),
]
ROW_CASES = [
    Case(
        84,
        "duplicate rows",
        sound() + "".join(TEXT.splitlines(keepends=True)[1:]).encode(),
        Found("rows_are_unique", "warn", ("40 of 80",)),
    ),
    Case(
        84,
        "duplicate keys, refused",
        cells("id", "c1"),
        Found("rows_are_unique", "block", ("E_DUP_KEY", "row 2 ")),
        validation={"duplicates": {"keep": "refuse"}},
    ),
    Case(
        84,
        "duplicate keys, first",
        cells("id", "c1"),
        Accepted({"id": ["c1", "c1", "c2"]}),
        validation={"duplicates": {"keep": "first"}},
        instead="the later row stays in the table and is left out of training",
    ),
    Case(
        84,
        "duplicate values of a unique column",
        cells("id", "c1"),
        Quarantined({"id: unique": (1, 2)}),
        columns=typed("id", unique=True),
    ),
    Case(
        85,
        "all-null column",
        cells("age", *[""] * 40),
        Found("nulls_within_limits", "warn", ("age", "no value")),
        instead="a column may be empty by right: it blocks where max_null_share says so",
    ),
    Case(
        85,
        "all-null column, limited",
        cells("age", *[""] * 40),
        Found("nulls_within_limits", "block", ("age", "100.0%")),
        columns=typed("age", max_null_share=0.2),
    ),
    Case(
        85,
        "null column, not nullable",
        cells("age", *[""] * 40),
        Found("rows_obey_schema", "block", ("rows.csv", "age: null")),
        columns=typed("age", nullable=False),
    ),
    Case(
        86,
        "impossible dates",
        cells("seen", "2026-02-30T00:00:00", "2026-01-01T25:00:00", "2026-01-01T00:61:00"),
        Quarantined({"seen: date": (1, 2, 3)}),
    ),
    Case(
        86,
        "mixed date formats",
        cells("seen", "01/02/2026 00:00", "2026-01-01 00:00:00", "1.2.2026"),
        Quarantined({"seen: date": (1, 3)}),
    ),
    Case(
        86,
        "mixed time zones",
        cells(
            "seen",
            *(f"2026-01-01T10:00:00{zone}" for zone in ("+02:00", "Z", "-05:00")),
            *["2026-01-01T10:00:00Z"] * 37,
        ),
        Accepted({"seen": [utc(8), utc(10), utc(15)]}),
        instead="each names its offset, so each is one instant",
    ),
    Case(
        86,
        "some time zones",
        cells("seen", "2026-01-01T10:00:00+02:00", *["2026-01-01T10:00:00Z"] * 38, "2026-01-01T10:00:00"),
        Quarantined({"seen: date": (40,)}),
    ),
    Case(
        87,
        "year 9999, 1582, 292277026596",
        cells("seen", "9999-12-31T00:00:00", "1582-10-10T00:00:00", "292277026596-01-01T00:00:00"),
        Quarantined({"seen: date": (1, 2, 3)}),
    ),
    Case(
        88,
        "event time in the future",
        cells("seen", "2062-01-01T00:00:00"),
        Quarantined({"seen: future": (1,)}),
        columns=typed("seen", role="time"),
    ),
    Case(
        88,
        "event time before birth",
        births(),
        Quarantined({"born, seen: born_first": (2,)}),
        columns={"id": COLUMNS["id"], "born": {"type": "date"}, "seen": COLUMNS["seen"], "label": COLUMNS["label"]},
        validation={"rules": {"born_first": "born <= seen"}},
    ),
]
VALUES = [*NUMBER_CASES, *LABEL_CASES, *NAME_CASES, *ROW_CASES]
