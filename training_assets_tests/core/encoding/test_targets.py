from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.encoding import targets
from training_assets.core.encoding.targets import Codes, Floats


def some_rows(rows: int, seed: int = 0) -> tuple[dict[str, Codes], dict[str, int], Floats]:
    rng = np.random.default_rng(seed)
    codes = {
        "city": rng.integers(0, 6, rows).astype(np.int32),
        "shop": rng.integers(0, 3, rows).astype(np.int32),
    }
    return codes, {"city": 8, "shop": 3}, rng.normal(10, 3, rows)


def test_labels_to_average_are_the_positive_class_each_class_or_the_value() -> None:
    codes = np.array([0, 1, 2, 1], dtype=np.int32)
    assert [label.tolist() for label in targets.to_average(codes.clip(0, 1), "binary", 2)] == [[0, 1, 1, 1]]
    assert [label.tolist() for label in targets.to_average(codes, "multiclass", 3)] == [
        [1, 0, 0, 0],
        [0, 1, 0, 1],
        [0, 0, 1, 0],
    ]
    values = np.array([1.5, -2.0])
    assert targets.to_average(values, "regression", 0)[0].tolist() == [1.5, -2.0]


def test_an_encoding_lies_between_the_levels_mean_and_the_overall_mean() -> None:
    codes, n_codes, label = some_rows(200)
    found = targets.encodings(codes, n_codes, [label])
    for name, values in codes.items():
        for code in np.unique(values):
            mean = label[values == code].mean()
            low, high = sorted([mean, label.mean()])
            assert low - 1e-12 <= found[name][0][code] <= high + 1e-12


def test_an_encoding_is_the_empirical_bayes_estimate() -> None:
    codes, n_codes, label = some_rows(200)
    here = label[codes["city"] == 2]
    # scikit-learn's user guide on TargetEncoder, section on smooth="auto"
    weight = len(here) / (len(here) + here.var() / label.var())
    expected = weight * here.mean() + (1 - weight) * label.mean()
    assert targets.encodings(codes, n_codes, [label])["city"][0][2] == pytest.approx(expected)


def test_a_code_without_rows_gets_the_overall_mean() -> None:
    codes, n_codes, label = some_rows(50)
    encoding = targets.encodings(codes, n_codes, [label])["city"][0]
    assert len(encoding) == 8
    assert encoding[6] == encoding[7] == pytest.approx(label.mean())


def test_every_label_has_its_own_encoding() -> None:
    codes, n_codes, label = some_rows(50)
    both = targets.encodings(codes, n_codes, [label, -label])["shop"]
    np.testing.assert_allclose(both[0], -np.array(both[1]))


def test_nothing_to_encode_gives_nothing() -> None:
    assert targets.encodings({}, {}, [np.ones(3)]) == {}
    assert targets.cross_fitted({}, {}, [np.ones(3)], seed=0) == {}


@settings(max_examples=25)
@given(rows=st.integers(2, 40), seed=st.integers(0, 1000), data=st.data())
def test_a_row_never_sees_its_own_label(rows: int, seed: int, data: st.DataObject) -> None:
    codes, n_codes, label = some_rows(rows, seed)
    row = data.draw(st.integers(0, rows - 1))
    changed = label.copy()
    changed[row] += 1e6
    before = targets.cross_fitted(codes, n_codes, [label], seed)
    after = targets.cross_fitted(codes, n_codes, [changed], seed)
    for name in codes:
        assert before[name][0][row] == pytest.approx(after[name][0][row])


def test_other_rows_do_see_a_label() -> None:
    codes, n_codes, label = some_rows(60, 0)
    changed = label.copy()
    changed[0] += 1e6
    before = targets.cross_fitted(codes, n_codes, [label], 0)
    after = targets.cross_fitted(codes, n_codes, [changed], 0)
    for name in codes:
        assert not np.allclose(before[name][0], after[name][0])


def test_folds_depend_on_the_seed_alone() -> None:
    codes, n_codes, label = some_rows(60)
    first, again, other = (targets.cross_fitted(codes, n_codes, [label], seed)["city"][0] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


@pytest.mark.parametrize("rows", [1, 2, 5, 6])
def test_few_rows_and_a_single_class_need_no_warning(rows: int) -> None:
    codes, n_codes, _ = some_rows(rows)
    ones = np.ones(rows)
    assert targets.encodings(codes, n_codes, [ones])["city"][0] == pytest.approx([1.0] * 8)
    unseen = targets.cross_fitted(codes, n_codes, [ones], seed=0)["city"][0]
    assert len(unseen) == rows
    assert np.isfinite(unseen).all()
