"""Rollback: an earlier version is proved sound, production goes back to it, and the pulled one is in quarantine."""

from __future__ import annotations

from datetime import datetime, timedelta

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
    of: str | None = None,
    asked_at: datetime | None = None,
) -> Event:
    """Pull the live version (or `of`), and bring an earlier one back: the one asked for, else the newest sound one.

    Before anything moves, its files' digests are checked, a fresh process loads it and scores its golden rows, and its
    inputs must be what rows have now. Raises InputError E_ROLLBACK, E_VERSION, E_HASH, E_SIGNATURE or E_PARITY that
    says what stands against it; nothing has moved then.

    One that is carried out again pulls nothing more: it finishes what follows from the earlier move, and gives that.
    `run_id` is that of the first attempt, `asked_at` when it began: what went live since is not pulled unless named.
    """
    if not reason.strip() or not actor.strip():
        raise InputError("E_ROLLBACK", "say why the version is pulled (--reason TEXT), and who pulls it (--by NAME)")
    releases = Releases(places.ledger, model.name, tuple(model.spec.release.targets))
    by = {"run_id": run_id, "actor": actor}
    live = releases.live()
    if live is None:
        raise InputError("E_ROLLBACK", f"{model.name} has nothing in production; there is nothing to roll back")
    moved = moved_before(releases, live, of=of, to=to, reason=reason, asked_at=asked_at, **by)
    if moved is None:
        target = releases.rollback_target(to)
        registered = releases.version(target)
        _require_inputs(model, artifacts, registered, releases.version(str(live.data["to"])))
        prove(model, places, artifacts, registry, registered)
        freeze = timedelta(hours=model.spec.release.freeze_hours)
        try:
            moved = releases.roll_back(target, reason=reason, freeze=freeze, after=live, **by)
        except PointerMovedError as error:
            raise InputError("E_ROLLBACK", f"another release was faster: {error}") from error
    Aliases(places, registry, model.name).mirror(**by)
    for case in places.reviews.cases(model.name):
        if (case.kind, case.state) == (RELEASE_CASE, "OPEN") and case.number < moved.seq:
            because = f"version {moved.data['from']} was rolled back"
            places.reviews.decide(case, "SUPERSEDED", actor=actor, comment=because, run_id=run_id)
    return moved


def told_of(moved: Event, run_id: str) -> str:
    """What a rollback did, in a sentence: with the run that asked for it, or before."""
    pulled, to = moved.data["from"], moved.data["to"]
    if moved.run_id == run_id:
        return f"production is back at version {to}; version {pulled} is in quarantine"
    return (
        f"version {pulled} is not live any more: it was pulled at {moved.at[:19]} for version {to}; nothing more is "
        "pulled. To pull the version that is live now, name it (--of VERSION)"
    )


def moved_before(
    releases: Releases,
    live: Event,
    *,
    of: str | None,
    to: str | None,
    reason: str,
    actor: str,
    run_id: str,
    asked_at: datetime | None = None,
) -> Event | None:
    """The move of the rollback that this one repeats; none where it is to pull what is live.

    It repeats one of the same run, one of the very version that it names, and, where it names none, the last move, if
    that is a rollback by the same person in the same words. Raises InputError E_ROLLBACK where the version that it
    names is not live, and was not pulled, or where it names none and another one went live since it was asked.
    """
    for move in releases.moves():
        if (move.data["way"], move.run_id) == ("rollback", run_id):
            return move
    if of is None:
        said = (live.data["way"], live.data["reason"], live.actor)
        if said == ("rollback", reason, actor) and to in {None, live.data["to"]}:
            return live
        if asked_at is not None and datetime.fromisoformat(live.at) > asked_at:
            message = (
                f"version {live.data['to']} went live after this was asked; name the version to pull (--of VERSION)"
            )
            raise InputError("E_ROLLBACK", message)
        return None
    releases.version(of)
    if of == live.data["to"]:
        return None
    if of in releases.pulled():
        return releases.pulled()[of]
    message = f"version {of} is not live any more, version {live.data['to']} is; nothing is pulled"
    raise InputError("E_ROLLBACK", message)


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
