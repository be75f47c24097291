"""How a user's mistake ends a step: as a failure that says what, where and what to do, and is never retried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from training_assets.core.errors import InputError

CODE = "code"


@contextmanager
def clear_failures() -> Iterator[None]:
    """Turn `InputError` into `dagster.Failure` with the same words, and its code as metadata."""
    try:
        yield
    except InputError as error:
        raise dg.Failure(str(error), metadata={CODE: error.code}, allow_retries=False) from error
