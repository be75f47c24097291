"""What a candidate was made of, and which findings about it must be known before it may be registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training_assets.core import fingerprint

SPLITS = ("train_split", "validation_split", "test_split")


def checked_subjects(facts: Mapping[str, Any], waive: Mapping[str, str]) -> dict[str, str]:
    """Subject in the ledger of each group of checks that what a candidate was made of must have passed, by asset.

    `facts` are the candidate's, `waive` are the present waivers of leaks: what another one let pass is checked again.
    """
    lineage, identity = facts["lineage"], facts["identity"]
    splits = [str(lineage[split]) for split in SPLITS]
    return {
        "validated_data": str(lineage["validated_data"]),
        "the splits": split_subject(splits),
        "train_split for leaks": leak_subject(splits, waive),
        "preprocessor": preprocessor_subject(str(identity["preprocessor"]), str(identity["train_split"])),
        "encoded_features": encoding_subject(str(identity["encoded_features"])),
    }


def split_subject(digests: Sequence[str]) -> str:
    """One identity for training, validation and test split together, in this order: they are checked together."""
    return fingerprint.digest(list(digests))


def leak_subject(digests: Sequence[str], waive: Mapping[str, str]) -> str:
    """One identity for what the checks for leakage say of the three splits (in this order) under these waivers."""
    return fingerprint.digest({"leaks": list(digests), "waive": dict(waive)})


def preprocessor_subject(preprocessor: str, train_split: str) -> str:
    """One identity for a preprocessor and the rows that it says it was fitted on."""
    return fingerprint.digest({"preprocessor": preprocessor, "train_split": train_split})


def encoding_subject(encoded_features: str) -> str:
    """One identity for encoded rows, as far as their encoding is checked."""
    return fingerprint.digest({"encoded_features": encoded_features})
