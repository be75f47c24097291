"""Secrets by reference: a spec names where a secret lies, and never what it is."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\x00-\x1f]{1,1024}")


def _is_reference(text: str) -> str:
    """Refuse anything that is no reference, without repeating it: it may be the secret."""
    if not REFERENCE.fullmatch(text):
        message = (
            "a secret is named, never written: use 'env:NAME' (an environment variable) or 'file:PATH' (a file's text)"
        )
        raise ValueError(message)
    return text


Secret = Annotated[
    str, AfterValidator(_is_reference), Field(description="`env:NAME` or `file:PATH`: where the secret lies.")
]
"""A reference to a secret; resolved when a run needs it, by `resources.secrets`, and kept out of every message."""
