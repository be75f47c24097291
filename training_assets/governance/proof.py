"""Proof that a registered version can be served: its files are whole, and a fresh process scores as training did."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from training_assets.assets.tuning import GOLDEN, GOLDEN_SCORES, TUNED
from training_assets.core.errors import InputError
from training_assets.core.parity import largest_difference
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model
from training_assets.resources.packages import package_of
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry

TOLERANCE = 1e-9


def tuned_of(model: str, artifacts: Artifacts, registered: Event) -> Result:
    """The tuned model that a version was made of; raises InputError E_PARITY where it is gone."""
    tuned = artifacts.of_run(model, str(registered.data["trained_in"]), TUNED)
    if tuned is None or tuned.digest != registered.subject:
        message = f"the run that trained version {registered.data['version']} is gone; train anew with force"
        raise InputError("E_PARITY", message)
    return tuned


def prove(model: Model, places: Places, artifacts: Artifacts, registry: Registry, registered: Event) -> dict[str, Any]:
    """Load a version from the registry in a fresh process, and compare its scores of the golden rows with training's.

    All at once, with columns in another order, and one by one.

    Raises InputError as `package_of` does, E_PARITY where the version does not load, or scores differ.
    """
    version = str(registered.data["version"])
    tuned = tuned_of(model.name, artifacts, registered)
    with tempfile.TemporaryDirectory() as scratch:

        def fetched() -> Path:
            return package_of(model.name, registry, registered, Path(scratch)).parents[2]

        served = registry.scores_in_a_fresh_process(
            version, fetched, tuned.artifact.read(GOLDEN), root=places.root, trust=model.spec.search.trusted
        )
    seen = tuned.artifact.frame(GOLDEN_SCORES)
    differences = {way: largest_difference(seen.tail(scores.height), scores) for way, scores in served.items()}
    way, difference = max(differences.items(), key=lambda each: each[1])
    if not difference <= TOLERANCE:
        message = f"served scores of version {version} differ from training's by {difference:g} (rows asked for {way})"
        raise InputError("E_PARITY", message)
    return {"rows": seen.height, "largest_difference": difference}
