"""A served directory leads to whole versions of one model's target, and leaves all others' alone."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from training_assets.core.errors import InputError
from training_assets.resources.directories import Directory
from training_assets.resources.ledger import Event
from training_assets.resources.packages import files_of
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.spec import DirectoryTarget


@dataclass(frozen=True)
class SmallRegistry(Registry):
    """Versions of one file each."""

    def download(self, model: str, version: str, folder: Path) -> Path:
        package = folder / "data" / "model" / "package"
        package.mkdir(parents=True)
        (package / "card.json").write_text(f"{model} {version}")
        return folder


@dataclass(frozen=True)
class Project:
    """A home with a ledger, and a folder to serve from that others may know too."""

    places: Places
    served: Path

    def moved(
        self, model: str, version: str, pointer: str = "production", targets: tuple[str, ...] = ("serving",)
    ) -> Event:
        ledger, by = self.places.ledger, {"run_id": "r", "actor": "test"}
        if not any(event.data["version"] == version for event in ledger.events(model, "registered")):
            scratch = self.places.home / f"{model}-{version}"
            files = files_of(SmallRegistry("none").download(model, version, scratch))
            ledger.record(model, "registered", f"{model}{version}", {"version": version, "files": files}, **by)
        before = ledger.pointer(model, pointer)
        data = {"way": "approval", "targets": list(targets)}
        return ledger.move(model, pointer, expected=before, to=version, data=data, **by)

    def directory(self, name: str = "serving", *others: str) -> Directory:
        target = DirectoryTarget(kind="directory", path=str(self.served))
        known = frozenset({name, *others})
        return Directory(name, "production_moved", target, SmallRegistry("none"), self.places, known)

    def shown(self) -> str:
        (card,) = self.served.glob("data/*/package/card.json")
        return card.read_text()


def project(folder: Path, served: Path) -> Project:
    return Project(Places(folder, folder / "home"), served)


@pytest.fixture
def here(tmp_path: Path) -> Project:
    return project(tmp_path / "here", tmp_path / "served" / "model")


def test_a_folder_of_another_models_versions_is_left_alone(here: Project) -> None:
    here.directory().send(here.moved("churn", "1"), "a")
    other = here.moved("churn_b", "1")
    with pytest.raises(InputError, match="holds versions of churn, for its target serving; name another path"):
        here.directory().send(other, "b")
    assert here.shown() == "churn 1"
    here.served.unlink()
    with pytest.raises(InputError, match="holds versions of churn"):  # its store is still that model's
        here.directory().send(other, "b")
    assert not here.served.exists()
    here.directory().send(here.moved("churn", "2"), "c")
    assert here.shown() == "churn 2"


def test_a_folder_of_another_targets_versions_is_left_alone(here: Project) -> None:
    here.directory("serving", "trial").send(here.moved("churn", "1"), "a")
    with pytest.raises(InputError, match="for its target serving"):
        here.directory("trial", "serving").send(here.moved("churn", "2"), "b")
    assert here.shown() == "churn 1"


def test_a_target_that_got_another_name_goes_on(here: Project) -> None:
    here.directory("serving").send(here.moved("churn", "1"), "a")
    here.directory("renamed").send(here.moved("churn", "2"), "b")
    assert here.shown() == "churn 2"
    with pytest.raises(InputError, match="for its target renamed"):
        here.directory("serving", "renamed").send(here.moved("churn", "3"), "c")


def test_a_folder_of_another_ledgers_versions_is_left_alone_until_a_person_gives_it_away(
    here: Project, tmp_path: Path
) -> None:
    """As where two projects, or a project and its copy, write the same absolute path."""
    here.directory().send(here.moved("churn", "1"), "a")
    copy = project(tmp_path / "copy", here.served)
    copy.moved("churn", "1")
    move = copy.moved("churn", "2")
    with pytest.raises(
        InputError, match=r"of churn, for its target serving in another ledger; .*remove .*/\.owner"
    ) as said:
        copy.directory().send(move, "b")
    assert here.shown() == "churn 1"
    Path(str(said.value).rpartition("remove ")[2]).unlink()
    copy.directory().send(move, "b")
    assert here.shown() == "churn 2"
    with pytest.raises(InputError, match="in another ledger"):
        here.directory().send(here.moved("churn", "3"), "c")


def test_a_store_of_before_belongs_to_who_delivers_next(here: Project) -> None:
    here.directory().send(here.moved("churn", "1"), "a")
    (owner,) = here.served.parent.glob(".model.versions/.owner")
    owner.unlink()
    here.directory().send(here.moved("churn", "2"), "b")
    assert here.shown() == "churn 2"
    owner.write_text("{")  # of which nobody can say whose it is
    with pytest.raises(InputError, match="holds versions of somebody else"):
        here.directory().send(here.moved("churn", "3"), "c")
    assert os.path.lexists(here.served)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o755), (0o027, 0o750)])
def test_who_serves_may_read_what_the_umask_lets(here: Project, umask: int, mode: int) -> None:
    move, before = here.moved("churn", "1"), os.umask(umask)
    try:
        here.directory().send(move, "a")
    finally:
        os.umask(before)
    whole = here.served.resolve()
    assert [stat.S_IMODE(each.stat().st_mode) for each in (whole, *whole.parents[:2])] == [mode] * 3
    assert list(whole.parent.glob(".tmp*")) == []
