"""The text of a spec is the spec: read again it is equal, whatever it says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.inference.spec_text import to_yaml
from training_assets.spec import ModelSpec

TARGET = {"column": "y", "task": "binary"}
SMALL: dict[str, Any] = {
    "source": {"path": "a.csv", "format": "csv"},
    "columns": {"x": {"type": "number", "min": 0}, "y": {"type": "integer"}},
    "target": TARGET,
}


def again(text: str) -> ModelSpec:
    document = yaml.safe_load(text)
    assert list(document) == ["type", "attributes"]
    assert document["type"] == "training_assets.TrainingPipeline"
    return ModelSpec.model_validate(document["attributes"])


def test_a_small_spec_is_a_short_text() -> None:
    assert to_yaml(ModelSpec.model_validate(SMALL)) == (
        "type: training_assets.TrainingPipeline\n"
        "\n"
        "attributes:\n"
        "  source:\n"
        "    path: a.csv\n"
        "    format: csv\n"
        "  columns:\n"
        "    x: {type: number, min: 0.0}\n"
        "    y: {type: integer}\n"
        "  target:\n"
        "    column: y\n"
        "    task: binary\n"
    )


@pytest.mark.parametrize(
    "sections",
    [
        {"target": {**TARGET, "positive": "yes", "classes": ["no", "yes"]}},
        {"target": {**TARGET, "positive": "1", "classes": ["0", "1"]}},
        {
            "source": {
                "path": ["a.csv", "b/*.csv"],
                "format": "csv",
                "csv": {"delimiter": "\t", "quote": None, "decimal": ","},
            }
        },
        {"source": {"path": "a.csv", "format": "csv", "csv": {"null_values": ["", " ", "NA", "null", "~", "-"]}}},
        {"features": {"derived": {"x_log": 'LN("x")', "y2": "x || ': {{ }}'"}}},
        {
            "evaluation": {
                "gates": [
                    {"kind": "beats_dummy", "metric": "roc_auc"},
                    {"kind": "value", "metric": "log_loss", "max": 1},
                ]
            }
        },
        {
            "columns": {
                "x": {"type": "number"},
                "y": {"type": "integer"},
                "t": {"type": "datetime", "role": "time", "format": "%Y-%m-%d %H:%M"},
            },
            "split": {
                "method": "time",
                "validation_from": "2024-01-01T00:00:00",
                "test_from": "2024-02-01",
                "gap": "7d",
            },
        },
        {
            "columns": {
                "x: #": {"type": "string", "pattern": "^[a-z]{2,}: '\"$"},
                "y": {"type": "integer"},
                "no": {"type": "boolean"},
            }
        },
        {"columns": {**{f"{'long ' * 24}{at}": {"type": "number"} for at in range(3)}, "y": {"type": "integer"}}},
        {"search": {"sampler": "grid", "families": ["linear"], "grid": {"linear": {"C": [0.1, 1.0]}}}},
        {"name": "churn", "description": "Who leaves?", "owners": ["team:risk", "a@example.com"]},
    ],
)
def test_every_section_is_read_back(sections: dict[str, Any]) -> None:
    spec = ModelSpec.model_validate({**SMALL, **sections})
    text = to_yaml(spec)
    assert again(text) == spec
    assert "default" not in text
    lines = text.splitlines()
    first = lines.index("  columns:") + 1
    assert all(line.startswith("    ") and line.endswith("}") for line in lines[first : first + len(spec.columns)])


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30).filter(
    lambda name: name == name.strip() and name.isprintable() and name != "y"
)


@settings(max_examples=100, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=5, unique=True), st.lists(st.text(max_size=5), max_size=4, unique=True))
def test_names_and_words_of_any_kind_are_read_back(names: list[str], words: list[str]) -> None:
    spec = ModelSpec.model_validate(
        {
            **SMALL,
            "source": {"path": "a.csv", "format": "csv", "csv": {"null_values": words}},
            "columns": {**{name: {"type": "string", "because": name} for name in names}, "y": {"type": "integer"}},
        }
    )
    assert again(to_yaml(spec)) == spec
