"""The command line in a copy of the project, as a user runs it: init, run, status, and what goes wrong."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from training_assets_tests.project_copy import Copy
from training_assets_tests.workplace import customers


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    made = Copy(tmp_path_factory.mktemp("project"))
    customers(600, seed=1).drop("left_on").write_csv(made.root / "churn.csv")
    return made


QUICK = {"families": ["linear"], "trials": 1}


@pytest.mark.slow
def test_from_a_table_to_a_staged_version(command: Copy) -> None:
    said = command("init", "churn.csv", "--target", "churned")
    assert "600 rows read" in said
    assert "binary with 2 classes, label churned" in said
    assert "next: look the spec over" in said
    command.edit("churn", search=QUICK)
    outcome = json.loads(command("run", "churn", "--json"))
    assert {"model", "run_id", "dataset_version", "verdict", "version", "metrics", "rows", "seconds"} <= set(outcome)
    assert (outcome["verdict"], outcome["version"], outcome["staged"], outcome["rows"]) == ("PASS", "1", "1", 600)
    assert not outcome["nothing_new"]
    assert outcome["seconds"]["tuned_model"] > 0
    assert 0.5 < outcome["metrics"]["roc_auc"] <= 1
    again = command("run", "churn")
    assert "nothing is new in data, code or spec; version 1 stands" in again
    assert "stands on run" in again
    status = json.loads(command("status", "churn", "--json"))
    assert [version["stands"] for version in status["versions"]] == ["staging"]
    assert status["dataset_version"] == outcome["dataset_version"]
    assert "version 1  staging" in command("status")


def test_a_missed_gate_is_4_and_a_review_3(command: Copy) -> None:
    command("init", "churn.csv", "--target", "churned", "--name", "strict")
    rule = {"kind": "value", "metric": "roc_auc", "min": 0.999}
    command.edit("strict", search=QUICK, evaluation={"gates": [rule]})
    said = command("run", "strict", status=4)
    assert "✗ check evaluation_report.metrics_reach_floors" in said
    assert "not registered: verdict REJECT" in said
    command.edit("strict", evaluation={"gates": [{**rule, "otherwise": "review"}]})
    assert "verdict REVIEW" in command("run", "strict", status=3)
    shutil.rmtree(command.spec("strict").parent)


def test_bad_data_is_2_and_says_what_where_and_what_to_do(command: Copy) -> None:
    broken = command.root / "broken.csv"
    customers(300, seed=2).drop("left_on").write_csv(broken)
    command("init", "broken.csv", "--target", "churned")
    broken.write_text(broken.read_text().replace("\nc2-7,", "\nc2-7,1,2,"))
    said = command("run", "broken", status=2)
    assert "E_RAGGED" in said
    assert "broken.csv" in said
    shutil.rmtree(command.spec("broken").parent)


def test_a_spec_that_cannot_work_says_which_and_why(command: Copy) -> None:
    command("init", "churn.csv", "--target", "churned", "--name", "leaky")
    command.edit("leaky", features={"derived": {"copy": "churned = 'yes'"}})
    said = command("status", status=2)
    assert "leaky/defs.yaml" in said
    assert "churned" in said
    command.edit("leaky", features={}, colums={})
    assert "did you mean 'columns'" in command("status", status=2)
    shutil.rmtree(command.spec("leaky").parent)


def test_two_models_of_one_name_are_refused_by_file(command: Copy) -> None:
    command("init", "churn.csv", "--target", "churned", "--name", "first")
    shutil.copytree(command.spec("first").parent, command.spec("second").parent)
    said = command("status", status=2)
    assert "first/defs.yaml and second/defs.yaml both define 'first'" in said
    shutil.rmtree(command.spec("first").parent)
    assert "model 'first' exists" in command("init", "churn.csv", "--target", "churned", "--name", "first", status=2)
    shutil.rmtree(command.spec("second").parent)


def test_a_folders_name_that_names_no_model_is_refused(command: Copy) -> None:
    command("init", "churn.csv", "--target", "churned", "--name", "first")
    document = yaml.safe_load(command.spec("first").read_text())
    document["attributes"].pop("name", None)
    command.spec("first").write_text(yaml.safe_dump(document))
    folder = command.spec("first").parent.rename(command.spec("my-model").parent)
    assert "my-model/defs.yaml: 'my-model' can name no model; say `name:`" in command("status", status=2)
    shutil.rmtree(folder)


def test_two_models_that_serve_in_one_folder_are_told_apart_when_the_project_loads(command: Copy) -> None:
    for name in ("one", "two"):
        command("init", "churn.csv", "--target", "churned", "--name", name)
    for name in ("one", "two"):
        command.edit(name, release={"targets": {"serving": {"kind": "directory", "path": "served/model"}}})
    said = command("status", status=2)
    assert "one: release.targets.serving writes to" in said
    assert "and two: release.targets.serving" in said
    for name in ("one", "two"):
        shutil.rmtree(command.spec(name).parent)


def test_questions_instead_of_tracebacks(command: Copy) -> None:
    assert "--target" in command("init", "churn.csv", status=2)
    assert "no model 'nope'" in command("run", "nope", status=2)
    assert "missing.csv" in command("init", "missing.csv", "--target", "x", status=2)
    command("init", "churn.csv", "--target", "churned", "--name", "twice")
    assert "--overwrite" in command("init", "churn.csv", "--target", "churned", "--name", "twice", status=2)
    shutil.rmtree(command.spec("twice").parent)


def test_every_command_has_help(command: Copy) -> None:
    for arguments in (
        [],
        ["init"],
        ["run"],
        ["status"],
        ["example"],
        ["example", "run"],
        ["example", "next-batch"],
        ["dev"],
    ):
        assert "Usage:" in command(*arguments, "--help")


def test_storage_that_cannot_be_written_is_said_in_a_line(command: Copy) -> None:
    home = command.root / "home"
    home.mkdir(exist_ok=True)
    moved = home.rename(command.root / "elsewhere")
    home.write_text("not a folder")
    assert "E_STORAGE" in command("status", status=1)
    home.unlink()
    moved.rename(home)
