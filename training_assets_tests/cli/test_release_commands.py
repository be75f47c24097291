"""A version's life on the command line: held for a person, promoted, scored, compared, checked, rebuilt, pulled."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.core.parity import largest_difference
from training_assets_tests.project_copy import Copy
from training_assets_tests.workplace import customers

ADA = "Ada <ada@x.org>"
SEARCH = {"families": ["linear", "lightgbm"], "trials": 2, "max_iterations": 30, "parallel": 1, "budget_seconds": 20}
FEATURES = {"derived": {"ease": "income / (age + 1)"}}
GATES = [
    {"kind": "beats_dummy", "metric": "roc_auc"},
    {"kind": "change", "metric": "roc_auc", "must_be": "non_inferior", "margin": 0.5},
    {"kind": "parity"},
]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Version 1 in production, version 2 in staging."""
    command = Copy(tmp_path_factory.mktemp("project"))
    (command.root / "rows").mkdir()
    customers(20, seed=7).drop("left_on", "churned").write_csv(command.root / "new.csv")
    customers(600, seed=1).drop("left_on").write_csv(command.root / "rows" / "1.csv")
    command("init", "rows", "--target", "churned", "--name", "churn")
    command.edit("churn", search=SEARCH, evaluation={"gates": GATES, "min_unseen": 20}, features=FEATURES)
    said = command("run", "churn")
    assert "waits for a person: release-" in said
    assert "it would be the first version in production" in command("promote", "churn", "--by", ADA, status=3)
    command("review", "churn", "release", "--approve", "--comment", "fine", "--by", ADA)
    customers(300, seed=2).drop("left_on").write_csv(command.root / "rows" / "2.csv")
    outcome = json.loads(command("run", "churn", "--json"))
    assert (outcome["version"], outcome["staged"], outcome["live"], len(outcome["cases"])) == ("2", "2", "1", 1)
    return command


@pytest.mark.slow
def test_a_version_in_short(tmp_path: Path) -> None:
    command = Copy(tmp_path / "project")
    customers(600, seed=1).drop("left_on").write_csv(command.root / "churn.csv")
    customers(20, seed=7).drop("left_on", "churned").write_csv(command.root / "new.csv")
    command("init", "churn.csv", "--target", "churned")
    command.edit("churn", search=SEARCH, evaluation={"gates": GATES})
    assert "waits for a person: release-" in command("run", "churn")
    assert "version 1 is live" in command("review", "churn", "release", "--approve", "--comment", "fine", "--by", ADA)
    assert len(pl.read_csv(command("score", "churn", "new.csv").encode())) == 20
    assert all(line["holds"] for line in asked(command, "verify", "churn"))
    assert asked(command, "reproduce", "churn", "1")["level"] == 1
    # What a model did is told when its spec is long gone.
    shutil.rmtree(command.root / "training_assets" / "defs" / "churn")
    assert asked(command, "who-was-live", "churn")["version"] == "1"
    assert all(line["holds"] for line in asked(command, "verify", "churn"))
    assert "no model 'churn'" in command("run", "churn", status=2)


def asked(command: Copy, *arguments: str, status: int = 0) -> Any:
    return json.loads(command(*arguments, "--json", status=status))


@pytest.mark.slow
def test_the_status_says_where_each_version_stands(released: Copy) -> None:
    versions = {each["version"]: each["stands"] for each in asked(released, "status", "churn")["versions"]}
    assert versions == {"1": "live", "2": "staging"}


@pytest.mark.slow
def test_raw_rows_are_scored_as_in_training(released: Copy) -> None:
    rows = customers(20, seed=7).drop("left_on", "churned")
    said = released("score", "churn", "new.csv")
    printed = pl.read_csv(said.encode())
    assert printed.columns == ["customer", "prediction", "probability_no", "probability_yes"]
    assert printed["customer"].to_list() == rows["customer"].to_list()
    told = asked(released, "score", "churn", "new.csv", "--out", "scores.parquet", "--version", "1")
    assert (told["version"], told["rows"]) == ("1", 20)
    written = pl.read_parquet(released.root / "scores.parquet")
    assert written["prediction"].to_list() == printed["prediction"].to_list()
    shuffled = rows.sample(fraction=1, shuffle=True, seed=0).select(reversed(rows.columns))
    shuffled.write_parquet(released.root / "shuffled.parquet")
    released("score", "churn", "shuffled.parquet", "--out", "again.parquet")
    again = pl.read_parquet(released.root / "again.parquet").sort("customer")
    assert again.equals(written.sort("customer"))


