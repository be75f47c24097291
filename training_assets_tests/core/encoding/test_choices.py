"""Features get the encoding that is stated, or the one that suits their values."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.encoding.choices import chosen, is_text
from training_assets.core.errors import InputError
from training_assets.spec import Encoding

RNG = np.random.default_rng(0)
WORDS = np.array([f"{first}{last}" for first in "bcdfg" for last in ("ank", "ell", "oot", "ink")])


def phrases(distinct: int, rows: int, words: int = 3) -> pl.Series:
    texts = np.array([" ".join(RNG.choice(WORDS, words)) + f" {at:04d}"[: 5 * (words > 1)] for at in range(distinct)])
    return pl.Series("x", RNG.permutation(np.resize(texts, rows)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (phrases(900, 1000), True),
        (phrases(400, 1000), True),
        (phrases(200, 1000), False),  # each of them five times: levels
        (phrases(1500, 20_000), True),  # more than are kept as levels
        (phrases(90, 90), False),  # too few to learn from
        (pl.Series("x", [f"code{at}" for at in range(1000)]), False),  # one word: a code
        (pl.Series("x", [None] * 50, dtype=pl.String), False),
    ],
)
def test_a_text_has_words_and_is_one_of_many(values: pl.Series, expected: bool) -> None:
    assert is_text(values) is expected


def test_what_suits_a_feature_follows_from_its_kind_and_values() -> None:
    rows = pl.DataFrame({"n": [1.0] * 1000, "c": ["a", "b"] * 500, "t": phrases(900, 1000), "d": ["2026-01-01"] * 1000})
    kinds: FeatureKinds = {"n": "numeric", "c": "categorical", "t": "categorical", "d": "date"}
    columns = rows.to_dict()
    found = {name: own.method for name, own in chosen(columns, kinds, Encoding()).items()}
    assert found == {"n": "quantity", "c": "native", "t": "embedded", "d": "date"}
    assert chosen(columns, kinds, Encoding(categorical="target"))["t"].method == "native"
    stated = Encoding.model_validate({"columns": {"t": {"method": "count"}}})
    assert chosen(columns, kinds, stated)["t"].method == "count"


@pytest.mark.parametrize(("distinct", "coded"), [(900, False), (400, True)])
def test_a_text_keeps_its_code_where_it_repeats(distinct: int, coded: bool) -> None:
    rows = pl.DataFrame({"_target": ["no", "yes"] * 500, "x": phrases(distinct, 1000)})
    layout = Preprocessor.fit(rows, {"x": "categorical"}, Encoding(), "binary", ["no", "yes"], 0).layout
    assert len(layout.quantities) == 30
    assert list(layout.codes) == ["x"] * coded


@pytest.mark.parametrize(
    ("own", "one_hot", "levels"),
    [
        ({"method": "one_hot"}, True, 40),
        ({"method": "one_hot", "max_levels": 10}, True, 10),
        ({"method": "target"}, False, 40),
        ({"method": "native"}, False, 40),
        ({"method": "native", "min_level_rows": 7}, True, 20),
    ],
)
def test_levels_are_kept_and_read_as_stated(own: dict[str, Any], one_hot: bool, levels: int) -> None:
    counts = [8] * 20 + [2] * 20
    values = [f"v{at}" for at, count in enumerate(counts) for _ in range(count)]
    rows = pl.DataFrame({"_target": ["no", "yes"] * 100, "x": values})
    encoding = Encoding.model_validate({"columns": {"x": own}})
    fitted = Preprocessor.fit(rows, {"x": "categorical"}, encoding, "binary", ["no", "yes"], 0)
    assert len(fitted.categories["x"].levels) == levels
    assert (fitted.layout.one_hot == ("x",)) is one_hot
    assert ("x" in fitted.layout.targets) is not one_hot
    assert fitted.layout.codes == {"x": levels + 2}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"y": {"method": "count"}}, "encoding.columns.y: 'y' is no feature; features are n, c, d"),
        ({"n": {"method": "one_hot"}}, "encoding.columns.n: method one_hot reads a category.*`categorical: true`"),
        ({"c": {"method": "date"}}, "encoding.columns.c: method date reads a date, and this is a category$"),
        ({"d": {"method": "date", "since": "c"}}, "encoding.columns.d.since: 'c' is neither a date feature nor"),
    ],
)
def test_what_does_not_fit_is_refused(columns: dict[str, Any], message: str) -> None:
    kinds: FeatureKinds = {"n": "numeric", "c": "categorical", "d": "date"}
    rows = pl.DataFrame({"_target": ["no"], "n": [1], "c": ["a"], "d": ["2026-01-01"]})
    with pytest.raises(InputError, match=f"^E_ENCODING: {message}"):
        Preprocessor.fit(rows, kinds, Encoding.model_validate({"columns": columns}), "binary", ["no", "yes"], 0)
