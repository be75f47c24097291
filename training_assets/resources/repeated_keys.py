"""Batches that repeat keys of their own, where the spec refuses that: looked at once a batch, and noted as refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training_assets.core import fingerprint
from training_assets.core.validation.duplicates import Repeats, key_columns, repeats
from training_assets.core.validation.quarantine import BatchFacts
from training_assets.resources.models import Model
from training_assets.resources.places import Places

ACTOR = "validated_data"


def repeated_keys(
    places: Places, model: Model, table: str, batches: Sequence[BatchFacts], *, run_id: str
) -> Mapping[str, Repeats]:
    """Digest of each refused batch, with its repeated keys; none unless `validation.duplicates.keep` is refuse.

    `table` holds the validated rows of the batches.
    """
    if model.spec.validation.duplicates.keep != "refuse":
        return {}
    keys, name = key_columns(model.spec), model.name
    kind = f"repeats/{fingerprint.digest([table, keys])}"
    done = {event.subject: event.data for event in places.ledger.events(name, kind)}
    found: dict[str, Repeats] = {}
    for batch in batches:
        if batch.digest not in done:
            line = repeats(places.tables.read(name, table, [batch.digest]), keys).to_json()
            once = f"{name}/{kind}/{batch.digest}"
            event = places.ledger.record(name, kind, batch.digest, line, run_id=run_id, actor=ACTOR, once=once)
            done[batch.digest] = event.data
        own = Repeats.from_json(done[batch.digest])
        if own.count:
            found[batch.digest] = own
            refusal = {"name": batch.name, "code": "E_DUP_KEY", "reason": str(own.refusal(batch.name))}
            once = f"{name}/refused/{kind}/{batch.digest}"
            places.ledger.record(name, "batch_refused", batch.digest, refusal, run_id=run_id, actor=ACTOR, once=once)
    return found
