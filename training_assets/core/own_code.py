"""Which code of the user's own made a result: the project's files behind a function, and packages that it trusts."""

from __future__ import annotations

import ast
import importlib.metadata
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from training_assets.core import fingerprint
from training_assets.core.import_closure import PACKAGE, imported
from training_assets.core.project_code import file_of, project_file


def identity(reference: str, root: Path, trusted: Iterable[str] = ()) -> str:
    """Sha256 over the files behind a search's `module:function`, and the versions of the packages that it trusts.

    Raises `InputError` E_FAMILY where there is no such module.
    """
    base = root.resolve()
    first = project_file(reference.partition(":")[0], root, "search", "E_FAMILY")
    files = {path.relative_to(base).as_posix(): fingerprint.digest_file(path) for path in _files_behind(first, base)}
    return fingerprint.digest([files, _versions(trusted)])


def _files_behind(first: Path, root: Path) -> set[Path]:
    """A file and, through imports at any depth, the project's files behind it.

    Those of this package are left out: `code_version` knows them.
    """
    found: set[Path] = set()
    left = [first]
    while left:
        path = left.pop()
        if path in found or (path != first and _is_ours(path.relative_to(root))):
            continue
        found.add(path)
        package = path.parent.relative_to(root).parts
        names = [".".join(package[: depth + 1]) for depth in range(len(package))]
        with suppress(SyntaxError, ValueError):  # whoever imports it says so
            names += imported(ast.parse(path.read_bytes()), package)
        left += [file for file in (file_of(name, root) for name in names if name) if file is not None]
    return found


def _is_ours(path: Path) -> bool:
    return path.parts[0] == PACKAGE.name and path.parts[1] != "defs"


def _versions(trusted: Iterable[str]) -> dict[str, list[str]]:
    """Versions of the installed packages among these modules."""
    tops = {name.partition(".")[0] for name in trusted}
    installed = importlib.metadata.packages_distributions() if tops else {}
    return {
        top: sorted(f"{name} {importlib.metadata.version(name)}" for name in set(installed[top]))
        for top in sorted(tops & set(installed))
    }
