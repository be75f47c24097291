"""Decisions in a file in Git: what is committed counts, once, and only by people whose word counts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from training_assets.automation.decisions import Taken, take_from_git
from training_assets.core.errors import InputError
from training_assets.resources.cases import Case
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.spec import ModelSpec
from training_assets_tests.workplace import MODEL, SPEC

FILE = "decisions.yaml"


def git(root: Path, *command: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@x.org"]
    subprocess.run(["git", *who, *command], cwd=root, check=True, capture_output=True)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    git(tmp_path, "init", "-q")
    return Places(tmp_path, tmp_path / "home")


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
