"""The pages of a judged candidate, report and model card, written once a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training_assets.assets.drift import REPORT as DRIFT
from training_assets.assets.tuning import STUDY, spec_that_made
from training_assets.core import artifact_format, fingerprint
from training_assets.core.evaluation.verdict import Verdict
from training_assets.core.pages import card_of, card_page, card_text, report_page
from training_assets.core.search.study import Study
from training_assets.resources.artifacts import MADE_FROM, Artifacts, Result
from training_assets.resources.models import Model
from training_assets.resources.places import Places

CARD = "card.json"
DRIFT_MAP = "drift_map.png"


def write_pages(
    model: Model,
    places: Places,
    artifacts: Artifacts,
    verdict: Verdict,
    report: Mapping[str, Any],
    evaluated: Result,
    tuned: Result,
) -> Path:
    """The folder with `report.html`, `card.html`, `card.md` and `card.json`; the same verdict gives the same bytes."""
    drift = artifacts.of_run(model.name, tuned.made_in, DRIFT)
    page = places.report_page(model.name, verdict.digest)
    folder = page.parent
    card = model_card(model, report, evaluated, tuned)
    pages = {
        page.name: report_page(
            report, verdict, _about(model), _sections(verdict, tuned, drift), _pictures(evaluated, tuned, drift)
        ).encode(),
        "card.html": card_page(card).encode(),
        "card.md": card_text(card).encode(),
        CARD: fingerprint.canonical(card),
    }
    for name, content in pages.items():
        artifact_format.write_file(folder / name, content)
    return folder


def model_card(model: Model, report: Mapping[str, Any], evaluated: Result, tuned: Result) -> dict[str, Any]:
    """The card of a candidate as JSON values."""
    identity = tuned.artifact.facts["identity"]
    digests = {
        "candidate": tuned.digest,
        "report": evaluated.digest,
        "scorer": str(identity["scorer"]),
        "preprocessor": str(identity["preprocessor"]),
        "training_rows": str(identity["train_split"]),
    }
    facts = {**tuned.artifact.facts, "members": _members(tuned)}
    return card_of(spec_that_made(tuned, model.spec), model.name, report, facts, digests)


def _about(model: Model) -> dict[str, str]:
    return {"model": model.name, "description": model.spec.description}


def _members(tuned: Result) -> list[dict[str, Any]]:
    """Families and weights of what the model is blended of."""
    study = Study.from_json(tuned.artifact.json(STUDY))
    trials = {trial.number: trial for trial in study.trials}
    return [{"family": trials[member.trial].family, "weight": member.weight} for member in study.members]


def _sections(verdict: Verdict, tuned: Result, drift: Result | None) -> dict[str, dict[str, Any]]:
    facts = tuned.artifact.facts
    lineage, identity = facts["lineage"], facts["identity"]
    members = ", ".join(f"{each['family']} {each['weight']:.2f}" for each in _members(tuned))
    return {
        "Data": {
            "dataset version": lineage["dataset"],
            "batches": len(lineage["batches"]),
            "training split": lineage["train_split"],
            "validation split": lineage["validation_split"],
            "test split": lineage["test_split"],
        },
        "Drift": _drift(drift),
        "Model": {
            "family": facts["family"],
            "members and weights": members,
            "metric searched for": facts["metric"],
            "on validation rows": facts["score"],
            "trials": facts["trials"],
            "seconds of search": facts["seconds"],
            "calibration": facts["calibration"] or "none",
            "decision threshold": facts["threshold"],
            **{f"best trial: {name}": value for name, value in facts["params"].items()},
        },
        "Lineage": {
            "trained in run": tuned.made_in,
            "candidate": tuned.digest,
            "scorer": identity["scorer"],
            "preprocessor": facts[MADE_FROM]["preprocessor"],
            "training code": identity["code"],
            "report": verdict.report,
            "policy": verdict.policy,
            "verdict": verdict.digest,
        },
    }


def _drift(drift: Result | None) -> dict[str, Any]:
    """How the newest batch moved, in the run that trained the model."""
    if drift is None:
        return {"compared with": "nothing: the run that trained this model made no drift report"}
    facts = drift.artifact.facts
    moved = [f"{line['column']} ({line['psi']})" for line in facts.get("worst", []) if line["verdict"] != "stable"]
    return {
        "compared with": facts["reference"],
        "newest batch": facts.get("newest_batch"),
        "its columns that drifted": facts.get("drifted_columns"),
        "largest PSI in it": facts.get("largest_psi"),
        "all columns together, by importance": facts.get("overall_psi"),
        "moved in the new batches (PSI)": ", ".join(dict.fromkeys(moved)) or "none",
    }


def _pictures(evaluated: Result, tuned: Result, drift: Result | None) -> dict[str, bytes]:
    """The report's own pictures, then how the model was found, then how columns moved."""
    found = {
        name.removesuffix(".png"): result.artifact.read(name)
        for result in (evaluated, tuned)
        for name in sorted(result.artifact.files)
        if name.endswith(".png")
    }
    if drift is not None and DRIFT_MAP in drift.artifact.files:
        found["drift_map"] = drift.artifact.read(DRIFT_MAP)
    return found
