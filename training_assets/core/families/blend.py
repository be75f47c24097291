"""A blend: the weighted mean of a few models' predictions, which is one model to everybody else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from training_assets.core import families
from training_assets.core.families.base import FittedModel
from training_assets.core.families.data import Data, Floats
from training_assets.core.fingerprint import digest

FILE = "blend.json"
ROUNDED = 1e-9  # how far from 1 shares may be together


@dataclass(frozen=True)
class Blend:
    """Members with their weights, which are together 1; the one with the largest weight comes first."""

    members: tuple[tuple[FittedModel, float], ...]
    family: str = field(default=families.BLEND, init=False)

    @property
    def best_iteration(self) -> int | None:
        """None: each member has its own."""
        return None

    @property
    def curve_metric(self) -> str:
        """Name of the loss in `curves`."""
        return self.members[0][0].curve_metric

    @property
    def curves(self) -> dict[str, list[float]]:
        """Those of the member with the largest weight."""
        return self.members[0][0].curves

    def predict(self, data: Data) -> Floats:
        """Predict by the contract's shapes: the weighted mean, added up in the order of the members."""
        return weighted_mean((member.predict(data), weight) for member, weight in self.members)

    def save(self, folder: Path) -> None:
        """Write `blend.json`, and each member into a folder of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        described = [{"family": member.family, "weight": weight} for member, weight in self.members]
        (folder / FILE).write_text(json.dumps({"members": described}), encoding="utf-8")
        for place, (member, _) in enumerate(self.members):
            member.save(folder / str(place))

    @classmethod
    def load(cls, folder: Path, trust: tuple[str, ...] = ()) -> Blend:
        """Read what `save` wrote; `ValueError` for what is no blend, else as `families.load` for each member."""
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        described = _described(content)
        if described is None:
            message = f"{FILE} describes no blend of models; fetch the artifact again"
            raise ValueError(message)
        weights = [weight for _, weight in described]
        if not (all(weight > 0 for weight in weights) and abs(sum(weights) - 1) <= ROUNDED):
            message = "the weights of this blend are not shares of 1; fetch the artifact again"
            raise ValueError(message)
        members = [families.load(name, folder / str(place), trust=trust) for place, (name, _) in enumerate(described)]
        return cls(tuple(zip(members, weights, strict=True)))

    def canonical(self) -> str:
        """Digest members and weights, in order."""
        return digest([self.family, [[member.canonical(), weight] for member, weight in self.members]])

    def importances(self) -> dict[str, float]:
        """The weighted mean of the members' shares."""
        shares: Counter[str] = Counter()
        for member, weight in self.members:
            for name, share in member.importances().items():
                shares[name] += weight * share  # type: ignore[assignment]  # a Counter may hold floats
        return dict(shares)


def blended(members: list[tuple[FittedModel, float]]) -> Any:
    """One model of members with their weights: a blend, or the only member itself."""
    ordered = sorted(members, key=lambda member: -member[1])  # stable: equal weights stay in order of trials
    return ordered[0][0] if len(ordered) == 1 else Blend(tuple(ordered))


def weighted_mean(predictions: Iterable[tuple[Floats, float]]) -> Floats:
    """The mean by weights that are together 1 but for rounding, which takes it nowhere beyond the predictions."""
    mean, least, greatest = np.zeros(()), np.array(np.inf), np.array(-np.inf)
    for predicted, weight in predictions:
        mean = mean + weight * predicted
        least, greatest = np.minimum(least, predicted), np.maximum(greatest, predicted)
    within: Floats = np.clip(mean, least, greatest)
    return within


def _described(content: Any) -> list[tuple[str, float]] | None:
    """Family and weight of each member in `blend.json`; None where it says no such thing."""
    members = content.get("members") if isinstance(content, dict) else None
    if not isinstance(members, list) or not all(isinstance(each, dict) for each in members):
        return None
    pairs = [(each.get("family"), each.get("weight")) for each in members]
    named = all(isinstance(name, str) and name != families.BLEND for name, _ in pairs)
    return pairs if pairs and named and all(isinstance(weight, float) for _, weight in pairs) else None
