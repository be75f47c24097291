"""Shuffled labels fall to chance: where they do not, the pipeline carries labels into features."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.encoding.layout import Layout
from training_assets.core.leakage.poison import Fit
from training_assets.core.validation.findings import Fact, Finding

CLAIM = "shuffled_labels_fall_to_chance"
MOST_TRAIN, MOST_VALIDATION = 10_000, 5_000
# Fewer rows and nothing but certainty would stand out.
LEAST_ROWS = 20
# Standard deviations of a rank correlation under shuffled labels, which is 1 / sqrt(n - 1): less than one run in a
# million is above by chance.
SIGMAS = 5
# Cross-fitted encodings of rows that share a fold hang together a little; a label in its own encoding, a lot.
FOLDED = 0.03
MOST_CLASSES = 20
ITERATIONS = 30


def shuffled_labels_fall_to_chance(splits: Mapping[str, pl.DataFrame], fit: Fit, seed: int) -> Finding:
    """With labels dealt to rows at random, a model scores no better than chance on rows that it was not fitted on.

    Labels are shuffled before anything is fitted; `fit` is the function that makes the preprocessor. Looked at are
    validation rows (scored by a model of training rows), and where categories are target encoded, one half of the
    training rows (scored by a model of the other half), which shows labels in their own encoding.
    """
    rng = np.random.default_rng(seed)
    train, validation = (
        _shuffled(splits[name], most, rng) for name, most in (("train", MOST_TRAIN), ("validation", MOST_VALIDATION))
    )
    facts: dict[str, Fact] = {"training_rows": train.height, "validation_rows": validation.height}
    if min(train.height, validation.height) < LEAST_ROWS:
        text = f"{train.height} training and {validation.height} validation rows are too few to tell from chance"
        return Finding(CLAIM, True, "block", text, facts)
    fitted = fit({"train": train, "validation": validation, "test": validation})
    try:
        encoded = {"train": fitted.encode_training(train), "validation": fitted.encode(validation)}
    except ValueError as error:
        text = f"rows with shuffled labels cannot be encoded by what was fitted on them: {str(error)[:300]}"
        return Finding(CLAIM, False, "block", text, facts)
    lines = [_line("validation rows", encoded["train"], encoded["validation"], fitted.layout, 0.0)]
    if fitted.layout.targets:
        half = rng.permutation(train.height) < train.height // 2
        one, other = (encoded["train"].filter(pl.Series(part)) for part in (half, ~half))
        lines.append(_line("training rows held out", one, other, fitted.layout, FOLDED))
    facts["scores"] = lines
    over = [line for line in lines if not line["score"] <= line["chance_limit"]]
    if over:
        text = (
            f"with shuffled labels, {over[0]['scored']} are still predicted: rank correlation {over[0]['score']:.3f}, "
            f"chance gives at most {over[0]['chance_limit']:.3f}; labels get into features: look at the encoding"
        )
        return Finding(CLAIM, False, "block", text, facts)
    text = f"rank correlation {lines[0]['score']:.3f}; chance gives at most {lines[0]['chance_limit']:.3f}"
    return Finding(CLAIM, True, "block", text, facts)


def _shuffled(rows: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    """At most so many rows, each with another's label."""
    taken = rows.gather(np.sort(rng.permutation(rows.height)[:most]))
    return taken.with_columns(taken["_target"].gather(rng.permutation(taken.height)).alias("_target"))


def _line(scored: str, learnt: pl.DataFrame, held_out: pl.DataFrame, layout: Layout, allowed: float) -> dict[str, Any]:
    """The best score of any class on rows held out, and the most that chance gives."""
    score = max((_correlation(predicted, actual) for predicted, actual in _scored(learnt, held_out, layout)), default=0)
    return {"scored": scored, "score": score, "chance_limit": allowed + SIGMAS / math.sqrt(held_out.height - 1)}


def _scored(
    learnt: pl.DataFrame, held_out: pl.DataFrame, layout: Layout
) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Predicted and actual values of held-out rows: the label, or for each common class whether it is that one."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's; has no types

    settings: dict[str, Any] = {
        "max_leaf_nodes": 15,
        "max_iter": max(3, ITERATIONS // max(layout.n_classes - 1, 1)),
        "learning_rate": 0.2,
        "early_stopping": False,
        "random_state": 0,
    }
    x, unseen = (frame.select(layout.columns).cast(pl.Float64).to_numpy() for frame in (learnt, held_out))
    y, actual = learnt["_target"].to_numpy(), held_out["_target"].to_numpy()
    if layout.task == "regression":
        with threadpool_limits(1):
            predicted = HistGradientBoostingRegressor(**settings).fit(x, y).predict(unseen)
        return [(predicted, actual)]
    if len(np.unique(y)) < 2:
        return []
    with threadpool_limits(1):  # so few rows are done before threads have found each other
        model = HistGradientBoostingClassifier(**settings).fit(x, y)
        chances = model.predict_proba(unseen)
    counts = np.bincount(y, minlength=layout.n_classes)
    common = sorted(range(len(model.classes_)), key=lambda at: -counts[model.classes_[at]])[:MOST_CLASSES]
    return [(chances[:, at], (actual == model.classes_[at]).astype(float)) for at in common]


def _correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Spearman's rank correlation; 0 where either does not vary."""
    ranks = pl.DataFrame({"one": one, "other": other}).select(pl.all().rank())
    value = ranks.select(pl.corr("one", "other")).item()
    return 0.0 if value is None or math.isnan(value) else float(value)
