"""One column that alone predicts too well: a copy of the label in another form, or values that decide it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.leakage.evidence import LEAST_ROWS, Evidence, Leak, shown
from training_assets.core.leakage.mistakes import judged

# Of honest columns in public sets the closest are a diamond's carat (0.963 with its price), a patient's motor score
# (0.958 with the total that it is part of); noise of 4 % of the label's spread brings a copy down to 0.999.
COPY = 0.999
NEAR_COPY = 0.98
LEAST_ROWS_A_VALUE = 10
# Bins so full that chance explains no more than a twenty-fifth of the label's variance.
ROWS_A_BIN, MOST_BINS = 25, 200
BINS = 64
# Where a class begins and ends in a column: a threshold between two classes is one of these.
CLASS_QUANTILES = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0)
MOST_CLASSES = 20


def alone(evidence: Evidence) -> list[Leak]:
    """A leak for each feature that by itself gives the label, or (not strong) nearly gives it."""
    if evidence.rows.height < LEAST_ROWS:
        return []
    return _quantities(evidence) if evidence.task == "regression" else _classes(evidence)


def _quantities(evidence: Evidence) -> list[Leak]:
    """Numbers in the same order as the label; values or bins of values whose labels hardly vary."""
    ranks = evidence.y.rank()
    found = []
    for name, kind in evidence.kinds.items():
        pair = pl.DataFrame({"x": evidence.rows[name], "y": ranks}).drop_nulls()
        if pair.height < LEAST_ROWS or pair.height * 2 < ranks.len():
            continue
        strength, how = _explained(pair), "its values explain"
        if kind == "numeric":
            order = _same_order(pair)
            strength, how = max((strength, how), (order, "its order is the label's order by"))
        if strength > NEAR_COPY:
            strong = strength > COPY
            what = "copy of the label, in another form" if strong else "nearly gives the label"
            text = f"'{shown(name)}' alone: {what} ({how} {strength:.4f} of 1)"
            found.append(Leak("copy" if strong else "near copy", (name,), text, strength, strong=strong))
    return found


def _same_order(pair: pl.DataFrame) -> float:
    """Spearman's rank correlation, without its sign."""
    value = pair.select(pl.corr(pl.col("x").rank(), "y")).item()
    return 0.0 if value is None or np.isnan(value) else abs(float(value))


def _explained(pair: pl.DataFrame) -> float:
    """Share of the variance of the label's ranks that levels, or bins, explain (the correlation ratio, eta squared)."""
    if pair["x"].n_unique() * LEAST_ROWS_A_VALUE > pair.height:
        if not pair["x"].dtype.is_numeric():
            return 0.0
        bins = min(MOST_BINS, pair.height // ROWS_A_BIN)
        pair = pair.with_columns(((pl.col("x").rank("min") - 1) * bins / pair.height).floor().alias("x"))
    shares = pair.select(within=(pl.col("y") - pl.col("y").mean().over("x")).var(), total=pl.col("y").var())
    within, total = shares.row(0)
    return 1 - within / total if total else 0.0


def _classes(evidence: Evidence) -> list[Leak]:
    """Columns whose levels, values or bins decide the class of rows that they were not learnt from."""
    classes, y = np.unique(evidence.y.to_numpy(), return_inverse=True)
    half = np.random.default_rng(0).permutation(len(y)) % 2 == 0
    possible = int(len(y) - np.bincount(y).max())
    found = []
    for name, kind in evidence.kinds.items():
        values = evidence.rows[name]
        made = min(
            sum(_wrong(codes, y, part, len(classes), ordered=kind == "numeric") for part, codes in views)
            for views in _views(values, y, half, kind == "numeric")
        )
        if kind == "numeric" and len(classes) == 2:
            made = min(made, _wrong_of_threshold(values.cast(pl.Float64).to_numpy(), y))
        verdict = judged(made, possible)
        if verdict != "none":
            strength = 1 - made / possible
            text = (
                f"'{shown(name)}' alone decides the label: it avoids {strength:.1%} of the {possible:,} mistakes that "
                "guessing the commonest class makes"
            )
            found.append(Leak("decides the label", (name,), text, strength, strong=verdict == "strong"))
    return found


Part = tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]


