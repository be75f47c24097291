"""Which code made a result: a digest over the sources that a stage uses, so that a change of code is noticed."""

from __future__ import annotations

import importlib.metadata
from functools import cache
from pathlib import Path

from training_assets.core import fingerprint

PACKAGE = Path(__file__).resolve().parent.parent


@cache
def code_version(*sources: str, packages: tuple[str, ...] = ()) -> str:
    """Digest (12 hex digits) over module files or folders of this package, and the versions of other packages.

    `sources` are paths inside the package, e.g. `core/encoding`; raises `FileNotFoundError` for one that is missing.
    """
    digests: dict[str, str] = {name: importlib.metadata.version(name) for name in packages}
    for source in sources:
        path = PACKAGE / source
        modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        for module in modules:
            digests[module.relative_to(PACKAGE).as_posix()] = fingerprint.digest_file(module)
    return fingerprint.digest(digests)[: fingerprint.SHORT]
