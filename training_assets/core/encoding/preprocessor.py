"""The preprocessor: raw feature rows in, an encoded frame out; a function of training rows, spec and code alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from training_assets.core.encoding import choices, targets
from training_assets.core.encoding.categories import Category
from training_assets.core.encoding.expanded import Expanded
from training_assets.core.encoding.expansion import Columns
from training_assets.core.encoding.features import feature_columns, refuse_colliding_names
from training_assets.core.encoding.labels import encoded_labels, known_labels
from training_assets.core.encoding.layout import (
    ROW_COLUMNS,
    FeatureKinds,
    Layout,
    code_column,
    target_columns,
)
from training_assets.core.encoding.quantities import Quantity
from training_assets.core.errors import InputError
from training_assets.core.fingerprint import digest
from training_assets.spec.encoding import Encoding
from training_assets.spec.target import Task

FORMAT = 2


@dataclass(frozen=True)
class Preprocessor:
    """Statistics of the training split, and what to do with them.

    Features become quantities, categories, or both; then quantities are scaled and categories target encoded for the
    families that read them so.
    """

    kinds: FeatureKinds
    classes: list[str]
    task: Task
    seed: int
    expanded: Expanded
    categories: Mapping[str, Category]
    encodings: Mapping[str, list[list[float]]]  # category -> for each class (or the one label) a value a code
    one_hot: tuple[str, ...]

    @classmethod
    def fit(
        cls, train: pl.DataFrame, kinds: FeatureKinds, encoding: Encoding, task: Task, classes: list[str], seed: int
    ) -> Preprocessor:
        """Learn from the training rows (features and `_target`), and from nothing else.

        The order of rows and of columns does not matter where rows carry `_batch` and `_row`. Raises `InputError`:
        E_SCHEMA, E_TYPE, E_NAME for features, E_ENCODING for an encoding that does not fit its feature, E_LABEL for
        rows without a sound label, E_NO_ROWS for none.
        """
        if train.is_empty():
            message = "there are no training rows; check the split's shares and cuts"
            raise InputError(code="E_NO_ROWS", message=message)
        columns = feature_columns(train, kinds)
        methods = choices.chosen(columns, kinds, encoding)
        categories = {
            name: choices.category(own, columns[name], encoding)
            for name, own in methods.items()
            if choices.stays_category(own, columns[name])
        }
        one_hot = tuple(name for name in categories if choices.is_one_hot(methods[name], categories[name], encoding))
        expanded = Expanded.fit(columns, methods, encoding, seed)
        fitted = cls(dict(kinds), list(classes), task, seed, expanded, categories, {}, one_hot)
        refuse_colliding_names(fitted.layout)
        codes, labels = fitted._to_average(train, columns, _canonical_order(train))
        return replace(fitted, encodings=targets.encodings(codes, fitted.layout.codes, labels))

    @cached_property
    def layout(self) -> Layout:
        """The columns of an encoded frame by role."""
        slots = [(feature, slot) for feature in self.expanded.expansions for slot in self.expanded.slots(feature)]
        return Layout(
            task=self.task,
            n_classes=len(self.classes),
            quantities=tuple(slot.name for _, slot in slots if slot.readers != "linear"),
            codes={name: category.n_codes for name, category in self.categories.items()},
            one_hot=self.one_hot,
            targets={
                name: target_columns(name, self.task, len(self.classes))
                for name in self.categories
                if name not in self.one_hot
            },
            trees_only=frozenset(slot.name for _, slot in slots if slot.readers == "trees"),
            linear_only=tuple(slot.name for _, slot in slots if slot.readers == "linear"),
            made_of={slot.name: feature for feature, slot in slots if slot.name != feature},
        )

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """How each quantity is scaled that the linear family reads."""
        return self.expanded.quantities

    @cached_property
    def digest(self) -> str:
        """Sha256 over everything that was learnt."""
        return digest(self.to_json())

    def encode(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Encode any rows, in the order given: the layout's columns, and `_batch, _row, _key, _target` where present.

        Missing features raise `InputError` E_SCHEMA, unreadable ones E_TYPE, labels that are no class E_LABEL; other
        columns are ignored.
        """
        return self._frame(rows, None)

    def encode_training(self, train: pl.DataFrame) -> pl.DataFrame:
        """Encode the training rows, with target encodings that never saw the row's own label (cross-fitted).

        Raises `ValueError` for other rows than those that the preprocessor was fitted on.
        """
        if not self.layout.targets:
            return self.encode(train)
        order = _canonical_order(train)
        codes, labels = self._to_average(train, feature_columns(train, self.kinds), order)
        if targets.encodings(codes, self.layout.codes, labels) != self.encodings:
            message = "these are not the rows that the preprocessor was fitted on; call encode for any others"
            raise ValueError(message)
        places = np.empty(len(order), dtype=np.int64)  # where each of the rows given went
        places[order] = np.arange(len(order))
        unseen = targets.cross_fitted(codes, self.layout.codes, labels, self.seed)
        return self._frame(train, {name: [values[places] for values in unseen[name]] for name in unseen})

    def summary(self) -> list[dict[str, Any]]:
        """One row a feature for people to read: how it is encoded, in how many columns, and with what."""
        return [self._described(name) for name in self.kinds]

    def to_json(self) -> dict[str, Any]:
        """Everything that was learnt, as JSON values."""
        return {
            "format": FORMAT,
            "task": self.task,
            "classes": self.classes,
            "seed": self.seed,
            # A list, because the order of the features is the order of the columns that a family reads.
            "features": [[name, kind] for name, kind in self.kinds.items()],
            **self.expanded.to_json(),
            "categories": {name: list(category.levels) for name, category in self.categories.items()},
            "one_hot": list(self.one_hot),
            "encodings": self.encodings,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Preprocessor:
        """Read what `to_json` wrote; `InputError` E_FORMAT for another format."""
        if data.get("format") != FORMAT:
            message = f"preprocessor of format {str(data.get('format'))[:20]}, this code reads {FORMAT}; train again"
            raise InputError(code="E_FORMAT", message=message)
        return cls(
            kinds=dict(data["features"]),
            classes=list(data["classes"]),
            task=data["task"],
            seed=data["seed"],
            expanded=Expanded.from_json(data),
            categories={
                name: Category(tuple(data["categories"][name]))
                for name, _ in data["features"]
                if name in data["categories"]
            },
            encodings=data["encodings"],
            one_hot=tuple(data["one_hot"]),
        )

    def _frame(self, rows: pl.DataFrame, unseen: Mapping[str, list[targets.Floats]] | None) -> pl.DataFrame:
        columns = feature_columns(rows, self.kinds)
        made = [rows.get_column(name) for name in ROW_COLUMNS[:-1] if name in rows.columns]
        if "_target" in rows.columns:
            made.append(encoded_labels(rows.get_column("_target"), self.task, self.classes).alias("_target"))
        made += self.expanded.encoded(columns)
        for name, category in self.categories.items():
            codes = category.encode(columns[name])
            made.append(codes.alias(code_column(name)))
            for index, column in enumerate(self.layout.targets.get(name, ())):
                by_code = np.asarray(self.encodings[name][index])
                values = by_code[codes.to_numpy()] if unseen is None else unseen[name][index]
                made.append(pl.Series(column, values, dtype=pl.Float32))
        return pl.DataFrame(made)

    def _to_average(
        self, train: pl.DataFrame, columns: Columns, order: targets.Positions
    ) -> tuple[dict[str, targets.Codes], list[targets.Floats]]:
        """Codes of the target encoded categories, and the labels to average, with the rows in that order."""
        labels = known_labels(train, self.task, self.classes).to_numpy()[order]
        codes = {name: self.categories[name].encode(columns[name]).to_numpy()[order] for name in self.layout.targets}
        return codes, targets.to_average(labels, self.task, len(self.classes))

    def _described(self, feature: str) -> dict[str, Any]:
        expansion, category = self.expanded.expansions.get(feature), self.categories.get(feature)
        encoded = [] if expansion is None else ["scaled" if expansion.method == "quantity" else expansion.method]
        if category is not None:
            encoded.append("one-hot" if feature in self.one_hot else "target")
        quantity = self.quantities.get(feature)
        return {
            "feature": feature,
            "encoded": " and ".join(encoded),
            "columns": sum(owner == feature for owner in map(self.layout.owner, self.layout.columns)),
            "impute": None if quantity is None else quantity.impute,
            "center": None if quantity is None else quantity.center,
            "scale": None if quantity is None else quantity.scale,
            "levels": None if category is None else len(category.levels),
        }


def _canonical_order(rows: pl.DataFrame) -> targets.Positions:
    """Positions of the rows sorted by what identifies them: sums and folds must not depend on how they were read."""
    if {"_batch", "_row"} <= set(rows.columns):
        return rows.select(pl.arg_sort_by("_batch", "_row")).to_series().to_numpy().astype(np.int64)
    return np.arange(rows.height)
