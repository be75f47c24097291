"""A blend: the weighted mean of a few models' predictions, which is one model to everybody else."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training_assets.core import families
from training_assets.core.families.base import Data, FittedModel, Floats
from training_assets.core.fingerprint import digest

FILE = "blend.json"


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
        (first, weight), *others = self.members
        predicted = weight * first.predict(data)
        for member, share in others:
            predicted += share * member.predict(data)
        return predicted

    def save(self, folder: Path) -> None:
        """Write `blend.json`, and each member into a folder of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        described = [{"family": member.family, "weight": weight} for member, weight in self.members]
        (folder / FILE).write_text(json.dumps({"members": described}), encoding="utf-8")
        for place, (member, _) in enumerate(self.members):
            member.save(folder / str(place))

    @classmethod
    def load(cls, folder: Path, trust: tuple[str, ...] = ()) -> Blend:
        """Read what `save` wrote; raises `ValueError` for weights that are none."""
        described = json.loads((folder / FILE).read_text(encoding="utf-8"))["members"]
        weights = [float(each["weight"]) for each in described]
        if not weights or min(weights) <= 0 or abs(sum(weights) - 1) > 1e-9:
            message = "the weights of this blend are not shares of 1; fetch the artifact again"
            raise ValueError(message)
        members = [
            families.load(each["family"], folder / str(place), trust=trust) for place, each in enumerate(described)
        ]
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
