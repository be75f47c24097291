"""Estimators as files of skops, which holds names of types instead of code: nothing is imported that is not trusted."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from training_assets.core.errors import InputError
from training_assets.core.fingerprint import digest, digest_bytes

SHOWN = 10  # types that an error names


def written(estimator: Any, what: str) -> bytes:
    """The content of a file; `InputError` E_FAMILY for an estimator that skops cannot take apart."""
    from skops.io import dumps  # type: ignore[import-untyped]  # has no types
    from skops.io.exceptions import UnsupportedTypeException  # type: ignore[import-untyped]  # has no types

    try:
        content: bytes = dumps(estimator, compression=ZIP_DEFLATED)
    except (UnsupportedTypeException, TypeError, AttributeError) as error:
        reason = str(error)[:200]
    else:
        return content
    message = f"{what} cannot be saved without pickle ({reason}); give it plain attributes, or use another estimator"
    raise InputError("E_FAMILY", message)


def read(content: bytes, what: str, trust: tuple[str, ...]) -> Any:
    """The estimator; modules in `trust` may be imported for it, and those that skops trusts by itself.

    Raises `InputError` E_TRUST, before anything is imported, for other types, and for what is no such file.
    """
    from skops.io import loads

    return loads(content, trusted=trusted_types(content, what, trust))


def trusted_types(content: bytes, what: str, trust: tuple[str, ...]) -> list[str]:
    """Types of the file that skops does not trust by itself; `InputError` E_TRUST where `trust` does not either."""
    from skops.io import get_untrusted_types

    try:
        types: list[str] = get_untrusted_types(data=content)
    except (BadZipFile, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        message = f"{what} is no file of skops ({type(error).__name__}); fetch the artifact again"
        raise InputError("E_TRUST", message) from error
    unknown = [name for name in types if not _within(name, trust)]
    if unknown:
        message = (
            f"{what} holds types whose code is not trusted: {', '.join(name[:80] for name in unknown[:SHOWN])}; if you "
            f"know who made it and what they do, trust their modules: {', '.join(_modules(unknown))}"
        )
        raise InputError("E_TRUST", message)
    return types


def identity(content: bytes) -> str:
    """Sha256 over what the file holds, whatever its objects' addresses were in the process that wrote it."""
    with ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read("schema.json"))
        files = {name: digest_bytes(archive.read(name)) for name in archive.namelist() if name != "schema.json"}
    first: dict[int, int] = {}  # address -> place of its first object, by which a cycle names it
    return digest(_without_addresses(schema, files, first))


def _without_addresses(value: Any, files: dict[str, str], first: dict[int, int]) -> Any:
    if isinstance(value, list):
        return [_without_addresses(item, files, first) for item in value]
    if not isinstance(value, dict):
        return value
    address = value.get("__id__")
    if isinstance(address, int):
        first.setdefault(address, len(first))
    cycle = {"same as": first[value["__id__"]]} if value.get("__loader__") == "CachedNode" else {}
    content = {
        key: files[item] if key == "file" and isinstance(item, str) else _without_addresses(item, files, first)
        for key, item in value.items()
        if key not in ("__id__", "_skops_version")
    }
    return {**content, **cycle}


def _within(name: str, trust: Iterable[str]) -> bool:
    return any(name.startswith(f"{module}.") for module in trust)


def _modules(types: list[str]) -> list[str]:
    return sorted({name.rpartition(".")[0][:80] for name in types})[:SHOWN]
