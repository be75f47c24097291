"""Decisions in a file in Git: what is committed counts, once, and only by people whose word counts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from training_assets.automation.decisions import take_from_git
from training_assets.core.errors import InputError
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.reviews import Case
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


def take(places: Places, about: Model) -> list[Case]:
    return take_from_git(about, places, Registry(places.mlflow_uri))


def test_a_committed_decision_counts_once(places: Places) -> None:
    case = opened(places)
    line = f"- {{case: {case.name}, decision: approve, by: [ada@x.org, bob@x.org], comment: reviewed}}\n"
    commit(places, "[]\n")
    (places.root / FILE).write_text(line)  # written, and not committed
    assert take(places, model(count=2)) == []
    commit(places, line)
    taken = take(places, model(count=2))
    assert [each.state for each in taken] == ["OPEN", "APPROVED"]
    assert take(places, model(count=2)) == []
    assert places.reviews.approval(MODEL, "release", case.subject, model(count=2).spec.release.approvals) is not None


def test_a_rejection_counts_too(places: Places) -> None:
    case = opened(places)
    commit(places, f"- {{case: {case.name}, decision: reject, by: ada@x.org, comment: not yet}}\n")
    assert [each.state for each in take(places, model())] == ["REJECTED"]


def test_people_whose_word_does_not_count_are_refused(places: Places) -> None:
    case = opened(places)
    commit(places, f"- {{case: {case.name}, decision: approve, by: eve@x.org, comment: me}}\n")
    with pytest.raises(InputError, match="not among"):
        take(places, model(roles={"approver": ["ada@x.org"]}))
    assert places.reviews.cases(MODEL)[0].votes == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("case: one", "no list of decisions"),
        ("- {case: release-aaaa, decision: maybe, by: ada, comment: x}", "cannot be read"),
        ("- {case: release-aaaa, decision: approve, by: ada}", "cannot be read"),
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


def test_a_file_that_was_never_committed_is_named(places: Places) -> None:
    opened(places)
    with pytest.raises(InputError, match=f"{FILE} is not in the last commit"):
        take(places, model())


def test_without_open_cases_nothing_is_read(places: Places) -> None:
    assert take(places, model()) == []
