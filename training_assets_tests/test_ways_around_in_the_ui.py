"""Ways to a release that nobody allowed, by a browser, by backfills, by a registry client: none of them leads there.

The UI and the daemon are real, over a project in which one candidate was rejected, and one version waits for a person.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.screenshots import CHROMIUM, QUIET, ask
from training_assets.resources.ledger import Ledger
from training_assets_tests.project_copy import Copy
from training_assets_tests.test_screenshots import free_port, wait_for
from training_assets_tests.workplace import customers

pytestmark = pytest.mark.browser

PATIENCE_SECONDS = 180
SEARCH = {"families": ["linear"], "trials": 1, "parallel": 1, "budget_seconds": 20}
GATES = [{"kind": "beats_dummy", "metric": "roc_auc", "margin": 0.1}, {"kind": "parity"}]
BACKFILL = """
mutation Backfill($asked: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $asked) { __typename ... on LaunchBackfillSuccess { backfillId } }
}
"""
RUNS = "{ runsOrError(limit: 50) { ... on Runs { results { runId status tags { key value } stepKeysToExecute } } } }"
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


class Served:
    """A project whose UI is served, and what its ledger and registry say."""

    def __init__(self, command: Copy, url: str) -> None:
        self.command, self.url = command, url
        self.ledger = Ledger(f"sqlite:///{command.root / 'home' / 'ledger.db'}")

    def released(self) -> list[tuple[str, str]]:
        """Everything that would be a release."""
        moves = [(model, event.kind) for model in ("churn", "noise") for event in self.ledger.events(model)]
        return [each for each in moves if each == ("noise", "registered") or each[1] == "production_moved"]

    def runs(self) -> dict[str, dict[str, Any]]:
        return {run["runId"]: run for run in ask(self.url, RUNS)["runsOrError"]["results"]}

    def ends_in_failure(self, launch: Callable[[], object]) -> None:
        """Whatever is launched runs, and fails."""
        before = self.runs().keys()
        launch()
        (run,) = wait_until(lambda: [run for name, run in self.runs().items() if name not in before])
        wait_until(lambda: self.runs()[run["runId"]]["status"] in ENDED)
        assert self.runs()[run["runId"]]["status"] == "FAILURE"


def wait_until(found: Callable[[], Any]) -> Any:
    """What is found, once it is there."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if seen := found():
            return seen
        time.sleep(1)
    pytest.fail(f"nothing came of it within {PATIENCE_SECONDS} s")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if shutil.which("chromium") is None:
        pytest.skip("no Chromium; on Debian: apt install chromium")
    command = Copy(tmp_path_factory.mktemp("project"))
    for model, learnable in (("churn", True), ("noise", False)):
        rows = customers(600, seed=1, learnable=learnable).drop("left_on")
        rows.write_csv(command.root / f"{model}.csv")
        command("init", f"{model}.csv", "--target", "churned", "--name", model)
        command.edit(model, search=SEARCH, evaluation={"gates": GATES})
    assert "waits for a person: release-" in command("run", "churn")
    command("run", "noise", status=4)
    port, other = free_port(), free_port()
    environment = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
    with subprocess.Popen(
        [
            *(sys.executable, "-c", "from training_assets.cli import main; main()"),
            *("dev", "--port", str(port), "--mlflow-port", str(other)),
        ],
        cwd=command.root,
        env={**environment, "TRAINING_ASSETS_HOME": str(command.root / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            wait_for(port)
            yield Served(command, f"http://127.0.0.1:{port}")
        finally:
            server.send_signal(signal.SIGINT)


def click_materialize(url: str, model: str, asset: str) -> None:
    """Open the asset's page, and click."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or CHROMIUM
        with playwright.chromium.launch(executable_path=chromium, args=QUIET) as browser:
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.set_default_timeout(60_000)
            page.goto(f"{url}/assets/{model}/{asset}")
            page.get_by_role("button", name="Materialize").click()
            page.get_by_text("Launched run").first.wait_for()


@pytest.mark.parametrize(("model", "asset"), [("churn", "live_version"), ("noise", "registered_version")])
def test_a_click_on_materialize_releases_nothing(served: Served, model: str, asset: str) -> None:
    served.ends_in_failure(lambda: click_materialize(served.url, model, asset))
    assert served.released() == []


@pytest.mark.parametrize(("model", "asset"), [("churn", "live_version"), ("noise", "registered_version")])
@pytest.mark.parametrize("with_upstream", [False, True])
def test_a_backfill_releases_nothing(served: Served, model: str, asset: str, with_upstream: bool) -> None:
    upstream = {"churn": "staged_version", "noise": "evaluation_report"}[model]
    assets = [upstream, asset] if with_upstream else [asset]
    keys = [{"path": [model, each]} for each in assets]
    asked = {"assetSelection": keys, "allPartitions": True}
    served.ends_in_failure(lambda: ask(served.url, BACKFILL, asked=asked))
    assert served.released() == []


def test_an_alias_that_a_registry_client_sets_opens_a_case_and_moves_nothing(served: Served) -> None:
    """By the daemon's own tick of the sensor."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{served.command.root / 'home' / 'mlflow.db'}"
    MlflowClient(tracking_uri=uri, registry_uri=uri).set_registered_model_alias("churn", "champion", "1")

    def opened() -> list[Any]:
        return [event for event in served.ledger.events("churn", "case_opened") if event.data["kind"] == "alias"]

    (case,) = wait_until(opened)
    assert "champion" in case.data["text"]
    assert served.released() == []
    assert json.loads(served.command("who-was-live", "churn", "--json"))["version"] is None


def test_what_a_person_approves_goes_live_by_the_sensor(served: Served) -> None:
    """So that the ones above did not fail for want of a working UI."""
    (case,) = [event for event in served.ledger.events("churn", "case_opened") if event.data["kind"] == "release"]
    subject = str(case.data["subject"])
    served.command(
        "review", "churn", f"release-{subject[:12]}", "--approve", "--comment", "fine", "--by", "Ada <ada@x.org>"
    )
    wait_until(lambda: served.released() == [("churn", "production_moved")])
