"""Aliases of the registry: a mirror of the ledger's pointers; one that was moved by hand is found by comparing."""

from __future__ import annotations

from dataclasses import dataclass

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.resources.ledger import Event
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import PRODUCTION, STAGING, Releases
from training_assets.resources.reviews import Case

CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"
ALIAS_CASE = "alias"


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
        """Let the aliases say what the pointers say; once a move, also where the move's own run died before it."""
        move = self._last_move()
        if move is not None and not self._is_mirrored(move):
            self._set(self.wanted())
            self.registry.anchor(self.model, move.hash)
            said = {"aliases": self.wanted()}
            self.places.ledger.record(self.model, "alias_set", move.hash, said, run_id=run_id, actor=actor)

    def restore(self) -> None:
        """Put aliases that were moved by hand back."""
        self._set(self.wanted())

    def moved_by_hand(self) -> dict[str, tuple[str | None, str | None]]:
        """Aliases that name something else than they have to, each with what it names and what it should; by name.

        None where the newest move has not reached the registry yet: its own run, or the next one, will do that.
        """
        move = self._last_move()
        if move is None or not self._is_mirrored(move):
            return {}
        there = self.registry.aliases(self.model)
        return {
            alias: (there.get(alias), version)
            for alias, version in self.wanted().items()
            if there.get(alias) != version
        }

    def watch(self, *, run_id: str = "") -> Case | None:
        """Open the case of what was moved by hand, or close what is right again; give the case that is open."""
        moved, reviews = self.moved_by_hand(), self.places.reviews
        cases = [case for case in reviews.cases(self.model) if case.kind == ALIAS_CASE]
        put_back = sum(case.state == "APPROVED" for case in cases)  # the same thing done once more is asked once more
        subject = fingerprint.digest({"moved": {name: list(pair) for name, pair in moved.items()}, "after": put_back})
        for case in cases:
            if case.state == "OPEN" and (not moved or case.subject != subject):
                right = "the aliases are right again" if not moved else "the aliases were moved once more"
                reviews.decide(case, "SUPERSEDED", actor="aliases", comment=right, run_id=run_id)
        if not moved:
            return None
        said = "; ".join(
            f"'{name}' names {_version(there)} and should name {_version(should)}"
            for name, (there, should) in moved.items()
        )
        text = (
            f"somebody moved aliases of {self.model} in the registry by hand: {said}. Production and staging did not "
            "move. Approve to put the aliases back; to release a version, use training-assets promote or rollback"
        )
        facts = {"aliases": {name: {"is": there, "should": should} for name, (there, should) in moved.items()}}
        return reviews.open(self.model, ALIAS_CASE, subject, text, facts, run_id=run_id, actor="aliases")

    def _last_move(self) -> Event | None:
        moves = [self.places.ledger.latest(self.model, f"{name}_moved") for name in (STAGING, PRODUCTION)]
        return max((move for move in moves if move is not None), key=lambda move: move.seq, default=None)

    def _is_mirrored(self, move: Event) -> bool:
        return self.places.ledger.latest(self.model, "alias_set", move.hash) is not None

    def _set(self, wanted: dict[str, str | None]) -> None:
        for alias, version in wanted.items():
            self.registry.alias(self.model, alias, version)


def _version(number: str | None) -> str:
    return "nothing" if number is None else f"version {number}"
