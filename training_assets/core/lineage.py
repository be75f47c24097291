"""What a candidate was made of, and which findings about it must be known before it may be registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training_assets.core import fingerprint

SPLITS = ("train_split", "validation_split", "test_split")


def checked_subjects(lineage: Mapping[str, Any]) -> dict[str, str]:
    """Subject in the ledger of each group of data checks that a candidate's rows must have passed, by asset."""
    return {
        "validated_data": str(lineage["validated_data"]),
        "the splits": split_subject([str(lineage[split]) for split in SPLITS]),
    }


def split_subject(digests: Sequence[str]) -> str:
    """One identity for training, validation and test split together, in this order: they are checked together."""
    return fingerprint.digest(list(digests))
