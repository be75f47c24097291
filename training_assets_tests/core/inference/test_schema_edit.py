"""Only the keys of a column that change are written; every other character of the file stays."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.inference.schema_edit import edited
from training_assets.spec import Column

TEXT = """\
# The whole model.
type: training_assets.TrainingPipeline

attributes:
  columns:  # the schema
    age: {type: integer, min: 0, max: 120}  # in years
    plan:
      # what they pay for
      type: string
      values:
        - basic
        - plus   # since 2020

    # Known late.
    left_on: {type: string, role: leaking,
              because: "known after, the: outcome"}
    churned: { type: string }
  target: {column: churned, task: binary}   # yes or no
"""


def columns_of(text: str) -> dict[str, Column]:
    return {name: Column.model_validate(rules) for name, rules in yaml.safe_load(text)["attributes"]["columns"].items()}


def change(text: str, **updates: dict[str, Any] | None) -> str:
    """The text after columns were given other keys, or were taken out."""
    columns = columns_of(text)
    wanted = dict(columns)
    for name, update in updates.items():
        if update is None:
            del wanted[name]
        else:
            said = wanted[name].model_dump(mode="json", exclude_defaults=True) if name in wanted else {}
            keys = {key: value for key, value in {**said, **update}.items() if value is not None}
            wanted[name] = Column.model_validate(keys)
    after = edited(text, "churn", columns, wanted)
    assert columns_of(after) == wanted
    return after


def moved(before: str, after: str) -> list[str]:
    """Lines that went and came."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_a_bound_changes_in_its_place_and_the_comment_stays() -> None:
    after = change(TEXT, age={"max": 150})
    assert moved(TEXT, after) == [
        "-    age: {type: integer, min: 0, max: 120}  # in years",
        "+    age: {type: integer, min: 0, max: 150.0}  # in years",
    ]


def test_a_key_comes_and_one_goes() -> None:
    after = change(TEXT, age={"min": None, "nullable": False})
    assert "    age: {type: integer, max: 120, nullable: false}  # in years\n" in after


def test_the_last_key_in_braces_goes_with_its_comma() -> None:
    assert "    age: {type: integer, min: 0}  # in years\n" in change(TEXT, age={"max": None})


def test_a_list_in_a_block_is_written_anew_and_its_neighbours_are_not() -> None:
    after = change(TEXT, plan={"values": ["basic", "plus", "pro"]})
    assert moved(TEXT, after) == [
        "-        - basic",
        "-        - plus   # since 2020",
        "+        [basic, plus, pro]   # since 2020",
    ]


def test_a_key_of_a_block_comes_and_goes_on_lines_of_its_own() -> None:
    after = change(TEXT, plan={"values": None, "pattern": "[a-z]+"})
    assert "      # what they pay for\n      type: string\n" in after
    assert columns_of(after)["plan"].pattern == "[a-z]+"


def test_a_new_column_comes_last_and_a_missing_one_goes() -> None:
    after = change(TEXT, fresh={"type": "number", "role": "ignored", "because": "a: b, c"}, age=None)
    assert moved(TEXT, after) == [
        "-    age: {type: integer, min: 0, max: 120}  # in years",
        "+    fresh: {type: number, role: ignored, because: 'a: b, c'}",
    ]


def test_windows_line_ends_stay() -> None:
    text = TEXT.replace("\n", "\r\n")
    after = change(text, fresh={"type": "number"}, plan={"nullable": False})
    assert after.count("\n") == after.count("\r\n")


def test_a_file_in_braces_alone() -> None:
    text = "{attributes: {columns: {a: {type: integer}, y: {type: string}}}}"
    after = change(text, b={"type": "date"}, a=None)
    assert after == "{attributes: {columns: {y: {type: string}, b: {type: date}}}}"


def test_the_document_of_the_model_is_the_one_that_changes() -> None:
    one = "type: x\nattributes:\n  name: {}\n  columns:\n    a: {{type: integer}}\n"
    text = f"{one.format('other')}---\n{one.format('churn')}"
    columns = {"a": Column(type="integer")}
    after = edited(text, "churn", columns, {"a": Column(type="number")})
    assert after == f"{one.format('other')}---\n{one.format('churn').replace('integer', 'number')}"


@pytest.mark.parametrize(
    "text",
    [
        "attributes:\n  columns:\n    a: &rules {type: integer}\n    b: *rules\n",
        "attributes:\n  columns: '{{ env.COLUMNS }}'\n",
        "attributes: {}\n",
    ],
)
def test_what_cannot_be_changed_in_place_is_said(text: str) -> None:
    columns = {"a": Column(type="integer"), "b": Column(type="integer")}
    with pytest.raises(InputError, match="by hand") as refused:
        edited(text, "churn", columns, {**columns, "a": Column(type="number")})
    assert refused.value.code == "E_SPEC"


def test_a_spec_that_is_not_what_the_file_says_is_not_written() -> None:
    loaded = columns_of(TEXT.replace("max: 120", "max: 99"))
    wanted = {**loaded, "churned": Column(type="string", nullable=False)}
    with pytest.raises(InputError, match="write by hand: churned"):
        edited(TEXT, "churn", loaded, wanted)


updates = st.fixed_dictionaries(
    {},
    optional={
        "min": st.sampled_from([None, -1.0, 0.5]),
        "max": st.sampled_from([None, 200.0, 1e300]),
        "nullable": st.sampled_from([True, False, None]),
        "because": st.one_of(
            st.none(), st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20)
        ),
        "values": st.one_of(st.none(), st.lists(st.text("ab:#,{}'\" -", min_size=1, max_size=6), max_size=3)),
    },
)
STYLES = (
    TEXT,
    TEXT.replace(
        "age: {type: integer, min: 0, max: 120}", "age:\n      type: integer # whole\n      min: 0\n      max: 120"
    ),
    TEXT.replace(
        "age: {type: integer, min: 0, max: 120}", "'age': {type: integer,\n      min: 0, # low\n      max: 120,}"
    ),
)


@given(updates, st.sampled_from(STYLES), st.booleans())
def test_any_change_of_one_column_leaves_all_others_to_the_letter(
    update: dict[str, Any], text: str, fresh: bool
) -> None:
    after = change(text, age=update, **({"fresh": {"type": "string"}} if fresh else {}))
    rest = text[text.index("    plan:") :]
    kept = (
        rest.replace("churned: { type: string }\n", "churned: { type: string }\n    fresh: {type: string}\n")
        if fresh
        else rest
    )
    assert after.endswith(kept)
    assert after.startswith(text[: text.index("age")])
