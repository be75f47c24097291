"""How a result shows in Dagster: its facts as metadata, its pictures, and the run that it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from training_assets.core.pages.markdown import literal
from training_assets.core.plots import as_markdown
from training_assets.resources.artifacts import Result


class Markdown(str):
    """A cell that is Markdown itself; what it takes from data is `literal` in it."""

    __slots__ = ()


def shown(
    result: Result,
    key: dg.AssetKey,
    facts: Mapping[str, Any],
    *,
    tables: Mapping[str, list[dict[str, Any]]] | None = None,
) -> dg.MaterializeResult[Result]:
    """A materialisation with the facts a reader in a hurry wants, and each `*.png` of the artifact as a picture."""
    metadata: dict[str, Any] = dict(facts)
    if not result.is_new:
        metadata["stands_on"] = dg.MetadataValue.dagster_run(result.made_in)
    for name, lines in (tables or {}).items():
        metadata[name] = dg.MetadataValue.md(markdown_table(lines))
    for name in sorted(file for file in result.artifact.files if file.endswith(".png")):
        title = name.removesuffix(".png")
        metadata[title] = dg.MetadataValue.md(as_markdown(result.artifact.read(name), title.replace("_", " ")))
    return dg.MaterializeResult(
        asset_key=key, value=result, metadata=metadata, data_version=dg.DataVersion(result.digest)
    )


def markdown_table(lines: list[dict[str, Any]], most: int = 30) -> str:
    """A Markdown table of at most `most` lines; says how many were left out."""
    if not lines:
        return "none"
    columns = list(lines[0])
    rows = [
        "| " + " | ".join(map(literal, columns)) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(_cell(line.get(column)) for column in columns) + " |" for line in lines[:most]),
    ]
    if len(lines) > most:
        rows.append(f"\n… and {len(lines) - most} more")
    return "\n".join(rows)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Markdown):
        return value
    text = f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    return literal(text)
