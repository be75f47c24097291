"""Decisions in a file in Git: what is committed counts, once, and only by people whose word counts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

import pytest
from mlflow import MlflowClient

from training_assets.automation.decisions import Taken, take_from_git
from training_assets.core.errors import InputError
from training_assets.governance.deciding import Decision, decide
from training_assets.resources.cases import Case
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.reviews import Reviews
from training_assets.spec import ModelSpec
from training_assets_tests.workplace import MODEL, SPEC, Workplace, workplace

FILE = "decisions.yaml"


def git(root: Path, *command: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@x.org"]
    subprocess.run(["git", *who, *command], cwd=root, check=True, capture_output=True)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    git(tmp_path, "init", "-q")
    return Places(tmp_path, tmp_path / "home")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        git(made.root, "init", "-q")
        yield made


def model(**approvals: object) -> Model:
    release = {"review": {"decisions": FILE}, "approvals": approvals}
    return Model(MODEL, ModelSpec.model_validate({**SPEC, "release": release}))


def opened(places: Places) -> Case:
    return places.reviews.open(
        MODEL, "release", "a" * 64, "may it?", {"version": "1"}, run_id="r", actor="staged_version"
    )


def commit(places: Places, text: str) -> None:
    (places.root / FILE).write_text(text)
    git(places.root, "add", FILE)
    git(places.root, "commit", "-qm", "decide")


def take(places: Places, about: Model) -> Taken:
    return take_from_git(about, places, Registry(places.mlflow_uri))


def said(places: Places, case: Case, about: Model) -> Case:
    return decide(about, places, Registry(places.mlflow_uri), case, Decision("approve", "ada@x.org", "fine"))


@contextmanager
def dying() -> Iterator[None]:
    """What is done in here dies where it is about to close a case."""
    with pytest.raises(KeyboardInterrupt), patch.object(Reviews, "_close", side_effect=KeyboardInterrupt):
        yield


def test_a_committed_decision_counts_once(places: Places) -> None:
    case = opened(places)
    line = f"- {{case: {case.name}, decision: approve, by: [ada@x.org, bob@x.org], comment: reviewed}}\n"
    commit(places, "[]\n")
    (places.root / FILE).write_text(line)  # written, and not committed
    assert take(places, model(count=2)) == Taken()
    commit(places, line)
    taken = take(places, model(count=2))
    assert [each.state for each in taken.cases] == ["OPEN", "APPROVED"]
    assert take(places, model(count=2)) == Taken()
    assert places.reviews.approval(MODEL, "release", case.subject, model(count=2).spec.release.approvals) is not None


def test_a_rejection_counts_too(places: Places) -> None:
    case = opened(places)
    commit(places, f"- {{case: {case.name}, decision: reject, by: ada@x.org, comment: not yet}}\n")
    assert [each.state for each in take(places, model()).cases] == ["REJECTED"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_rejection_counts_also_of_who_approved_before(places: Places, count: int) -> None:
    case = opened(places)
    lines = f"- {{case: {case.name}, decision: approve, by: ada@x.org, comment: fine}}\n"
    commit(places, lines)
    assert [each.state for each in take(places, model(count=2)).cases] == ["OPEN"]
    lines += f"- {{case: {case.name}, decision: reject, by: ada@x.org, comment: the data were wrong}}\n"
    commit(places, lines + f"- {{case: {case.name}, decision: approve, by: bob@x.org, comment: fine}}\n")
    assert [each.state for each in take(places, model(count=count)).cases] == ["REJECTED"]


def test_a_changed_word_of_the_same_person_counts_and_each_is_taken_once(places: Places) -> None:
    failed = {"run": "r", "candidate": "c" * 64, "overridden": ["value f1", "value roc_auc"]}
    case = places.reviews.open(MODEL, "verdict", "b" * 64, "may it?", failed, run_id="r", actor="evaluation_report")
    about = model(roles={"approver": ["ada@x.org"], "risk": ["ada@x.org"]})
    ends, text = "until: 2099-01-01T12:00:00.5+01:00", ""
    for more in ("", f", {ends}", f", {ends}, waive: [value f1]", ", until: 2099-01-01, waive: [value f1]"):
        text += f"- {{case: {case.name}, decision: approve, by: ada@x.org, comment: known{more}}}\n"
        commit(places, text)
        assert [each.state for each in take(places, about).cases] == ["OPEN"]
        commit(places, text.replace("known", "known for long"))
        assert take(places, about) == Taken()
    assert len(places.reviews.cases(MODEL)[0].votes) == 4
    commit(places, text.replace("[value f1]", "[value roc_auc, value f1]"))
    assert [each.state for each in take(places, about).cases] == ["APPROVED"]


def test_of_a_vote_that_does_not_count_any_more_it_is_said_why(places: Places) -> None:
    case = opened(places)
    commit(places, f"- {{case: {case.name}, decision: approve, by: ada@x.org, comment: fine}}\n")
    take(places, model(count=2))
    for _ in range(2):
        taken = take(places, model(roles={"approver": ["bob@x.org"]}))
        assert (taken.cases, "not among" in taken.refused[0]) == ([], True)
    assert len(places.reviews.cases(MODEL)[0].votes) == 1


@pytest.mark.parametrize("by", ["file", "command"])
@pytest.mark.parametrize("asked", [1, 2])
def test_votes_that_are_enough_by_now_close_the_case_at_a_tick(place: Workplace, by: str, asked: int) -> None:
    """Whether the process died between vote and decision, or fewer people are asked for since."""
    case, places = opened(place.places), place.places
    commit(places, f"- {{case: {case.name}, decision: approve, by: ada@x.org, comment: fine}}\n")
    with dying() if asked == 1 else nullcontext():
        if by == "file":
            take(places, model(count=asked))
        else:
            said(places, case, model(count=asked))
    assert [(each.state, len(each.votes)) for each in places.reviews.cases(MODEL)] == [("OPEN", 1)]
    release = {"review": {"decisions": FILE if by == "file" else None}}
    place.with_spec(release=release).tick("releases")
    events = places.ledger.events(MODEL)
    (approved,) = places.reviews.cases(MODEL)
    assert (approved.state, approved.approved_by, len(approved.votes)) == ("APPROVED", "ada@x.org", 1)
    assert str(approved.comment).startswith("fine")
    place.with_spec(release=release).tick("releases")
    assert places.ledger.events(MODEL) == events


def test_aliases_are_put_back_also_where_the_voter_died(place: Workplace) -> None:
    client = MlflowClient(tracking_uri=place.places.mlflow_uri, registry_uri=place.places.mlflow_uri)
    client.create_registered_model(MODEL)
    client.create_model_version(MODEL, "file:///nowhere")
    client.set_registered_model_alias(MODEL, "champion", "1")
    place.tick("aliases")
    (case,) = place.places.reviews.cases(MODEL)
    with dying():
        said(place.places, case, model())
    place.tick("releases")
    assert place.places.reviews.cases(MODEL)[0].state == "APPROVED"
    assert Registry(place.places.mlflow_uri).aliases(MODEL) == {}


def test_people_whose_word_does_not_count_are_refused(places: Places) -> None:
    case = opened(places)
    commit(places, f"- {{case: {case.name}, decision: approve, by: eve@x.org, comment: me}}\n")
    (refused,) = take(places, model(roles={"approver": ["ada@x.org"]})).refused
    assert "not among" in refused
    assert places.reviews.cases(MODEL)[0].votes == ()


def test_an_entry_that_does_not_count_keeps_no_other_from_counting(places: Places) -> None:
    past = "until: 2020-01-01, waive: [value roc_auc]"
    failed = {"run": "r", "candidate": "c" * 64, "overridden": ["value roc_auc"]}
    by = {"run_id": "r", "actor": "evaluation_report"}
    late = places.reviews.open(MODEL, "verdict", "b" * 64, "may it?", failed, **by)
    changed = places.reviews.open(MODEL, "schema", "c" * 64, "what differs", {"changes": []}, **by)
    case = opened(places)
    commit(
        places,
        f"- {{case: {case.name}, decision: maybe, by: ada@x.org, comment: what}}\n"
        f"- {{case: {late.name}, decision: approve, by: ada@x.org, comment: known, {past}}}\n"
        f"- {{case: {late.name}, decision: approve, by: ada@x.org, comment: known, until: soon}}\n"
        f"- {{case: {changed.name}, decision: approve, by: ada@x.org, comment: as announced}}\n"
        f"- {{case: {case.name}, decision: approve, by: [eve@x.org, ada@x.org], comment: reviewed}}\n",
    )
    about = model(roles={"approver": ["ada@x.org"], "risk": ["ada@x.org"]})
    taken = take(places, about)
    assert [(each.name, each.state) for each in taken.cases] == [(case.name, "APPROVED")]
    for refused, said in zip(
        taken.refused,
        [
            "entry 1 cannot be read",
            "has to end in the future",
            "is no date",
            "committed to the spec's file",
            "not among",
        ],
        strict=True,
    ):
        assert said in refused
    assert [each.state for each in places.reviews.cases(MODEL)] == ["OPEN", "OPEN", "APPROVED"]
    assert len(take(places, about).refused) == 4  # of what is still open


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("case: one", "no list of decisions"),
        ("- !!python/object/apply:os.system ['true']", "cannot be read"),
        ("- [", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(places: Places, text: str, said: str) -> None:
    opened(places)
    commit(places, text + "\n")
    with pytest.raises(InputError, match=f"E_DECISIONS.*{said}"):
        take(places, model())


@pytest.mark.parametrize("name", ["../decisions.yaml", "/etc/passwd", "--output=x"])
def test_only_a_file_of_the_repository_is_read(places: Places, name: str) -> None:
    opened(places)
    spec = ModelSpec.model_validate({**SPEC, "release": {"review": {"decisions": name}}})
    with pytest.raises(InputError, match="inside the repository"):
        take(places, Model(MODEL, spec))


@pytest.mark.parametrize("more", ["decision: maybe, by: ada, comment: x", "decision: approve, by: ada"])
def test_an_entry_that_cannot_be_read_says_so(places: Places, more: str) -> None:
    opened(places)
    commit(places, f"- {{case: release-aaaa, {more}}}\n")
    (refused,) = take(places, model()).refused
    assert "entry 1 cannot be read" in refused


def test_a_file_that_was_never_committed_is_named(places: Places) -> None:
    opened(places)
    with pytest.raises(InputError, match=f"{FILE} is not in the last commit"):
        take(places, model())


def test_without_open_cases_nothing_is_read(places: Places) -> None:
    assert take(places, model()) == Taken()