def _views(
    values: pl.Series, y: npt.NDArray[np.int64], half: npt.NDArray[np.bool_], numeric: bool
) -> list[tuple[Part, Part]]:
    """Ways to read a column as codes, each for either half of the rows as the half that is learnt from."""
    views = []
    levels = values.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    if not numeric or (levels.max() + 1) * LEAST_ROWS_A_VALUE <= len(levels):
        views.append(((half, levels), (~half, levels)))
    if numeric:
        numbers = values.cast(pl.Float64).to_numpy()
        views.append(((half, _binned(numbers, y, half)), (~half, _binned(numbers, y, ~half))))
    return views


def _binned(
    numbers: npt.NDArray[np.float64], y: npt.NDArray[np.int64], part: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Bins between quantiles of the learnt part and of its commonest classes; 0 where there is no number."""
    known = part & ~np.isnan(numbers)
    if not known.any():
        return np.zeros(len(numbers), dtype=np.int64)
    edges = [np.quantile(numbers[known], np.linspace(0, 1, BINS + 1))]
    counts = np.bincount(y[known])
    for each in np.argsort(-counts)[:MOST_CLASSES]:
        if counts[each]:
            ends = np.quantile(numbers[known & (y == each)], CLASS_QUANTILES)
            edges += [ends, np.nextafter(ends[:1], -np.inf)]
    every = np.unique(np.concatenate(edges))
    # A gap between two classes is parted in its middle, so that unseen numbers in it fall to the nearer class.
    every = np.unique(np.concatenate([every, (every[:-1] + every[1:]) / 2]))
    codes = np.searchsorted(every, numbers, side="left").astype(np.int64) + 1
    codes[np.isnan(numbers)] = 0
    return codes


def _wrong(
    codes: npt.NDArray[np.int64],
    y: npt.NDArray[np.int64],
    part: npt.NDArray[np.bool_],
    n_classes: int,
    *,
    ordered: bool,
) -> int:
    """Rows outside the part whose class is not the commonest one of their code, or of the nearest one, inside it."""
    commonest = np.full(codes.max() + 1, np.bincount(y[part], minlength=n_classes).argmax())
    pairs, counts = np.unique(codes[part] * n_classes + y[part], return_counts=True)
    order = np.argsort(counts, kind="stable")  # the commonest class of a code is written last
    commonest[pairs[order] // n_classes] = pairs[order] % n_classes
    seen = np.unique(codes[part])
    seen = seen[seen > 0]  # 0 is no value, which is near to none
    if ordered and len(seen):
        every = np.arange(1, len(commonest))
        after = np.minimum(np.searchsorted(seen, every), len(seen) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(np.abs(seen[before] - every) <= np.abs(seen[after] - every), seen[before], seen[after])
        commonest[1:] = commonest[nearest]
    return int((commonest[codes[~part]] != y[~part]).sum())


def _wrong_of_threshold(numbers: npt.NDArray[np.float64], y: npt.NDArray[np.int64]) -> int:
    """Mistakes of the best single threshold between two classes; bins miss it where few rows lie about it."""
    known = ~np.isnan(numbers)
    without = np.bincount(y[~known], minlength=2).min()
    order = np.argsort(numbers[known], kind="stable")
    ordered, ones = numbers[known][order], np.cumsum(y[known][order])
    ends = np.flatnonzero(np.append(np.diff(ordered) > 0, True))  # the last row of each value
    if not len(ends):
        return len(y)
    wrong = ones[ends] + (len(ordered) - 1 - ends) - (ones[-1] - ones[ends])  # ones up to it, noughts after it
    return int(min(wrong.min(), (len(ordered) - wrong).min()) + without)
