"""What the registry gets of a candidate: model, golden rows, report, card and lineage in one folder, each pinned."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training_assets.assets.tuning import GOLDEN, GOLDEN_SCORES, SCORER, STUDY, spec_that_made
from training_assets.core import fingerprint
from training_assets.core.bundle import statement
from training_assets.core.evaluation.verdict import Verdict
from training_assets.core.import_closure import PACKAGE, modules_behind
from training_assets.governance.judging import REPORT_FILE
from training_assets.resources.artifacts import Result
from training_assets.resources.models import Model

BUNDLE = "bundle.json"


def package(folder: Path, model: Model, verdict: Verdict, pages: Path, evaluated: Result, tuned: Result) -> None:
    """Fill an empty folder; the same candidate, report, verdict and pages give the same bytes."""
    shutil.copytree(tuned.artifact.verified_folder() / SCORER, folder / SCORER)
    for name in (GOLDEN, GOLDEN_SCORES, STUDY):
        (folder / name).write_bytes(tuned.artifact.read(name))
    (folder / REPORT_FILE).write_bytes(evaluated.artifact.read(REPORT_FILE))
    for page in pages.iterdir():
        shutil.copy(page, folder / page.name)
    files = fingerprint.digests_of(folder)
    bundle = lineage_bundle(model, verdict, tuned, files)
    (folder / BUNDLE).write_bytes(fingerprint.canonical(bundle))


def lineage_bundle(model: Model, verdict: Verdict, tuned: Result, files: Mapping[str, str]) -> dict[str, Any]:
    """Where everything in the package comes from."""
    facts = tuned.artifact.facts
    lineage, identity = facts["lineage"], facts["identity"]
    data = {name: str(lineage[name]) for name in ("validated_data", "train_split", "validation_split", "test_split")}
    data |= {f"batch {number}": batch for number, batch in enumerate(lineage["batches"], start=1)}
    data |= {name: str(identity[name]) for name in ("preprocessor", "encoded_features")}
    made_from = {
        "candidate": tuned.digest, "report": verdict.report, "policy": verdict.policy, "verdict": verdict.digest,
    }  # fmt: skip
    spec = spec_that_made(tuned, model.spec)
    made_with = {**facts["made_with"], "seed": spec.search.seed, "dataset": lineage["dataset"]}
    made_with["training_code"] = identity["code"]
    return statement(
        files, spec=spec.model_dump(mode="json"), made_with=made_with, data=data, made_from=made_from,
        run_id=tuned.made_in,
    )  # fmt: skip


def bundled_code(folder: Path) -> Path:
    """Copy the code that serving needs into an empty folder, and give the package's folder in it."""
    for module in modules_behind("serving.py"):
        place = folder / PACKAGE.name / module
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE / module, place)
    return folder / PACKAGE.name
