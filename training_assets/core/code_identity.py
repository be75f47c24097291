"""Which code made a result: a digest over the sources that a stage uses, so that a change of code is noticed."""

from __future__ import annotations

import importlib.metadata
import re
from functools import cache
from pathlib import Path

from training_assets.core import fingerprint

PACKAGE = Path(__file__).resolve().parent.parent
IMPORT = re.compile(
    r"^\s*(?:from (training_assets\.core[\w.]*) import \(?([^)]*?)\)?$|import (training_assets\.core[\w.]*))",
    re.MULTILINE,
)
LEFT_OUT = (
    "core/plots",
    "core/pages",
    "core/search/reporting.py",
    "core/code_identity.py",
    "core/artifact_format.py",
    "core/fingerprint.py",
    "core/errors.py",
)
"""Pictures, storage and messages decide nothing about a result."""


@cache
def code_version(*own: str, packages: tuple[str, ...] = ()) -> str:
    """Digest (12 hex digits) over modules, all of `core` that they import, and the versions of other packages.

    `own` are paths inside the package, e.g. `assets/splits.py`; raises `FileNotFoundError` where one is missing.
    """
    digests = {module: fingerprint.digest_file(PACKAGE / module) for source in own for module in sources(source)}
    versions = {name: importlib.metadata.version(name) for name in packages}
    return fingerprint.digest({**digests, **versions})[: fingerprint.SHORT]


def sources(source: str) -> list[str]:
    """The module and, through all imports, the modules of `core` behind it, as paths inside the package."""
    found: set[str] = set()
    left = [PACKAGE / source]
    while left:
        path = left.pop()
        name = path.relative_to(PACKAGE).as_posix()
        if name in found or name.startswith(LEFT_OUT):
            continue
        found.add(name)
        left += _imported(path)
    return sorted(found)


@cache
def _imported(path: Path) -> list[Path]:
    """Modules of `core` that a module imports, at its top or inside a function."""
    found = []
    text = path.read_text().replace("(\n", "(").replace(",\n", ",")
    for module, names, plain in IMPORT.findall(text):
        folder = PACKAGE.joinpath(*(module or plain).split(".")[1:])
        named = [folder / name.split(" as ")[0].strip() for name in names.split(",") if name.strip()]
        for each in [folder, *named]:
            found += [file for file in (each.with_suffix(".py"), each / "__init__.py") if file.is_file()]
    return found