@pytest.mark.slow
def test_a_version_scores_by_its_own_spec(released: Copy) -> None:
    before = released("score", "churn", "new.csv")
    released.edit("churn", features={"derived": {"ease": "-1000 * income"}})
    try:
        assert released("score", "churn", "new.csv") == before
    finally:
        released.edit("churn", features=FEATURES)


@pytest.mark.slow
def test_rows_that_cannot_be_scored_get_a_clear_error(released: Copy) -> None:
    customers(5, seed=7).drop("age").write_csv(released.root / "lacking.csv")
    assert "E_SCHEMA: the rows lack age" in released("score", "churn", "lacking.csv", status=2)
    assert "E_MISSING" in released("score", "churn", "nowhere.csv", status=2)
    assert "E_FORMAT" in released("score", "churn", "new.csv", "--out", "scores.xlsx", status=2)
    assert "has no version 9; known: 1, 2" in released("score", "churn", "new.csv", "--version", "9", status=2)
    (released.root / "odd.csv").write_text("customer,age,income,plan\n1,old,3.5,basic\n")
    assert "1,yes" in released("score", "churn", "odd.csv") or "1,no" in released("score", "churn", "odd.csv")


@pytest.mark.slow
def test_two_versions_side_by_side(released: Copy) -> None:
    found = asked(released, "compare", "churn", "1", "2")
    assert found["data"]["batches_added"] == 1
    assert found["states"] == ["LIVE", "STAGED"]
    assert found["spec"] == {}
    assert found["predictions"]["rows"] > 0
    assert found["metrics"]["roc_auc"]["champion"] is not None
    said = released("compare", "churn", "1", "2")
    assert "batches_added: 1" in said
    assert "roc_auc" in said


@pytest.mark.slow
def test_everything_is_as_it_was_decided(released: Copy) -> None:
    lines = asked(released, "verify", "churn")
    assert all(line["holds"] for line in lines), lines
    assert {line["what"] for line in lines} >= {
        "ledger", "production", "move to version 1", "decision about version 2", "files of version 2",
    }  # fmt: skip


@pytest.mark.slow
def test_a_version_is_built_again_to_the_same_model(released: Copy) -> None:
    found = asked(released, "reproduce", "churn", "1")
    assert found["level"] == 1
    assert "the canonical model is equal" in found["seen"]
    released.edit("churn", search={**SEARCH, "trials": 3})
    again = asked(released, "reproduce", "churn", "1")
    released.edit("churn", search=SEARCH)
    assert again["level"] == 1
    assert any("the present spec differs in search.trials" in cause for cause in again["causes"])


@pytest.mark.slow
def test_another_clone_builds_it_too_and_changed_code_is_named(released: Copy, tmp_path: Path) -> None:
    clone = Copy(tmp_path / "clone")
    clone.home = released.home
    shutil.copytree(released.spec("churn").parent, clone.spec("churn").parent)
    shutil.copytree(released.root / "rows", clone.root / "rows")
    assert asked(clone, "reproduce", "churn", "1")["level"] == 1
    boosting = clone.root / "training_assets" / "core" / "families" / "lightgbm_boosting.py"
    changed = boosting.read_text().replace('"bagging_freq": 1', '"bagging_freq": 3')
    assert changed != boosting.read_text()
    boosting.write_text(changed)
    again = asked(clone, "reproduce", "churn", "1")
    assert again["level"] in {2, 3}
    assert "the canonical model differs" in again["seen"]
    assert any("the training code was" in cause for cause in again["causes"])


@pytest.mark.slow
def test_a_version_that_is_not_there_cannot_be_built(released: Copy) -> None:
    assert "has no version 7" in released("reproduce", "churn", "7", status=2)


@pytest.mark.slow
def test_history_tells_who_did_what_and_why(released: Copy) -> None:
    said = released("history", "churn")
    for words in ("verdict on candidate", "registered: version 1", "production moved from nothing to version 1", ADA):
        assert words in said
    assert all(line["hash"] for line in asked(released, "history", "churn"))


