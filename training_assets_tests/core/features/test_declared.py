"""What is wrong with a spec's features is told when the spec is loaded, before there is any row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.features.declared import check_expressions, feature_names, hidden_columns, intermediates
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import small_spec

COLUMNS: dict[str, Any] = {
    "when": {"type": "datetime", "role": "time"},
    "part": {"type": "string", "role": "split"},
    "n": "integer",
    "s": "string",
    "delay": {"type": "integer", "role": "leaking", "because": "it is measured on arrival"},
    "gate": {"type": "string", "role": "leaking"},
}
TARGET = {"expression": "delay > 15", "task": "binary"}
JOIN = {"table": "t.csv", "keys": ["s"], "columns": ["v"]}
AS_OF = {"time": "when", "table_time": "seen"}


def spec_with(target: Any = None, columns: Any = None, encoding: Any = None, **features: Any) -> ModelSpec:
    given = {**COLUMNS, **(columns or {})}
    return small_spec(given, target or TARGET, features=features, encoding={"columns": encoding or {}})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text("s,seen,v,delay\na,2013-01-01T00:00:00,1,2\n")
    more = pl.DataFrame({"seen": [None], "gone": [None]}, schema={"seen": pl.Date, "gone": pl.Time})
    pl.DataFrame({"s": ["a"], "v": [1.5], "delay": [1], **more.to_dict()}).write_parquet(tmp_path / "t.parquet")
    return tmp_path


@pytest.mark.parametrize(
    "features",
    [
        {},
        {"derived": {"hour": 'EXTRACT(hour FROM "when")', "late": "hour > 20", "r": "n / hour"}},
        {"joins": [JOIN], "derived": {"more": "v / n", "odd": "v % 2 = 1 OR s = 'x'"}},
        {"joins": [{**JOIN, "as_of": AS_OF}]},
        {"joins": [{**JOIN, "as_of": {**AS_OF, "time": "day"}}], "derived": {"day": "DATE_TRUNC('day', \"when\")"}},
        {
            "joins": [{**JOIN, "table": "t.parquet", "columns": ["v", "seen"]}],
            "derived": {"y": "EXTRACT(year FROM seen)"},
        },
        {"joins": [{**JOIN, "table": "not/there/yet.csv", "prefix": "p_"}], "derived": {"more": "p_v + 1"}},
        {"joins": [JOIN, {**JOIN, "prefix": "again_", "keys": ["v"]}]},
        {"derived": {"day": "DATE_TRUNC('day', \"when\")"}},
        {"joins": [{**JOIN, "table": "t.parquet", "columns": ["seen"]}]},
    ],
)
def test_sound_features_pass(root: Path, features: dict[str, Any]) -> None:
    check_expressions(spec_with(**features), root)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"derived": {"r": "delay + 1"}}, "E_LEAKING: features.derived.r: .*'delay'.*: it is measured on arrival"),
        ({"derived": {"r": "gate || s"}}, "E_LEAKING: features.derived.r: .*'gate'.*known only after the outcome"),
        ({"derived": {"r": "part = 'x'"}}, "E_LEAKING: .*'part'.*: it says which split the row is in"),
        ({"derived": {"r": "SUM(n)"}}, "E_AGGREGATE"),
        ({"derived": {"r": "n +"}}, "E_EXPRESSION"),
        ({"derived": {"r": "whem > DATE '2013-01-01'"}}, "E_EXPRESSION: .*did you mean 'when'"),
        ({"derived": {"r": "EXTRACT(hour FROM s)"}}, "E_EXPRESSION: .*not supported"),
        ({"derived": {"clock": 'CAST("when" AS TIME)'}}, "E_FEATURE_TYPE: feature 'clock' is Time"),
        ({"derived": {"_r": "n + 1"}}, "E_NAME: features.derived._r has a name that is reserved"),
        ({"derived": {"a\x1b": "n + 1"}}, r"E_NAME: features\.derived\.a\\x1b has a name"),
        ({"joins": [JOIN], "derived": {"v": "n + 1"}}, "E_NAME: features.derived.v has the name of another column"),
        ({"joins": [{**JOIN, "keys": ["delay"]}]}, "E_LEAKING: .*looks rows up by 'delay'.*it is measured on arrival"),
        ({"joins": [{**JOIN, "as_of": {**AS_OF, "time": "gate"}}]}, "E_LEAKING: .*looks rows up by 'gate'"),
        ({"joins": [{**JOIN, "columns": ["w"]}]}, "E_JOIN_COLUMN: .*the table lack.* 'w'"),
        ({"joins": [{**JOIN, "keys": ["q"]}]}, "E_JOIN_COLUMN: .*the rows lack.* 'q'"),
        ({"joins": [{**JOIN, "columns": ["delay"]}]}, "E_JOIN_COLUMN: .*'delay' exists already"),
        ({"joins": [JOIN, JOIN]}, "E_JOIN_COLUMN: .*'v' exists already"),
        ({"joins": [{**JOIN, "table": "../t.csv"}]}, "E_TABLE: .*must stay inside the project"),
        ({"joins": [{**JOIN, "table": "t.parquet", "columns": ["gone"]}]}, "E_FEATURE_TYPE: feature 'gone' is Time"),
    ],
)
def test_unsound_features_are_refused(root: Path, features: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        check_expressions(spec_with(**features), root)
    assert len(str(caught.value)) <= 2000


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_a_raw_date_is_a_feature(root: Path, kind: str) -> None:
    check_expressions(spec_with(columns={"day": kind}, derived={"month": "EXTRACT(month FROM day)"}), root)


DATE_JOIN = {**JOIN, "table": "t.parquet", "columns": ["seen"]}


@pytest.mark.parametrize(
    "columns",
    [
        {"n": {"method": "quantity", "log": True}, "s": {"method": "count"}, "day": {"method": "date"}},
        {"seen": {"method": "date", "since": "day"}, "hour": {"method": "quantity", "clip": [0, 0.99]}},
        {"later_v": {"method": "one_hot"}},  # the table is not there yet, and may hold text
        {"day": {"method": "date", "since": "2013-01-01"}},
        {"day": {"method": "date", "since": "later_v"}},
    ],
)
def test_sound_encodings_pass(root: Path, columns: dict[str, Any]) -> None:
    joins = [DATE_JOIN, {**JOIN, "table": "not/there/yet.csv", "prefix": "later_"}]
    derived = {"hour": 'EXTRACT(hour FROM "when")', "step": "DATE_TRUNC('day', \"when\")", "y": "YEAR(step)"}
    check_expressions(spec_with(columns={"day": "date"}, encoding=columns, joins=joins, derived=derived), root)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"n": {"method": "count"}}, "E_ENCODING: encoding.columns.n: method count reads a category, .*a quantity"),
        ({"n": {"method": "date"}}, "E_ENCODING: .* reads a date, and this is a quantity"),
        ({"s": {"method": "quantity"}}, "E_ENCODING: .* reads a quantity, and this is a category"),
        ({"seen": {"method": "target"}}, "E_ENCODING: .* reads a category, and this is a date"),
        ({"gate": {"method": "target"}}, "E_ENCODING: encoding.columns.gate: 'gate' is no feature; features are n, s"),
        ({"when": {"method": "date"}}, "E_ENCODING: encoding.columns.when: 'when' is no feature"),
        ({"seen": {"method": "date", "since": "when"}}, "E_ENCODING: .*since: 'when' is neither a date feature"),
        ({"seen": {"method": "date", "since": "seen"}}, "E_ENCODING: .*since: names the feature itself"),
        ({"seen": {"method": "date", "since": "2013-02-30"}}, "E_ENCODING: .*since: '2013-02-30' is neither"),
    ],
)
def test_encodings_that_do_not_fit_are_refused(root: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        check_expressions(spec_with(encoding=columns, joins=[DATE_JOIN]), root)
    assert len(str(caught.value)) <= 2000


def test_text_is_no_quantity(root: Path) -> None:
    with pytest.raises(InputError, match=r"E_FEATURE_TYPE: columns\.word: text is no quantity"):
        check_expressions(spec_with(columns={"word": {"type": "string", "categorical": False}}), root)


@pytest.mark.parametrize(
    ("target", "features"),
    [
        ({"expression": "n > 1", "task": "binary"}, {}),
        ({"expression": 'delay > EXTRACT(hour FROM "when")', "task": "binary"}, None),
        (
            {"expression": 'EXTRACT(hour FROM "when") > 12', "task": "binary"},
            {"derived": {"h": 'EXTRACT(hour FROM "when")'}},
        ),
    ],
)
def test_a_label_that_features_give_away_is_refused(root: Path, target: Any, features: Any) -> None:
    if features is None:  # one column that no feature reads is enough
        check_expressions(spec_with(target), root)
        return
    with pytest.raises(InputError, match=r"E_LEAKING: target\.expression reads only what features read"):
        check_expressions(spec_with(target, **features), root)


def test_the_labels_expression_may_read_leaking_columns_and_is_checked(root: Path) -> None:
    check_expressions(spec_with({"expression": "delay > 15 OR gate = 'x'", "task": "binary"}), root)
    with pytest.raises(
        InputError, match=r"E_EXPRESSION: target\.expression: unknown column 'dela'; did you mean 'delay'"
    ):
        check_expressions(spec_with({"expression": "dela > 15", "task": "binary"}), root)
    with pytest.raises(InputError, match=r"E_AGGREGATE: target\.expression"):
        check_expressions(spec_with({"expression": "delay > MEDIAN(delay)", "task": "binary"}), root)


def test_a_labels_column_is_hidden_whatever_its_role(root: Path) -> None:
    spec = small_spec({"n": "integer", "y": "string"}, features={"derived": {"r": "y || 'x'"}})
    with pytest.raises(InputError, match=r"E_LEAKING: .*'y'.*: it is the label"):
        check_expressions(spec, root)


def test_what_is_read_and_what_is_hidden() -> None:
    spec = spec_with(joins=[{**JOIN, "as_of": AS_OF}], derived={"h": 'EXTRACT(hour FROM "when") + n'})
    assert feature_names(spec) == ["n", "s", "v", "h"]
    assert intermediates(spec) == {"s", "when", "n"}
    assert hidden_columns(spec) == {
        "delay": "it is measured on arrival",
        "gate": "it is known only after the outcome",
        "part": "it says which split the row is in",
    }
