"""The commands about registered versions: production and back, scoring, comparing, checking, building again."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

FAILED = 1


@click.command()
@click.argument("model")
@click.argument("version", required=False)
@click.option("--by", help="Who promotes; default: git's user.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def promote(model: str, version: str | None, *, by: str | None, as_json: bool) -> None:
    """Let production serve VERSION of MODEL (default: staging's), where policy or an approval allows it.

    Exit status: 0 it is live; 3 people have to agree first, and their case is open; 1 failed; 2 bad input.
    """
    from training_assets.cli import releasing
    from training_assets.cli.who import actor

    done = releasing.promote(model, version, by=actor(by), say=lambda line: click.echo(line, err=as_json))
    if as_json:
        click.echo(json.dumps(done, indent=2))
    elif done["exit_status"] == 0:
        click.echo(f"{model}: version {done['live']} is live")
    else:
        for problem in done["problems"]:
            click.echo(f"problem: {problem}")
    sys.exit(done["exit_status"])


@click.command()
@click.argument("model")
@click.option("--of", help="Version to pull; default: the one that is live. Named, it is pulled once.")
@click.option("--to", help="Version to go back to; default: the newest sound one before the present.")
@click.option("--reason", required=True, help="Why the present version is pulled; lands in the ledger.")
@click.option("--by", help="Who pulls it; default: git's user.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rollback(model: str, *, of: str | None, to: str | None, reason: str, by: str | None, as_json: bool) -> None:
    """Bring an earlier version of MODEL back to production, after proving that it loads and scores as it did.

    The pulled version is in quarantine: only an approval brings it back. Nothing is promoted by policy for a while
    (release.freeze_hours). Said again, by the same person in the same words or with --of, it pulls nothing more, and
    finishes what was left.
    """
    from training_assets.cli import releasing
    from training_assets.cli.who import actor

    moved = releasing.rollback(model, of, to, reason=reason, by=actor(by))
    if as_json:
        click.echo(json.dumps(moved, indent=2))
        return
    click.echo(f"{model}: {moved['said']}")
    click.echo(f"  nothing is promoted by policy until {moved['frozen_until']}")
    for line in moved["deliveries"]:
        click.echo(f"  {line}")


@click.command()
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every event's data and hash.")
def history(model: str, *, as_json: bool) -> None:
    """Tell what happened to MODEL: verdicts, versions, moves, cases, by whom and why."""
    from training_assets.cli.project import open_project
    from training_assets.governance import history as told

    with open_project() as project:
        lines = told.history(project.places.ledger, project.recorded(model))
    click.echo(json.dumps(lines, indent=2) if as_json else told.history_table(lines))


@click.command("who-was-live")
@click.argument("model")
@click.option("--at", help="A moment, e.g. 2026-11-30T18:00 (UTC unless it says otherwise); default: now.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def who_was_live(model: str, *, at: str | None, as_json: bool) -> None:
    """Say which version of MODEL production served at a moment, and when each one was live."""
    from training_assets.cli.project import open_project
    from training_assets.core.release.dates import moment
    from training_assets.governance import history as told

    with open_project() as project:
        ledger, name = project.places.ledger, project.recorded(model)
        found = told.who_was_live(ledger, name, None if at is None else moment(at))
    click.echo(json.dumps(found, indent=2) if as_json else told.live_table(found))


@click.command()
@click.argument("model")
@click.argument("version", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(model: str, version: str | None, *, as_json: bool) -> None:
    """Check that ledger, pointers, decisions, files and signatures of MODEL (or one VERSION) are what they were.

    Exit status: 0 everything holds; 1 something does not.
    """
    from training_assets.cli.project import open_project
    from training_assets.governance import verifying

    with open_project() as project:
        lines = verifying.verify(project.recorded(model), project.places, project.registry, version)
    click.echo(json.dumps(lines, indent=2) if as_json else verifying.table(lines))
    sys.exit(0 if all(line["holds"] for line in lines) else FAILED)


@click.command()
@click.argument("model")
@click.argument("first")
@click.argument("second")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(model: str, first: str, second: str, *, as_json: bool) -> None:
    """Show two versions of MODEL side by side: data, spec, code, parameters, metrics and predictions."""
    from training_assets.cli.project import open_project
    from training_assets.governance import comparing

    with open_project() as project:
        about = project.model(model)
        found = comparing.side_by_side(about, project.places, project.artifacts, project.registry, first, second)
    click.echo(json.dumps(found, indent=2) if as_json else comparing.table(found))


@click.command()
@click.argument("model")
@click.argument("version")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and progress on standard error.")
def reproduce(model: str, version: str, *, as_json: bool) -> None:
    """Build VERSION of MODEL again from its recorded rows, spec and study, and say how equal it is.

    Level 1: the canonical model is equal; 2: predictions of golden rows are; 3: metrics are within one standard error.
    Exit status: 0 a level was reached; 1 none was; 2 bad input.
    """
    from training_assets.cli.project import open_project
    from training_assets.governance import reproducing

    with open_project() as project:
        found = reproducing.reproduce(
            project.model(model), project.places, project.artifacts, project.registry, version,
            say=lambda line: click.echo(f"  {line}", err=as_json),
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps({"model": model, "version": version, **asdict(found)}, indent=2))
    else:
        click.echo(f"{model}: {reproducing.sentences(version, found)}")
    sys.exit(0 if found.level else FAILED)


@click.command()
@click.argument("model")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="File for the predictions, .csv or .parquet.")
@click.option("--version", help="Version to score with; default: production's, else staging's.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print what was done as JSON; without --out, with the predictions."
)
def score(model: str, data: Path, out: Path | None, version: str | None, *, as_json: bool) -> None:
    """Score the raw rows of DATA with a registered version of MODEL.

    DATA is Parquet, delimited text in the dialect of the spec's source (default: CSV), or a file in the source's own
    format (jsonl, arff, arrow); text may be packed (gzip, zip). Text is read as strictly as in training.

    Without --out, the predictions are printed as CSV.
    """
    from training_assets.cli import scoring

    told, predicted = scoring.score(model, data, out, version)
    for column, cells in told["unread_cells"].items():
        click.echo(f"{cells} cells of '{column}' cannot be read and count as missing", err=True)
    if as_json:
        predictions = {} if out else {"predictions": json.loads(predicted.write_json())}
        click.echo(json.dumps({**told, **predictions}, indent=2))
    elif out is None:
        click.echo(predicted.write_csv(), nl=False)
    else:
        click.echo(f"{told['rows']:,} rows scored with version {told['version']}; wrote {out}")


COMMANDS: tuple[click.Command, ...] = (promote, rollback, history, who_was_live, verify, compare, reproduce, score)
