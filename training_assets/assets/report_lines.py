"""What an evaluation measured, as the numbers and tables that its asset page, MLflow and the commands show."""

from collections.abc import Mapping
from typing import Any

from training_assets.core.evaluation.metrics import reported


def measured(report: Mapping[str, Any]) -> dict[str, float | None]:
    """The value of each metric, the most telling first; none where it is undefined on these rows."""
    return {name: report["metrics"][name]["value"] for name in reported(report)}


def headline(report: Mapping[str, Any], most: int = 4) -> dict[str, float]:
    """The first few metrics, as numbers that Dagster plots over time."""
    return {name: value for name, value in list(measured(report).items())[:most] if value is not None}


def metric_lines(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Metrics beside the dummy's and their bounds, for a reader."""
    return [
        {
            "metric": name,
            "value": report["metrics"][name]["value"],
            "low": report["metrics"][name]["low"],
            "high": report["metrics"][name]["high"],
            "dummy": report["dummy"].get(name),
            "better": report["metrics"][name]["direction"],
        }
        for name in reported(report)
    ]


def change_lines(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Champion and candidate side by side, both scored now on rows that the champion never saw."""
    compared = report["comparison"]
    fields = ("champion", "challenger", "difference", "low", "high")
    return [
        {"metric": name, **{field: each.get(field) for field in fields}}
        for name, each in ({} if compared is None else compared["metrics"]).items()
    ]


def slice_lines(report: Mapping[str, Any], most: int = 2) -> list[dict[str, Any]]:
    """The first metrics on each part of the test rows."""
    return [
        {
            "slice": line["slice"],
            "part": line["part"],
            "rows": line["rows"],
            **{name: ((line["metrics"] or {}).get(name) or {}).get("value") for name in reported(report)[:most]},
        }
        for line in report["slices"]
    ]