@pytest.mark.slow
def test_pulled_and_back_again(released: Copy) -> None:
    released("review", "churn", "release", "--approve", "--comment", "better", "--by", ADA)
    assert asked(released, "who-was-live", "churn")["version"] == "2"
    moved = asked(released, "rollback", "churn", "--reason", "complaints", "--by", ADA)
    assert (moved["from"], moved["to"]) == ("2", "1")
    for more in ("--reason", "complaints", "--by", ADA), ("--reason", "any", "--of", "2"):
        again = asked(released, "rollback", "churn", *more)
        assert (again["from"], again["to"], again["at"]) == ("2", "1", moved["at"])
        assert "nothing more is pulled" in again["said"]
    spans = asked(released, "who-was-live", "churn", "--at", "2020-01-01")
    assert spans["version"] is None
    assert [span["version"] for span in spans["spans"]] == ["1", "2", "1"]
    assert "no earlier sound version" in released("rollback", "churn", "--reason", "again", status=2)
    assert "is no date" in released("who-was-live", "churn", "--at", "yesterday", status=2)
    held = released("promote", "churn", "2", status=3)
    assert "it was rolled back: complaints" in held


@pytest.mark.slow
def test_a_changed_file_is_found(released: Copy) -> None:
    (card, *_) = sorted((released.root / "home" / "mlflow").rglob("package/card.json"))
    before = card.read_bytes()
    card.write_bytes(before.replace(b"medium", b"low"))
    lines = asked(released, "verify", "churn", status=1)
    wrong = [line for line in lines if not line["holds"]]
    assert [line["what"].split(" of ")[0] for line in wrong] == ["files"]
    assert "have changed since it was registered" in wrong[0]["text"]
    card.write_bytes(before)
    assert all(line["holds"] for line in asked(released, "verify", "churn"))


@pytest.mark.slow
def test_mlflow_serves_a_version(released: Copy) -> None:
    (folder, *_) = sorted((released.root / "home" / "mlflow").rglob("MLmodel"))
    package = next(folder.parent.glob("data/*/package"))
    rows = pl.read_parquet(package / "golden_rows.parquet").head(5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder.parent), "--env-manager", "local"]
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])  # noqa: PTH120 - where uvicorn is
    environment = {**os.environ, "PATH": path, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    server = subprocess.Popen([*command, "-p", str(port), "-h", "127.0.0.1"], env=environment, start_new_session=True)
    try:
        body = json.dumps({"dataframe_records": json.loads(rows.write_json())}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
        )
        for _ in range(120):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
                    served = json.loads(answer.read())["predictions"]
                break
            except OSError:
                time.sleep(1)
        else:
            pytest.fail("the server never answered")
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)
    seen = pl.read_parquet(package / "golden_scores.parquet").head(5)
    assert [each["probability_yes"] for each in served] == pytest.approx(seen["probability_yes"].to_list(), abs=1e-9)


LOADED = """
import sys
import mlflow.pyfunc, pandas as pd
folder, package, out = sys.argv[1:]
rows = pd.read_parquet(package + "/golden_rows.parquet")
quantities = rows.select_dtypes("number").columns
mlflow.pyfunc.load_model(folder).predict(rows.astype(dict.fromkeys(quantities, float))).to_parquet(out)
assert "dagster" not in sys.modules
"""


@pytest.mark.slow
def test_an_environment_of_its_own_requirements_alone_serves_a_version(released: Copy, tmp_path: Path) -> None:
    (folder, *_) = sorted((released.root / "home" / "mlflow").rglob("MLmodel"))
    package = next(folder.parent.glob("data/*/package"))
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", "-r", str(folder.with_name("requirements.txt"))]
    installed = subprocess.run(install, check=False, capture_output=True, text=True)
    if installed.returncode != 0 and "No matching distribution" in installed.stderr:
        pytest.skip("no package index can be reached")
    assert installed.returncode == 0, installed.stderr
    out = tmp_path / "scores.parquet"
    loaded = subprocess.run(
        [str(python), "-c", LOADED, str(folder.parent), str(package), str(out)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert largest_difference(pl.read_parquet(package / "golden_scores.parquet"), pl.read_parquet(out)) <= 1e-9
