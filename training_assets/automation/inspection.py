"""Jobs that look and change nothing: history, verify, compare, reproduce, as on the command line.

What they find is in the run's log, and an observation on the page of the asset that it is about.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
from pydantic import Field

from training_assets.assets.live import LIVE
from training_assets.assets.registration import REGISTERED
from training_assets.core.errors import InputError
from training_assets.core.pages.markdown import fenced
from training_assets.core.release.dates import moment
from training_assets.governance import comparing, reproducing, verifying
from training_assets.governance import history as told
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry

NEWEST = 200
"""Lines of a history that the UI shows; the command line has all of them, with every event's data."""
Found = Iterator[dg.AssetObservation]


class HistoryForm(dg.Config):
    """A moment."""

    at: str = Field("", description="Who was live then? E.g. 2026-11-30T18:00, in UTC; empty: now.")


class VerifyForm(dg.Config):
    """A version, or all."""

    version: str = Field("", description="A version's number; empty: all of them.")


class CompareForm(dg.Config):
    """Two versions."""

    first: str = Field(description="Number of the version that is compared with, e.g. 2.")
    second: str = Field(description="Number of the version that is compared, e.g. 3.")


class ReproduceForm(dg.Config):
    """A version."""

    version: str = Field(description="Number of the version to build again.")


def inspections(model: str) -> Sequence[dg.JobDefinition]:
    """`<model>_history`, `<model>_verify`, `<model>_compare`, `<model>_reproduce`."""
    return [_history(model), _verify(model), _compare(model), _reproduce(model)]


def _history(model: str) -> dg.JobDefinition:
    @dg.op(name=f"{model}_tell", out={})
    def tell(context: dg.OpExecutionContext, config: HistoryForm, places: dg.ResourceParam[Places]) -> Found:
        with clear_failures():
            at = moment(config.at) if config.at.strip() else None
        lines = told.history(places.ledger, model)[-NEWEST:]
        found = told.who_was_live(places.ledger, model, at)
        text = f"{told.history_table(lines)}\n\n{told.live_table(found)}"
        yield _seen(context, dg.AssetKey([model, LIVE]), text, found)

    return _job(f"{model}_history", "Tell what happened to the model, and which version was live when.", tell)


def _verify(model: str) -> dg.JobDefinition:
    @dg.op(name=f"{model}_check_records", out={})
    def check_records(
        context: dg.OpExecutionContext,
        config: VerifyForm,
        places: dg.ResourceParam[Places],
        registry: dg.ResourceParam[Registry],
    ) -> Found:
        with clear_failures():
            lines = verifying.verify(model, places, registry, config.version or None)
            yield _seen(context, dg.AssetKey([model, REGISTERED]), verifying.table(lines), {"lines": lines})
            broken = [f"{line['what']}: {line['text']}" for line in lines if not line["holds"]]
            if broken:
                raise InputError("E_VERIFY", f"{len(broken)} of {len(lines)} do not hold: {'; '.join(broken)}")

    what = "Check that ledger, pointers, decisions, files and signatures are what they were; fails where they are not."
    return _job(f"{model}_verify", what, check_records)


def _compare(model: str) -> dg.JobDefinition:
    @dg.op(name=f"{model}_put_side_by_side", out={})
    def put_side_by_side(
        context: dg.OpExecutionContext,
        config: CompareForm,
        models: dg.ResourceParam[Models],
        places: dg.ResourceParam[Places],
        artifacts: Artifacts,
        registry: dg.ResourceParam[Registry],
    ) -> Found:
        with clear_failures():
            about = models.named(model)
            found = comparing.side_by_side(about, places, artifacts, registry, config.first, config.second)
        yield _seen(context, dg.AssetKey([model, REGISTERED]), comparing.table(found), found)

    what = "Show two versions side by side: data, spec, code, parameters, metrics, predictions."
    return _job(f"{model}_compare", what, put_side_by_side)


def _reproduce(model: str) -> dg.JobDefinition:
    @dg.op(name=f"{model}_build_again", out={})
    def build_again(
        context: dg.OpExecutionContext,
        config: ReproduceForm,
        models: dg.ResourceParam[Models],
        places: dg.ResourceParam[Places],
        artifacts: Artifacts,
        registry: dg.ResourceParam[Registry],
    ) -> Found:
        with clear_failures():
            found = reproducing.reproduce(
                models.named(model), places, artifacts, registry, config.version, say=context.log.info
            )
            said = reproducing.sentences(config.version, found)
            yield _seen(context, dg.AssetKey([model, REGISTERED]), said, asdict(found))
            if found.level is None:
                raise InputError("E_REPRODUCE", said)

    what = "Build a version again from its recorded rows, spec and study, and say how equal it is."
    return _job(f"{model}_reproduce", what, build_again)


def _job(name: str, description: str, op: dg.OpDefinition) -> dg.JobDefinition:
    return dg.GraphDefinition(name=name, node_defs=[op]).to_job(name=name, description=description)


def _seen(context: dg.OpExecutionContext, key: dg.AssetKey, text: str, found: Any) -> dg.AssetObservation:
    """To people as text, in the log and on the asset's page; to machines as JSON.

    It is yielded, not logged: what an op that fails has logged is lost.
    """
    context.log.info(text)
    shown = {"found": dg.MetadataValue.md(fenced(text)), "data": dg.MetadataValue.json(found)}
    return dg.AssetObservation(key, metadata=shown)
