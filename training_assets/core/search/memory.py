"""Finished trials on disk, so that a search which was killed goes on and repeats none of them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from training_assets.core import artifact_format, fingerprint
from training_assets.core.search.study import Trial


class Memory(Protocol):
    """What a search keeps of its finished trials."""

    def finished(self) -> list[tuple[Trial, Any]]:
        """Trials with their validation predictions, by number from 0."""

    def keep(self, trial: Trial, predictions: Any) -> None:
        """Keep a finished trial, whole or not at all."""


class NoMemory:
    """Forgets: for a search that nobody will resume."""

    def finished(self) -> list[tuple[Trial, Any]]:
        """None."""
        return []

    def keep(self, trial: Trial, predictions: Any) -> None:
        """Do nothing."""


class Folder:
    """One file a trial, written in one step; a file that is broken or was tampered with counts as not there."""

    def __init__(self, folder: Path) -> None:
        """Keep trials in the folder, which is made when the first one is kept."""
        self._folder = folder

    def finished(self) -> list[tuple[Trial, Any]]:
        """Read them, numbered anew by the order in which they began."""
        found = [_read(path) for path in sorted(self._folder.glob("*.trial"))]
        ordered = sorted((each for each in found if each is not None), key=lambda each: each[0].began)
        return [(replace(trial, number=place), predictions) for place, (trial, predictions) in enumerate(ordered)]

    def keep(self, trial: Trial, predictions: Any) -> None:
        """Write `<number>-<digest>.trial`: a line of JSON with the digest of it all, then the predictions as `.npy`.

        Trials are numbered anew when a search is begun again, so that the number alone may be another trial's.
        """
        array = io.BytesIO()
        if predictions is not None:
            np.save(array, np.asarray(predictions, dtype=np.float32), allow_pickle=False)
        content = {"trial": trial.to_json(), "predictions": fingerprint.digest_bytes(array.getvalue())}
        head = artifact_format.sealed(content)
        name = f"{trial.number:05d}-{fingerprint.digest_bytes(head)[:16]}.trial"
        artifact_format.write_file(self._folder / name, head + b"\n" + array.getvalue())


def _read(path: Path) -> tuple[Trial, Any] | None:
    head, _, array = path.read_bytes().partition(b"\n")
    try:
        content = json.loads(head)
        whole = artifact_format.sealed({key: value for key, value in content.items() if key != artifact_format.SEAL})
        if whole != head or content["predictions"] != fingerprint.digest_bytes(array):
            return None
    except (ValueError, AttributeError, KeyError):
        return None
    predictions = np.load(io.BytesIO(array), allow_pickle=False).astype(np.float64) if array else None
    return Trial.from_json(content["trial"]), predictions
