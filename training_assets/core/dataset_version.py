"""What a run stands on: a version of the validated table, and the digest of its content."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetVersion:
    """A Delta version with the digest of the batches and the schema behind it; the digest alone is the identity."""

    table_version: int
    digest: str

    def __str__(self) -> str:
        """`v3-1f2e…`: what people see."""
        return f"v{self.table_version}-{self.digest[:12]}"
