"""Functions that a spec names as `module:function`: files below the project's root, and nothing else."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from training_assets.core.errors import InputError


def project_function(reference: str, root: Path, key: str, code: str) -> Callable[..., Any]:
    """The function `module:function` of a file below `root`, imported; `key` is where the spec names it.

    Raises `InputError` of that code where there is no such file or function, or where importing the file fails.
    """
    name, _, function = reference.partition(":")
    try:
        module = imported(name, root, key, code)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        kind, place = type(error).__name__, place_below(root, error)
        message = f"{key}: importing {name} raised {kind} at {place}: {str(error)[:200]}; mend it"
        raise InputError(code, message) from error
    found = getattr(module, function, None)
    if not callable(found):
        message = f"{key}: {name.replace('.', '/')}.py has no function {function}; mend {key}"
        raise InputError(code, message)
    return found  # type: ignore[no-any-return]  # what a user's module holds has no type


def project_file(module: str, root: Path, key: str, code: str) -> Path:
    """The module's file; `InputError` of that code where none lies below the root (installed packages do not)."""
    found = file_of(module, root)
    if found is None:
        message = (
            f"{key}: no {'/'.join(module.split('.'))}.py below the project's root; only the project's own code is run"
        )
        raise InputError(code, message)
    return found


def file_of(module: str, root: Path) -> Path | None:
    """The module's file below the root; None where it is not the project's own."""
    stem = root.resolve().joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file() and path.resolve().is_relative_to(root.resolve()) and not _is_installed(path):
            return path.resolve()
    return None


def place_below(root: Path, error: BaseException) -> str:
    """Where below the root an error arose: the innermost file and line there."""
    base = root.resolve()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if is_below(path, root):
            return f"{path.resolve().relative_to(base)}, line {frame.lineno}"
    return "a line that is not the project's"


def is_below(path: Path, root: Path) -> bool:
    """Whether a file is the project's own: below its root, and no installed package."""
    resolved = path.resolve()
    return resolved.is_relative_to(root.resolve()) and not _is_installed(resolved)


def imported(name: str, root: Path, key: str, code: str) -> ModuleType:
    """The module of the file below the root; the root is on the path while it is imported, for what it imports itself.

    Raises `InputError` of that code where there is no such file, or where another module has its name, and whatever
    importing it raises.
    """
    file = project_file(name, root, key, code)
    sys.path.insert(0, str(root.resolve()))
    try:
        importlib.invalidate_caches()
        module = importlib.import_module(name)
    finally:
        sys.path.remove(str(root.resolve()))
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != file:
        message = f"{key}: {name} is another module of that name, not {file.name} of the project; rename it"
        raise InputError(code, message)
    return module


def _is_installed(path: Path) -> bool:
    return "site-packages" in path.parts or any((folder / "pyvenv.cfg").exists() for folder in path.parents)
