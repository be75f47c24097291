"""What is claimed about rows of the same key, as a finding with its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from training_assets.core.ingestion.excerpt import listed
from training_assets.core.row_keys import KEY
from training_assets.core.validation.duplicates import Repeats, counting, key_columns, repeats
from training_assets.core.validation.findings import Fact, Finding, capped
from training_assets.core.validation.schema import POSITION
from training_assets.spec import ModelSpec


@dataclass(frozen=True)
class BatchRepeats:
    """A batch (its name for people, its digest) that repeats keys of its own."""

    name: str
    digest: str
    repeats: Repeats


def columns_of_keys(spec: ModelSpec) -> list[str]:
    """The columns of validated rows that `rows_are_unique` looks at."""
    duplicates = spec.validation.duplicates
    if duplicates.keep == "all" and not duplicates.keys:
        return [KEY]
    return list(dict.fromkeys([KEY, *POSITION, *key_columns(spec)]))


def rows_are_unique(
    rows: pl.DataFrame,
    spec: ModelSpec,
    refused: Sequence[BatchRepeats] = (),
    names: Mapping[str, str] | None = None,
    model: str = "MODEL",
) -> Finding:
    """Rows of a key are dealt with as `validation.duplicates.keep` says; only `refuse` ever blocks.

    all: a share of repeated rows over `validation.max_duplicates` warns. first, last: passes, and counts what is left
    out. refuse: a batch that repeats its own keys (`refused`) or those of an earlier batch is a miss. Rows come in the
    order of batches; without key columns, all content together is the key. `names` are those of batches, for people.
    """
    keep, keys, names = spec.validation.duplicates.keep, key_columns(spec), names or {}
    if keep == "refuse":
        return _no_key_again(rows, keys, refused, names, model)
    limit = spec.validation.max_duplicates
    # Counted for a warning: the 64 bits that identify a row are enough, unless other columns are to be its key.
    again = repeats(rows, keys).count if spec.validation.duplicates.keys else rows.height - rows[KEY].n_unique()
    share = again / rows.height if rows.height else 0.0
    facts: dict[str, Fact] = {"rows": rows.height, "duplicates": again, "share": share, "limit": limit}
    if keep in {"first", "last"}:
        left_out = counting(rows, spec).left_out.height
        facts["left_out"] = left_out
        text = f"{left_out:,} of {rows.height:,} rows are left out of training: the {keep} row of each key counts"
        return Finding("rows_are_unique", True, "warn", text, facts)
    passed = share <= limit
    what = "key" if keys else "content"
    text = f"{again:,} of {rows.height:,} rows repeat another row's {what} ({share:.2%}; limit {limit:.2%})"
    if not passed:
        text += "; equal rows share a split, so this is no leak, but they count more than once"
        text += ": `validation: {duplicates: {keep: last}}` lets the latest row of a key count" if keys else ""
    return Finding("rows_are_unique", passed, "warn", text, facts)


def _no_key_again(
    rows: pl.DataFrame, keys: Sequence[str], refused: Sequence[BatchRepeats], names: Mapping[str, str], model: str
) -> Finding:
    """No batch repeats a key, its own or an earlier batch's."""
    across = repeats(rows, keys)
    lines = [
        {"batch": names.get(one, one), "row": row, "repeats_batch": names.get(other, other), "repeats_row": at}
        for found in (*(each.repeats for each in refused), across)
        for one, row, other, at in found.pairs
    ]
    facts: dict[str, Fact] = {
        "rows": rows.height,
        "duplicates": across.count + sum(each.repeats.count for each in refused),
        "refused_batches": len(refused),
    }
    if not lines:
        text = f"no key ({listed(keys, 5)}) occurs twice in {rows.height:,} rows"
        return Finding("rows_are_unique", True, "block", text, facts)
    facts["repeated"] = capped(lines)
    said = [str(each.repeats.refusal(each.name)) for each in refused[:1]]
    if across.count:
        one, row, other, at = across.pairs[0]
        said.append(
            f"E_DUP_KEY: {across.count:,} row(s) repeat the key ({listed(keys, 5)}) of an earlier batch; first: row "
            f"{row} of {names.get(one, one)[:80]} and row {at} of {names.get(other, other)[:80]}. Retract one of the "
            f"two (`training-assets retract {model} {one[:12]} --because TEXT`), or set validation.duplicates.keep to "
            "first or last"
        )
    return Finding("rows_are_unique", False, "block", "; ".join(said), facts)
