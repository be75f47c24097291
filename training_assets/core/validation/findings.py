"""What is claimed about batches and their rows, each as a finding with its numbers; Dagster wears them elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from training_assets.core.statistics import BatchStatistics, ColumnStatistics
from training_assets.core.validation.quarantine import BatchFacts
from training_assets.spec import ModelSpec

Severity = Literal["warn", "block"]
Fact = int | float | str | list[dict[str, Any]]
MAX_LINES = 20
MAX_NAMES = 5
# Rules about a value that could be read; the others say that it could not.
VALUE_RULES = ("range", "domain", "pattern", "unique")


@dataclass(frozen=True)
class Finding:
    """Whether a claim holds, in a sentence and in numbers; `severity` is what a failure means."""

    claim: str
    passed: bool
    severity: Severity
    text: str
    facts: dict[str, Fact]

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Finding:
        """The finding that `to_json` wrote."""
        return cls(**line)


def capped(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first lines of a table, as many as a check may show."""
    return list(lines[:MAX_LINES])


def rows_obey_schema(batches: Sequence[BatchFacts], limit: float, model: str = "MODEL") -> Finding:
    """Each batch's share of quarantined rows is at most the limit (inclusive); no batch, or an empty one, is a miss."""
    over = sorted((b for b in batches if not b.share_quarantined <= limit), key=lambda b: -b.share_quarantined)
    read, broken = sum(b.read for b in batches), sum(b.quarantined for b in batches)
    facts: dict[str, Fact] = {"batches": len(batches), "rows": read, "quarantined": broken, "limit": limit}
    facts |= {"unlabelled": sum(b.unlabelled for b in batches), "refused_batches": len(over)}
    if not batches:
        return Finding("rows_obey_schema", False, "block", "there is no batch", facts)
    if not over:
        text = f"{broken:,} of {read:,} rows were quarantined; no batch is over {limit:.2%}"
        return Finding("rows_obey_schema", True, "block", text, facts)
    facts["over_limit"] = capped([_batch_line(b) for b in over])
    worst = over[0]
    text = (
        f"{len(over)} of {len(batches)} batches have more than {limit:.2%} broken rows; worst: {worst.name}, "
        f"{worst.quarantined:,} of {worst.read:,} rows ({_commonest(worst)}); mend the batch or its columns' rules; "
        f"`training-assets schema {model}` shows each difference, and `--accept` commits them"
    )
    return Finding("rows_obey_schema", False, "block", text, facts)


def _batch_line(batch: BatchFacts) -> dict[str, Any]:
    return {
        "batch": batch.name,
        "rows": batch.read,
        "quarantined": batch.quarantined,
        "share": batch.share_quarantined,
        "rules": _commonest(batch),
    }


def _commonest(batch: BatchFacts, most: int = 3) -> str:
    rules = sorted(batch.rules.items(), key=lambda item: (-item[1], item[0]))[:most]
    return "; ".join(f"{name[:60]} {count:,}" for name, count in rules) or "it holds no rows"


def values_in_range(batches: Sequence[BatchFacts], declared: Collection[str] = ()) -> Finding:
    """No value that could be read breaks its column's range, domain, pattern or uniqueness, or a declared rule.

    `declared` names the rules across columns. A miss warns.
    """
    counts: dict[str, int] = {}
    where: dict[str, str] = {}
    for batch in batches:
        for name, count in batch.rules.items():
            if name.rsplit(": ", 1)[-1] in {*VALUE_RULES, *declared}:
                counts[name] = counts.get(name, 0) + count
                where.setdefault(name, batch.name)
    total = sum(counts.values())
    facts: dict[str, Fact] = {"batches": len(batches), "values": total}
    if not counts:
        return Finding("values_in_range", True, "warn", f"all values of {len(batches)} batches are in range", facts)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = []
    for name, count in ranked:
        column, rule = name.rsplit(": ", 1)
        lines.append({"column": column, "rule": rule, "values": count, "first_batch": where[name]})
    facts["broken"] = capped(lines)
    text = (
        f"{total:,} values break a rule and were quarantined with their rows; most: {ranked[0][0]} ({ranked[0][1]:,})"
    )
    return Finding("values_in_range", False, "warn", text, facts)


