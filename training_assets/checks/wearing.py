"""How a finding becomes a check's result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from training_assets.assets.showing import markdown_table
from training_assets.core.leakage.waivers import used_waivers
from training_assets.core.validation.findings import Finding
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.places import Places


def claims(asset: str | dg.AssetKey, **descriptions: str) -> list[dg.AssetCheckSpec]:
    """Specs of an asset's checks by claim; all may block, and a finding's severity decides whether it does."""
    return [
        dg.AssetCheckSpec(claim, asset=asset, description=description, blocking=True)
        for claim, description in descriptions.items()
    ]


def worn(context: dg.AssetCheckExecutionContext, findings: Iterable[Finding]) -> Iterator[dg.AssetCheckResult]:
    """Results of the selected checks; a finding is worn by every check of its claim."""
    found = {finding.claim: finding for finding in findings}
    for key in sorted(context.selected_asset_check_keys, key=lambda key: (key.name, key.asset_key.path)):
        finding = found[key.name]
        yield dg.AssetCheckResult(
            passed=finding.passed,
            check_name=key.name,
            asset_key=key.asset_key,
            severity=dg.AssetCheckSeverity.WARN if finding.severity == "warn" else dg.AssetCheckSeverity.ERROR,
            description=finding.text,
            metadata={name: _shown(fact) for name, fact in finding.facts.items()},
        )


def record(
    context: dg.AssetCheckExecutionContext, places: Places, model: str, subject: str, findings: Sequence[Finding]
) -> None:
    """Note in the ledger what blocks a subject, or that nothing does; registration asks there, not the event log."""
    blocked = sorted(each.claim for each in findings if not each.passed and each.severity == "block")
    data: dict[str, Any] = {"blocked": blocked, "claims": sorted(each.claim for each in findings)}
    waived = used_waivers(findings)
    if waived:
        data["waived"] = waived
    latest = places.ledger.latest(model, "checked", subject)
    if latest is None or latest.data != data:
        places.ledger.record(model, "checked", subject, data, run_id=context.run.run_id, actor="checks")


def remembered(
    artifacts: Artifacts, model: str, name: str, made_from: Mapping[str, Any], find: Any
) -> Sequence[Finding]:
    """The findings, computed once for the very same rows, rules and code."""
    lines = artifacts.remembered(model, name, made_from, lambda: [finding.to_json() for finding in find()])
    return [Finding.from_json(line) for line in lines]


def _shown(fact: Any) -> Any:
    """A fact as metadata; a list of lines becomes a table."""
    return dg.MetadataValue.md(markdown_table(fact)) if isinstance(fact, list) else fact
