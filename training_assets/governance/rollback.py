"""Rollback: an earlier version is proved sound, production goes back to it, and the pulled one is in quarantine."""

from __future__ import annotations

from datetime import timedelta

from training_assets.assets.tuning import GOLDEN
from training_assets.core.errors import InputError
from training_assets.governance.production import RELEASE_CASE
from training_assets.governance.proof import prove, tuned_of
from training_assets.resources.aliases import Aliases
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.ledger import Event, PointerMovedError
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import Releases


def roll_back(
    model: Model,
    places: Places,
    artifacts: Artifacts,
    registry: Registry,
    *,
    to: str | None,
    reason: str,
    actor: str,
    run_id: str,
) -> Event:
    """Bring an earlier version back: the one asked for, else the newest sound one before the present.

    Before anything moves, its files' digests are checked, a fresh process loads it and scores its golden rows, and its
    inputs must be what rows have now. Raises InputError E_ROLLBACK, E_VERSION, E_HASH, E_SIGNATURE or E_PARITY that
    says what stands against it; nothing has moved then.
    """
    releases = Releases(places.ledger, model.name, tuple(model.spec.release.targets))
    live = releases.live()
    target = releases.rollback_target(to)
    if live is None or not reason.strip():
        raise InputError("E_ROLLBACK", "say why the version is pulled (--reason TEXT)")
    registered = releases.version(target)
    _require_inputs(model, artifacts, registered, releases.version(str(live.data["to"])))
    prove(model, places, artifacts, registry, registered)
    freeze = timedelta(hours=model.spec.release.freeze_hours)
    by = {"run_id": run_id, "actor": actor}
    try:
        moved = releases.roll_back(target, reason=reason, freeze=freeze, after=live, **by)
    except PointerMovedError as error:
        raise InputError("E_ROLLBACK", f"another release was faster: {error}") from error
    Aliases(places, registry, model.name).mirror(**by)
    because = f"version {live.data['to']} was rolled back"
    places.reviews.supersede(model.name, RELEASE_CASE, but=None, because=because, **by)
    return moved


def _require_inputs(model: Model, artifacts: Artifacts, earlier: Event, present: Event) -> None:
    """Refuse a version that reads columns which the present one, and so whoever asks it, does not have."""
    columns = [tuned_of(model.name, artifacts, each).artifact.frame(GOLDEN).columns for each in (earlier, present)]
    missing = [name for name in columns[0] if name not in columns[1]]
    if missing:
        message = (
            f"version {earlier.data['version']} reads {', '.join(missing[:5])}, which version "
            f"{present.data['version']} does not, so that callers may not send it; choose another version (--to)"
        )
        raise InputError("E_ROLLBACK", message)
