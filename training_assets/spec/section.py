"""What every section of a spec shares: closed keys, and errors that propose the key that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails

NOT_SHOWN = "not shown"


class Section(BaseModel):
    """An immutable part of a spec that refuses keys it does not know.

    Errors say which key is wrong, and never what was given: it may be a secret that was written instead of named.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_out_what_was_given(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Leave nothing else to show to those who show errors in a way of their own, as Dagster does."""
        try:
            return handler(data)
        except ValidationError as error:
            title, wrong = error.title, error.errors(include_url=False)
        lines = [
            InitErrorDetails(type=each["type"], loc=each["loc"], input=NOT_SHOWN, ctx=each.get("ctx", {}))
            for each in wrong
        ]
        raise ValidationError.from_exception_data(title, lines, hide_input=True)

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
