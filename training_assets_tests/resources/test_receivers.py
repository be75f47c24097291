"""A receiver that fails, in whatever way, fails alone, in time, without a word of its secret, and is tried again."""

from __future__ import annotations

import gc
import logging
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from training_assets.core.errors import InputError
from training_assets.resources.directories import Directory
from training_assets.resources.models import Model
from training_assets.resources.outbox import DELIVERED, FAILED, Outbox
from training_assets.resources.places import Places
from training_assets.resources.receivers import People, Webhook
from training_assets.resources.registry import Registry
from training_assets.spec import DirectoryTarget, ModelSpec, WebhookTarget
from training_assets_tests.test_deliveries import Receiver
from training_assets_tests.workplace import MODEL, SPEC, Workplace

SECRET = "s3cret-planted"  # noqa: S105 - it is planted, to be looked for
HOOK = {"kind": "webhook", "url": "env:GOOD", "secret": "env:KEY"}
BAD = {**HOOK, "url": "env:BAD"}
DAY = timedelta(days=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def place(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    """A ledger with three moves that two webhooks have to get, the first of which has a bad URL."""
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.setenv("GOOD", f"http://{receiver.address}/")
    monkeypatch.setenv("BAD", f"http://[bad/{SECRET}")
    spec = ModelSpec.model_validate({**SPEC, "release": {"targets": {"bad": BAD, "hook": HOOK}}})
    with dg.DagsterInstance.ephemeral() as instance:
        made = Workplace(tmp_path, instance, spec)
        for before, after in ((None, "1"), ("1", "2"), ("2", "3")):
            data = {"way": "approval", "reason": "test", "targets": ["bad", "hook"]}
            made.places.ledger.move(MODEL, "production", expected=before, to=after, data=data, run_id="r", actor="test")
        yield made


def outbox_of(place: Workplace) -> Outbox:
    return Outbox(Model(MODEL, place.spec), place.places, Registry(place.places.mlflow_uri))


def reasons(place: Workplace) -> list[str]:
    return [str(event.data["reason"]) for event in place.places.ledger.events(MODEL, FAILED)]


def test_a_url_that_is_none_stops_nobody_else(place: Workplace, receiver: Receiver) -> None:
    assert not outbox_of(place).send(run_id="r", say=lambda _line: None, at_once=True)
    assert [each["to"] for each in receiver.bodies()] == ["1", "2", "3"]
    assert reasons(place) == ["E_DELIVERY: env:BAD holds no http or https URL"]


def test_a_refusal_leaves_no_connection_open(place: Workplace, receiver: Receiver) -> None:
    receiver.status = 503
    outbox_of(place).send(run_id="r", say=lambda _line: None, at_once=True)
    gc.collect()  # what is left open is warned of
    assert reasons(place)[-1] == "E_DELIVERY: the receiver answered with status 503"


def test_an_unforeseen_error_stops_nobody_else_and_tells_no_secret(
    place: Workplace, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sends = Webhook.send

    def send(self: Webhook, *letter: Any) -> None:
        if self.name == "bad":
            raise RuntimeError(SECRET)
        sends(self, *letter)

    monkeypatch.setattr(Webhook, "send", send)
    said: list[str] = []
    assert not outbox_of(place).send(run_id="r", say=said.append, at_once=True)
    assert len(receiver.got) == 3
    assert reasons(place) == ["E_DELIVERY: it ended with RuntimeError"]
    assert SECRET not in str(said)


def test_a_run_that_failed_is_followed_by_another(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        raise RuntimeError

    (first,) = place.tick("outbox").run_requests or []
    (same,) = place.tick("outbox").run_requests or []
    assert first.run_key == same.run_key
    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "send", broken)
        assert not place.execute(f"{MODEL}_deliver", {}).success
    assert "the next one comes after" in (place.tick("outbox").skip_message or "")
    monkeypatch.setattr("training_assets.resources.outbox.FIRST_WAIT", -DAY)
    (next_one,) = place.tick("outbox").run_requests or []
    assert next_one.run_key != first.run_key  # Dagster starts no run for a key that it knows
    assert place.execute(f"{MODEL}_deliver", {}).success
    assert place.places.ledger.events(MODEL, DELIVERED)


def test_a_link_of_somebody_else_is_left_alone(tmp_path: Path, place: Workplace) -> None:
    (tmp_path / "precious").mkdir()
    link = tmp_path / "current"
    link.symlink_to("precious")
    target = DirectoryTarget(kind="directory", path="current")
    folder = Directory("folder", "production_moved", target, Registry("none"), place.places, frozenset({"folder"}))
    (move, *_) = place.places.ledger.events(MODEL, "production_moved")
    with pytest.raises(InputError, match="is no link of ours"):
        folder.send(move, "key")
    assert str(link.readlink()) == "precious"
    store = tmp_path / ".current.versions"
    (store / "0-before").mkdir(parents=True)
    link.unlink()
    link.symlink_to(".current.versions/0-before")
    with pytest.raises(InputError, match="has no version 1"):  # a link of ours is gone on with
        folder.send(move, "key")


def test_a_server_that_drips_is_given_up_in_time(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not is_over.wait(0.1):
                    connection.sendall(b"a")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        monkeypatch.setenv("DRIPS", f"http://127.0.0.1:{server.getsockname()[1]}/")
        target = WebhookTarget.model_validate({**HOOK, "url": "env:DRIPS", "timeout_seconds": 0.5})
        hook = Webhook("hook", "production_moved", target, Places(place.root, place.root / "home"))
        (move, *_) = place.places.ledger.events(MODEL, "production_moved")
        began = time.monotonic()
        with pytest.raises(InputError, match=r"cannot be reached \(TimeoutError\)"):
            hook.send(move, "key")
        assert time.monotonic() - began < 5
        is_over.set()
        thread.join()


def test_apprise_logs_no_token(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TOLD", f"slack://{SECRET}")
    data = {"kind": "release", "subject": "s" * 64, "text": "may it?"}
    case = place.places.ledger.record(MODEL, "case_opened", "release:s", data, run_id="r", actor="test")
    with caplog.at_level(logging.DEBUG), pytest.raises(InputError, match="holds no URL that Apprise knows"):
        People("env:TOLD", Places(place.root, place.root / "home")).send(case, "key")
    assert SECRET not in caplog.text
