"""Encodings of single features: options that go with their method, and no others."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from training_assets.core.inference.spec_text import to_yaml
from training_assets.spec import Encoding, ModelSpec
from training_assets_tests.core.small_spec import small_spec

SOUND: list[dict[str, Any]] = [
    {"method": "quantity"},
    {"method": "quantity", "impute": "constant", "value": -1, "scale": "quantile", "log": True, "clip": [0.01, 0.99]},
    {"method": "one_hot", "max_levels": 5, "min_level_rows": 10},
    {"method": "target"},
    {"method": "native"},
    {"method": "count"},
    {"method": "ordinal", "order": ["low", "high"]},
    {"method": "embedded", "components": 8},
    {"method": "multi_hot", "separator": "|", "max_items": 9},
    {"method": "date", "parts": ["year", "elapsed"], "cyclic": False, "since": "2020-01-01"},
]


@pytest.mark.parametrize("own", SOUND, ids=lambda own: str(own["method"]))
def test_every_method_is_read_and_written(own: dict[str, Any]) -> None:
    spec = small_spec({"x": "string"}, encoding={"columns": {"x": own}})
    said = yaml.safe_load(to_yaml(spec))["attributes"]
    assert {name: said["encoding"]["columns"]["x"][name] for name in own} == own
    assert ModelSpec.model_validate(said) == spec == ModelSpec.model_validate(spec.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"method": "hashing"}, "'quantity'"),
        ({}, "method"),
        ({"method": "count", "order": ["a", "b"]}, "unknown key 'order'"),
        ({"method": "quantity", "seperator": ","}, "unknown key 'seperator'"),
        ({"method": "multi_hot", "seperator": ","}, "did you mean 'separator'"),
        ({"method": "quantity", "impute": "constant"}, "'value' goes with"),
        ({"method": "quantity", "value": 3}, "'value' goes with"),
        ({"method": "quantity", "value": float("nan"), "impute": "constant"}, "finite"),
        ({"method": "quantity", "clip": [0.9, 0.1]}, "the first must be below"),
        ({"method": "quantity", "clip": [0.5]}, "at least 2"),
        ({"method": "quantity", "clip": [0, 99]}, "less than or equal to 1"),
        ({"method": "ordinal"}, "order"),
        ({"method": "ordinal", "order": ["a", "a"]}, "names a level twice"),
        ({"method": "embedded", "components": 0}, "greater than or equal to 1"),
        ({"method": "date", "parts": ["century"]}, "'year'"),
        ({"method": "date", "parts": []}, "at least 1"),
    ],
)
def test_options_that_do_not_go_with_the_method_are_refused(own: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Encoding.model_validate({"columns": {"x": own}})


def test_a_name_that_is_no_column_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"encoding\.columns names 'z', which is not under columns"):
        small_spec({"x": "string"}, encoding={"columns": {"z": {"method": "count"}}})
