"""A registered version's files: fetched from the registry, and held against the digests that the ledger has."""

from __future__ import annotations

from pathlib import Path

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.resources.ledger import Event
from training_assets.resources.registry import Registry
from training_assets.serving import PACKAGE

CODE = "training_assets"


def package_of(model: str, registry: Registry, registered: Event, folder: Path) -> Path:
    """Fetch a version into an empty folder, and give its package, `<folder>/…/data/<name>/package`; nothing is loaded.

    Raises InputError E_HASH where its package or code is not what was registered, E_VERSION where it cannot be had.
    """
    version = str(registered.data["version"])
    local = registry.download(model, version, folder)
    packages = sorted(local.glob(f"data/*/{PACKAGE}"))
    parts = {"model_files": packages[0] if packages else local, "code_files": local / "code" / CODE}
    for name, part in parts.items():
        if fingerprint.digest(fingerprint.digests_of(part)) != registered.data[name]:
            message = f"the files of version {version} have changed since it was registered"
            raise InputError("E_HASH", message)
    return packages[0]
