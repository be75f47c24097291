"""The commands; each one's body is a call and what to say about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

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
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--target", help="Column that holds the label; `last`, or `column_5` in a file without a header.")
@click.option("--name", help="Name of the model; default: made from the data's name.")
@click.option("--overwrite", is_flag=True, help="Replace the spec of a model that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print what was inferred as JSON.")
def init(data: Path, target: str | None, name: str | None, *, overwrite: bool, as_json: bool) -> None:
    """Infer a model's spec from DATA (file, folder or pattern), write it, and say what was assumed."""
    from training_assets.cli.specs import write_draft

    written = write_draft(data, target, name=name, overwrite=overwrite)
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

    outcome = run_model(model, force=force, say=lambda line: click.echo(line, err=as_json))
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
