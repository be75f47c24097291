"""What arrived is remembered by where it arrived: a target that goes elsewhere, or lost its folder, is served again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.resources.directories import Directory
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model
from training_assets.resources.outbox import DELIVERED, FAILED, Outbox
from training_assets.resources.places import Places
from training_assets.resources.receivers import Webhook
from training_assets.spec import ModelSpec
from training_assets_tests.resources.test_directories import SmallRegistry, project
from training_assets_tests.workplace import MODEL, SPEC

FOLDER = {"kind": "directory", "path": "served/model"}
HOOK = {"kind": "webhook", "url": "env:ONE", "secret": "env:KEY"}


@dataclass
class Served:
    """A ledger whose moves go to one target, `serving`; webhooks keep what they get, or are down."""

    places: Places
    target: dict[str, Any] = field(default_factory=dict)
    got: dict[str, list[str]] = field(default_factory=dict)
    down: bool = False

    def move(self, version: str, pointer: str = "production", targets: tuple[str, ...] = ("serving",)) -> Event:
        return project(self.places.root, self.places.root).moved(MODEL, version, pointer, targets)

    @property
    def outbox(self) -> Outbox:
        release = {"targets": {"serving": self.target}}
        spec = ModelSpec.model_validate({**SPEC, "release": release})
        return Outbox(Model(MODEL, spec), self.places, SmallRegistry("none"))

    def send(self, **target: Any) -> bool:
        """Deliver everything that waits, to the target with these changes."""
        self.target = {**self.target, **target}
        return self.outbox.send(run_id="r", say=lambda _line: None, at_once=True)

    def shown(self, path: str = "served/model") -> str:
        return project(self.places.root, self.places.root / path).shown()

    def delivered(self) -> list[Event]:
        return self.places.ledger.events(MODEL, DELIVERED)

    def take(self, hook: Webhook, event: Event, _key: str) -> None:
        if self.down:
            raise InputError("E_DELIVERY", "down")
        self.got.setdefault(hook.target.url, []).append(f"{event.data['pointer']} {event.data['to']}")


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    made = Served(Places(tmp_path, tmp_path / "home"))
    monkeypatch.setattr(Webhook, "send", lambda *letter: made.take(*letter))  # noqa: PLW0108 - a bound method would not get the hook
    yield made
    assert not made.outbox.waiting()


def test_a_folder_with_another_path_is_filled(served: Served) -> None:
    served.move("1")
    assert served.send(**FOLDER)
    assert served.send(path="elsewhere/model")
    assert (served.shown(), served.shown("elsewhere/model")) == ("churn 1", "churn 1")
    assert [event.data["destination"]["path"] for event in served.delivered()] == ["served/model", "elsewhere/model"]


@pytest.mark.parametrize("lost", ["served", "served/.model.versions", "served/model"])
def test_a_folder_that_is_lost_is_restored(served: Served, lost: str) -> None:
    served.move("1")
    assert served.send(**FOLDER)
    assert not served.outbox.waiting()
    path = served.places.root / lost
    path.unlink() if path.is_symlink() else shutil.rmtree(path)
    assert len(served.outbox.due()) == 1
    assert served.send()
    assert served.shown() == "churn 1"
    assert len(served.delivered()) == 2


def test_a_link_that_leads_to_an_older_version_is_set_right(served: Served) -> None:
    served.move("1")
    assert served.send(**FOLDER)
    link = served.places.root / "served" / "model"
    before = link.readlink()
    served.move("2")
    assert served.send()
    link.unlink()
    link.symlink_to(before)
    assert served.shown() == "churn 1"
    assert served.send()
    assert served.shown() == "churn 2"


def test_a_folder_that_follows_another_pointer_leads_to_its_newest_move(served: Served) -> None:
    served.move("2", "staging")
    served.move("1")
    assert served.send(**FOLDER)
    assert served.send(of="staging")
    assert served.shown() == "churn 2"
    assert served.send(of="production")
    assert served.shown() == "churn 1"


def test_a_webhook_that_becomes_a_folder_and_one_again(served: Served) -> None:
    served.move("1")
    served.target = HOOK
    assert served.send()
    served.target = FOLDER
    assert served.send()
    assert served.shown() == "churn 1"
    served.move("2")
    assert served.send()
    served.target = {**HOOK, "url": "env:TWO"}
    assert served.send()
    assert served.got == {"env:ONE": ["production 1"], "env:TWO": ["production 2"]}


def test_a_folder_that_was_filled_by_who_died_before_saying_so_is_said_to_be(served: Served) -> None:
    served.target = FOLDER
    served.move("1")
    (letter,) = served.outbox.waiting()
    letter.receiver.send(letter.event, letter.key)
    assert served.outbox.waiting()
    assert served.send()
    assert [event.data["of"] for event in served.delivered()] == [letter.event.seq]


def test_a_webhook_elsewhere_gets_the_newest_and_nobody_gets_anything_twice(served: Served) -> None:
    served.target = HOOK
    for version in ("1", "2"):
        served.move(version)
    assert served.send()
    assert served.send(url="env:TWO")
    assert served.send(secret="env:OTHER", timeout_seconds=1)  # noqa: S106 - another key, the same place
    served.move("3")
    assert served.send()
    assert served.send(url="env:ONE")
    assert served.got["env:ONE"] == ["production 1", "production 2", "production 3"]
    assert served.got["env:TWO"] == ["production 2", "production 3"]


def test_what_waits_for_a_webhook_that_is_down_goes_where_it_is_now_and_at_once(served: Served) -> None:
    served.move("0", targets=())
    served.target, served.down = HOOK, True
    assert not served.send()  # it is new, and begins with the newest
    for version in ("1", "2"):
        served.move(version)
        assert not served.send()
    assert served.outbox.due() == []
    served.down, served.target = False, {**HOOK, "url": "env:TWO"}
    assert len(served.outbox.due()) == 1
    assert served.send()
    assert served.got == {"env:TWO": ["production 0", "production 1", "production 2"]}


def test_a_webhook_elsewhere_that_is_down_at_first_misses_nothing(served: Served) -> None:
    served.move("1")
    served.target = HOOK
    assert served.send()
    served.down = True
    assert not served.send(url="env:TWO")
    served.move("2")
    assert not served.send()
    served.down = False
    assert served.send()
    assert served.got["env:TWO"] == ["production 1", "production 2"]


def test_a_webhook_that_follows_another_pointer_gets_its_newest_move(served: Served) -> None:
    for version in ("1", "2", "3"):
        served.move(version, "staging")
    served.move("1")
    served.target = HOOK
    assert served.send()
    assert served.send(of="staging")
    served.move("4", "staging")
    assert served.send()
    assert served.got == {"env:ONE": ["production 1", "staging 3", "staging 4"]}


def written_before(served: Served, *moves: Event) -> None:
    """Deliveries as they were recorded before destinations were."""
    for move in moves:
        about = {"target": "serving", "what": move.kind, "of": move.seq}
        served.places.ledger.record(
            MODEL, DELIVERED, move.hash, about, once=f"{MODEL}/{DELIVERED}/{move.hash}:serving", run_id="r", actor="o"
        )


def test_what_arrived_before_destinations_were_recorded_has_arrived(served: Served) -> None:
    written_before(served, served.move("1"), served.move("2"))
    served.target = HOOK
    assert served.send()
    assert served.got == {}
    served.move("3")
    assert served.send()
    assert served.got == {"env:ONE": ["production 3"]}
    served.move("4")
    assert served.send()
    assert served.send(url="env:TWO")
    assert served.got["env:TWO"] == ["production 4"]


def test_a_folder_that_does_not_show_what_it_got_ends_the_sending(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where somebody else writes there all the time."""
    served.move("1")
    with monkeypatch.context() as patched:
        patched.setattr(Directory, "has", lambda *_letter: False)
        assert served.send(**FOLDER)
        assert len(served.outbox.waiting()) == 1


