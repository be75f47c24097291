"""Content identities: sha256 over canonical bytes, the same on every machine and in every run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

SHORT = 12


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces; refuses NaN, because NaN is not JSON and never equals itself."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """Sha256 (64 hex digits) over the canonical JSON of a value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_bytes(data: bytes) -> str:
    """Sha256 (64 hex digits) over bytes."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """Sha256 (64 hex digits) over a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests_of(folder: Path) -> dict[str, str]:
    """Sha256 of each file below a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): digest_file(path) for path in files}


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_bytes())
