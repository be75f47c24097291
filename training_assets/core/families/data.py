"""The rows that families read: one encoded split, with what they make of it built once and shared."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from training_assets.core.encoding.layout import Layout
from training_assets.core.encoding.target_transform import UNCHANGED, TargetTransform
from training_assets.core.families.freed_memory import give_back

Floats = npt.NDArray[np.float64]
View = TypeVar("View")
MANY = 20_000  # rows from whose views on it shows what building one takes
_BUILDING = threading.Lock()


@dataclass(frozen=True)
class Facts:
    """What a family may know about the training rows when it proposes parameters."""

    rows: int
    quantities: int
    categories: int
    outputs: int = 1  # what a model predicts for a row: one number, or a probability for each of many classes

    @property
    def many_classes(self) -> bool:
        """Whether rows of one class are few among all rows."""
        return self.outputs >= 10


@dataclass(frozen=True)
class Data:
    """One encoded split: what families read, with what they make of it built once and shared by all trials."""

    layout: Layout
    frame: pl.DataFrame
    class_weights: tuple[float, ...] | None = None  # by class code
    transform: TargetTransform = UNCHANGED
    _views: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    _locks: dict[Hashable, threading.Lock] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        encoded: pl.DataFrame,
        layout: Layout,
        *,
        class_weights: tuple[float, ...] | None = None,
        transform: TargetTransform = UNCHANGED,
    ) -> Data:
        """Wrap a frame that `Preprocessor.encode` (or `encode_training`) made; `layout` is that preprocessor's."""
        return cls(layout, encoded, class_weights, transform)

    def and_also(self, other: Data) -> Data:
        """These rows and then those, with nothing built yet: what a final fit learns from."""
        frame = pl.concat([self.frame, other.frame.select(self.frame.columns)])
        return Data(self.layout, frame, self.class_weights, self.transform)

    def where(self, which: npt.NDArray[np.bool_]) -> Data:
        """Some of these rows, with nothing built yet."""
        return Data(self.layout, self.frame.filter(pl.Series(which)), self.class_weights, self.transform)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.frame.height

    @property
    def facts(self) -> Facts:
        """Size of the split."""
        outputs = self.layout.n_classes if self.layout.task == "multiclass" else 1
        return Facts(self.n_rows, len(self.layout.quantities), len(self.layout.codes), outputs)

    @property
    def y(self) -> npt.NDArray[Any]:
        """What a family learns, one a row: class codes (int32), or values (float64) after the target's transform."""
        return self.transform.forward(self.labels) if self.layout.task == "regression" else self.labels

    @property
    def weights(self) -> Floats | None:
        """How much each row counts, (n,), on average 1: its own weight times that of its class; None if all alike."""
        own = (
            self.frame.get_column("_weight").to_numpy().astype(np.float64) if "_weight" in self.frame.columns else None
        )
        if self.class_weights is None:
            weights = own
        else:
            by_class = np.asarray(self.class_weights)[self.labels]
            weights = by_class if own is None else own * by_class
        return None if weights is None or not weights.size else weights / weights.mean()

    @property
    def labels(self) -> npt.NDArray[Any]:
        """Labels as they are: class codes (int32) or values (float64); `ValueError` where a row has none."""
        if "_target" not in self.frame.columns or self.frame.get_column("_target").null_count():
            message = "rows without a label can be predicted, not learnt from or scored against"
            raise ValueError(message)
        return self.frame.get_column("_target").to_numpy()

    @property
    def has_labels(self) -> bool:
        """Whether every row has its label."""
        return "_target" in self.frame.columns and not self.frame.get_column("_target").null_count()

    def shared(self, name: Hashable, build: Callable[[], View]) -> View:
        """Give the view of that name, building it on first use; any number of threads get the same one."""
        # setdefault is atomic; a lock a view, so that one family's view need not wait for another's.
        with self._locks.setdefault(name, threading.Lock()):
            if name not in self._views:
                self._views[name] = self._built(build)
            view: View = self._views[name]
            return view

    def lent(self, name: Hashable, build: Callable[[], View]) -> View:
        """Give the view of that name, which lives while somebody holds it: for what is large and quick to build."""
        with self._locks.setdefault(name, threading.Lock()):
            known = self._views.get(name)
            view: View | None = None if known is None else known()
            if view is None:
                view = self._built(build)
                self._views[name] = weakref.ref(view)
            return view

    def _built(self, build: Callable[[], View]) -> View:
        """Of many rows one view at a time, as it takes many times its own memory; so no build asks for a view."""
        if self.n_rows < MANY:
            return build()
        with _BUILDING:
            view = build()
            give_back()
            return view

    def forget(self) -> None:
        """Drop all views, while no fit runs; who asks for one again has it built again."""
        self._views.clear()
