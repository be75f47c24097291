"""What every section of a spec shares: closed keys, and errors that propose the key that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """An immutable part of a spec that refuses keys it does not know."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _name_the_key_that_was_meant(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        for key in data:
            if key in cls.model_fields:
                continue
            near = difflib.get_close_matches(str(key), cls.model_fields, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(cls.model_fields)}"
            if isinstance(key, bool):
                hint = "YAML reads on, off, yes and no as true and false: put the key in quotes"
            message = f"unknown key '{str(key)[:80]}'; {hint}"
            raise ValueError(message)
        return data
