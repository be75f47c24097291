from __future__ import annotations

import math

import polars as pl
import pytest

from training_assets.core.encoding.labels import encoded_labels, known_labels
from training_assets.core.errors import InputError


def test_class_texts_become_their_position() -> None:
    codes = encoded_labels(pl.Series(["yes", "no", None]), "binary", ["no", "yes"])
    assert codes.to_list() == [1, 0, None]
    assert codes.dtype == pl.Int32


def test_values_stay_values() -> None:
    labels = encoded_labels(pl.Series([1, 2]), "regression", [])
    assert labels.to_list() == [1.0, 2.0]
    assert labels.dtype == pl.Float64


def test_a_text_that_is_no_class_is_named() -> None:
    labels = pl.Series(["yes", "perhaps", "never" * 1000])
    with pytest.raises(InputError, match=r"E_LABEL: 2 rows .* 'perhaps'.*classes are no, yes") as caught:
        encoded_labels(labels, "binary", ["no", "yes"])
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("missing", [None, math.nan])
def test_training_rows_need_a_value_each(missing: float | None) -> None:
    with pytest.raises(InputError, match="E_LABEL: 1 of 2 training rows"):
        known_labels(pl.DataFrame({"_target": [1.0, missing]}), "regression", [])


def test_training_rows_need_a_class_each() -> None:
    with pytest.raises(InputError, match="E_LABEL: 1 of 2 training rows"):
        known_labels(pl.DataFrame({"_target": ["no", None]}), "binary", ["no", "yes"])


def test_training_rows_need_the_column() -> None:
    with pytest.raises(InputError, match=r"E_LABEL: .*_target"):
        known_labels(pl.DataFrame({"x": [1]}), "binary", ["no", "yes"])