def nulls_within_limits(batches: Mapping[str, BatchStatistics], spec: ModelSpec) -> Finding:
    """In each batch, by name, each column's share of nulls is at most its `max_null_share` (a miss blocks).

    A feature without a single value in a batch is a miss that warns.
    """
    limits = {n: c.max_null_share for n, c in spec.columns.items() if c.max_null_share is not None}
    facts: dict[str, Fact] = {"rows": sum(each.rows for each in batches.values()), "columns_with_limit": len(limits)}
    over: list[dict[str, Any]] = [
        {"column": name, "batch": batch, "share": statistics.columns[name].null_share, "limit": limit}
        for name, limit in limits.items()
        for batch, statistics in batches.items()
        if not statistics.columns[name].null_share <= limit
    ]
    if over:
        over.sort(key=lambda line: -float(line["share"]))
        facts["over_limit"] = capped(over)
        worst = over[0]
        share = f"{worst['share']:.1%} of the rows of {worst['batch'][:80]}; {worst['limit']:.1%} is the limit"
        text = f"{worst['column'][:80]} is empty in {share}"
        return Finding("nulls_within_limits", False, "block", text, facts)
    empty: list[dict[str, Any]] = [
        {"column": name, "batches": missing}
        for name in spec.raw_features
        if (missing := sum(not each.columns[name].known for each in batches.values()))
    ]
    if empty:
        facts["empty_features"] = capped(empty)
        names = ", ".join(f"{line['column'][:80]} (in {line['batches']})" for line in empty[:MAX_NAMES])
        text = f"{len(empty)} feature(s) have no value in any row of a batch; batches: {len(batches)}, {names}"
        return Finding("nulls_within_limits", False, "warn", text, facts)
    return Finding("nulls_within_limits", True, "block", f"no column is over its limit; {len(limits)} have one", facts)


def label_is_balanced(label: ColumnStatistics, spec: ModelSpec) -> Finding:
    """There is something to learn: two classes or more, or a label that varies (a miss blocks); no class is too rare.

    A class whose share is under `validation.min_class_share`, or a declared class without rows, warns.
    """
    facts: dict[str, Fact] = {"rows": label.count, "unlabelled": label.nulls}
    if label.levels is None:
        return _quantity_varies(label, facts)
    counts = dict(label.levels.counts)
    missing = [name for name in spec.target.classes or [] if name not in counts]
    counts |= dict.fromkeys(missing, 0)
    lines: list[dict[str, Any]] = [
        {"class": name[:80], "rows": count, "share": count / max(label.known, 1)} for name, count in counts.items()
    ]
    present = label.distinct
    facts |= {"classes": present + len(missing), "balance": capped(lines)}
    if present < 2:
        names = ", ".join(name[:40] for name in counts) or "no label"
        text = f"the rows have {present} class(es) ({names[:200]}); two are needed"
        return Finding("label_is_balanced", False, "block", text, facts)
    if spec.target.task == "binary" and present > 2:
        text = f"the task is binary and the rows have {present} classes; name two under target.classes"
        return Finding("label_is_balanced", False, "block", text, facts)
    limit = spec.validation.min_class_share
    if label.levels.error:
        # So many classes are counted only while they are frequent; a rarest one is no more frequent than the average.
        text = f"the label has about {present:,} classes; the rarest has at most {1 / present:.3%} of the rows"
        passed = 1 / present >= limit and not missing
        return Finding("label_is_balanced", passed, "warn", f"{text} (limit {limit:.3%})", facts)
    rarest = lines[-1]
    share = f"{rarest['share']:.3%} of the rows (limit {limit:.3%})"
    text = f"the rarest of {len(counts)} classes, {rarest['class']}, is {share}"
    return Finding("label_is_balanced", rarest["share"] >= limit and not missing, "warn", text, facts)


def _quantity_varies(label: ColumnStatistics, facts: dict[str, Fact]) -> Finding:
    facts["distinct"] = label.distinct
    if label.low is None or label.high is None or label.low == label.high:
        text = f"the label is the same in all {label.known:,} rows" if label.known else "no row has a label"
        return Finding("label_is_balanced", False, "block", text, facts)
    facts |= {"least": label.low, "greatest": label.high}
    about = "" if label.quantiles is not None and label.quantiles.values is not None else "about "
    text = f"the label takes {about}{label.distinct:,} values from {label.low:g} to {label.high:g}"
    return Finding("label_is_balanced", True, "warn", text, facts)
