from __future__ import annotations

from pathlib import Path

import pytest

from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Learning
from training_assets.core.search.choosing import suitable
from training_assets_tests.core.families.fits import splits, usual

OWN = """
from sklearn.linear_model import LogisticRegression, Ridge

def classifier():
    return LogisticRegression()

def regressor():
    return Ridge()
"""


def test_all_that_can_learn_it_take_part_in_the_order_of_their_turns(tmp_path: Path) -> None:
    assert list(suitable(None, splits("binary")[0].layout, usual("binary"), tmp_path)) == list(FAMILIES)
    median = suitable(None, splits("regression")[0].layout, Learning("absolute_error"), tmp_path)
    assert list(median) == [name for name in FAMILIES if name in median]
    assert {"linear", "mlp"}.isdisjoint(median)


def test_what_is_named_is_taken_in_that_order_too_and_the_users_own_last(tmp_path: Path) -> None:
    (tmp_path / "own_choice_of_a_test.py").write_text(OWN)
    own = "own_choice_of_a_test:classifier"
    found = suitable([own, "linear", "lightgbm"], splits("binary")[0].layout, usual("binary"), tmp_path)
    assert list(found) == ["lightgbm", "linear", own]
    assert found["linear"] is FAMILIES["linear"]
    with pytest.raises(InputError, match=r"E_FAMILY: search.families names own_choice_of_a_test:regressor, but"):
        suitable(["own_choice_of_a_test:regressor"], splits("binary")[0].layout, usual("binary"), tmp_path)


@pytest.mark.parametrize("name", ["no_family", "no_module_of_a_test:factory"])
def test_what_is_no_family_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_FAMILY"):
        suitable([name], splits("binary")[0].layout, usual("binary"), tmp_path)


def test_where_no_family_can_the_reason_of_each_is_told(tmp_path: Path) -> None:
    directions = Learning("log_loss", monotone={"amount": 1})
    with pytest.raises(InputError, match="E_FAMILY: no family can learn what training asks for") as caught:
        suitable(None, splits("multiclass")[0].layout, directions, tmp_path)
    for name in FAMILIES:
        assert f"{name}: " in str(caught.value)
    assert "relax training, or name a family of your own" in str(caught.value)
