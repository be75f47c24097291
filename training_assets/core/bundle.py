"""The lineage bundle: an in-toto statement with SLSA provenance over the digests of a version.

Formats: https://in-toto.io/Statement/v1 and https://slsa.dev/provenance/v1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training_assets.spec import ModelSpec

STATEMENT, PROVENANCE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
BUILD_TYPE = "training_assets/train/v1"


def statement(
    files: Mapping[str, str],
    *,
    spec: Mapping[str, Any],
    made_with: Mapping[str, Any],
    data: Mapping[str, str],
    made_from: Mapping[str, str],
    run_id: str,
) -> dict[str, Any]:
    """The statement that these files (name → sha256) were made from that data by that code.

    `spec` is the whole spec, `made_with` what else decides (code commit, lock, Python, cores, seed), `data` digests of
    dataset, batches and splits by name, `made_from` digests of candidate, report, policy and verdict.
    """
    dependencies = [_dependency(name, digest) for name, digest in {**data, **made_from}.items()]
    commit = made_with.get("commit")
    if commit:
        dependencies.append({"name": "code", "digest": {"gitCommit": commit}})
    if made_with.get("lock"):
        dependencies.append(_dependency("requirements/lock.txt", str(made_with["lock"])))
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(files.items())],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"spec": dict(spec)},
                "internalParameters": dict(made_with),
                "resolvedDependencies": dependencies,
            },
            "runDetails": {"builder": {"id": "training_assets"}, "metadata": {"invocationId": run_id}},
        },
    }


def spec_of(bundle: Mapping[str, Any]) -> ModelSpec:
    """The spec that the version was made by, as `statement` wrote it."""
    return ModelSpec.model_validate(bundle["predicate"]["buildDefinition"]["externalParameters"]["spec"])


def dependencies(bundle: Mapping[str, Any]) -> dict[str, str]:
    """Digests by name, as `statement` wrote them."""
    found: Sequence[Mapping[str, Any]] = bundle["predicate"]["buildDefinition"]["resolvedDependencies"]
    return {str(each["name"]): str(next(iter(each["digest"].values()))) for each in found}


def _dependency(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digest}}
