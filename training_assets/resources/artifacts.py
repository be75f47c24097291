"""Artifacts of runs: kept under the run that made them, found again by what they were made from."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from training_assets.core import artifact_format, fingerprint
from training_assets.core.artifact_format import Artifact, Made
from training_assets.resources.failures import clear_failures
from training_assets.resources.launches import OF_RUN_TAG
from training_assets.resources.places import Places

MADE_FROM = "made_from"
RECENT = 20
"""Materialisations looked through for one that a run made: some are only reported by hand."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True)
class Result:
    """An asset's artifact, and the run that made it."""

    artifact: Artifact
    made_in: str
    is_new: bool

    @property
    def digest(self) -> str:
        """Identity of the content."""
        return self.artifact.digest


class Artifacts(dg.ConfigurableResource):  # type: ignore[type-arg] # generic only for pythonic IO managers
    """`<folder>/<model>/<run>/<asset>/`: written once, in full; a run without new work points at an earlier run's."""

    places: dg.ResourceDependency[Places]
    force: bool = False

    def once(
        self,
        context: dg.AssetExecutionContext,
        made_from: Mapping[str, Any],
        make: Callable[[Mapping[str, Path]], Mapping[str, Made]],
    ) -> dict[str, Result]:
        """The results of the running step, by asset name: made now, or those that were made from the very same things.

        `made_from` is everything that decides the content, digests of inputs and parts of the spec; the step's code
        version is added. `make` gets an empty folder an asset, and fills it.
        """
        definition = context.assets_def
        model = next(iter(definition.keys)).path[0]
        assets = sorted(key.path[-1] for key in definition.keys)
        run_id = context.run.run_id
        index = self._index(context, made_from).with_suffix(".json")
        if index.exists() and not self.force:
            with clear_failures():
                made_in = artifact_format.unsealed(index)["run"]
                earlier = {asset: self.of_run(model, made_in, asset) for asset in assets}
            if all(earlier.values()):
                return {
                    asset: self.stand_on(model, run_id, asset, result) for asset, result in earlier.items() if result
                }
        with clear_failures():
            artifact_format.remove_abandoned(self.places.artifacts / _name(model))
            folders = {asset: self._folder(model, run_id, asset) for asset in assets}
            artifacts = artifact_format.write(folders, lambda empty: _with_origin(make(empty), made_from))
        artifact_format.write_file(index, artifact_format.sealed({"run": run_id}))
        return {asset: Result(artifact, run_id, is_new=True) for asset, artifact in artifacts.items()}

    def unfinished(self, context: dg.AssetExecutionContext, made_from: Mapping[str, Any]) -> Path:
        """Folder for what the running step has done so far, which another attempt at the very same step takes up.

        It need not exist; whoever fills it removes it once the step has its result.
        """
        return self._index(context, made_from).with_suffix(".unfinished")

    def remembered(self, model: str, name: str, made_from: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
        """A JSON value that is computed once from the very same things, e.g. what a check found in the same rows."""
        path = self._remembered(model, name, made_from)
        if path.exists() and not self.force:
            return artifact_format.unsealed(path)["value"]
        value = compute()
        artifact_format.write_file(path, artifact_format.sealed({"value": value}))
        return value

    def forget(self, model: str, name: str, made_from: Mapping[str, Any]) -> bool:
        """Remove what `remembered` keeps of these very things, for good; whether there was anything."""
        path = self._remembered(model, name, made_from)
        found = path.exists()
        path.unlink(missing_ok=True)
        return found

    def _remembered(self, model: str, name: str, made_from: Mapping[str, Any]) -> Path:
        folder: Path = self.places.artifacts / _name(model) / "by_content" / _name(name)
        return folder / f"{fingerprint.digest(dict(made_from))}.json"

    def of_run(self, model: str, run_id: str, asset: str) -> Result | None:
        """What a run made, or stood on, for an asset; none if it did neither."""
        folder = self._folder(model, run_id, asset)
        pointer = folder.with_suffix(".json")
        if pointer.exists():
            made_in = artifact_format.unsealed(pointer)["stands_on"]
            return Result(artifact_format.read(self._folder(model, made_in, asset)), made_in, is_new=False)
        if (folder / artifact_format.MANIFEST).exists():
            return Result(artifact_format.read(folder), run_id, is_new=True)
        return None

    def stand_on(self, model: str, run_id: str, asset: str, result: Result) -> Result:
        """An earlier result as one of a run's own: who reads the results of that run finds it, too."""
        if result.made_in != run_id:
            pointer = self._folder(model, run_id, asset).with_suffix(".json")
            artifact_format.write_file(pointer, artifact_format.sealed({"stands_on": result.made_in}))
        return Result(result.artifact, result.made_in, is_new=False)

    def _index(self, context: dg.AssetExecutionContext, made_from: Mapping[str, Any]) -> Path:
        """Where the running step is found again by what it is made from."""
        definition = context.assets_def
        assets = sorted(key.path[-1] for key in definition.keys)
        code = sorted({str(definition.code_versions_by_key[key]) for key in definition.keys})
        key = fingerprint.digest({"assets": assets, "code": code, "made_from": dict(made_from)})
        model = next(iter(definition.keys)).path[0]
        folder: Path = self.places.artifacts / _name(model) / "by_content" / assets[0]
        return folder / key

    def _folder(self, model: str, run_id: str, asset: str) -> Path:
        return self.places.artifacts / _name(model) / _name(run_id) / _name(asset)


def _with_origin(made: Mapping[str, Made], made_from: Mapping[str, Any]) -> dict[str, Made]:
    """What was made, with what it was made from among its facts."""
    return {asset: Made({**each.facts, MADE_FROM: dict(made_from)}, each.digest) for asset, each in made.items()}


def require_origin(asset: str, result: Result, **inputs: Result) -> None:
    """Refuse a result that was made from others than these: results of different runs must not be mixed.

    Raises `dagster.Failure` that names what to materialise.
    """
    for name, other in inputs.items():
        if result.artifact.facts[MADE_FROM].get(name) != other.digest:
            message = f"{asset} was made from another {name} than the present one; materialise {asset} first"
            raise dg.Failure(message, allow_retries=False)


def _name(text: str) -> str:
    """A name that is safe as a part of a path; raises `ValueError` for any other."""
    if not NAME.fullmatch(text):
        message = f"{text[:80]!r} is no name for a folder"
        raise ValueError(message)
    return text


class ArtifactIOManager(dg.ConfigurableIOManager):
    """Hands a result to those who read it: this run's own, that of the run it retries, else the latest one."""

    artifacts: Artifacts

    def handle_output(self, context: dg.OutputContext, obj: Result) -> None:
        """Keep nothing: the result was written, whole, before the asset returned it."""
        context.log.debug(f"{context.asset_key.to_user_string()}: {obj.artifact.folder}")

    def load_input(self, context: dg.InputContext) -> Result:
        """The result that a running step stands on; raises `dagster.Failure` where the input was never materialised."""
        model, asset = context.asset_key.path[0], context.asset_key.path[-1]
        run = context.step_context.dagster_run
        latest = context.instance.fetch_materializations(context.asset_key, limit=RECENT).records
        runs = [run.run_id, run.parent_run_id, run.root_run_id, *(record.run_id for record in latest)]
        if (of_run := run.tags.get(OF_RUN_TAG)) is not None:
            runs = [run.run_id, of_run]
        found = None
        for run_id in filter(None, runs):
            with clear_failures():
                found = self.artifacts.of_run(model, run_id, asset)
            if found is not None:
                break
        if found is None:
            key = context.asset_key.to_user_string()
            message = f"{key} has no result yet; materialise it first (job {model}_train makes all)"
            raise dg.Failure(message, allow_retries=False)
        return found
