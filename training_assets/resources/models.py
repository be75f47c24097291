"""Which spec a running asset or check belongs to: the first part of its key names the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from training_assets.spec import ModelSpec


@dataclass(frozen=True)
class Model:
    """A model's name and spec."""

    name: str
    spec: ModelSpec

    def key(self, asset: str) -> dg.AssetKey:
        """Key of one of the model's assets."""
        return dg.AssetKey([self.name, asset])


@dataclass(frozen=True)
class Models:
    """The specs of all models of this code location, by name."""

    specs: Mapping[str, ModelSpec]

    def named(self, name: str) -> Model:
        """The model of a name; raises `KeyError` with the known names for another."""
        if name not in self.specs:
            message = f"no model '{name}'; known: {', '.join(sorted(self.specs)) or 'none yet'}"
            raise KeyError(message)
        return Model(name, self.specs[name])

    def of(self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Model:
        """The model whose asset or check is running."""
        if isinstance(context, dg.AssetCheckExecutionContext):
            key = next(iter(context.selected_asset_check_keys)).asset_key
        else:
            key = next(iter(context.selected_asset_keys))
        return self.named(key.path[0])
