from __future__ import annotations

import numpy as np
import polars as pl

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.families import Data, design_matrix
from training_assets.core.families.design_matrix import Scale
from training_assets.spec import Encoding
from training_assets_tests.core.encoding.made_rows import TASKS, made, strange

PLAIN = Encoding(scale="none", indicator=False)


def test_a_row_is_its_quantities_and_a_one_for_each_category() -> None:
    rows = pl.DataFrame({"_target": ["no", "yes", "yes"], "x": [1.0, None, 3.0], "c": ["a", "b", None]})
    kinds: FeatureKinds = {"c": "categorical", "x": "numeric"}
    fitted = Preprocessor.fit(rows, kinds, PLAIN, "binary", ["no", "yes"], 0)
    data = Data.of(fitted.encode(rows), fitted.layout)
    assert design_matrix.owners(fitted.layout) == ["x", "c", "c", "c", "c"]
    dense = design_matrix.matrix(data, Scale.of(data)).toarray()
    assert dense.tolist() == [
        [1.0, 0.0, 0.0, 1.0, 0.0],  # columns of c: null, unknown, a, b
        [2.0, 0.0, 0.0, 0.0, 1.0],
        [3.0, 1.0, 0.0, 0.0, 0.0],
    ]


def test_a_one_says_where_a_quantity_is_missing() -> None:
    rows = pl.DataFrame({"_target": ["no", "yes", "yes"], "x": [1.0, None, 3.0]})
    fitted = Preprocessor.fit(rows, {"x": "numeric"}, Encoding(scale="none"), "binary", ["no", "yes"], 0)
    data = Data.of(fitted.encode(rows), fitted.layout)
    assert design_matrix.owners(fitted.layout) == ["x", "x__missing"]
    assert design_matrix.matrix(data, Scale.of(data)).toarray().tolist() == [[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]


def test_target_encodings_are_standardised_by_the_training_rows() -> None:
    train, validation, _ = made("multiclass").data()
    scale = Scale.of(train)
    assert len(scale.center) == len(scale.spread) == 3
    columns = [index for index, owner in enumerate(design_matrix.owners(train.layout)) if owner == "city"]
    dense = design_matrix.matrix(train, scale).toarray()[:, columns]
    np.testing.assert_allclose(dense.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(dense.std(axis=0), 1, atol=1e-6)
    assert abs(design_matrix.matrix(validation, scale).toarray()[:, columns].mean()) > 1e-4


def test_every_row_is_finite_and_as_wide_as_its_owners() -> None:
    for task in TASKS:
        split = made(task)
        for encoding in (Encoding(categorical="one_hot"), Encoding(categorical="target"), Encoding()):
            fitted = split.preprocessor(encoding)
            train = Data.of(fitted.encode_training(split.train), fitted.layout)
            odd = Data.of(fitted.encode(strange(split.test)), fitted.layout)
            rows = design_matrix.matrix(odd, Scale.of(train))
            assert rows.shape == (odd.n_rows, len(design_matrix.owners(fitted.layout)))
            assert np.isfinite(rows.data).all()
            assert rows.has_canonical_format or rows.sum_duplicates() is None


def test_the_matrix_is_built_once() -> None:
    train, _, _ = made("binary").data()
    assert design_matrix.matrix(train, Scale.of(train)) is design_matrix.matrix(train, Scale.of(train))
