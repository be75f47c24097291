"""The poison test: whatever validation and test rows say, the preprocessor stays the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.core.splitting import SPLITS
from training_assets.core.validation.findings import Fact, Finding

CLAIM = "preprocessor_saw_training_rows_alone"
Fit = Callable[[Mapping[str, pl.DataFrame]], Preprocessor]


def preprocessor_saw_training_rows_alone(stored: str, train: pl.DataFrame, features: list[str], fit: Fit) -> Finding:
    """Fitted anew beside two different poisoned validation and test splits, the preprocessor keeps its digest.

    `stored` is the digest of the preprocessor in use, `fit` the function that made it, of all three splits by name. It
    is fitted on the training rows themselves, so a stored one that was fitted on other rows as well is found too. Test
    rows are not read: poison is made from training rows.
    """
    digests = {}
    for seed in (1, 2):
        splits = {name: train if name == "train" else poisoned(train, features, seed) for name in SPLITS}
        digests[f"poison {seed}"] = fit(splits).digest
    facts: dict[str, Fact] = {"training_rows": train.height, "stored": stored[:12]}
    facts |= {name.replace(" ", "_"): digest[:12] for name, digest in digests.items()}
    one, two = digests.values()
    if one != two:
        text = (
            "the preprocessor changes with the rows of validation and test: what it learns there makes their scores "
            "too good; fit it on splits['train'] alone"
        )
        return Finding(CLAIM, False, "block", text, facts)
    if one != stored:
        text = (
            "the preprocessor in use is not the one that the training rows give; it was fitted on other rows as well, "
            "or by other code: materialise preprocessor anew"
        )
        return Finding(CLAIM, False, "block", text, facts)
    text = f"scrambled validation and test rows change nothing; {train.height:,} training rows alone give it"
    return Finding(CLAIM, True, "block", text, facts)


def poisoned(train: pl.DataFrame, features: list[str], seed: int) -> pl.DataFrame:
    """As many rows as training has, plus some: other numbers and dates, levels never seen, holes, labels at random."""
    rng = np.random.default_rng(seed)
    rows = train.gather(rng.integers(0, train.height, train.height + 10 * seed))
    holes = pl.Series(rng.random(rows.height) < 0.2)
    changed = []
    for name in features:
        values = rows[name].gather(rng.permutation(rows.height))
        if values.dtype.is_numeric():
            values = values.fill_null(0).cast(pl.Float64) * -7.0 + 1e6 * seed + pl.Series(rng.normal(size=rows.height))
            values = values.round().cast(train.schema[name], strict=False)
        elif values.dtype.is_temporal():
            values = values.dt.offset_by(f"{7 * seed}y").dt.offset_by(f"{seed}d")
        else:
            values = values.fill_null("") + f" poison {seed}"
        frame = pl.DataFrame({"value": values, "hole": holes})
        changed.append(frame.select(pl.when(~pl.col("hole")).then("value").alias(name)).to_series())
    labels = rows["_target"].gather(rng.permutation(rows.height)).alias("_target")
    return rows.with_columns(*changed, labels)
