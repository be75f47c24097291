"""What the report keeps for its pictures: curves and histograms of bounded size, as plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_assets.core.evaluation.ranking import FloatArray, Ranking
from training_assets.core.evaluation.scorers import IntArray

MAX_POINTS = 200
MAX_CURVES = 6  # the classes that rank worst; more lines than that cannot be told apart
BINS, ROWS_A_BIN = 10, 20  # of a calibration curve: enough bins to see its shape, enough rows for narrow intervals
CELLS = 40  # of a histogram, and of each side of a density
DIGITS = 6
Z = 1.959963984540054  # two-sided 95 %, for the bars of a calibration curve
TAIL = 0.005  # share on each side that a histogram leaves out, so that one outlier does not empty the picture
HUGE = 1e150  # its square still fits a float


def ranking_curves(y: IntArray, scores: FloatArray, classes: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """ROC (x: false positive rate) and precision-recall (x: recall) curves, each of at most 200 points.

    `scores` are `n_rows` (binary: one curve, of `classes[1]`) or `n_rows x n_classes` (one class against the rest: the
    6 classes with the smallest areas). Classes without rows, and rows of one class only, have no curve.
    """
    columns = {1: scores} if scores.ndim == 1 else dict(enumerate(scores.T))
    curves: dict[str, list[dict[str, Any]]] = {"roc": [], "precision_recall": []}
    for code, column in columns.items():
        positive = y == code
        if not positive.any() or positive.all():
            continue
        ranking = Ranking(column, positive)
        area, average_precision = ranking.measure(np.ones(y.size))
        above, wrong = ranking.steps(np.ones(y.size))
        named = {"class": classes[code], "share": round(float(positive.mean()), DIGITS)}
        curves["roc"].append({**named, "area": area, **_roc(above, wrong)})
        curves["precision_recall"].append({**named, "area": average_precision, **_precision_recall(above, wrong)})
    return {kind: sorted(lines, key=lambda line: line["area"])[:MAX_CURVES] for kind, lines in curves.items()}


def calibration(predicted: FloatArray, observed: FloatArray, *, shares: bool) -> dict[str, list[float]] | None:
    """Mean prediction against mean outcome in up to 10 bins of equal size, with 95 % intervals of the outcome.

    `shares`: outcomes are 0 or 1 (Wilson's interval of a share); otherwise the interval is that of a mean. None without
    rows, or where values are too large to average.
    """
    if predicted.size == 0 or not _moderate(predicted, observed):
        return None
    n_bins = min(max(predicted.size // ROWS_A_BIN, 1), BINS)
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, n_bins + 1)))
    bins = np.searchsorted(edges[1:-1], predicted, side="right")
    counts = np.bincount(bins).astype(np.float64)
    kept = counts > 0
    counts = counts[kept]
    mean_predicted = np.bincount(bins, weights=predicted)[kept] / counts
    mean_observed = np.bincount(bins, weights=observed)[kept] / counts
    if shares:
        low, high = _wilson(mean_observed, counts)
    else:
        squares = np.bincount(bins, weights=observed**2)[kept] / counts - mean_observed**2
        error = Z * np.sqrt(np.maximum(squares, 0) / counts)
        low, high = mean_observed - error, mean_observed + error
    return {
        "predicted": mean_predicted.tolist(),
        "observed": mean_observed.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "count": counts.tolist(),
    }


def score_histogram(y: IntArray, probability: FloatArray) -> dict[str, list[float]]:
    """How many negatives and positives got which probability, in 40 bins from 0 to 1."""
    edges = np.linspace(0, 1, CELLS + 1)
    clipped = np.clip(probability, 0, 1)
    return {
        "edges": edges.tolist(),
        "negative": np.histogram(clipped[y == 0], edges)[0].tolist(),
        "positive": np.histogram(clipped[y == 1], edges)[0].tolist(),
    }


def residuals(y: FloatArray, predictions: FloatArray) -> dict[str, Any] | None:
    """Histogram of actual minus predicted, and the density of actual over predicted values.

    Both leave out 0.5 % of the rows on each side and say how many. None without rows, or where values are too large.
    """
    if y.size == 0 or not _moderate(y, predictions):
        return None
    errors = y - predictions
    edges = np.linspace(*_span(errors), CELLS + 1)
    counts = np.histogram(errors, edges)[0]
    grid = np.linspace(*_span(np.concatenate((y, predictions))), CELLS + 1)
    density = np.histogram2d(predictions, y, bins=(grid, grid))[0].astype(np.int64)
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "left_out": int(y.size - counts.sum()),
        "mean": float(errors.mean()),
        "standard_deviation": float(errors.std()),
        "grid": grid.tolist(),
        "density": density.tolist(),
        "density_left_out": int(y.size - density.sum()),
    }


def _roc(above: FloatArray, wrong: FloatArray) -> dict[str, list[float]]:
    x, y = np.append(0, wrong / wrong[-1]), np.append(0, above / above[-1])
    return _points(x, y, along=x + y)


def _precision_recall(above: FloatArray, wrong: FloatArray) -> dict[str, list[float]]:
    recall, precision = np.append(0, above / above[-1]), np.append(1, above / (above + wrong))
    reached = int(np.searchsorted(recall, 1.0)) + 1  # beyond full recall, precision only falls
    return _points(recall[:reached], precision[:reached], along=recall[:reached])


def _points(x: FloatArray, y: FloatArray, along: FloatArray) -> dict[str, list[float]]:
    """At most 200 points, evenly spaced along the curve; its two ends are among them."""
    wanted = np.linspace(along[0], along[-1], MAX_POINTS)
    kept = np.unique(np.searchsorted(along, wanted).clip(0, along.size - 1))
    return {"x": np.round(x[kept], DIGITS).tolist(), "y": np.round(y[kept], DIGITS).tolist()}


def _wilson(share: FloatArray, count: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Wilson's score interval (1927), which stays inside 0 to 1 and is sound for few rows."""
    scale = 1 + Z**2 / count
    middle = (share + Z**2 / (2 * count)) / scale
    half = Z / scale * np.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def _span(values: FloatArray) -> tuple[float, float]:
    """Find a range that holds 99 % of the values and has a width."""
    low = float(np.quantile(values, TAIL, method="lower"))  # so that few rows lose none
    high = float(np.quantile(values, 1 - TAIL, method="higher"))
    pad = max(abs(low), abs(high), 1.0) * 1e-6
    return (low, high) if high - low > pad else (low - pad, high + pad)


def _moderate(*arrays: NDArray[Any]) -> bool:
    return all(bool((np.abs(each) < HUGE).all()) for each in arrays)
