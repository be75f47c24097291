"""Changed columns in the text of a `defs.yaml`: only the keys that change are written; all other text stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from training_assets.core.errors import InputError
from training_assets.core.inference.spec_text import COMPONENT, one_line
from training_assets.spec import Column

Edit = tuple[int, int, str]
"""Start, end and the text that stands between them afterwards; characters from the beginning."""


def edited(text: str, model: str, columns: Mapping[str, Column], wanted: Mapping[str, Column]) -> str:
    """The text with the wanted columns (all of the schema) instead of the committed ones.

    `model` names the one of the file's documents that is meant, where there are several. A key that does not change
    keeps its place, spelling and comment; a new column comes last, on one line. Raises InputError `E_SPEC` where the
    file is written in a way that cannot be changed in place (aliases, templates), with what to write by hand.
    """
    changed = text
    for column, key, value in _steps(columns, wanted):
        # Read anew for each: an edit moves what comes behind it.
        start, end, new = _edit(changed, _columns_node(changed, model), column, key, value)
        changed = changed[:start] + new + changed[end:]
    if _columns_of(changed, model) != dict(wanted):
        raise _by_hand(columns, wanted)
    return changed


def _steps(columns: Mapping[str, Column], wanted: Mapping[str, Column]) -> Iterator[tuple[str, str | None, Any]]:
    """What changes, one key at a time: column, key (none: the whole column) and value (none: it goes)."""
    for name, column in columns.items():
        if name not in wanted:
            yield name, None, None
            continue
        old, new = _said(column), _said(wanted[name])
        yield from ((name, key, value) for key, value in new.items() if old.get(key) != value)
        yield from ((name, key, None) for key in old if key not in new)
    yield from ((name, None, _said(column)) for name, column in wanted.items() if name not in columns)


def _edit(text: str, node: yaml.MappingNode, column: str, key: str | None, value: Any) -> Edit:
    if key is None:
        return _without(text, node, column) if value is None else _with(text, node, column, value)
    rules = _child(node, column)
    if not isinstance(rules, yaml.MappingNode):
        return 0, 0, ""  # not written out: the text stays as it is, and the comparison says so
    there = _child(rules, key)
    if value is None:
        return _without(text, rules, key) if there is not None else (0, 0, "")
    if there is None:
        return _with(text, rules, key, value)
    return there.start_mark.index, _end(there), _entry("v", value).removeprefix("v: ")


def _said(column: Column) -> dict[str, Any]:
    return column.model_dump(mode="json", exclude_defaults=True)


def _with(text: str, node: yaml.MappingNode, key: str, value: Any) -> Edit:
    """One more entry at the end of a mapping."""
    entry = _entry(key, value)
    if not node.value:
        return node.start_mark.index, node.end_mark.index, f"{{{entry}}}"
    last = _end(node.value[-1][1])
    if node.flow_style:
        return last, last, f", {entry}"
    line_end = _line_end(text, last)
    newline = "\r\n" if "\r\n" in text else "\n"
    return line_end, line_end, f"{newline}{' ' * node.start_mark.column}{entry}"


def _entry(key: str, value: Any) -> str:
    """Key and value on one line, spelt so that they can stand in braces, which is more than a block asks for."""
    return one_line({key: value})[1:-1]


def _without(text: str, node: yaml.MappingNode, name: str) -> Edit:
    """A mapping without one of its entries: its lines in a block, it and a comma in braces."""
    place = next((at for at, (key, _) in enumerate(node.value) if str(key.value) == name), None)
    if place is None:
        return 0, 0, ""
    key, value = node.value[place]
    start, end = key.start_mark.index, _end(value)
    if not node.flow_style:
        return text.rfind("\n", 0, start) + 1, min(_line_end(text, end) + 1, len(text)), ""
    if place + 1 < len(node.value) and "#" not in text[end : node.value[place + 1][0].start_mark.index]:
        return start, node.value[place + 1][0].start_mark.index, ""
    before = _end(node.value[place - 1][1]) if place else start
    if "#" not in text[before:start]:
        return before, end, ""
    return start, end + len(text[end:]) - len(text[end:].lstrip().removeprefix(",")), ""


def _end(node: yaml.Node) -> int:
    """Where a node's own text ends; a block's mark lies behind the blanks and comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    return end


def _line_end(text: str, place: int) -> int:
    """The end of a line, before its line break."""
    found = text.find("\n", place)
    end = len(text) if found < 0 else found
    return end - 1 if text[:end].endswith("\r") else end


def _columns_node(text: str, model: str) -> yaml.MappingNode:
    """The node of `attributes.columns`; InputError `E_SPEC` where it is not written out there."""
    found = []
    for document in yaml.compose_all(text, yaml.SafeLoader):
        attributes = _child(document, "attributes")
        columns = _child(attributes, "columns")
        if isinstance(columns, yaml.MappingNode):
            name = _child(attributes, "name")
            found.append((None if name is None else str(name.value), columns))
    chosen = [columns for name, columns in found if name == model] or [columns for _, columns in found]
    if len(chosen) != 1 or _has_aliases(chosen[0]):
        message = (
            f"attributes.columns of {model} is not written out once in its defs.yaml ({COMPONENT}), or shares parts "
            "with anchors; change it by hand"
        )
        raise InputError("E_SPEC", message)
    return chosen[0]


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _has_aliases(node: yaml.MappingNode) -> bool:
    """Whether an edit of one column would be one of another: the same node in two places."""
    parts = [id(value) for _, column in node.value for value in (column, *_values(column))]
    return len(parts) != len(set(parts))


def _values(node: yaml.Node) -> list[yaml.Node]:
    return [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else []


def _columns_of(text: str, model: str) -> dict[str, Column] | None:
    """The columns that a text says, read as the project reads it; None where it says none."""
    try:
        documents = [document for document in yaml.safe_load_all(text) if isinstance(document, dict)]
        said = [document["attributes"] for document in documents if "columns" in (document.get("attributes") or {})]
        of_model = [each for each in said if each.get("name") == model] or said
        return {str(name): Column.model_validate(column) for name, column in of_model[0]["columns"].items()}
    except (yaml.YAMLError, ValueError, IndexError, AttributeError):
        return None


def _by_hand(columns: Mapping[str, Column], wanted: Mapping[str, Column]) -> InputError:
    lines = [f"{name}: {one_line(_said(column))}" for name, column in wanted.items() if columns.get(name) != column]
    gone = [f"no {name}" for name in columns if name not in wanted]
    message = f"defs.yaml cannot be changed in place; under columns, write by hand: {'; '.join([*lines, *gone])}"
    return InputError("E_SPEC", message)
