"""A whole model, from rows to a release and back, with its ledger in a real PostgreSQL, and no password in anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from training_assets.resources.places import Places
from training_assets_tests.postgres_server import PostgresServer
from training_assets_tests.test_releases import live, next_version, open_cases, promote, released, rolled_back, said
from training_assets_tests.test_secrets import PASSWORD, files_that_leak
from training_assets_tests.workplace import MODEL, SPEC, Workplace, customers, failures, workplace

QUICK = {**SPEC["search"], "families": ["linear"], "trials": 1}


@dataclass(frozen=True)
class Elsewhere(Workplace):
    """A workplace whose ledger is not in its home."""

    ledger_url: str = ""

    @property
    def places(self) -> Places:
        return replace(super().places, ledger_url=self.ledger_url)


@pytest.mark.slow
def test_a_model_is_released_and_rolled_back(
    tmp_path: Path, postgres: PostgresServer, capfd: pytest.CaptureFixture[str]
) -> None:
    database = postgres.database()
    role = f"keeper_{database}"
    postgres.run(
        f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'",
        f"GRANT CREATE ON SCHEMA public TO {role}",
        database=database,
    )
    with workplace(tmp_path / "place") as made:
        place = Elsewhere(made.root, made.instance, made.spec, postgres.url(role, PASSWORD, database))
        place = place.with_spec(search=QUICK)
        place.land("2026-01.csv", customers(600, seed=1))
        trained = place.train()
        assert trained.success, failures(trained)
        assert place.stage().success
        (case,) = open_cases(place)
        assert not promote(place).success
        said(place, case)
        done = promote(place)
        assert done.success, failures(done)
        released(place, "2026-02.csv", seed=2)
        assert live(place) == "2"
        rolled_back(place)
        assert live(place) == "1"
        next_version(place, "2026-03.csv", seed=3)

        ledger = place.places.ledger
        assert ledger.first_broken() is None
        kinds = [event.kind for event in ledger.events(MODEL)]
        assert kinds.count("production_moved") == 3
        assert len(postgres.ask("SELECT seq FROM events", database)) == len(kinds)
        assert not (place.places.home / "ledger.db").exists()
        printed = capfd.readouterr()
        assert PASSWORD not in printed.out + printed.err + repr(place.places)
        assert files_that_leak(tmp_path) == []
