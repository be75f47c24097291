"""The pages of a judged candidate, report and model card, written once a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training_assets.assets.tuning import STUDY
from training_assets.core import artifact_format, fingerprint
from training_assets.core.evaluation.verdict import Verdict
from training_assets.core.pages import card_of, card_page, card_text, report_page
from training_assets.core.search.study import Study
from training_assets.resources.artifacts import MADE_FROM, Result
from training_assets.resources.models import Model
from training_assets.resources.places import Places

PAGE, CARD = "report.html", "card.json"


def write_pages(
    model: Model, places: Places, verdict: Verdict, report: Mapping[str, Any], evaluated: Result, tuned: Result
) -> Path:
    """The folder with `report.html`, `card.html`, `card.md` and `card.json`; the same verdict gives the same bytes."""
    folder = places.pages / model.name / verdict.digest
    card = model_card(model, report, evaluated, tuned)
    pages = {
        PAGE: report_page(
            report, verdict, _about(model), _sections(verdict, tuned), _pictures(evaluated, tuned)
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
    return card_of(model.spec, model.name, report, facts, digests)


def _about(model: Model) -> dict[str, str]:
    return {"model": model.name, "description": model.spec.description}


def _members(tuned: Result) -> list[dict[str, Any]]:
    """Families and weights of what the model is blended of."""
    study = Study.from_json(tuned.artifact.json(STUDY))
    trials = {trial.number: trial for trial in study.trials}
    return [{"family": trials[member.trial].family, "weight": member.weight} for member in study.members]


def _sections(verdict: Verdict, tuned: Result) -> dict[str, dict[str, Any]]:
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


def _pictures(evaluated: Result, tuned: Result) -> dict[str, bytes]:
    """The report's own pictures, then how the model was found."""
    return {
        name.removesuffix(".png"): result.artifact.read(name)
        for result in (evaluated, tuned)
        for name in sorted(result.artifact.files)
        if name.endswith(".png")
    }
