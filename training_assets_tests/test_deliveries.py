"""Moves reach their targets at least once, in order, also those that were down; people are told of open cases."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.core.parity import largest_difference
from training_assets.definitions import places
from training_assets.resources.models import Model
from training_assets.resources.outbox import DELIVERED, FAILED, Outbox
from training_assets.resources.receivers import KEY_HEADER, SIGNATURE_HEADER, signature
from training_assets.resources.releases import Releases
from training_assets_tests.test_releases import (
    EVALUATION,
    live,
    open_cases,
    outbox_of,
    promote,
    registry,
    released,
    rolled_back,
    said,
)
from training_assets_tests.workplace import MODEL, Workplace, customers, failures, workplace

SECRET = "s3cret-planted"  # noqa: S105 - it is planted, to be looked for
DAY = timedelta(days=1)


class Receiver:
    """A real HTTP server that answers with a status of ours, and keeps what it got."""

    def __init__(self) -> None:
        self.status, self.got = 200, list[tuple[dict[str, str], bytes]]()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.status < 300:
                    outer.got.append((dict(self.headers), body))
                self.send_response(outer.status)
                if outer.status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def place(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    monkeypatch.setenv("HOOK_URL", f"http://{receiver.address}/moved?token={SECRET}")
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setenv("TOLD", f"json://{receiver.address}/told")
    release = {
        "targets": {
            "folder": {"kind": "directory", "path": "served/churn"},
            "hook": {"kind": "webhook", "url": "env:HOOK_URL", "secret": "env:HOOK_SECRET"},
        }
    }
    with workplace(tmp_path / "place") as made:
        made.land("2026-01.csv", customers(600, seed=1))
        yield made.with_spec(evaluation=EVALUATION, release=release)


def test_a_promotion_reaches_a_folder_and_a_webhook(place: Workplace, receiver: Receiver) -> None:
    import mlflow

    released(place, "2026-02.csv", 2)
    link = place.root / "served" / "churn"
    assert link.is_symlink()
    assert (link / "MLmodel").is_file()
    umask = os.umask(0o022)
    os.umask(umask)
    read = {path: 0o055 if path.is_dir() else 0o044 for path in (link.resolve(), *link.resolve().rglob("*"))}
    assert [path for path, asked in read.items() if ~path.stat().st_mode & asked & ~umask] == []
    served = mlflow.pyfunc.load_model(str(link))
    (golden,) = link.glob("data/*/package/golden_rows.parquet")
    rows = pl.read_parquet(golden).with_columns(pl.col(pl.Int64).cast(pl.Float64))
    scores = pl.read_parquet(golden.with_name("golden_scores.parquet"))
    assert largest_difference(scores, pl.from_pandas(served.predict(rows.to_pandas()))) == 0
    (headers, body) = receiver.got[0]
    told = json.loads(body)
    assert (told["pointer"], told["from"], told["to"], told["way"]) == ("production", None, "1", "approval")
    assert told["model_uri"] == f"models:/{MODEL}/1"
    assert headers[KEY_HEADER] == told["idempotency_key"]
    at, _, sent = headers[SIGNATURE_HEADER].removeprefix("t=").partition(",v1=")
    assert hmac.compare_digest(sent, hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest())
    assert outbox_of(place).waiting() == []
    assert SECRET not in str(place.places.ledger.events(MODEL))
    staged = place.places.ledger.latest(MODEL, "staging_moved")
    assert staged is not None
    assert staged.data["targets"] == ["folder", "hook"]  # so that none of its moves is left out


@pytest.mark.slow
def test_every_move_is_told_a_rollback_too(place: Workplace, receiver: Receiver) -> None:
    released(place, "2026-02.csv", 2)
    released(place, "2026-03.csv", 3)
    link = place.root / "served" / "churn"
    second = link.resolve()
    rolled_back(place)
    outbox_of(place).send(run_id="r", say=lambda _line: None)
    assert [each["to"] for each in receiver.bodies()] == ["1", "2", "1"]
    assert len({each["idempotency_key"] for each in receiver.bodies()}) == 3
    assert link.resolve() != second


@pytest.mark.slow
def test_moves_that_nobody_tried_to_deliver_arrive_too(place: Workplace, receiver: Receiver) -> None:
    """As where each process died right after its move; a target that is new later gets the newest."""
    released(place.with_spec(release={}), "2026-02.csv", 2)
    releases = Releases(place.places.ledger, MODEL, ("hook",))
    moves = {"run_id": "r", "actor": "test"}
    (first,) = place.places.ledger.events(MODEL, "production_moved")
    released(place.with_spec(release={}), "2026-03.csv", 3)
    for number in ("1", "2"):
        releases.promote(number, "approval", {}, reason="test", after=releases.live(), **moves)
    assert outbox_of(place).send(run_id="r", say=lambda _line: None)
    assert [each["to"] for each in receiver.bodies()] == ["1", "2"]
    assert receiver.bodies()[0]["at"] != first.at
    events = place.places.ledger.events(MODEL, DELIVERED)
    assert [event.data["target"] for event in events if event.data["what"] == "production_moved"].count("folder") == 1


@pytest.mark.slow
def test_who_is_down_gets_every_move_later_in_order(place: Workplace, receiver: Receiver) -> None:
    receiver.status = 503
    released(place, "2026-02.csv", 2)
    assert live(place) == "1"  # production does not wait for receivers
    assert (place.root / "served" / "churn").is_symlink()
    released(place, "2026-03.csv", 3)
    assert receiver.got == []
    failed = place.places.ledger.events(MODEL, FAILED)
    assert [event.data["target"] for event in failed] == ["hook", "hook"]
    assert failed[0].data["reason"] == "E_DELIVERY: the receiver answered with status 503"
    assert "wait for their next attempt" in (place.tick("outbox").skip_message or "")
    receiver.status = 200
    assert outbox_of(place).send(run_id="r", say=lambda _line: None, at_once=True)
    assert outbox_of(place).send(run_id="r", say=lambda _line: None, at_once=True)
    assert [each["to"] for each in receiver.bodies()] == ["1", "2"]
    assert place.tick("outbox").skip_message == "everything has arrived"


@pytest.mark.slow
def test_the_sensor_delivers_what_a_dead_process_left(place: Workplace, receiver: Receiver) -> None:
    released(place, "2026-02.csv", 2)
    released(place, "2026-03.csv", 3)
    rolled_back(place)  # moves production, and dies before it tells anybody
    (request,) = place.tick("outbox").run_requests or []
    assert request.run_key == (place.tick("outbox").run_requests or [])[0].run_key
    done = place.execute(f"{MODEL}_deliver", {})
    assert done.success, failures(done)
    assert [each["to"] for each in receiver.bodies()] == ["1", "2", "1"]
    assert not place.tick("outbox").run_requests


@pytest.mark.slow
@pytest.mark.parametrize("status", [302, 404])
def test_only_a_2xx_is_an_arrival(place: Workplace, receiver: Receiver, status: int) -> None:
    receiver.status = status
    released(place, "2026-02.csv", 2)
    assert [event.data["target"] for event in place.places.ledger.events(MODEL, DELIVERED)] == ["folder"]
    (failed,) = place.places.ledger.events(MODEL, FAILED)
    assert str(status) in failed.data["reason"]


@pytest.mark.slow
def test_a_folder_that_is_not_ours_is_left_alone(place: Workplace) -> None:
    theirs = place.root / "served" / "churn"
    theirs.mkdir(parents=True)
    (theirs / "precious.txt").write_text("theirs")
    released(place, "2026-02.csv", 2)
    assert (theirs / "precious.txt").read_text() == "theirs"
    (failed,) = place.places.ledger.events(MODEL, FAILED)
    assert "is there already and is no link of ours" in failed.data["reason"]


@pytest.mark.slow
def test_changed_files_are_not_delivered(place: Workplace) -> None:
    released(place, "2026-02.csv", 2)
    released(place, "2026-03.csv", 3)
    link = place.root / "served" / "churn"
    before = link.resolve()
    rolled_back(place)
    for bundle in (place.root / "home" / "mlflow").rglob("bundle.json"):
        bundle.write_text("{}")
    assert not outbox_of(place).send(run_id="r", say=lambda _line: None)
    assert "have changed since it was registered" in place.places.ledger.events(MODEL, FAILED)[-1].data["reason"]
    assert link.resolve() == before


def test_people_are_told_of_open_cases_once(place: Workplace, receiver: Receiver) -> None:
    review = {"notify": ["env:TOLD"]}
    place = place.with_spec(release={"review": review})
    assert place.train().success
    assert place.stage().success
    (case,) = open_cases(place)
    about = Model(MODEL, place.spec), replace(place.places, ui_url="https://ui.example.org/"), registry(place)
    for _ in range(2):
        Outbox(*about).send(run_id="r", say=lambda _line: None)
    (told,) = receiver.bodies()
    assert told["title"] == f"{MODEL}: {case.name} waits for you"
    lines = told["message"].splitlines()
    assert f"training-assets review {MODEL} {case.name}" in lines
    (page,) = [line.removeprefix("report: ") for line in lines if line.startswith("report: ")]
    assert Path(page).is_relative_to(place.root / "home" / "pages" / MODEL)
    assert "<html" in Path(page).read_text()
    verdict = place.places.ledger.latest(MODEL, "verdict")
    assert verdict is not None
    assert f"run: https://ui.example.org/runs/{verdict.run_id}" in lines
    said(place, case)
    assert promote(place).success
    assert outbox_of(place).waiting() == []


@pytest.mark.slow
def test_a_secret_that_is_not_there_fails_the_delivery_and_not_the_release(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    released(place, "2026-02.csv", 2)
    assert live(place) == "1"
    (failed,) = place.places.ledger.events(MODEL, FAILED)
    assert "E_SECRET" in failed.data["reason"]


def test_where_the_ui_is_is_said_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAINING_ASSETS_UI_URL", raising=False)
    assert places().run_url("r1") is None
    monkeypatch.setenv("TRAINING_ASSETS_UI_URL", "https://ui.example.org")
    assert places().run_url("r1") == "https://ui.example.org/runs/r1"


def test_a_signature_holds_for_its_body_its_key_and_its_time_alone() -> None:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    made = signature("k", b"{}", at)
    assert made == signature("k", b"{}", at)
    assert len({made, signature("k", b"[]", at), signature("l", b"{}", at), signature("k", b"{}", at + DAY)}) == 4
