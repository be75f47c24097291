"""`init --database` drafts a spec from a query's rows, which a run then trains on as it is."""

from __future__ import annotations

import json
import sqlite3

import pytest
import yaml
from click.testing import CliRunner

from training_assets.cli.main import BAD_INPUT, main
from training_assets_tests.postgres_server import PostgresServer
from training_assets_tests.project_copy import Copy
from training_assets_tests.workplace import customers


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    made = Copy(tmp_path_factory.mktemp("project"))
    rows = customers(600, seed=1).drop("left_on").with_row_index("id", offset=1)
    with sqlite3.connect(made.root / "rows.db") as connection:
        connection.execute("CREATE TABLE rows_read (id integer, customer, age, income, plan, churned)")
        connection.executemany("INSERT INTO rows_read VALUES (?, ?, ?, ?, ?, ?)", rows.rows())
    connection.close()
    return made


QUERY = "SELECT * FROM rows_read"
SQLITE = ("--database", "sqlite", "--path", "rows.db", "--query", QUERY, "--watermark", "id", "--target", "churned")


@pytest.mark.slow
def test_from_a_query_to_a_registered_version(command: Copy) -> None:
    said = command("init", *SQLITE)
    assert "600 rows read" in said
    assert "binary with 2 classes, label churned" in said
    document = yaml.safe_load(command.spec("rows").read_text())["attributes"]
    assert document["source"] == {
        "database": {"engine": "sqlite", "path": "rows.db", "query": QUERY, "watermark": "id"}
    }
    command.edit("rows", search={"families": ["linear"], "trials": 1})
    outcome = json.loads(command("run", "rows", "--json"))
    assert (outcome["verdict"], outcome["rows"]) == ("PASS", 600)


def test_from_postgres_by_a_secret_in_a_file(command: Copy, postgres: PostgresServer) -> None:
    postgres.run("DROP TABLE IF EXISTS drafted")
    postgres.load("drafted", customers(300, seed=1))
    (command.root / "url.txt").write_text(postgres.url())
    query = ("--database", "postgres", "--url", "file:url.txt", "--query", "SELECT * FROM drafted")
    said = json.loads(command("init", *query, "--target", "churned", "--name", "from_postgres", "--json"))
    assert (said["model"], said["rows"], said["task"]) == ("from_postgres", 300, "binary")
    assert postgres.url() not in command.spec("from_postgres").read_text()
    assert any("takes the place of the one before" in each for each in said["assumptions"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "E_SOURCE"),
        (("rows.csv", *SQLITE), "E_SOURCE"),
        (("--query", QUERY), "E_SOURCE"),
        (("--database", "sqlite", "--query", QUERY), "reached by 'path'"),
        (("--database", "postgres", "--url", "postgresql://u:hunter2@h/d", "--query", QUERY), "never written"),
        (("--database", "sqlite", "--path", "{rows}", "--query", "DROP TABLE rows_read"), "E_QUERY"),
        (("--database", "sqlite", "--path", "{rows}.none", "--query", QUERY), "E_MISSING"),
        (("--database", "sqlite", "--path", "{rows}", "--query", f"{QUERY} WHERE id < 0"), "E_NO_ROWS"),
    ],
)
def test_what_cannot_be_drafted_ends_in_one_clear_line(command: Copy, arguments: tuple[str, ...], said: str) -> None:
    rows = str(command.root / "rows.db")
    result = CliRunner().invoke(main, ["init", *(each.replace("{rows}", rows) for each in arguments)])
    assert result.exit_code == BAD_INPUT
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.output
