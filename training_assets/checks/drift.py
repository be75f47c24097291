"""Drift of the batches that no release has seen, and the person who may say that it is sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from training_assets.assets.drift import Reference
from training_assets.core.drift import against_reference, against_window, columns_have_not_drifted, unique_names
from training_assets.core.validation.findings import Finding
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.batch_statistics import kept
from training_assets.resources.models import Model
from training_assets.resources.places import Places

DRIFT = "drift"


def drift_finding(
    model: Model, places: Places, artifacts: Artifacts, validated: Mapping[str, Any], reference: Reference | None
) -> Finding:
    """What the statistics of new batches say; `validated` are the facts of `validated_data`."""
    if reference is None:
        return columns_have_not_drifted(None, model.spec.validation.drift)
    names = unique_names([(line["digest"], line["name"]) for line in validated["facts"]])
    known, order = set(reference.batches), validated["batches"]
    new = [names[digest] for digest in order if digest not in known]
    if not new:
        return columns_have_not_drifted([], model.spec.validation.drift)
    first = next(place for place, digest in enumerate(order) if digest not in known)
    needed = order[max(first - model.spec.validation.drift.window, 0) :]
    batches = {names[digest]: each for digest, each in kept(artifacts, places, model, validated, needed).items()}
    found = against_reference(
        {name: batches[name] for name in new}, reference.statistics, model.spec, named=reference.name,
        importances=reference.importances,
    )  # fmt: skip
    found += against_window(batches, new, model.spec, importances=reference.importances)
    return columns_have_not_drifted(found, model.spec.validation.drift)


def reviewed(finding: Finding, model: Model, places: Places, subject: str, *, run_id: str) -> Finding:
    """The finding after a person's decision on this very dataset (`subject`, its digest); opens the case if none is.

    Only where the spec asks for a review, and the finding would block.
    """
    asks = model.spec.validation.drift.severity == "review"
    if not asks or finding.passed or finding.severity != "block" or "columns_by_psi" not in finding.facts:
        return finding
    facts = {"columns": finding.facts["columns_by_psi"], "batches": finding.facts["batches"]}
    case = places.reviews.open(model.name, DRIFT, subject, finding.text, facts, run_id=run_id, actor="checks")
    told = {**finding.facts, "case": case.name}
    if places.reviews.approved(model.name, DRIFT, subject):
        text = f"approved by {case.decided_by}: {str(case.comment)[:200]}; {finding.text}"
        return replace(finding, passed=True, text=text, facts=told)
    if case.state == "REJECTED":
        text = f"rejected by {case.decided_by}: {str(case.comment)[:200]}; {finding.text}"
        return replace(finding, text=text, facts=told)
    how = f"`training-assets review {model.name} {case.name} --approve --comment WHY`, then launch the job again"
    where = f"materialise {model.name}/drift_report to see it"
    text = f"{finding.text}; case {case.name} waits for a decision ({where}): {how}, or --reject"
    return replace(finding, text=text, facts=told)
