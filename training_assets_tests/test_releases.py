"""From a version to production and back, through the assets: who may, who is asked, and that there is no other way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from training_assets.core.errors import InputError
from training_assets.governance.deciding import Decision, decide
from training_assets.governance.rollback import roll_back
from training_assets.governance.verifying import verify
from training_assets.resources.cases import Case
from training_assets.resources.launches import BY_TAG
from training_assets.resources.models import Model
from training_assets.resources.outbox import Outbox
from training_assets.resources.registry import Registry
from training_assets.resources.releases import Releases
from training_assets_tests.workplace import (
    MODEL,
    SPEC,
    Workplace,
    customers,
    failures,
    metadata_of,
    workplace,
)

ADA, BOB = "Ada <ada@x.org>", "Bob <bob@x.org>"
CHANGE = {"kind": "change", "metric": "roc_auc", "must_be": "non_inferior", "margin": 0.5}
GATES: list[dict[str, Any]] = [*SPEC["evaluation"]["gates"], CHANGE]
EVALUATION = {**SPEC["evaluation"], "min_unseen": 20, "gates": GATES}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        made.land("2026-01.csv", customers(600, seed=1))
        yield made.with_spec(evaluation=EVALUATION)


def promote(place: Workplace, version: str = "") -> dg.ExecuteInProcessResult:
    return place.execute(f"{MODEL}_promote", {"ops": {"live_version": {"config": {"version": version}}}})


def open_cases(place: Workplace, kind: str = "release") -> list[Case]:
    return [case for case in place.places.reviews.cases(MODEL) if (case.kind, case.state) == (kind, "OPEN")]


def said(place: Workplace, case: Case, by: str = ADA, **more: Any) -> Case:
    word = Decision(**{"says": "approve", "by": by, "comment": "fine", **more})
    return decide(Model(MODEL, place.spec), place.places, registry(place), case, word)


def registry(place: Workplace) -> Registry:
    return Registry(place.places.mlflow_uri)


def rolled_back(place: Workplace, to: str | None = None, reason: str = "it errs") -> None:
    artifacts = place.definitions().resources["artifacts"]
    about = {"to": to, "reason": reason, "actor": ADA, "run_id": "command"}
    roll_back(Model(MODEL, place.spec), place.places, artifacts, registry(place), **about)


def outbox_of(place: Workplace) -> Outbox:
    return Outbox(Model(MODEL, place.spec), place.places, registry(place))


def live(place: Workplace) -> str | None:
    return place.places.ledger.pointer(MODEL, "production")


def next_version(place: Workplace, name: str, seed: int) -> None:
    place.land(name, customers(300, seed=seed))
    trained = place.train()
    assert trained.success, failures(trained)
    staged = place.stage()
    assert staged.success, failures(staged)


def released(place: Workplace, name: str, seed: int) -> None:
    next_version(place, name, seed)
    said(place, open_cases(place)[-1])
    done = promote(place)
    assert done.success, failures(done)


def launched(place: Workplace, event: str = "releases") -> list[dg.ExecuteInProcessResult]:
    """What the sensor asks for, done as it asks."""
    done = []
    for request in place.tick(event).run_requests or []:
        job = place.definitions().resolve_job_def(request.job_name or "")
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        config = {**request.run_config, **quiet}
        done.append(
            job.execute_in_process(instance=place.instance, tags=request.tags, run_config=config, raise_on_error=False)
        )
    return done


def test_the_first_version_goes_live_by_approval_and_the_next_one_is_held_against_it(place: Workplace) -> None:
    assert place.train().success
    assert place.stage().success
    (case,) = open_cases(place)
    assert "first version in production" in case.text
    refused = promote(place)
    assert not refused.success
    assert f"Case {case.name} is open" in failures(refused)[0]
    assert not place.materialise("live_version").success  # a click on Materialize is no other way
    assert live(place) is None
    assert "waits for a person" in (place.tick("releases").skip_message or "")

    assert said(place, case).state == "APPROVED"
    (done,) = launched(place)
    assert done.success, failures(done)
    assert live(place) == "1"
    shown = metadata_of(done, "live_version")
    assert (shown["version"], shown["way"]) == (1, "approval")
    assert "fine" in shown["reason"]
    assert registry(place).aliases(MODEL) == {"challenger": "1", "champion": "1"}
    assert not place.tick("releases").run_requests

    place.land("2026-02.csv", customers(300, seed=2))
    second = place.train()
    assert second.success, failures(second)
    verdict = place.places.ledger.latest(MODEL, "verdict")
    assert verdict is not None
    assert [result["outcome"] for result in verdict.data["results"]] == ["PASS", "PASS", "PASS"]
    assert place.stage().success
    (asks,) = open_cases(place)
    assert "take the place of version 1" in asks.text
    said(place, asks)
    assert all(done.success for done in launched(place))
    assert live(place) == "2"
    assert registry(place).aliases(MODEL) == {"challenger": "2", "champion": "2", "previous": "1"}
    again = place.train()
    assert again.success, failures(again)  # the champion is not held against itself
    assert place.versions() == ["2", "1"]


def test_rollback_proves_the_earlier_version_first_and_then_holds_the_pulled_one(place: Workplace) -> None:
    released(place, "2026-02.csv", 2)
    released(place, "2026-03.csv", 3)
    with pytest.raises(InputError, match="say why"):
        rolled_back(place, reason=" ")
    rolled_back(place)
    assert live(place) == "1"
    assert registry(place).aliases(MODEL) == {"challenger": "2", "champion": "1"}
    assert not place.tick("releases").run_requests
    refused = promote(place)
    assert "it was rolled back: it errs" in failures(refused)[0]
    before = open_cases(place)[-1]
    assert said(place, before).state == "APPROVED"
    done = promote(place)
    assert done.success, failures(done)
    assert live(place) == "2"


@pytest.mark.slow
def test_a_rollback_to_a_version_whose_files_changed_moves_nothing(place: Workplace) -> None:
    released(place, "2026-02.csv", 2)
    released(place, "2026-03.csv", 3)
    for model_file in (place.root / "home" / "mlflow").rglob("model.json"):
        model_file.write_text(model_file.read_text() + " ")
    before = place.places.ledger.events(MODEL)
    with pytest.raises(InputError, match=r"E_HASH.*changed since it was registered"):
        rolled_back(place)
    assert place.places.ledger.events(MODEL) == before
    assert live(place) == "2"


@pytest.mark.slow
def test_policy_alone_promotes_what_passed_at_low_risk(place: Workplace) -> None:
    place = place.with_spec(release={"production": "auto"}, card={"risk": "low"})
    released(place, "2026-02.csv", 2)
    next_version(place, "2026-03.csv", 3)
    assert not open_cases(place)
    (done,) = launched(place)
    assert done.success, failures(done)
    assert (live(place), metadata_of(done, "live_version")["way"]) == ("2", "policy")
    rolled_back(place)
    next_version(place, "2026-04.csv", 4)
    assert not launched(place)  # frozen
    assert "automatic promotion is frozen" in open_cases(place)[0].text


@pytest.mark.slow
def test_a_verdict_against_an_earlier_champion_is_made_anew(place: Workplace) -> None:
    next_version(place, "2026-02.csv", 2)
    next_version(place, "2026-03.csv", 3)
    said(place, open_cases(place)[0])
    assert promote(place, "2").success
    refused = promote(place, "1")
    assert "was never judged against version 2, which is live now" in failures(refused)[0]
    assert live(place) == "2"


@pytest.mark.slow
def test_a_change_of_the_rules_voids_the_verdict_and_the_sensor_has_it_made_anew(place: Workplace) -> None:
    next_version(place, "2026-02.csv", 2)
    place = place.with_spec(evaluation={**EVALUATION, "gates": GATES[:1]})
    said_before = open_cases(place)[0]
    said(place, said_before)
    refused = promote(place)
    assert "the rules changed since version 1 was judged" in failures(refused)[0]
    (again,) = launched(place)
    assert again.success, failures(again)
    assert again.job_def.name == f"{MODEL}_evaluate"
    assert not promote(place).success  # the approval was of the earlier verdict
    (anew,) = open_cases(place)
    assert anew.subject != said_before.subject


@pytest.mark.slow
def test_rules_that_are_those_of_before_again_take_the_verdict_of_before(place: Workplace) -> None:
    next_version(place, "2026-02.csv", 2)
    other = place.with_spec(evaluation={**EVALUATION, "replicates": 60}).train()
    assert other.success, failures(other)
    assert place.train().success
    said(place, open_cases(place)[0])
    done = promote(place)
    assert done.success, failures(done)


def test_a_reject_is_registered_only_by_a_waiver_of_the_role_risk(place: Workplace) -> None:
    failing = [{"kind": "value", "metric": "roc_auc", "min": 0.9999}, *GATES[1:]]
    roles = {"risk": ["bob@x.org"], "approver": ["ada@x.org"]}
    place = place.with_spec(evaluation={**EVALUATION, "gates": failing}, release={"approvals": {"roles": roles}})
    assert not place.train().success
    (case,) = open_cases(place, "verdict")
    assert case.overridden == ("value roc_auc",)
    assert metadata_of(place.materialise("evaluation_report"), "evaluation_report")["case"] == case.name
    for word in (
        {"by": ADA},
        {"by": ADA, "waives": ["value roc_auc"], "until": datetime.now(UTC) + timedelta(days=1)},
        {"by": BOB},
    ):
        assert said(place, case, **word).state == "OPEN"
    with pytest.raises(InputError, match="end in the future"):
        said(place, case, BOB, waives=["value roc_auc"], until=datetime.now(UTC) - timedelta(days=1))
    refused = place.materialise("registered_version")
    assert f"case {case.name} is open" in failures(refused)[0]
    assert place.versions() == []

    until = datetime.now(UTC) + timedelta(hours=1)
    assert said(place, case, BOB, waives=["value roc_auc"], until=until).state == "APPROVED"
    (done,) = launched(place)
    assert done.success, failures(done)
    assert place.versions() == ["1"]
    registered = Releases(place.places.ledger, MODEL).version("1")
    assert registered.data["freed_by"] == case.name
    trained = place.train()
    assert trained.success, failures(trained)  # its checks warn, and say who approved
    assert place.stage().success
    assert "the verdict is REJECT" in open_cases(place)[0].text
    ledger = place.places.ledger
    late = replace(place.places)
    late.__dict__["ledger"] = type(ledger)(f"sqlite:///{late.home / 'ledger.db'}", clock=lambda: until)
    assert late.reviews.approval(MODEL, "verdict", case.subject, place.spec.release.approvals) is None


@pytest.mark.slow
def test_an_approval_that_has_ended_is_asked_anew_and_what_it_let_in_stays_decided(place: Workplace) -> None:
    def risk(who: str) -> Workplace:
        failing = [{"kind": "value", "metric": "roc_auc", "min": 0.9999}]
        approvals = {"roles": {"approver": [ADA, BOB], "risk": [who]}}
        return place.with_spec(evaluation={**EVALUATION, "gates": failing}, release={"approvals": approvals})

    word = {"waives": ["value roc_auc"], "until": datetime.now(UTC) + timedelta(days=1)}
    by_bob, by_ada = risk(BOB), risk(ADA)
    assert not by_bob.train().success
    (case,) = open_cases(by_bob, "verdict")
    assert said(by_bob, case, BOB, **word).state == "APPROVED"
    needs = f"case {case.name} was approved by {BOB}, and needs a waiver by the role risk"
    tick = by_ada.tick("releases")
    assert not tick.run_requests
    assert needs in (tick.skip_message or "")
    assert needs in failures(by_ada.materialise("registered_version"))[0]
    with pytest.raises(InputError, match="which asks anew"):
        said(by_ada, by_ada.places.reviews.named(MODEL, case.name), **word)

    by_ada.materialise("evaluation_report")
    (anew,) = open_cases(by_ada, "verdict")
    assert anew.number > case.number
    assert said(by_ada, anew, **word).state == "APPROVED"
    (done,) = launched(by_ada)
    assert done.success, failures(done)
    by_bob.materialise("evaluation_report")
    assert open_cases(by_bob, "verdict")
    lines = verify(MODEL, place.places, registry(place), None)
    assert all(line["holds"] for line in lines), lines


@pytest.mark.slow
def test_who_launched_the_training_does_not_free_it_whoever_had_it_judged_anew(place: Workplace) -> None:
    def judged_by(bound: float) -> Workplace:
        asks = {"kind": "value", "metric": "roc_auc", "min": bound, "otherwise": "review"}
        return place.with_spec(evaluation={**EVALUATION, "gates": [asks]}, release={"approvals": {"four_eyes": True}})

    first = judged_by(0.999)
    train = first.definitions().resolve_job_def(f"{MODEL}_train")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    train.execute_in_process(quiet, instance=place.instance, tags={BY_TAG: ADA}, raise_on_error=False)
    (case,) = open_cases(first, "verdict")
    with pytest.raises(InputError, match="launched the run"):
        said(first, case)
    again = judged_by(0.9991)
    again.materialise("evaluation_report")
    (anew,) = open_cases(again, "verdict")
    assert (anew.subject != case.subject, anew.launched_by) == (True, ADA)
    with pytest.raises(InputError, match="launched the run"):
        said(again, anew)
    assert said(again, anew, BOB).state == "APPROVED"


@pytest.mark.slow
def test_a_run_that_nobody_knows_the_launcher_of_asks_for_two(place: Workplace) -> None:
    place = place.with_spec(evaluation={**EVALUATION, "gates": []}, release={"approvals": {"four_eyes": True}})
    assert not place.train().success
    (case,) = open_cases(place, "verdict")
    assert "four_eyes asks for 2 approvals" in case.text
    assert said(place, case).state == "OPEN"
    assert said(place, case, BOB).state == "APPROVED"


def test_an_unjudged_candidate_waits_for_a_person(place: Workplace) -> None:
    place = place.with_spec(evaluation={**EVALUATION, "gates": []})
    assert not place.train().success
    (case,) = open_cases(place, "verdict")
    assert "UNGATED" in case.text
    event = place.instance.get_latest_materialization_event(dg.AssetKey([MODEL, "review_cases"]))
    assert event is not None
    assert event.asset_materialization is not None
    shown = event.asset_materialization.metadata
    page = place.places.report_page(MODEL, case.subject)
    assert page.is_file()
    assert shown[f"{case.name}-report"] == dg.MetadataValue.path(page)
    assert f"| {case.name} | `{page}` | [{case.run_id}](/runs/{case.run_id}) |" in str(shown["waiting"].value)
    assert not launched(place)
    said(place, case, says="reject")
    assert not place.materialise("registered_version").success
    assert place.versions() == []


@pytest.mark.slow
def test_versions_deleted_in_the_registry_stop_no_release_and_their_numbers_are_not_given_again(
    place: Workplace,
) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=place.places.mlflow_uri, registry_uri=place.places.mlflow_uri)
    released(place, "2026-02.csv", 2)
    released(place, "2026-03.csv", 3)
    client.delete_model_version(MODEL, "1")
    assert "version 1 ('previous') was deleted in it" in (place.tick("aliases").skip_message or "")
    released(place, "2026-04.csv", 4)
    assert (live(place), registry(place).aliases(MODEL)["champion"]) == ("3", "3")
    approved = Releases(place.places.ledger, MODEL).version("1")

    client.delete_registered_model(MODEL)
    next_version(place, "2026-05.csv", 5)
    assert Releases(place.places.ledger, MODEL).version("1") == approved
    assert place.places.ledger.pointers(MODEL) == {"production": "3", "registered": "4", "staging": "4"}
    (case,) = open_cases(place)
    assert f"Case {case.name} is open" in failures(promote(place))[0]
    said(place, case)
    assert promote(place).success
    assert (live(place), registry(place).aliases(MODEL)) == ("4", {"champion": "4", "challenger": "4"})
    assert not open_cases(place, "alias")


@pytest.mark.slow
def test_an_alias_moved_by_hand_opens_a_case_and_moves_nothing_else(place: Workplace) -> None:
    from mlflow import MlflowClient

    released(place, "2026-02.csv", 2)
    next_version(place, "2026-03.csv", 3)
    assert "as the ledger says" in (place.tick("aliases").skip_message or "")
    client = MlflowClient(tracking_uri=place.places.mlflow_uri, registry_uri=place.places.mlflow_uri)
    client.set_registered_model_alias(MODEL, "champion", "2")
    for _ in range(2):
        place.tick("aliases")
    (case,) = open_cases(place, "alias")
    assert "'champion' names version 2 and should name version 1" in case.text
    assert live(place) == "1"
    said(place, case)
    assert registry(place).aliases(MODEL)["champion"] == "1"
    client.delete_registered_model_alias(MODEL, "champion")
    place.tick("aliases")
    (once_more,) = open_cases(place, "alias")
    assert "names nothing" in once_more.text
    client.set_registered_model_alias(MODEL, "champion", "1")
    place.tick("aliases")
    assert not open_cases(place, "alias")


@pytest.mark.slow
def test_the_cases_are_an_asset(place: Workplace) -> None:
    next_version(place, "2026-02.csv", 2)
    event = place.instance.get_latest_materialization_event(dg.AssetKey([MODEL, "review_cases"]))
    assert event is not None
    shown = event.asset_materialization.metadata if event.asset_materialization else {}
    assert shown["open"].value == 1
    assert open_cases(place)[0].name in str(shown["cases"].value)
    assert place.materialise("review_cases").success


@pytest.mark.slow
def test_the_forms_do_what_the_commands_do(place: Workplace) -> None:
    released(place, "2026-02.csv", 2)
    next_version(place, "2026-03.csv", 3)
    (case,) = open_cases(place)
    form = {"case": case.name, "decision": "approve", "by": ADA, "comment": "better"}
    reviewed = place.execute(f"{MODEL}_review", {"ops": {f"{MODEL}_decide": {"config": form}}})
    assert reviewed.success, failures(reviewed)
    again = place.execute(f"{MODEL}_review", {"ops": {f"{MODEL}_decide": {"config": form}}})
    assert "is approved already" in failures(again)[0]
    assert launched(place)[0].success
    back = place.execute(f"{MODEL}_rollback", {"ops": {f"{MODEL}_pull": {"config": {"reason": "errs", "by": ADA}}}})
    assert back.success, failures(back)
    assert live(place) == "1"


def found_by(place: Workplace, job: str, *, fails: bool = False, **form: str) -> str:
    """What a job that only looks shows on the asset's page."""
    (op,) = place.definitions().resolve_job_def(f"{MODEL}_{job}").graph.node_dict
    done = place.execute(f"{MODEL}_{job}", {"ops": {op: {"config": form}}})
    assert done.success is not fails, failures(done)
    (seen,) = done.get_asset_observation_events()
    shown = seen.asset_observation_data.asset_observation.metadata["found"].value
    assert isinstance(shown, str)
    return shown


@pytest.mark.slow
def test_what_the_commands_tell_the_jobs_tell_too(place: Workplace) -> None:
    released(place, "2026-02.csv", 2)
    next_version(place, "2026-03.csv", 3)
    assert "production moved from nothing to version 1 by approval" in found_by(place, "history")
    assert "nothing was live at 2020-01-01" in found_by(place, "history", at="2020-01-01")
    assert "✓ files of version 2" in found_by(place, "verify")
    compared = found_by(place, "compare", first="1", second="2")
    assert "batches_added: 1" in compared
    assert "roc_auc" in compared
    assert "version 1 reproduced at level 1" in found_by(place, "reproduce", version="1")
    card = next((place.root / "home" / "mlflow").rglob("package/card.json"))
    card.write_bytes(card.read_bytes().replace(b"medium", b"low"))
    assert "✗ files of version" in found_by(place, "verify", fails=True)
    unknown = place.execute(f"{MODEL}_reproduce", {"ops": {f"{MODEL}_build_again": {"config": {"version": "9"}}}})
    assert "has no version 9; known: 1, 2" in failures(unknown)[0]
