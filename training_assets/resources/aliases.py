"""Aliases of the registry: a mirror of the ledger's pointers; one that was moved by hand is found by comparing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.resources.cases import Case
from training_assets.resources.ledger import Event
from training_assets.resources.locks import exclusively
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import PRODUCTION, STAGING, Releases

CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"
ALIAS_CASE = "alias"
ALIASES_SET, RIGHT = "alias_set", "aliases_right"


@dataclass(frozen=True)
class Aliases:
    """The aliases of one model, as they are to be and as they are."""

    places: Places
    registry: Registry
    model: str

    def wanted(self) -> dict[str, str | None]:
        """What each alias has to name: staging's version, production's, and the one that a rollback would go to."""
        pointers, releases = self.places.ledger.pointers(self.model), Releases(self.places.ledger, self.model)
        try:
            previous = releases.rollback_target()
        except InputError:
            previous = None
        return {CHALLENGER: pointers.get(STAGING), CHAMPION: pointers.get(PRODUCTION), PREVIOUS: previous}

    def mirror(self, *, run_id: str, actor: str) -> None:
        """Let the aliases say what the pointers say; once a move, also where the move's own run died before it.

        What somebody moved by hand until then gets its case first: the aliases themselves do not tell of it any more.
        """
        with self._alone():
            move = self._last_move()
            if move is not None and not self._is_mirrored(move):
                self._watch(run_id=run_id)
                said = {"aliases": self._set()}
                self.registry.anchor(self.model, move.hash)
                self.places.ledger.record(self.model, ALIASES_SET, move.hash, said, run_id=run_id, actor=actor)

    def restore(self) -> None:
        """Put aliases that were moved by hand back."""
        with self._alone():
            self._set()

    def gone(self) -> dict[str, str]:
        """Versions that aliases have to name and that somebody deleted in the registry, by alias."""
        return {
            alias: version
            for alias, version in self.wanted().items()
            if version is not None and not self.registry.has(self.model, version)
        }

    def moved_by_hand(self) -> dict[str, tuple[str | None, str | None]]:
        """Aliases that name what they were not let name, each with what it names and what it was set to; by name.

        Where a move has not reached the registry yet, its run may have set some of them before it died. An alias went
        with its version where that was deleted: nobody moved it.
        """
        newest = self.places.ledger.latest(self.model, ALIASES_SET)
        should = {} if newest is None else newest.data["aliases"]
        mirrored = next((move.seq for move in self._moves() if newest and move.hash == newest.subject), 0)
        there, moved, gone = self.registry.aliases(self.model), {}, self.gone()
        for alias, version in self.wanted().items():
            pointer = STAGING if alias == CHALLENGER else PRODUCTION
            on_the_way = [move.data for move in self._moves(pointer) if move.seq > mirrored]
            ours = {should.get(alias), version, *(data[end] for data in on_the_way for end in ("from", "to"))}
            if there.get(alias) not in ours and not (alias in gone and alias not in there):
                moved[alias] = (there.get(alias), should.get(alias))
        return moved

    def watch(self, *, run_id: str = "") -> Case | None:
        """Open the case of what was moved by hand, or close what is right again; give the case that asks about it."""
        with self._alone():
            return self._watch(run_id=run_id)

    def _watch(self, *, run_id: str) -> Case | None:
        moved, reviews, ledger = self.moved_by_hand(), self.places.reviews, self.places.ledger
        facts = {"aliases": {name: {"is": there, "should": should} for name, (there, should) in moved.items()}}
        cases = [case for case in reviews.cases(self.model) if case.kind == ALIAS_CASE]
        last = cases[-1] if cases else None
        left = last is not None and last.state == "REJECTED" and not ledger.latest(self.model, RIGHT, last.subject)
        if last is not None and last.facts == facts and (left or last.state == "OPEN"):
            return last
        for case in cases:
            if case.state == "OPEN":
                right = "the aliases are right again" if not moved else "the aliases were moved once more"
                reviews.decide(case, "SUPERSEDED", actor="aliases", comment=right, run_id=run_id)
        if not moved:
            if last is not None and left:  # the same thing done once more is asked once more
                ledger.record(self.model, RIGHT, last.subject, {}, run_id=run_id, actor="aliases")
            return None
        said = "; ".join(
            f"'{name}' names {_version(there)} and should name {_version(should)}"
            for name, (there, should) in moved.items()
        )
        text = (
            f"somebody moved aliases of {self.model} in the registry by hand: {said}. Production and staging did not "
            "move. Approve to put the aliases back; to release a version, use training-assets promote or rollback"
        )
        subject = fingerprint.digest({**facts, "after": len(cases)})
        return reviews.open(self.model, ALIAS_CASE, subject, text, facts, run_id=run_id, actor="aliases")

    def _alone(self) -> AbstractContextManager[None]:
        """While nobody else reads or sets the aliases: who sets them has seen the last move."""
        return exclusively(self.places.locks, f"aliases-{self.model}")

    def _moves(self, *pointers: str) -> list[Event]:
        names = pointers or (STAGING, PRODUCTION)
        return [move for name in names for move in self.places.ledger.events(self.model, f"{name}_moved")]

    def _last_move(self) -> Event | None:
        return max(self._moves(), key=lambda move: move.seq, default=None)

    def _is_mirrored(self, move: Event) -> bool:
        return self.places.ledger.latest(self.model, ALIASES_SET, move.hash) is not None

    def _set(self) -> dict[str, str | None]:
        """Let each alias name what it has to, or nothing where that is gone; give what they name now."""
        able = self.wanted() | dict.fromkeys(self.gone())
        for alias, version in able.items():
            self.registry.alias(self.model, alias, version)
        return able


def _version(number: str | None) -> str:
    return "nothing" if number is None else f"version {number}"
