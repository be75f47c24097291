"""Texts as dense vectors: skrub's StringEncoder (latent semantic analysis), kept as plain arrays."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.encoding.distinct import by_distinct
from training_assets.core.encoding.expansion import Columns, Slot

# Twice as many n-grams, and more texts, changed no score of short messages or job titles, and cost megabytes and time.
MOST_NGRAMS = 10_000
MOST_TEXTS = 20_000
NGRAMS: Mapping[str, Any] = {"analyzer": "char_wb", "ngram_range": (3, 4)}  # as StringEncoder has them

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Embedding:
    """n-grams of a text, weighed (tf-idf) and projected on the directions in which training texts differ most."""

    method: ClassVar[str] = "embedded"
    feature: str
    ngrams: tuple[str, ...] = field(repr=False)
    weights: bytes = field(repr=False)  # inverse document frequencies: float64, little endian, one an n-gram
    directions: bytes = field(repr=False)  # float32, little endian, n_components x n_ngrams
    n_components: int
    size: float  # of training vectors: the root of the sum of their variances, which is 1 after division by it

    @classmethod
    def fit(cls, feature: str, values: pl.Series, n_components: int, seed: int) -> Embedding:
        """Learn from the distinct texts of the training rows, the same on any number of threads.

        Fewer components than asked for come of few texts or n-grams; one that is always 0 where there are none at all.
        """
        from skrub import StringEncoder  # type: ignore[import-untyped]  # has no types
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's; has no types

        texts = _sample(values)
        ngrams = _common_ngrams(texts)
        possible = min(n_components, min(len(texts), len(ngrams)) - 1)
        if possible < 1:
            return cls(feature, (), b"", b"", 1, 1.0)
        encoder = StringEncoder(possible, vocabulary=ngrams, random_state=seed, **NGRAMS)
        # Texts that are all alike differ in no direction: shares of their variance are 0 / 0, and nobody asks for them.
        with threadpool_limits(1), np.errstate(all="ignore"):
            encoder.fit_transform(pl.Series("text", texts))
        return cls(
            feature,
            tuple(ngrams),
            encoder.vectorizer_.idf_.astype("<f8").tobytes(),
            encoder.tsvd_.components_.astype("<f4").tobytes(),
            possible,
            float(encoder.scaling_factor_),
        )

    @property
    def slots(self) -> tuple[Slot, ...]:
        """One a component, the largest first."""
        return tuple(Slot(f"{self.feature}__text_{index}", scaled=False) for index in range(self.n_components))

    def values(self, columns: Columns) -> list[pl.Series]:
        """Components of each text; all 0 for one without any known n-gram."""
        return by_distinct(columns[self.feature].cast(pl.String), self.n_components, self._vectors)

    def to_json(self) -> dict[str, Any]:
        """Everything that was learnt, arrays in base 64."""
        arrays = {name: base64.b64encode(getattr(self, name)).decode("ascii") for name in ("weights", "directions")}
        plain = {name: getattr(self, name) for name in ("feature", "n_components", "size")}
        return {**plain, "ngrams": list(self.ngrams), **arrays}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Embedding:
        """Read what `to_json` wrote."""
        arrays = {name: base64.b64decode(data[name]) for name in ("weights", "directions")}
        return cls(**{**data, **arrays, "ngrams": tuple(data["ngrams"])})

    @cached_property
    def _vectorizer(self) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(vocabulary=list(self.ngrams), **NGRAMS)
        vectorizer.idf_ = np.frombuffer(self.weights, dtype="<f8")
        return vectorizer

    @cached_property
    def _directions(self) -> Vectors:
        shape = (self.n_components, len(self.ngrams))
        return np.ascontiguousarray(np.frombuffer(self.directions, dtype="<f4").reshape(shape).T)

    def _vectors(self, texts: pl.Series) -> Vectors:
        if not self.ngrams:
            return np.zeros((len(texts), self.n_components), dtype=np.float32)
        # A sparse row times dense directions: summed row by row, so that a row's vector is the same in any company.
        weighed = self._vectorizer.transform(texts.to_list()).astype(np.float32)
        vectors: Vectors = (weighed @ self._directions) / self.size
        return vectors


def _sample(values: pl.Series) -> list[str]:
    """Distinct texts in order; of very many, every so manieth."""
    texts = sorted(values.cast(pl.String).drop_nulls().unique().to_list())
    return texts[:: -(-len(texts) // MOST_TEXTS)] if texts else []


def _common_ngrams(texts: list[str]) -> list[str]:
    """The n-grams that occur most often in these texts, in order; ties go by name."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(**NGRAMS)
    of_text = counter.build_analyzer()
    if not any(of_text(text) for text in texts):  # scikit-learn refuses to learn nothing
        return []
    counts = np.asarray(counter.fit_transform(texts).sum(axis=0)).ravel()
    names = counter.get_feature_names_out()
    return sorted(names[np.argsort(-counts, kind="stable")[:MOST_NGRAMS]].tolist())
