"""Signatures of versions by model-signing (OpenSSF), where a key is given; https://github.com/sigstore/model-transparency."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from training_assets.core.errors import InputError

SIGNING_KEY, PUBLIC_KEY = "TRAINING_ASSETS_SIGNING_KEY", "TRAINING_ASSETS_PUBLIC_KEY"
"""Variables that name files: a private key in PEM (elliptic curve) signs, its public key verifies."""
SIGNATURE = "version.sig"
"""Name of the signature's file; it lies in the folder that it is a signature of, which is all that it does not sign."""


def sign(folder: Path, signature: Path, *left_out: str) -> bool:
    """Sign a folder, but for files left out, where a key is given; whether it was.

    Raises InputError E_SIGNATURE for a key that cannot be used.
    """
    key = os.environ.get(SIGNING_KEY)
    if not key:
        return False
    config = _model_signing("signing").Config().set_hashing_config(_all_but(left_out))
    try:
        config.use_elliptic_key_signer(private_key=key).sign(folder, signature)
    except (OSError, ValueError, TypeError) as error:
        message = (
            f"{SIGNING_KEY} names no private key that can sign: {type(error).__name__}; give a PEM file (prime256v1)"
        )
        raise InputError("E_SIGNATURE", message) from error
    return True


def is_asked() -> bool:
    """Whether signatures are verified here."""
    return bool(os.environ.get(PUBLIC_KEY))


def require_signature(folder: Path, signature: Path, *left_out: str) -> bool:
    """Verify a folder, but for files left out, where a public key is given; whether it was.

    Raises InputError E_SIGNATURE where the signature is missing, by another key, or not of these very files.
    """
    key = os.environ.get(PUBLIC_KEY)
    if not key:
        return False
    if not signature.is_file():
        raise InputError("E_SIGNATURE", f"the version carries no signature, and {PUBLIC_KEY} asks for one")
    config = _model_signing("verifying").Config().set_hashing_config(_all_but(left_out))
    try:
        config.use_elliptic_key_verifier(public_key=key).verify(folder, signature)
    except Exception as error:
        message = f"the version's signature does not hold for its files and the key of {PUBLIC_KEY}: {error}"
        raise InputError("E_SIGNATURE", message[:500]) from error
    return True


def _all_but(left_out: tuple[str, ...]) -> Any:
    """What is signed: every file, those of git too."""
    paths = [SIGNATURE, *left_out]
    return _model_signing("hashing").Config().set_ignored_paths(paths=paths, ignore_git_paths=False)


def _model_signing(module: str) -> Any:
    try:
        return importlib.import_module(f"model_signing.{module}")
    except ImportError as error:
        message = "signing needs the extra `signing`: pip install 'training_assets[signing]'"
        raise InputError("E_SIGNATURE", message) from error