def test_no_secret_is_in_a_destination(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "http://planted/")
    served.move("1")
    served.target, served.down = HOOK, True
    assert not served.send()
    served.down = False
    assert served.send()
    told = [*served.places.ledger.events(MODEL, FAILED), *served.delivered()]
    assert [event.data["destination"] for event in told] == [{"kind": "webhook", "url": "env:ONE"}] * 2


def test_a_letter_keeps_its_key_wherever_it_goes(served: Served) -> None:
    served.move("1")
    served.target = HOOK
    (before,) = served.outbox.waiting()
    served.target = {**HOOK, "url": "env:TWO"}
    (after,) = served.outbox.waiting()
    assert before.key == after.key
    assert served.send()


STEPS = st.lists(st.sampled_from(["move", "send", "down", "up", "env:ONE", "env:TWO", "env:THREE"]), max_size=14)


@given(STEPS)
@settings(max_examples=40)
def test_whatever_happens_no_move_is_lost_and_none_is_sent_twice_to_one_place(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        served = Served(Places(Path(folder), Path(folder) / "home"), dict(HOOK))
        patched.setattr(Webhook, "send", lambda *letter: served.take(*letter))  # noqa: PLW0108 - as above
        moves = 0
        for step in [*steps, "move", "up", "send"]:
            if step == "move":
                moves += 1
                served.move(str(moves))
            elif step == "send":
                served.send()
            elif step in {"down", "up"}:
                served.down = step == "down"
            else:
                served.target["url"] = step
        numbers = {url: [int(line.split()[1]) for line in lines] for url, lines in served.got.items()}
        assert all(got == sorted(set(got)) for got in numbers.values())
        assert set().union(*numbers.values()) == set(range(1, moves + 1))
        assert numbers[served.target["url"]][-1] == moves
        assert served.outbox.waiting() == []
