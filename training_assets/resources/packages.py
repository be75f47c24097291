"""A registered version's files: fetched from the registry, and held against the digest that the ledger has."""

from __future__ import annotations

import shutil
from pathlib import Path

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.resources.ledger import Event
from training_assets.resources.registry import ADDED_BY_MLFLOW, Registry
from training_assets.resources.signing import SIGNATURE, require_signature
from training_assets.serving import PACKAGE

CODE = "training_assets"
COMPILED = "__pycache__"


def package_of(
    model: str, registry: Registry, registered: Event, folder: Path, *, refuse_compiled: bool = False
) -> Path:
    """Fetch a version into an empty folder, and give its package, `<folder>/…/data/<name>/package`; nothing is loaded.

    It comes without compiled code: whoever loads a version from a registry in a folder leaves some there, and Python
    runs it in place of the code. Raises InputError E_HASH where any file is not what was registered, or compiled code
    is there and refused, E_SIGNATURE where a public key is given and the signature does not hold, E_VERSION where the
    version cannot be had.
    """
    version = str(registered.data["version"])
    local = registry.download(model, version, folder)
    compiled = without_compiled_code(local)
    if "files" not in registered.data:
        message = f"version {version} was registered before all of its files were pinned; register another one"
        raise InputError("E_HASH", message)
    if files_of(local) != registered.data["files"]:
        message = f"the files of version {version} have changed since it was registered"
        raise InputError("E_HASH", message)
    if compiled and refuse_compiled:
        message = (
            f"version {version} has compiled code beside its own, {compiled[0]} first, which runs in its place where "
            f"it is loaded from there; a load leaves such code: remove every {COMPILED} from the registry's folder"
        )
        raise InputError("E_HASH", message)
    require_signature(local, local / SIGNATURE, ADDED_BY_MLFLOW)
    (packed,) = local.glob(f"data/*/{PACKAGE}")
    return packed


def files_of(local: Path) -> str:
    """Digest over every file of a fetched version, but for the one that MLflow writes into each copy."""
    return fingerprint.digest(
        {path: it for path, it in fingerprint.digests_of(local).items() if path != ADDED_BY_MLFLOW}
    )


def parts_of(local: Path) -> dict[str, str]:
    """Digests of the package and of the code in a fetched version, as registration knew them before it logged them."""
    parts = {"model_files": next(local.glob(f"data/*/{PACKAGE}"), local), "code_files": local / "code" / CODE}
    return {name: fingerprint.digest(fingerprint.digests_of(part)) for name, part in parts.items()}


def without_compiled_code(local: Path) -> list[str]:
    """Remove what Python compiled from a fetched version; the paths that were there."""
    found = sorted(path for path in local.rglob("*.pyc") if path.is_file())
    folders = sorted(path for path in local.rglob(COMPILED) if path.is_dir())
    for path in found:
        path.unlink()
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)
    return [path.relative_to(local).as_posix() for path in found]
