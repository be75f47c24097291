"""The commands; each one's body is a call and what to say about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

import click

from training_assets.cli.release_commands import COMMANDS
from training_assets.core.errors import InputError

FAILED, BAD_INPUT = 1, 2


class Commands(click.Group):
    """Commands whose users' mistakes end as one clear line and exit status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an `InputError`, or storage that cannot be written, becomes its message."""
        from sqlalchemy.exc import OperationalError

        try:
            return super().invoke(ctx)
        except InputError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(BAD_INPUT)
        except (OperationalError, OSError) as error:
            reason = error.orig if isinstance(error, OperationalError) else error
            hint = "see that there is space and permission, then run again; what was committed before stays"
            click.echo(f"Error: E_STORAGE: {reason}; {hint}", err=True)
            ctx.exit(FAILED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Carry labelled rows to a trained, evaluated, registered and staged model; one YAML file a model."""


@main.command()
@click.argument("data", type=click.Path(path_type=Path), required=False)
@click.option("--target", help="Column that holds the label; `last`, or `column_5` in a file without a header.")
@click.option("--name", help="Name of the model; default: made from the data's name.")
@click.option("--overwrite", is_flag=True, help="Replace the spec of a model that exists.")
@click.option("--database", "engine", type=click.Choice(["postgres", "sqlite", "duckdb"]), help="Instead of DATA.")
@click.option("--url", help="postgres: where its URL is kept, env:NAME or file:PATH.")
@click.option("--path", help="sqlite, duckdb: the database's file.")
@click.option("--query", help="One SELECT; its rows are the model's.")
@click.option("--watermark", help="Column of the query that only grows: each run reads what is above it.")
@click.option("--json", "as_json", is_flag=True, help="Print what was inferred as JSON.")
def init(
    data: Path | None,
    target: str | None,
    name: str | None,
    *,
    overwrite: bool,
    engine: str | None,
    url: str | None,
    path: str | None,
    query: str | None,
    watermark: str | None,
    as_json: bool,
) -> None:
    """Infer a model's spec from DATA (file, folder or pattern) or a query, write it, and say what was assumed."""
    from training_assets.cli.specs import write_draft, write_draft_of_query

    of_database = {"engine": engine, "url": url, "path": path, "query": query, "watermark": watermark}
    if (data is None) == (engine is None) or (data is not None and any(of_database.values())):
        raise InputError("E_SOURCE", "name DATA, or --database with --query and --url or --path")
    if data is not None:
        written = write_draft(data, target, name=name, overwrite=overwrite)
    else:
        written = write_draft_of_query(of_database, target, name=name, overwrite=overwrite)
    if as_json:
        click.echo(json.dumps(written, indent=2))
        return
    click.echo(f"{written['rows']:,} rows read; wrote {written['spec']}")
    click.echo(f"  {written['summary']}")
    for assumption in written["assumptions"]:
        click.echo(f"  assumed: {assumption}")
    for question in written["questions"]:
        click.echo(f"  please check {question['key']}: {question['text']}\n    proposal: {question['proposal']}")
    click.echo(f"next: look the spec over, then: training-assets run {written['model']}")


@main.command()
@click.argument("model")
@click.option("--force", is_flag=True, help="Train anew, even where nothing is new in data, code or spec.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and progress on standard error.")
def run(model: str, *, force: bool, as_json: bool) -> None:
    """Train MODEL from new files to a registered, staged version, and show the progress of each stage.

    Exit status: 0 passed and registered, or nothing new; 3 review; 4 rejected; 2 bad input; 1 failed.
    """
    from training_assets.cli.running import run_model
    from training_assets.cli.who import actor

    outcome = run_model(model, force=force, by=actor(None), say=lambda line: click.echo(line, err=as_json))
    if as_json:
        click.echo(json.dumps(outcome.to_json(), indent=2))
    else:
        click.echo(outcome.summary())
    sys.exit(outcome.exit_status)


@main.command()
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(model: str | None, *, as_json: bool) -> None:
    """Show dataset version, last run, verdict, and where each version of MODEL (or of all models) stands."""
    from training_assets.cli.statuses import statuses, table

    found = statuses(model)
    click.echo(json.dumps(found if model is None else found[0], indent=2) if as_json else table(found))


@main.command()
@click.argument("model")
@click.option("--accept", is_flag=True, help="Commit the differences to the model's defs.yaml.")
@click.option("--column", "only", multiple=True, help="With --accept: this column alone, strays included; repeatable.")
@click.option("--by", help="Who accepts; default: git's user.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def schema(model: str, *, accept: bool, only: tuple[str, ...], by: str | None, as_json: bool) -> None:
    """Show the schema that the present rows of MODEL have against the committed one; --accept commits it.

    Exit status: 0 the same, or all that differed was accepted; 3 something differs; 2 bad input.
    """
    from training_assets.cli import schemas
    from training_assets.cli.who import actor

    found = schemas.schema(model, accept=accept, only=only, by=actor(by))
    click.echo(json.dumps(found, indent=2) if as_json else schemas.table(found))
    sys.exit(schemas.DIFFERS if (found["left"] if accept else found["differs"]) else schemas.SAME)


@main.command()
@click.argument("model")
@click.argument("case", required=False)
@click.option("--approve", "says", flag_value="approve", help="Say yes to CASE, and do what that frees.")
@click.option("--reject", "says", flag_value="reject", help="Say no to CASE.")
@click.option("--comment", default="", help="Why; needed to decide.")
@click.option(
    "--waive", multiple=True, metavar="RULE", help="A failed rule that this overrides; repeatable; role risk."
)
@click.option("--until", help="When the waiver ends: 2027-06-30.")
@click.option("--by", help="Who decides; default: git's user.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def review(
    model: str,
    case: str | None,
    *,
    says: str | None,
    comment: str,
    waive: tuple[str, ...],
    until: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """List what waits for a person about MODEL, or decide a CASE by its name or the beginning of it.

    An approved verdict is registered and staged, an approved release goes live, an approved schema is committed; where
    more people must agree, the case stays open for them. Exit status: 0 done or listed; 3 still open; 1 failed; 2 bad
    input.
    """
    from training_assets.cli import reviewing
    from training_assets.cli.who import actor
    from training_assets.core.release.dates import moment
    from training_assets.governance.deciding import Decision

    if says is None:
        cases = reviewing.listed(model, case)
        click.echo(json.dumps(cases, indent=2) if as_json else reviewing.table(cases))
        return
    if case is None:
        raise InputError("E_CASE", f"which case? training-assets review {model} lists them")
    word: Literal["approve", "reject"] = "approve" if says == "approve" else "reject"
    said = Decision(word, actor(by), comment, waive, None if until is None else moment(until))
    decided = reviewing.decide(model, case, said, say=lambda line: click.echo(line, err=as_json))
    click.echo(json.dumps(decided, indent=2) if as_json else reviewing.table([decided]))
    sys.exit(reviewing.REVIEW if decided["state"] == "OPEN" else decided.get("exit_status", 0))


@main.command()
@click.argument("model")
@click.argument("batch")
@click.option("--because", required=True, help="Why; lands in the ledger.")
@click.option("--by", help="Who takes it back; default: git's user.")
@click.option("--undo", is_flag=True, help="Take the retraction itself back.")
@click.option("--erase", is_flag=True, help="Also remove the batch's rows from all tables, for good.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def retract(model: str, batch: str, *, because: str, by: str | None, undo: bool, erase: bool, as_json: bool) -> None:
    """Take BATCH (file name, or the beginning of its digest) of MODEL back, and list the releases that saw it."""
    from training_assets.cli import retracting
    from training_assets.cli.who import actor

    if undo and erase:
        raise InputError("E_BATCH", "what is erased cannot be taken back; give --undo or --erase")
    said = retracting.take_back(model, batch, because=because, by=actor(by), undo=undo, erase=erase)
    click.echo(json.dumps(said, indent=2) if as_json else retracting.sentence(said))


@main.group()
def example() -> None:
    """The embedded example: real flights of 2013, month by month."""


@example.command("run")
def example_run() -> None:
    """Land the first months of flights, and carry them to a registered, staged version of `flight_delays`."""
    from training_assets.cli.flights import land_first_months, run_and_point_on

    land_first_months(click.echo)
    sys.exit(run_and_point_on(click.echo))


@example.command("next-batch")
def example_next_batch() -> None:
    """Land the next month of flights, and retrain `flight_delays` on all months so far."""
    from training_assets.cli.flights import land_next_month, run_and_point_on

    land_next_month(click.echo)
    sys.exit(run_and_point_on(click.echo))


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--mlflow-port", default=5000, show_default=True, help="Port of the MLflow UI.")
def dev(port: int, mlflow_port: int) -> None:
    """Serve the Dagster UI with its daemon, and MLflow beside it, on loopback, until interrupted."""
    from training_assets.cli.serving import serve

    sys.exit(serve(port, mlflow_port, click.echo))


for released in COMMANDS:
    main.add_command(released)
