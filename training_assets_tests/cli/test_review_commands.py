"""A changed schema, a decision about it and a batch taken back, as a user does them."""

from __future__ import annotations

import json

import polars as pl
import pytest

from training_assets.resources.places import Places
from training_assets_tests.project_copy import Copy
from training_assets_tests.workplace import customers


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A project with one model and a comment in its spec."""
    made = Copy(tmp_path_factory.mktemp("project"))
    (made.root / "landing").mkdir()
    customers(600, seed=1).drop("left_on").write_csv(made.root / "landing" / "a.csv")
    made("init", "landing/*.csv", "--target", "churned", "--name", "churn")
    spec = made.spec("churn")
    said = spec.read_text()
    assert "plan: {type: string}" in said
    said = said.replace("plan: {type: string}", "plan: {type: string, values: [basic, plus, pro]}  # what they pay for")
    spec.write_text(said + "  search: {families: [linear], trials: 1}\n")
    return made


@pytest.mark.slow
def test_a_changed_schema_is_shown_decided_and_taken_back(command: Copy) -> None:
    assert "5 of 5 columns as committed" in command("schema", "churn")
    rows = customers(300, seed=2).drop("left_on")
    gold = rows.with_columns(plan=pl.when(pl.int_range(300) < 30).then(pl.lit("gold")).otherwise("plan"))
    gold.write_csv(command.root / "landing" / "b.csv")
    said = command("run", "churn", status=2)
    assert "training-assets schema churn" in said
    # What differs, and that it waits.
    shown = command("schema", "churn", status=3)
    assert "plan" in shown
    assert "b.csv row 1" in shown
    assert "also 'gold'" in shown
    change = json.loads(command("schema", "churn", "--json", status=3))["changes"][0]
    assert (change["column"], change["first_row"], change["stray"]) == ("plan", 1, False)
    (case,) = json.loads(command("review", "churn", "--json"))
    assert (case["kind"], case["state"]) == ("schema", "OPEN")
    assert case["name"] in command("status")
    # A decision needs a reason; it commits exactly what the case shows.
    assert "--comment" in command("review", "churn", case["name"], "--approve", status=2)
    assert "which case?" in command("review", "churn", "--approve", "--comment", "x", status=2)
    assert "cases of churn are named" in command("review", "churn", "nope", "--reject", "--comment", "x", status=2)
    before = command.spec("churn").read_text()
    command("review", "churn", case["name"], "--approve", "--comment", "a new plan", "--by", "Ada")
    after = command.spec("churn").read_text()
    assert after == before.replace("values: [basic, plus, pro]", "values: [basic, plus, pro, gold]")
    places = Places(command.root, command.root / "home")
    (event,) = places.ledger.events("churn", "schema_accepted")
    assert event.actor == "Ada"
    assert event.data["before"] != event.data["after"]
    assert event.data["changes"][0]["column"] == "plan"
    assert "is approved already" in command("review", "churn", case["name"], "--reject", "--comment", "x", status=2)
    outcome = json.loads(command("run", "churn", "--json"))
    assert (outcome["rows"], outcome["version"]) == (900, "1")
    # Take a batch back: the version that saw it is named, and the next one does not see it.
    taken = command("retract", "churn", "a.csv", "--because", "bad delivery", "--by", "Ada")
    assert "600 sound rows" in taken
    assert "version 1 (staging) was trained on it" in taken
    outcome = json.loads(command("run", "churn", "--json"))
    assert (outcome["rows"], outcome["version"]) == (300, "2")
    assert "retracted  a.csv" in command("status")
    again = json.loads(command("retract", "churn", "a.csv", "--because", "again", "--json"))
    assert (again["because"], [release["version"] for release in again["releases"]]) == ("bad delivery", ["1"])
    assert "counts again" in command("retract", "churn", "a.csv", "--undo", "--because", "it was sound")
    assert "is not retracted" in command("retract", "churn", "a.csv", "--undo", "--because", "x", status=2)
    statistics = places.artifacts / "churn" / "by_content" / "batch_statistics"
    counted = len(list(statistics.iterdir()))
    erased = json.loads(command("retract", "churn", "a.csv", "--because", "a person asked", "--erase", "--json"))
    assert set(erased["erased"].values()) == {600}
    sorted_as = [event for event in places.ledger.events("churn", subject=again["batch"]) if "validated/" in event.kind]
    assert counted - len(list(statistics.iterdir())) == len(sorted_as) > 0  # what was counted in its rows is gone, too
    assert "were erased" in command("retract", "churn", "a.csv", "--undo", "--because", "x", status=2)
    assert places.ledger.first_broken() is None


@pytest.mark.slow
def test_new_columns_are_accepted_with_their_roles(command: Copy) -> None:
    (command.root / "more").mkdir()
    customers(400, seed=3).drop("left_on").write_csv(command.root / "more" / "a.csv")
    command("init", "more/*.csv", "--target", "churned", "--name", "more")
    wide = (
        customers(400, seed=3)
        .drop("left_on")
        .with_columns(
            visits=pl.int_range(400) % 13,
            refunded=pl.when(pl.col("churned") == "yes").then(pl.lit("A")).otherwise(pl.lit("B")),
        )
    )
    wide.drop("income").write_csv(command.root / "more" / "a.csv")
    before = command.spec("more").read_text()
    shown = command("schema", "more", status=3)
    assert "please check columns.refunded.role" in shown
    assert command.spec("more").read_text() == before, "shown, not written"
    said = command("schema", "more", "--accept", "--by", "Ada")
    assert "accepted by Ada: income, visits, refunded" in said
    after = command.spec("more").read_text()
    assert "    visits: {type: integer}\n" in after
    assert "role: leaking" in after
    assert "income" not in after
    assert "as committed" in command("schema", "more")
    assert "nothing to accept" in command("schema", "more", "--accept", status=2)


@pytest.mark.slow
def test_strays_are_not_accepted_unless_they_are_named(command: Copy) -> None:
    (command.root / "few").mkdir()
    path = command.root / "few" / "a.csv"
    customers(400, seed=4).drop("left_on").write_csv(path)
    command("init", "few/*.csv", "--target", "churned", "--name", "few")
    path.write_text(path.read_text().replace("c4-7,", "c4-7,x", 1))
    shown = command("schema", "few", status=3)
    assert "(stray: to quarantine)" in shown
    assert "--accept" not in shown
    assert "--column age" in command("schema", "few", "--accept", status=2)
    assert "accepted by" in command("schema", "few", "--accept", "--column", "age")
    assert "age: {type: string}" in command.spec("few").read_text()


@pytest.mark.slow
def test_what_is_not_there_is_said(command: Copy) -> None:
    assert "no model 'nope'" in command("schema", "nope", status=2)
    assert "no batch of churn is called 'nope.csv'" in command(
        "retract", "churn", "nope.csv", "--because", "x", status=2
    )
    assert "--because" in command("retract", "churn", "a.csv", status=2)
    for name in ("schema", "review", "retract"):
        assert "Usage:" in command(name, "--help")
