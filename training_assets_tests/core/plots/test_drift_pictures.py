"""Pictures of drift: the map of columns over batches, and one column's two distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core import plots
from training_assets_tests.core.plots.pictures import seen


def test_the_map_says_what_drifted_in_the_newest_batch() -> None:
    psi = {"age": [0.01, 0.5], "income": [0.02, 0.03]}
    alarms = {"age": [False, True], "income": [False, False]}
    picture = seen(plots.drift_map(psi, ["2026-01", "2026-02"], 0.2, alarms=alarms, importances={"age": 0.9}))
    assert picture.title == "Drift: 1 of 2 columns drifted in the newest batch; most: age (PSI 0.500)"


def test_thirty_columns_and_twenty_six_batches_are_one_picture() -> None:
    draw = np.random.default_rng(0)
    psi = {f"a rather long column name {place}": draw.gamma(0.5, 0.3, 26).tolist() for place in range(30)}
    alarms = {name: [value > 0.2 for value in values] for name, values in psi.items()}
    seen(plots.drift_map(psi, [f"arrivals_2015-{place:02d}.parquet" for place in range(26)], 0.2, alarms=alarms))


def test_more_is_cut_to_the_columns_that_matter_and_the_newest_batches() -> None:
    psi = {f"c{place}": [place / 100] * 60 for place in range(200)}
    whole = seen(plots.drift_map(psi, [f"b{place}" for place in range(60)], 0.2))
    assert "200" not in whole.title
    assert "c199" in whole.title
    matters = seen(plots.drift_map(psi, ["b"] * 60, 0.2, importances={f"c{place}": 1 / 30 for place in range(30)}))
    assert "most: c29" in matters.title


def test_an_uncompared_batch_is_left_white() -> None:
    title = seen(plots.drift_map({"age": [0.1, None], "x": [None, None]}, ["a", "b"], 0.2)).title
    assert title == "Drift: the newest batch is not compared"


@pytest.mark.parametrize("psi", [{}, {"age": []}, {"age": [None, math.nan]}])
def test_nothing_to_map_is_refused(psi: dict[str, list[float | None]]) -> None:
    with pytest.raises(ValueError, match="no drift"):
        plots.drift_map(psi, ["a", "b"], 0.2)


def test_an_overlay_says_its_psi_and_whether_it_is_over_the_limit() -> None:
    png = plots.drift_overlay("a$ge", ["up to 1", "over 1", "no value"], [50, 50, 0], [10, 90, 0], psi=0.8, limit=0.2)
    assert seen(png).title == "a$ge: PSI 0.800, over the limit of 0.200"
    png = plots.drift_overlay("age", ["up to 1", "over 1"], [50, 50], [49, 51], psi=0.001, limit=0.2)
    assert "within the limit" in seen(png).title


def test_many_levels_are_cut_to_the_largest() -> None:
    levels = [f"level {place}" for place in range(52)]
    counts = [float(100 - place) for place in range(52)]
    few = plots.drift_overlay("s", levels[:10], counts[:10], counts[:10], psi=0, limit=0.2, in_order=False)
    many = plots.drift_overlay("s", levels, counts, counts[::-1], psi=1, limit=0.2, in_order=False)
    assert seen(few).height < seen(many).height < 1000


@given(st.lists(st.tuples(st.text(max_size=60), st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=52))
@settings(max_examples=8)
def test_any_bins_can_be_drawn(bins: list[tuple[str, int, int]]) -> None:
    names, before, now = ([*each] for each in zip(*bins, strict=True))
    if not any(before) or not any(now):
        with pytest.raises(ValueError, match="no rows"):
            plots.drift_overlay("c", names, before, now, psi=0.1, limit=0.2)
    else:
        seen(plots.drift_overlay("c", names, before, now, psi=0.1, limit=0.2, in_order=False))
