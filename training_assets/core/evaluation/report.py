"""The report on one candidate: everything that rules, people and pictures read, as JSON with an identity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_assets.core.evaluation import curves, metrics
from training_assets.core.evaluation.aims import NONE, Aims
from training_assets.core.evaluation.bootstrap import TOO_FEW_OF_A_CLASS, Interval, resampled
from training_assets.core.evaluation.calibration_error import calibration_error
from training_assets.core.evaluation.comparison import POWER
from training_assets.core.evaluation.scorers import ByTwo, IntArray, Nothing, Scorer
from training_assets.spec.evaluation import Evaluation
from training_assets.spec.target import Task

MAX_CONFUSION = 100  # classes; a larger table is neither read nor drawn


def evaluate(
    task: Task,
    y: NDArray[Any],
    predictions: NDArray[Any],
    *,
    classes: list[str],
    threshold: float | None,
    spec: Evaluation,
    train_target: NDArray[Any],
    seed: int,
    groups: NDArray[Any] | None = None,
    aims: Aims = NONE,
) -> dict[str, Any]:
    """Measure a candidate once, as JSON that `fingerprint.digest` accepts: None with a reason instead of NaN.

    `y`, `predictions`, `classes`, `threshold` as in `metrics.compute`; `groups` as in `bootstrap.intervals`.
    `train_target` has the training split's class codes or values; the dummy predicts their shares and the most frequent
    class, or their mean; for what `aims` are judged by, the class that costs less, the median or the quantile.
    Never raises for what the data hold; ValueError if shapes or codes do not fit.
    """
    names = metrics.names(task, aims)
    candidate, cause = metrics.prepared(task, y, predictions, classes=classes, threshold=threshold, aims=aims)
    scorers = [each or Nothing(names) for each in (_dummy(task, y, classes, train_target, aims), candidate)]
    seen = resampled(task, y, scorers, replicates=spec.replicates, seed=seed, groups=groups)
    unbounded = seen.few or TOO_FEW_OF_A_CLASS
    cut = metrics.DEFAULT_THRESHOLD if threshold is None else threshold
    return {
        "task": task,
        "rows": len(y),
        "classes": list(classes),
        "threshold": cut if task == "binary" else None,
        "aims": aims.to_json(),
        "replicates": spec.replicates,
        "confidence": spec.confidence,
        "seed": seed,
        "metrics": {
            name: _metric(name, seen.interval(1, name, spec.confidence), cause, unbounded, spec.confidence)
            for name in names
        },
        "dummy": {name: _number(seen.points[0][name]) for name in names},
        "over_dummy": {name: _gain(seen.gain(name, 0, 1, spec.confidence), unbounded) for name in names},
        "calibration_error": calibration_error(task, y, predictions),
        **_details(task, y, predictions if cause is None else None, classes, cut),
    }


def _metric(name: str, interval: Interval, cause: str | None, unbounded: str, confidence: float) -> dict[str, Any]:
    z = NormalDist().inv_cdf
    described: dict[str, Any] = {
        "value": _number(interval.point),
        "low": _number(interval.low),
        "high": _number(interval.high),
        "standard_error": _number(interval.standard_error),
        # against a fixed bound; two models on the same rows are paired, and show smaller changes
        "smallest_change": _number((z(confidence) + z(POWER)) * interval.standard_error),
        "direction": metrics.DIRECTION[name],
    }
    if described["value"] is None:
        described["reason"] = cause or metrics.reason(name)
    elif described["low"] is None:
        described["reason"] = unbounded
    return described


def _gain(gain: Interval, unbounded: str) -> dict[str, Any]:
    """How much better than the dummy, in the metric's own unit, on the same replicates: above 0 is better."""
    described: dict[str, Any] = {
        "difference": _number(gain.point),
        "low": _number(gain.low),
        "high": _number(gain.high),
    }
    return described if described["low"] is not None else {**described, "reason": unbounded}


def _dummy(
    task: Task, y: NDArray[Any], classes: Sequence[str], train_target: NDArray[Any], aims: Aims
) -> Scorer | None:
    if len(train_target) == 0:
        return None
    if task == "regression":
        plain, asked = (np.full(len(y), each) for each in (np.mean(train_target), aims.constant(train_target)))
    else:
        shares = np.bincount(train_target.astype(np.int64), minlength=len(classes)) / len(train_target)
        plain = asked = np.full(len(y), shares[1]) if task == "binary" else np.tile(shares, (len(y), 1))
    # at the default threshold, not the candidate's: a dummy names the most frequent class
    usual, own = (
        metrics.prepared(task, y, predictions, classes=list(classes), threshold=cut, aims=aims)[0]
        for predictions, cut in ((plain, None), (asked, aims.threshold))
    )
    # Each of the two is measured in every replicate: the second one only where it is asked about.
    if usual is None or own is None or not aims.judged_by:
        return usual
    return ByTwo(usual, own, sorted(aims.judged_by))


def _details(
    task: Task, y: NDArray[Any], predictions: NDArray[Any] | None, classes: Sequence[str], cut: float
) -> dict[str, Any]:
    if task == "regression":
        if predictions is None:
            return {"class_counts": {}, "confusion": None, "curves": {}, "residuals": None}
        values, guesses = y.astype(np.float64), predictions.astype(np.float64)
        line = curves.calibration(guesses, values, shares=False)
        residuals = curves.residuals(values, guesses)
        return {"class_counts": {}, "confusion": None, "curves": {"calibration": line}, "residuals": residuals}
    codes = y.astype(np.int64)
    counts = np.bincount(codes, minlength=len(classes)).tolist()
    described: dict[str, Any] = {"class_counts": dict(zip(classes, counts, strict=True)), "residuals": None}
    if predictions is None:
        return {**described, "confusion": None, "curves": {}}
    scores = predictions.astype(np.float64)
    chosen = (scores >= cut).astype(np.int64) if scores.ndim == 1 else scores.argmax(axis=1)
    lines: dict[str, Any] = dict(curves.ranking_curves(codes, scores, classes))
    if scores.ndim == 1:
        lines["calibration"] = curves.calibration(scores, (codes == 1).astype(np.float64), shares=True)
        lines["scores"] = curves.score_histogram(codes, scores)
    else:  # of the class that is named: how often it is right, against how sure it was
        lines["calibration"] = curves.calibration(scores.max(axis=1), (chosen == codes).astype(np.float64), shares=True)
    table = _confusion(codes, chosen, len(classes))
    described["per_class"] = _per_class(table, classes)
    return {**described, "confusion": table.tolist() if len(classes) <= MAX_CONFUSION else None, "curves": lines}


def _confusion(codes: IntArray, chosen: IntArray, k: int) -> IntArray:
    """Rows of each true class (down) and predicted class (across)."""
    return np.bincount(codes * k + chosen, minlength=k * k).reshape(k, k).astype(np.int64)


def _per_class(table: IntArray, classes: Sequence[str]) -> dict[str, dict[str, float | None]]:
    hits, support, predicted = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    described = {}
    for code, name in enumerate(classes):
        hit, rows, named = int(hits[code]), int(support[code]), int(predicted[code])
        described[name] = {
            "rows": rows,
            "precision": hit / named if named else None,
            "recall": hit / rows if rows else None,
            "f1": 2 * hit / (rows + named) if rows + named else None,
        }
    return described


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
