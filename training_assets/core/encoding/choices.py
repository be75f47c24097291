"""Which encoding each feature gets: the one that the spec states, or the one that suits its kind and values."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from training_assets.core.encoding.categories import Category
from training_assets.core.encoding.dates import DateParts
from training_assets.core.encoding.expansion import Expansion, Itself
from training_assets.core.encoding.items import Items
from training_assets.core.encoding.layout import FeatureKinds
from training_assets.core.encoding.levels_as_numbers import Count, Rank
from training_assets.core.encoding.texts import Embedding
from training_assets.core.features.encodable import refuse_unfitting
from training_assets.core.features.logical import Kind
from training_assets.spec.encoding import (
    AnyEncoding,
    AsCount,
    AsDate,
    AsEmbedded,
    AsMultiHot,
    AsNative,
    AsOrdinal,
    AsQuantity,
    Encoding,
    Levels,
)

# A text is embedded where it is one of many and has words: then its parts say more than the whole, which hardly
# repeats. Of 10,000 job titles (4,700 distinct, two words each) the vectors told incomes better than the codes did.
LEAST_TEXTS = 100
DISTINCT, MOST_LEVELS = 0.3, 1000
LEAST_WORDS = 2.0
# Above this share of distinct values, a level tells of too few rows to be learnt as one.
REPEATED = 0.5


def chosen(columns: Mapping[str, pl.Series], kinds: FeatureKinds, encoding: Encoding) -> dict[str, AnyEncoding]:
    """The encoding of each feature; raises `InputError` E_ENCODING as `refuse_unfitting` does."""
    refuse_unfitting(kinds, encoding)
    return {name: encoding.columns.get(name) or _suiting(columns[name], kind, encoding) for name, kind in kinds.items()}


def expansion(name: str, own: AnyEncoding, values: pl.Series, encoding: Encoding, seed: int) -> Expansion | None:
    """What makes quantities of a feature, learnt from its training values; None for a category that stays one."""
    match own:
        case AsQuantity():
            return Itself(name)
        case AsDate():
            return DateParts.fit(name, values, own)
    return _of_texts(name, own, values, encoding, seed)


def _of_texts(name: str, own: AnyEncoding, values: pl.Series, encoding: Encoding, seed: int) -> Expansion | None:
    match own:
        case AsOrdinal():
            return Rank(name, tuple(own.order))
        case AsCount():
            return Count.fit(name, values)
        case AsMultiHot():
            return Items.fit(name, values, own.separator, own.max_items, encoding.min_level_rows)
        case AsEmbedded():
            return Embedding.fit(name, values, own.components, seed)
    return None


def stays_category(own: AnyEncoding, values: pl.Series) -> bool:
    """Whether a feature has a code: a category has, and an embedded text whose values repeat."""
    if isinstance(own, AsEmbedded):
        known = values.drop_nulls()
        return known.n_unique() <= REPEATED * len(known)
    return own.method in {"one_hot", "target", "native"}


def category(own: AnyEncoding, values: pl.Series, encoding: Encoding) -> Category:
    """The levels of a category in the training rows."""
    limits = own if isinstance(own, Levels) else Levels()
    return Category.fit(
        values, limits.max_levels or encoding.max_levels, limits.min_level_rows or encoding.min_level_rows
    )


def is_one_hot(own: AnyEncoding, levels: Category, encoding: Encoding) -> bool:
    """Whether the linear family reads a category one-hot; else it reads it target encoded."""
    wanted = own.method if own.method in {"one_hot", "target"} else encoding.categorical
    return len(levels.levels) <= encoding.one_hot_max_levels if wanted == "auto" else wanted == "one_hot"


def _suiting(values: pl.Series, kind: Kind, encoding: Encoding) -> AnyEncoding:
    if kind == "numeric":
        return AsQuantity(method="quantity")
    if kind == "date":
        return AsDate(method="date")
    if encoding.categorical == "auto" and is_text(values):
        return AsEmbedded(method="embedded")
    return AsNative(method="native")


def is_text(values: pl.Series) -> bool:
    """Whether a category is rather a text of several words: one of many, and hardly ever the same again."""
    known = values.cast(pl.String).drop_nulls()
    distinct = known.n_unique()
    if distinct < LEAST_TEXTS or distinct <= min(MOST_LEVELS, DISTINCT * len(known)):
        return False
    words = known.unique().str.count_matches(r"\S+").mean()
    return isinstance(words, float) and words >= LEAST_WORDS
