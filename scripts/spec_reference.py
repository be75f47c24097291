"""Write docs/spec.md, every key that a defs.yaml may have, from the spec's own schema; `--check` compares instead."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training_assets.spec import ModelSpec

REFERENCE = Path(__file__).parent.parent / "docs" / "spec.md"
HEAD = """# Every key of a `defs.yaml`

Made from the schema by `make reference`. Keys stand under `attributes`. One in bold must be there; an unknown one is
an error that names the key that was meant.
"""
LIMITS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
Schema = Mapping[str, Any]


def reference() -> str:
    """The page as Markdown: a table for the spec and each section in it, each after the one that leads to it."""
    schema = ModelSpec.model_json_schema()
    sections = schema.pop("$defs")
    lines = [HEAD, *_table(schema, sections)]
    for name in _below(schema, sections, {}):
        lines += ["", f"## {name}", "", sections[name].get("description", ""), "", *_table(sections[name], sections)]
    return "\n".join(lines) + "\n"


def _below(schema: Schema, sections: Mapping[str, Schema], shown: dict[str, None]) -> dict[str, None]:
    """Names of all sections that a part of the schema leads to, each before those that it leads to itself."""
    for name in _named(schema):
        if name not in shown:
            shown[name] = None
            _below(sections[name], sections, shown)
    return shown


def _named(schema: Any) -> Iterator[str]:
    """Names of the sections that a part of the schema refers to."""
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key == "$ref":
                yield _referred(schema)
            elif key != "mapping":  # of a union's kinds, which are referred to beside it
                yield from _named(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _named(value)


def _referred(key: Schema) -> str:
    return str(key.get("$ref", "")).rsplit("/", 1)[-1]


def _table(section: Schema, sections: Mapping[str, Schema]) -> list[str]:
    required = section.get("required", ())
    rows = ["| key | what it may be | default | what it says |", "|---|---|---|---|"]
    for name, key in section.get("properties", {}).items():
        said = f"**`{name}`**" if name in required else f"`{name}`"
        default = "" if key.get("default") in (None, "") else f"`{json.dumps(key['default'], ensure_ascii=False)}`"
        told = key.get("description") or sections.get(_referred(key), {}).get("description", "")
        cells = [said, _kind(key), default, " ".join(told.split())]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return rows


def _kind(key: Schema) -> str:
    """What a value may be, in words."""
    if name := _referred(key):
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in key:
            return ", or ".join(dict.fromkeys(_kind(each) for each in key[several] if each.get("type") != "null"))
    if values := key.get("enum") or ([key["const"]] if "const" in key else []):
        return ", ".join(f"`{each}`" for each in values)
    if key.get("type") == "array":
        return f"list of {_kind(key.get('items', {}))}"
    if key.get("type") == "object":
        return f"by name: {_kind(key.get('additionalProperties') or {})}"
    plain = {"string": "text", "integer": "whole number", "boolean": "true or false", "number": "number"}
    limits = [f"{said} {key[name]:g}" for name, said in LIMITS.items() if name in key]
    return ", ".join([plain.get(key.get("type", ""), "any value"), *limits])


def main() -> None:
    """Write the page, or say that it is not the one that the schema makes."""
    page = reference()
    if sys.argv[1:] != ["--check"]:
        REFERENCE.write_text(page, encoding="utf-8")
    elif REFERENCE.read_text(encoding="utf-8") != page:
        sys.exit("docs/spec.md is not what the spec says: make reference")


if __name__ == "__main__":
    main()
