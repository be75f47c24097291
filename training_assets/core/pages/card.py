"""The model card: what people said and what was measured, each number with the digest of what it comes from.

Fields are those of the Model Card Toolkit (https://github.com/tensorflow/model-card-toolkit), and a risk rating.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training_assets.core.evaluation.metrics import reported
from training_assets.core.pages.markdown import literal
from training_assets.core.pages.report import CSS
from training_assets.core.pages.templates import UNKNOWN, rendered
from training_assets.spec import ModelSpec


def card_of(
    spec: ModelSpec, model: str, report: Mapping[str, Any], facts: Mapping[str, Any], digests: Mapping[str, str]
) -> dict[str, Any]:
    """The card as JSON values; what nobody said or measured is `unknown`.

    `facts` are those of the tuned model, `digests` name report, candidate, training split and preprocessor.
    """
    said, source = spec.card, digests["report"]
    metrics = [
        {
            "type": name,
            "value": report["metrics"][name]["value"],
            "low": report["metrics"][name]["low"],
            "high": report["metrics"][name]["high"],
            "slice": "all test rows",
            "source": source,
        }
        for name in reported(report)
    ]
    for line in report["slices"]:
        metrics += [
            {"type": name, "value": each["value"], "low": each.get("low"), "high": each.get("high"),
             "slice": f"{line['slice']}: {line['part']}", "source": source}
            for name, each in (line["metrics"] or {}).items()
            if line["judged"] and isinstance(each, Mapping)
        ]  # fmt: skip
    features = {name: spec.columns[name].type for name in spec.raw_features}
    return {
        "model_details": {
            "name": model,
            "overview": said.overview or spec.description or UNKNOWN,
            "owners": list(spec.owners) or UNKNOWN,
            "version": {"candidate": digests["candidate"]},
            "license": said.license or UNKNOWN,
            "references": list(said.references) or UNKNOWN,
        },
        "risk_rating": said.risk,
        "model_parameters": {
            "model_architecture": {
                "family": facts["family"],
                "members": facts.get("members"),
                "params": facts["params"],
            },
            "data": {
                "dataset_version": facts["lineage"]["dataset"],
                "batches": list(facts["lineage"]["batches"]),
                "train_split": facts["lineage"]["train_split"],
                "validation_split": facts["lineage"]["validation_split"],
                "test_split": facts["lineage"]["test_split"],
                "test_rows": report["rows"],
            },
            "input_format": features,
            "output_format": _output(report),
            "decision_threshold": facts["threshold"],
            "calibration": facts["calibration"] or "none",
        },
        "quantitative_analysis": {"performance_metrics": metrics},
        "considerations": {
            "users": list(said.users) or UNKNOWN,
            "use_cases": list(said.use_cases) or UNKNOWN,
            "out_of_scope": list(said.out_of_scope) or UNKNOWN,
            "limitations": list(said.limitations) or UNKNOWN,
            "tradeoffs": list(said.tradeoffs) or UNKNOWN,
            "ethical_considerations": [each.model_dump() for each in said.ethical_considerations] or UNKNOWN,
            "waived_leaks": dict(spec.validation.leakage.waive) or "none",
        },
        "digests": dict(digests),
    }


def card_page(card: Mapping[str, Any]) -> str:
    """The card as self-contained HTML."""
    return rendered("card.html", {"card": card, "css": CSS.read_text(encoding="utf-8"), "lines": _lines(card)})


def card_text(card: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    return rendered("card.md", {"card": card, "lines": _lines(card), "cell": _cell})


def _output(report: Mapping[str, Any]) -> str:
    if report["task"] == "regression":
        return "prediction: a number"
    return f"prediction: one of {', '.join(map(str, report['classes'][:30]))}; and the probability of each"


def _lines(card: Mapping[str, Any]) -> dict[str, list[str]]:
    """What people said, as lists of sentences; `unknown` where they said nothing."""
    found: dict[str, list[str]] = {}
    for name, value in card["considerations"].items():
        title = name.replace("_", " ")
        if isinstance(value, Mapping):
            found[title] = [f"{key}: {each}" for key, each in value.items()]
        elif isinstance(value, str):
            found[title] = [value]
        else:
            found[title] = [_sentence(each) for each in value]
    return found


def _sentence(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['name']}; mitigation: {value['mitigation'] or UNKNOWN}"
    return str(value)


def _cell(value: Any) -> str:
    """Text that cannot break out of a cell or a line of Markdown."""
    text = ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
    return literal(text)
