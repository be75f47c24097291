"""A declared rule across columns is refused when it cannot work, and names the rows of which it is false."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.spec_check import check_spec
from training_assets.core.validation.cross_rules import check_rules
from training_assets.core.validation.quarantine import BatchFacts, sort_rows
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import raw_rows, small_spec

COLUMNS = {"a": "integer", "b": {"type": "integer", "role": "leaking"}, "s": "string"}


def ruled(**rules: str) -> ModelSpec:
    return small_spec(COLUMNS, validation={"rules": rules})


def lines(spec: ModelSpec, **cells: list[str | None]) -> list[tuple[Any, ...]]:
    rows = len(next(iter(cells.values())))
    full = {"a": ["1"] * rows, "b": ["1"] * rows, "s": ["x"] * rows, "y": ["p"] * rows, **cells}
    return sort_rows(raw_rows(full), spec).quarantined.select("_row", "column", "rule", "value").rows()


def test_a_row_of_which_the_rule_is_false_is_quarantined_with_all_that_it_reads() -> None:
    spec = ruled(b_follows_a="b >= a")
    assert lines(spec, a=["1", "5", "2"], b=["1", "3", "9"]) == [(2, "b, a", "b_follows_a", "3, 5")]


def test_unknown_for_want_of_a_value_is_sound() -> None:
    assert lines(ruled(r="b >= a"), a=["5", None], b=[None, "1"]) == []


def test_a_rule_about_nulls_can_be_false_and_shows_them() -> None:
    assert lines(ruled(r="b IS NOT NULL OR a < 5"), a=["9", "1"], b=[None, None]) == [(1, "b, a", "r", "null, 9")]


def test_a_row_that_is_broken_in_one_of_the_columns_is_not_named_twice() -> None:
    spec = ruled(r="b IS NOT NULL", other="s <> 'x'")
    assert lines(spec, b=["no number"], s=["ok"]) == [(1, "b", "type", "no number")]
    assert lines(spec, b=["no number"], s=["x"]) == [(1, "b", "type", "no number"), (1, "s", "other", "x")]


def test_the_label_and_what_leaks_may_be_read() -> None:
    assert lines(ruled(r="y = 'p' OR b > 0"), y=["q"], b=["0"]) == [(1, "y, b", "r", "q, 0")]


def test_values_are_short_and_harmless_to_print() -> None:
    ((_, _, _, value),) = lines(ruled(r="s = y"), s=["\x1b[31m" + "x" * 300], y=["p"])
    # The cell is broken by its control character already; without it, the rule's own line is cut.
    assert value.startswith("\\x1b")
    ((_, _, rule, value),) = lines(ruled(r="s = y"), s=["x\\" * 90], y=["p" * 80])
    assert (rule, len(value)) == ("r", 100)
    assert value.isprintable()


def test_broken_rules_are_counted_by_name() -> None:
    rows = sort_rows(raw_rows({"a": ["3", "4"], "b": ["1", "2"], "s": ["x", "x"], "y": ["p", "p"]}), ruled(r="b >= a"))
    assert BatchFacts.of("one", "d", rows).rules == {"b, a: r": 2}


@pytest.mark.parametrize(
    ("rule", "code", "said"),
    [
        ("a + b", "E_EXPRESSION", "a rule is true or false"),
        ("a > ", "E_EXPRESSION", "validation.rules.r"),
        ("a > nope", "E_EXPRESSION", "unknown column 'nope'"),
        ("a > MAX(b)", "E_AGGREGATE", "looks at other rows"),
        ("a > (SELECT 1)", "E_EXPRESSION", "belongs to a query"),
        ("1 = 1", "E_EXPRESSION", "reads no column"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_before_any_row_is_read(rule: str, code: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        check_spec(ruled(r=rule), Path())
    assert refused.value.code == code


def test_a_rule_may_not_be_called_like_one_of_the_columns() -> None:
    with pytest.raises(InputError, match="choose another name"):
        check_rules(ruled(range="a > b"))


COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<": operator.lt,
    "=": operator.eq,
    "<>": operator.ne,
}
SPECS = {sign: ruled(r=f"a {sign} b") for sign in COMPARISONS}
numbers = st.one_of(st.none(), st.integers(-3, 3))


@given(st.lists(st.tuples(numbers, numbers), max_size=20), st.sampled_from(sorted(COMPARISONS)))
def test_sorting_agrees_with_plain_python(pairs: list[tuple[int | None, int | None]], sign: str) -> None:
    cells = {name: [None if pair[at] is None else str(pair[at]) for pair in pairs] for at, name in enumerate("ab")}
    rows = sort_rows(raw_rows({**cells, "s": ["x"] * len(pairs), "y": ["p"] * len(pairs)}), SPECS[sign])
    false = [
        at for at, (a, b) in enumerate(pairs, 1) if a is not None and b is not None and not COMPARISONS[sign](a, b)
    ]
    assert rows.quarantined["_row"].to_list() == false
    assert rows.counts["kept"] == len(pairs) - len(false)
